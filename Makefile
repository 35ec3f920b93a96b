# Every target sets up its own virtual environment; a machine needs Python 3.11 and make.
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready

.PHONY: help demo test lint format bench lock clean

help: ## Show this help
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/:[^#]*## /\t/' | expand -t 10

$(READY): requirements-dev.txt pyproject.toml
	$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Duckback needs Python 3.11 or newer; set PYTHON=")'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	touch $@

demo: $(READY) ## Back up, damage and restore a generated hot tier, on this machine alone
	$(BIN)/duckback demo

test: lint ## Everything that CI runs
	$(BIN)/python -m pytest

lint: $(READY) ## Style, types and architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(READY) ## Let ruff rewrite what it can
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: $(READY) ## Speed and memory as ratios to EXPORT DATABASE and IMPORT DATABASE
	$(BIN)/python -m benchmarks

lock: ## Pin the newest allowed versions, with hashes (needs uv)
	uv pip compile pyproject.toml --group dev --python-version 3.11 --universal --upgrade \
	  --generate-hashes --no-header --no-emit-index-url --no-emit-find-links --output-file requirements-dev.txt

clean: ## Remove what the targets made
	rm -rf $(VENV) .coverage .coverage.* .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache build dist
