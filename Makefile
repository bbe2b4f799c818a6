# Two commands for a new machine: `make demo` and `make test`. Everything they install stays in .venv and .sos.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Small matrices: one thread each is many times faster than several on a busy machine.
export OPENBLAS_NUM_THREADS ?= 1

.PHONY: setup demo test check lock clean

setup: $(STAMP)

# Installed once from the hash-checked lock; nothing here runs again until a lock or pyproject.toml changes.
$(STAMP): conf/locks/build.txt conf/locks/python.txt conf/locks/java.txt conf/locks/jars.toml pyproject.toml tools/setup.sh
	PYTHON=$(PYTHON) tools/setup.sh $(VENV)
	touch $@

demo: setup
	tools/demo.sh

test: setup
	tools/test.sh

check: setup
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .

# Maintainers: resolve the dependencies of pyproject.toml anew. The locks name no registry.
lock:
	tools/lock.sh

clean:
	rm -rf $(VENV) .sos
