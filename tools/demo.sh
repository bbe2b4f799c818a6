#!/usr/bin/env bash
# Simulates a small England in the returns' real formats, runs the whole study on it, and prints where the report is.
set -euo pipefail
cd "$(dirname "$0")/.."
exec .venv/bin/sos-spark demo --out .sos/demo
