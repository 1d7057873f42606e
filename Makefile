# make portrait      four photos of a person -> their portrait, offline, on the bundled model
# make test          lint, types, import directions, tests, in TEST_WORKERS processes
# Each makes .venv and installs what it needs on the first call; a later call goes straight to its job.
#
# make lint          what of `make test` needs no test: ruff, types, import directions
# make types         the types alone
# make unit          the tests alone
# make docs          the documentation as a web site in site/
# make wheel         dist/*.whl
# make wheel-smoke   that wheel with nothing but its own dependencies, in a fresh environment, draws a portrait

PYTHON ?= $(shell command -v python3.11 || command -v python3)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check install -c constraints.txt

PHOTOS ?= examples/person/*.jpg
OUT ?= outputs/portrait.png
TEST_WORKERS ?= 2

.PHONY: portrait test lint types unit docs wheel wheel-smoke clean

portrait: .venv/.portrait-ready
	$(BIN)/hifi-portrait generate $(PHOTOS) --expression smile --yaw -25 --pitch 3 --seed 7 --sheet --out $(OUT)

test: lint unit

lint: .venv/.test-ready
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports
	$(MAKE) types

types: .venv/.test-ready
	$(BIN)/mypy

unit: .venv/.test-ready
	$(BIN)/pytest -n $(TEST_WORKERS) --dist loadfile --no-loadscope-reorder

docs: .venv/.test-ready
	NO_MKDOCS_2_WARNING=1 $(BIN)/mkdocs build --strict

wheel: .venv/.test-ready
	rm -rf dist
	$(BIN)/python -m hatchling build -t wheel

wheel-smoke: wheel
	rm -rf .venv-wheel
	$(PYTHON) -m venv .venv-wheel
	.venv-wheel/bin/python -m pip --disable-pip-version-check install -c constraints.txt dist/*.whl
	.venv-wheel/bin/hifi-portrait generate examples/person/*.jpg --expression smile --out outputs/wheel.png
	.venv-wheel/bin/hifi-portrait train base-tiny --data nowhere --out nowhere 2>&1 | grep -F 'hifi-portrait[train]'

clean:
	rm -rf .venv .venv-wheel dist outputs site .mypy_cache .ruff_cache .pytest_cache .import_linter_cache

$(BIN)/python:
	$(PYTHON) -m venv .venv

.venv/.portrait-ready: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e .
	touch $@

.venv/.test-ready: pyproject.toml constraints.txt | $(BIN)/python
	$(PIP) -e ".[dev]"
	touch $@ .venv/.portrait-ready
