# Every target sets up its own virtual environment; a machine needs Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
OLDER := 1.4 1.5
ENGINES := $(OLDER:%=$(VENV)/engines/%/.ready)
ON_1_5 := PYTHONPATH=$(CURDIR)/$(VENV)/engines/1.5 $(BIN)/python

.PHONY: help demo test test-matrix soak lint format bench docs lock clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Duckback needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

$(VENV)/engines/%/.ready: requirements-duckdb-%.txt $(READY)
	rm -rf $(@D)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --require-hashes --target $(@D) -r $<
	touch $@

demo: $(READY) ## Back up, damage and restore a generated hot tier, on this machine alone
	$(BIN)/duckback demo

test: lint $(ENGINES) ## Everything that CI runs
	$(BIN)/python -m pytest
	$(ON_1_5) -m pytest --no-cov tests/fidelity tests/incremental tests/golden

test-matrix: lint $(ENGINES) ## All tests on every supported release of DuckDB
	$(BIN)/python -m pytest
	$(ON_1_5) -m pytest --no-cov

lint: $(READY) ## Style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

soak: $(READY) $(ENGINES) ## The long versions of the random and fault tests
	DUCKBACK_SOAK_CAPTURES=1000 $(BIN)/python -m pytest tests/stress --no-cov -rP
	DUCKBACK_SOAK_HISTORIES=2000 $(BIN)/python -m pytest tests/incremental/test_histories.py --no-cov
	DUCKBACK_SOAK_EXAMPLES=2000 $(BIN)/python -m pytest tests/fidelity/test_every_type.py --no-cov
	DUCKBACK_SOAK_ORDERS=1 DUCKBACK_SOAK_WRITERS=5000 $(BIN)/python -m pytest tests/writers --no-cov -rP
	DUCKBACK_SOAK_EXAMPLES=2000 $(ON_1_5) -m pytest tests/fidelity/test_every_type.py --no-cov
	DUCKBACK_SOAK_FLIPS=2000 $(BIN)/python -m pytest tests/faults/test_flips.py --no-cov -rP --timeout=7200
	DUCKBACK_SOAK_MANIFESTS=100000 $(BIN)/python -m pytest tests/property/test_hostile_manifests.py --no-cov -rP --timeout=7200
	DUCKBACK_SOAK_FAULTS=1 $(BIN)/python -m pytest tests/integration/test_s3_faults.py --no-cov
	DUCKBACK_SOAK_KILLS=300 DUCKBACK_SOAK_KILLS_ON_S3=100 $(BIN)/python -m pytest tests/faults/test_random_kills.py --no-cov -rP

docs: $(READY) ## Write the documents that come from the code, and build the site into build/site
	$(BIN)/python -m tools
	$(BIN)/properdocs build --quiet --strict --clean

bench: $(READY) ## Speed and memory as ratios to EXPORT DATABASE, IMPORT DATABASE and cp
	PYTHONPATH=tests $(BIN)/python -m benchmarks

lock: ## Pin the newest allowed versions, with hashes (needs uv)
	uv pip compile pyproject.toml --group dev --python-version 3.11 --universal --upgrade \
	  --generate-hashes --no-strip-extras --no-header --no-emit-index-url --no-emit-find-links \
	  --output-file requirements-dev.txt
	for release in $(OLDER); do echo "duckdb==$$release.*" | uv pip compile - --python-version 3.11 --universal --upgrade \
	  --generate-hashes --no-header --no-annotate --no-emit-index-url --no-emit-find-links \
	  --output-file requirements-duckdb-$$release.txt; done

clean: ## Remove what the targets made
	rm -rf $(VENV) .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
