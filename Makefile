# Two commands for a new machine: `make demo` and `make test`. Everything they install stays in .venv and .sos.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
STAMP := $(VENV)/.installed
# Small matrices: one thread each is many times faster than several on a busy machine.
export OPENBLAS_NUM_THREADS ?= 1
# Tests use every processor already.
test test-spark test-long: export SOS_SPARK_PROCESSES ?= 1

.PHONY: setup validators browser demo quick test-spark test test-long test-hdfs test-s3 test-cluster environment schedulers yardstick coverage benchmark docs site check audit sbom wheels lock clean

setup: $(STAMP)

# Installed once from the hash-checked lock; nothing here runs again until a lock or pyproject.toml changes.
$(STAMP): conf/locks/build.txt conf/locks/python.txt conf/locks/java.txt conf/locks/jars.toml pyproject.toml tools/setup.sh
	PYTHON=$(PYTHON) tools/setup.sh $(VENV)
	touch $@

# The sector's own validators of both returns, each in an environment of its own: a test compares our rules with theirs.
validators:
	PYTHON=$(PYTHON) tools/validators.sh

# What the tests of pages in a browser need beside Debian's chromium: axe-core, from its lock, by npm.
browser:
	tools/browser.sh

demo: setup
	tools/demo.sh

# What a change is tried with: no Spark, two processes, under 90 seconds.
quick: setup
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not spark and not slow" tests/unit tests/property tests/contract

test-spark: setup
	$(BIN)/python -m pytest -m spark

test: setup
	tools/test.sh

# A study whose returns, lake and results lie in a Hadoop file system on loopback: the same numbers, killed, and twice at once.
test-hdfs: setup
	$(BIN)/python -m pytest -m long tests/end_to_end/test_hdfs.py

# The same in S3, against moto's server in an environment of its own, with Hadoop's connector and the SDK modules it uses.
test-s3: setup
	PYTHON=$(PYTHON) tools/s3.sh
	$(BIN)/python -m pytest -m long tests/end_to_end/test_s3.py

# A small England on Spark's own cluster on loopback, in each way that tools/trust/cluster_runs.py tells: equal to local.
test-cluster: setup
	$(BIN)/python -m tools.trust.cluster_runs --out .sos/cluster

# One file with the package and all that it runs on, for executors (and drivers) that have Java, Spark and a bare Python.
environment: setup
	$(BIN)/python -m tools.environment dist/sos_spark_environment.zip

# Airflow and Dagster in an environment of their own, and what ships for them as they read it.
schedulers: setup
	PYTHON=$(PYTHON) tools/locked_venv.sh conf/locks/schedulers.txt .sos/schedulers
	$(BIN)/python -m pytest -m long tests/end_to_end/test_schedulers.py

# What takes half a minute or more and stands beside tests of the same: minutes, before a release.
test-long: setup
	$(BIN)/python -m pytest -m long

# The same study in DuckDB and pyfixest, row by row: minutes, so not part of `make test`.
yardstick: setup
	SOS_SPARK_YARDSTICK=1 $(BIN)/python -m pytest -q tests/oracle/test_yardstick.py

# Branches of the packages that are pure; the floor stands in pyproject.toml.
coverage: setup
	$(BIN)/python -m pytest -q -n 2 --dist loadfile -m "not spark and not slow" --cov --cov-report=term

# The project and the yardstick (tests/oracle/yardstick) side by side on a simulated England, three times; another size:
# make benchmark SCALE=small. The table is left in .sos/benchmark. Nothing else should run on the machine meanwhile.
SCALE ?= england
benchmark: setup
	[ -f .sos/$(SCALE)/truth.json ] || $(BIN)/sos-spark simulate --scale $(SCALE) --format tables --out .sos/$(SCALE)
	$(BIN)/python -m tools.benchmark_study --study conf/studies/signs_of_safety.toml --source .sos/$(SCALE) \
		--out .sos/benchmark --check

# The documentation as a site in .sos/site; a link that leads nowhere is an error.
docs: setup
	NO_MKDOCS_2_WARNING=1 $(BIN)/python -m mkdocs build --strict --quiet

# The same with the report of the published study rendered beside it, in .sos/site/published.
site: docs
	$(BIN)/sos-spark demo --published --out .sos/site/published

check: setup docs
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy
	$(BIN)/lint-imports
	$(BIN)/deptry .
	$(BIN)/hadolint Dockerfile .devcontainer/Dockerfile deploy/kubernetes/Dockerfile

# Known vulnerabilities of what is locked: reported, not a gate, since a new one appears without a change of ours. A
# package of which nothing could be asked is an error, and not 'none found'.
audit: setup
	$(BIN)/pip-audit --strict --requirement conf/locks/python.txt --no-deps --disable-pip || true

# The bill of materials of what runs: every locked package and jar with its hashes, as CycloneDX.
sbom: setup
	mkdir -p dist
	$(BIN)/python -m tools.bill_of_materials dist/sbom.cdx.json
	@echo dist/sbom.cdx.json

# What a machine without internet is set up from, in WHEELS: every locked package, and Delta's jars.
WHEELS ?= dist/offline
wheels: setup
	tools/wheels.sh $(WHEELS)

# Maintainers: resolve the dependencies of pyproject.toml anew. The locks name no registry.
lock:
	tools/lock.sh

clean:
	rm -rf $(VENV) .sos
