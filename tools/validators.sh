#!/usr/bin/env bash
# Makes an environment for each of the sector's validators, from its lock, in .sos/validators: they need an older pandas
# than sos_spark. Only the tests that compare DfE's rules with ours use them; nothing is done twice.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-python3}

for name in cin 903; do
    venv=.sos/validators/$name lock=conf/locks/validators_$name.txt
    cmp -s "$lock" "$venv/.installed" && continue
    echo "Installing the $name validator into $venv ..." >&2
    rm -rf "$venv"
    "$python" -m venv "$venv"
    "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps --only-binary :all: -r "$lock"
    cp "$lock" "$venv/.installed"
done
