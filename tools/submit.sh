#!/usr/bin/env bash
# Runs one step on a cluster: tools/submit.sh STEP [spark-submit's options] -- [the step's options]
#
#   tools/submit.sh ingest --master spark://host:7077 --properties-file conf/spark/cluster.conf -- \
#       --source /data/returns --lake /data/lake --key-file /secure/key
#
# The driver runs here, in client mode; source and lake must be at the same paths on every machine. Packages other than
# sos_spark itself (conf/locks/python.txt) must be installed on the workers: name their Python in PYSPARK_PYTHON.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
step=${1:?usage: tools/submit.sh STEP [options of spark-submit] -- [options of the step]}
shift
spark_options=()
while [ $# -gt 0 ] && [ "$1" != -- ]; do spark_options+=("$1"); shift; done
[ $# -eq 0 ] || shift
archive=$(cd "$root" && tools/package.sh)
# The driver imports the package from the zip, which has no checkout around it.
export SOS_SPARK_JARS=${SOS_SPARK_JARS:-$root/.sos/jars}
jars=$(ls "$SOS_SPARK_JARS"/delta-*.jar | paste -sd, -)
export PYSPARK_DRIVER_PYTHON=${PYSPARK_DRIVER_PYTHON:-$root/.venv/bin/python}
export PYSPARK_PYTHON=${PYSPARK_PYTHON:-$root/.venv/bin/python}
export SOS_SPARK_CONF=${SOS_SPARK_CONF:-$root/conf}
umask 077
exec "$root/.venv/bin/spark-submit" --py-files "$root/$archive" --jars "$jars" \
    ${spark_options[@]+"${spark_options[@]}"} "$root/jobs/$step.py" "$@"
