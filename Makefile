# Set-up and the common commands. `make quickstart` and `make test` need CPython 3.11+ and nothing else.
#
# TORCH  what pip installs as PyTorch: the version, and optionally where its build comes from.
#        On Linux the public index carries the CUDA build. Examples:
#          make TORCH='torch==2.13.0 --index-url https://download.pytorch.org/whl/cpu' quickstart
#          make TORCH='torch==2.13.0 --index-url https://download.pytorch.org/whl/cu130' quickstart
# CORES  how many cores snakemake may use.
# PYTHON the interpreter that the environment is made from.
TORCH ?= torch==2.13.0
CORES ?= all
PYTHON ?= python3

BIN := .venv/bin
export PATH := $(CURDIR)/$(BIN):$(PATH)
# Without compiled modules every job would take seconds longer to start.
unexport PYTHONDONTWRITEBYTECODE
unexport PYTHONPATH

.PHONY: quickstart test test-slurm test-faults lint benchmark verify unlock clean environment slurm \
  locked lock licences

quickstart: environment
	snakemake --cores $(CORES) --configfile config/quickstart.yaml
	@echo "The report: results/quickstart/report.html"

test: lint
	python -m pytest -n 2 --dist loadgroup

lint: environment
	ruff check .
	ruff format --check .
	snakefmt --check Snakefile rules
	snakemake --lint
	lint-imports
	mypy

# Starts a Slurm of two nodes with two fake GPUs on this machine (as root), runs the workflow through
# profiles/slurm, and stops it again, whatever came out. See docs/cluster.md.
test-slurm: slurm
	tests/slurm/up.sh
	python -m pytest tests/slurm -v; status=$$?; tests/slurm/down.sh; exit $$status

# Times and memory of the engine and of whole runs; see docs/performance.md.
benchmark: environment
	python -m benchmarks

# Runs the quickstart twice from nothing, on one core and on two, and compares every artifact.
verify: environment
	python tests/verify_bytes.py

# Kills, full disks, a changed clock, ... and after each the same command again; see docs/reliability.md.
test-faults: environment
	python tests/faults/run.py

# After a kill -9 or a power cut: Snakemake believes that another one is running.
unlock: environment
	snakemake --unlock

# The environment from requirements.lock: every file that pip installs must have a SHA-256 that is
# written there. torch comes last and alone, since its files differ from build to build.
locked:
	$(PYTHON) -m venv --clear .venv
	$(BIN)/python -m pip install --require-hashes --no-deps -r requirements.lock
	$(BIN)/python -m pip install -c constraints.txt $(TORCH)
	$(BIN)/python -m pip install --no-deps --no-build-isolation -e .
	$(BIN)/python -m pip check
	touch .venv/.ok

# Writes requirements.lock anew after a change of constraints.txt. Needs uv, for this only.
lock:
	grep -v '^torch==' constraints.txt | uv pip compile - --no-deps --generate-hashes \
	  --no-header --no-annotate --python-version 3.11 --quiet --output-file requirements.lock

# Writes docs/licences.md anew, from what is installed.
licences: environment
	python docs/licences.py

# Removes the quickstart's results and what tools leave behind; keeps data and other results.
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

# What profiles/slurm needs beside the environment.
slurm: .venv/.slurm

.venv/.slurm: .venv/.ok
	$(BIN)/python -m pip install -c constraints.txt -e '.[slurm]'
	touch $@
