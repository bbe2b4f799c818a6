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
