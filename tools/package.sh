#!/usr/bin/env bash
# Makes dist/sos_spark.zip for --py-files: Spark's Python workers import from a zip, not from a wheel.
set -euo pipefail
cd "$(dirname "$0")/.."
python=${PYTHON:-.venv/bin/python}
mkdir -p dist
"$python" - << 'EOF'
import zipfile
from pathlib import Path

FIRST_DAY_OF_ZIP = (1980, 1, 1, 0, 0, 0)
with zipfile.ZipFile("dist/sos_spark.zip", "w", zipfile.ZIP_DEFLATED) as archive:
    for path in sorted(Path("sos_spark").rglob("*")):
        if path.is_file() and "__pycache__" not in path.parts:
            # A fixed date: the same sources make the same bytes.
            archive.writestr(zipfile.ZipInfo(path.as_posix(), FIRST_DAY_OF_ZIP), path.read_bytes(), zipfile.ZIP_DEFLATED)
EOF
echo dist/sos_spark.zip
