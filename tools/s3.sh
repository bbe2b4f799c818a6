#!/usr/bin/env bash
# What the test of a study in S3 needs: moto's server in an environment of its own, and the jars by which Spark reads S3.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}
lock=conf/locks/moto.txt venv=.sos/moto

if ! cmp -s "$lock" "$venv/.installed"; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r "$lock"
    cp "$lock" "$venv/.installed"
fi
.venv/bin/python -m tools.s3 .sos/s3a
