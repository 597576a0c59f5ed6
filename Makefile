# Set-up and the common commands. `make quickstart` and `make test` need CPython 3.11+ and nothing else.
#
# TORCH  the version of PyTorch for pip, and optionally the index of its build.
#        On Linux the public index has the CUDA build. Examples:
#          make TORCH='torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu' quickstart
#          make TORCH='torch==2.13.0 --index-url https://download.pytorch.org/whl/cu130' quickstart
# CORES  number of cores that snakemake may use.
# PYTHON the interpreter of the environment.
TORCH ?= torch==2.13.0
CORES ?= all
PYTHON ?= python3

BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Without compiled modules every job would start seconds later.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH

.PHONY: quickstart check test test-full coverage docs test-slurm test-faults lint static benchmark verify unlock \
  clean environment slurm locked lock licences

quickstart: environment
	snakemake --cores $(CORES) --configfile config/quickstart.yaml
	@echo "The report: results/quickstart/report.html"

test: lint
	python -m pytest -n 2 --dist loadgroup -m "not full"

# Runs the default preset to its report, on small files in the official formats. Minutes.
test-full: environment
	python -m pytest -q -m full

# What to run after each change: linters, types, and the tests without slow ones. `make test` runs all.
check: static
	python -m pytest -q -n 2 -m "not workflow and not mirror and not slow"

# Which lines of the package the tests run -> build/coverage/index.html; see CONTRIBUTING.md.
coverage: environment
	python -m pytest -n 2 --dist loadgroup -m "not full" --cov --cov-report term:skip-covered --cov-report html

# The documentation site -> build/site/index.html. Runs the tutorials; needs no network.
docs: environment
	NO_MKDOCS_2_WARNING=1 mkdocs build --quiet
	@echo "The site: build/site/index.html"

lint: static
	snakemake --lint

static: environment
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	lint-imports
	mypy

# Starts a Slurm of two nodes with two fake GPUs on this machine (as root), runs the workflow through
# profiles/slurm, and always stops Slurm again. See docs/cluster.md.
test-slurm: slurm
	tests/slurm/up.sh
	python -m pytest tests/slurm -v; status=$$?; tests/slurm/down.sh; exit $$status

# Measures time and memory of training and of whole runs; see docs/performance.md.
benchmark: environment
	python -m benchmarks

# Runs the quickstart twice from nothing, on one core and on two, and compares every artifact.
verify: environment
	python tests/verify_bytes.py

# Injects faults (kills, full disks, a changed clock) and repeats the command; see docs/reliability.md.
test-faults: environment
	python tests/faults/run.py

# Removes the lock that remains after a kill -9 or a power cut.
unlock: environment
	snakemake --unlock

# Installs from requirements.lock: pip accepts only files with a SHA-256 of the lock. torch is
# installed last, without a hash, since its files differ from build to build.
locked:
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install -c constraints.txt $(TORCH)
	$(BIN)/python -m pip install --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip check
	touch .venv/.ok

# Writes requirements.lock after a change of constraints.txt. Only this target needs uv.
lock:
	grep -v '^torch==' constraints.txt | uv pip compile - --no-deps --generate-hashes \
	  --no-header --no-annotate --python-version 3.11 --quiet --output-file requirements.lock

# Writes docs/licences.md from the installed packages.
licences: environment
	python docs/licences.py

# Removes the quickstart's results and the caches of tools; keeps data and other results.
clean:
	rm -rf results/quickstart build .pytest_cache .ruff_cache .hypothesis

environment: .venv/.ok

.venv/.ok: pyproject.toml constraints.txt
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "Python 3.11 or newer is needed: make PYTHON=/path/to/python3.11"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install -c constraints.txt $(TORCH)
	$(BIN)/python -m pip install -c constraints.txt -e '.[test]'
	touch $@

# The plugin that profiles/slurm needs.
slurm: .venv/.slurm

.venv/.slurm: .venv/.ok
	$(BIN)/python -m pip install -c constraints.txt -e '.[slurm]'
	touch $@
