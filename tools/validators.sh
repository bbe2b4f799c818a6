#!/usr/bin/env bash
# Makes an environment for each of the sector's validators, from its lock, in .sos/validators: they need an older pandas
# than sos_spark. Only the tests that compare DfE's rules with ours use them; nothing is done twice.
set -euo pipefail
cd "$(dirname "$0")/.."
for name in cin 903; do tools/locked_venv.sh "conf/locks/validators_$name.txt" ".sos/validators/$name"; done
