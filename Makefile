.DEFAULT_GOAL := help
SHELL := bash
PYTHON ?= python3
BIN := .venv/bin
PORT ?= 8080

help:  ## Show this list
	@awk -F':.*## ' '/^[a-z-]+:.*## / {printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

.venv/.stamp: requirements-dev.lock pyproject.toml
	@echo "== setting up .venv (Python packages, hashes checked)"
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements-dev.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@touch $@

setup: .venv/.stamp  ## Create .venv with everything that development needs

demo: .venv/.stamp  ## Run the main job on a practice CRM, from history to coaching tasks
	@$(BIN)/forestage demo

test: .venv/.stamp  ## Run all tests
	$(BIN)/python -m pytest -n auto

lint: .venv/.stamp  ## Check style, types, architecture and generated docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports

check: lint test  ## Everything that must be clean before a commit lands

serve: .venv/.stamp  ## Run the service on loopback
	@$(BIN)/forestage serve --port $(PORT)

bench: .venv/.stamp  ## Measure scoring and print the figures
	$(BIN)/python bench/score.py

LOCK := $(BIN)/uv pip compile -q --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header

lock: .venv/.stamp  ## Renew the lock files from pyproject.toml
	$(LOCK) pyproject.toml -o requirements.lock
	$(LOCK) --extra dev pyproject.toml -o requirements-dev.lock
	$(LOCK) --group build -o requirements-build.lock

clean:  ## Remove the virtual environment and every cache
	rm -rf .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

.PHONY: help setup demo test lint check serve bench lock clean
