#!/usr/bin/env bash
# Gathers in a folder what a machine without internet is set up from: every locked package, and Delta's jars in jars/.
# There: PIP_NO_INDEX=1 PIP_FIND_LINKS=FOLDER SOS_SPARK_JARS=FOLDER/jars make setup
set -euo pipefail
cd "$(dirname "$0")/.."
folder=$1
python=${PYTHON:-.venv/bin/python}
mkdir -p "$folder/jars"
for lock in build python java; do
    "$python" -m pip download --quiet --disable-pip-version-check --require-hashes --no-deps --no-build-isolation \
        --dest "$folder" -r "conf/locks/$lock.txt"
done
SOS_SPARK_JARS="$folder/jars" "$python" -c 'from sos_spark.machine.jars import fetch_jars, jars_folder; fetch_jars(jars_folder())'
du -sh "$folder"
