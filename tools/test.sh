#!/usr/bin/env bash
# Runs every test but the long ones in three processes side by side: the DataFrame tests, the others that use the Spark session, and all
# that need none. Fails if any does, or if tests that need no Spark and are not slow cover fewer branches of the pure
# packages than pyproject.toml asks for. (A library that shares tests out stands in pyspark's way: its optional parts
# then end the process they are imported in.)
set -uo pipefail
cd "$(dirname "$0")/.."
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
pytest=(.venv/bin/python -m pytest)
# Of some of the tests nothing can be said about how much all of them cover.
coverage=()
[ "$#" -eq 0 ] && coverage=(--cov --cov-report=term)
"${pytest[@]}" -m "spark and not long" --ignore=tests/spark "$@" > "$out/others" 2>&1 &
others=$!
without_spark() {
    local failed=0
    "${pytest[@]}" -m "not spark and not slow" "${coverage[@]}" "$@" > "$out/quick" 2>&1 || failed=1
    "${pytest[@]}" -m "not spark and slow and not long" "$@" > "$out/slow" 2>&1 || failed=1
    return "$failed"
}
without_spark "$@" &
rest=$!
"${pytest[@]}" -m "spark and not long" tests/spark "$@"
failed=$?
for process in "$others" "$rest"; do wait "$process" || failed=1; done
cat "$out"/*
exit "$failed"
