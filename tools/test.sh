#!/usr/bin/env bash
# Runs every test: those that use the Spark session in one process, all others beside it in another. Fails if either does.
set -uo pipefail
cd "$(dirname "$0")/.."
others=$(mktemp)
trap 'rm -f "$others"' EXIT
.venv/bin/python -m pytest -m "not spark" "$@" > "$others" 2>&1 &
.venv/bin/python -m pytest -m spark "$@"
spark=$?
wait $!
rest=$?
cat "$others"
[ "$spark" -eq 0 ] && [ "$rest" -eq 0 ]
