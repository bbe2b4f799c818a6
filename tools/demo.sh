#!/usr/bin/env bash
# Simulates a small England in the returns' real formats, runs the whole study on it, and prints where the report is.
set -euo pipefail
cd "$(dirname "$0")/.."
sos_spark=.venv/bin/sos-spark
demo=.sos/demo
study=conf/studies/signs_of_safety.toml
umask 077
mkdir -p "$demo"

# A key of the demo's own: whoever has it can link pseudonyms to ids, so it is made here and never shared.
[ -s "$demo/key" ] || head -c 32 /dev/urandom | base64 > "$demo/key"

if [ ! -f "$demo/returns/truth.json" ]; then
    rm -rf "$demo/returns"
    "$sos_spark" simulate --out "$demo/returns" --scale small --years 2013-2020 --seed 1 --effects conf/effects/default.toml
fi
"$sos_spark" run --study "$study" --source "$demo/returns" --lake "$demo/lake" --out "$demo/results" --key-file "$demo/key"
