#!/usr/bin/env bash
# What the test of a study in S3 needs: moto's server in an environment of its own, and the jars by which Spark reads S3.
set -euo pipefail
cd "$(dirname "$0")/.."
tools/locked_venv.sh conf/locks/moto.txt .sos/moto
.venv/bin/python -m tools.s3 .sos/s3a
