# Every command a newcomer needs. The environment is made on the first call and renewed when a lock file changes.
PYTHON ?= python3
DATA ?= $(EIGENWARP_DATA)

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
INSTALLED_BENCH := $(VENV)/.installed-bench
PIP := $(BIN)/python -m pip --disable-pip-version-check install --quiet
ARGS = $(if $(DATA),--data "$(DATA)")

.DEFAULT_GOAL := help
.PHONY: help demo test lint bench fuzz lock clean

help:  ## this list
	@awk -F ':.*## ' '/^[a-z]+:.*## / {printf "  make %-6s %s\n", $$1, $$2}' $(MAKEFILE_LIST)
	@echo "DATA=DIR (or the setting EIGENWARP_DATA) names the hippocampus data set; PYTHON=… another Python, 3.11 or newer."

demo: $(INSTALLED)  ## register a pair and draw it: real subjects where DATA is given, else those of examples/
	$(BIN)/eigenwarp demo $(ARGS)

test: $(INSTALLED)  ## all tests, two files at a time; those on real data where EIGENWARP_DATA is set
	$(if $(DATA),EIGENWARP_DATA="$(DATA)") $(BIN)/python -m pytest -ra --numprocesses 2 --dist loadfile

lint: $(INSTALLED)  ## style, formatting, types, import rules
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED_BENCH)  ## accuracy and time beside ANTs and elastix
	$(BIN)/python -m benchmarks $(ARGS)

fuzz: $(INSTALLED)  ## ten minutes of mutated NIfTI files and made-up HTTP calls
	$(BIN)/python -m tests.fuzz

lock:  ## renew the lock files from pyproject.toml
	rm -rf build/lock && $(PYTHON) -m venv build/lock
	$(call LOCK,requirements.lock,dev)
	$(call LOCK,requirements-service.lock,service$(COMMA)bridge,--constraint requirements.lock)
	$(call LOCK,requirements-worker.lock,training$(COMMA)service$(COMMA)localize,--constraint requirements.lock)
	rm -rf build/lock

# What pip would install for some extras; setuptools is among it, since it builds the project itself. Started as
# 'PIP_CONSTRAINT=$PWD/requirements.lock make lock', what is locked stays and only what is missing comes.
COMMA := ,
define LOCK
{ sed -n '/^#/p' $(1); build/lock/bin/python -m pip install --quiet --dry-run --ignore-installed $(3) \
	--report - setuptools '.[$(2)]' | build/lock/bin/python deploy/lock_lines.py; } > build/$(1)
mv build/$(1) $(1)
endef

clean:  ## remove the environment and every cache
	rm -rf $(VENV) build *.egg-info .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache

$(INSTALLED): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed, this is " + sys.version)'
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@echo "installing into $(VENV) (two minutes the first time)"
	$(PIP) --requirement requirements.lock
	$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(INSTALLED_BENCH): requirements-bench.lock $(INSTALLED)
	$(PIP) --requirement requirements-bench.lock
	@touch $@
