#!/usr/bin/env bash
# Maintainers: resolves pyproject.toml and conf/locks/*.in anew for every platform. The locks hold hashes and name no
# registry. Jars are locked by hand: their coordinates and SHA-256 stand in conf/locks/jars.toml.
set -euo pipefail
cd "$(dirname "$0")/.."
command -v uv > /dev/null || { echo "tools/lock.sh needs uv on the path: pip install uv" >&2; exit 7; }
compile() { uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-header "$@"; }
compile conf/locks/build.in --output-file conf/locks/build.txt
compile conf/locks/java.in --output-file conf/locks/java.txt
compile conf/locks/validators_cin.in --output-file conf/locks/validators_cin.txt
compile conf/locks/validators_903.in --output-file conf/locks/validators_903.txt
compile conf/locks/moto.in --output-file conf/locks/moto.txt
compile conf/locks/schedulers.in --output-file conf/locks/schedulers.txt
compile pyproject.toml --extra spark --extra stores --extra lineage --extra tables --extra dev --extra docs --output-file conf/locks/python.txt
# What fit and report need: the same versions, of which an existing output file is the preference.
cp conf/locks/python.txt conf/locks/fit.txt
compile pyproject.toml --output-file conf/locks/fit.txt
