#!/usr/bin/env bash
# Makes an environment of its own from a lock, unless it is there: tools/locked_venv.sh LOCK FOLDER
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3} lock=$1 venv=$2

if ! cmp -s "$lock" "$venv/.installed"; then
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r "$lock"
    cp "$lock" "$venv/.installed"
fi
