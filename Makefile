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

.PHONY: quickstart test test-faults lint benchmark verify unlock clean environment

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
