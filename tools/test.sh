#!/usr/bin/env bash
# Runs every test in three processes side by side: the DataFrame tests, the others that use the Spark session, and all
# that need none. Fails if any does. (A library that shares tests out stands in pyspark's way: its optional parts then
# end the process they are imported in.)
set -uo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
pytest=(.venv/bin/python -m pytest)
"${pytest[@]}" -m spark --ignore=tests/spark "$@" > "$out/others" 2>&1 &
others=$!
"${pytest[@]}" -m "not spark" "$@" > "$out/rest" 2>&1 &
rest=$!
"${pytest[@]}" -m spark tests/spark "$@"
failed=$?
for process in "$others" "$rest"; do wait "$process" || failed=1; done
cat "$out/others" "$out/rest"
exit "$failed"
