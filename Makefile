# make portrait   four photos of a person -> their portrait, offline, on the bundled model
# make test       lint, types, import directions, tests, in TEST_WORKERS processes
# Each makes .venv and installs what it needs on the first call; a later call goes straight to its job.

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -c constraints.txt

PHOTOS ?= examples/person/*.jpg
OUT ?= outputs/portrait.png
TEST_WORKERS ?= 2

.PHONY: portrait test lint clean

portrait: .venv/.portrait-ready
	$(BIN)/hifi-portrait generate $(PHOTOS) --expression smile --yaw -25 --pitch 3 --seed 7 --sheet --out $(OUT)

test: lint
	$(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile

lint: .venv/.test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

clean:
	rm -rf .venv outputs .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv .venv

.venv/.portrait-ready: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e .
	touch $@

.venv/.test-ready: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e ".[dev,train]"
	touch $@ .venv/.portrait-ready
