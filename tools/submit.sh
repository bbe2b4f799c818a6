#!/usr/bin/env bash
# Runs one step on a cluster: tools/submit.sh STEP [spark-submit's options] -- [the step's options]
#
#   make environment
#   SOS_SPARK_ENVIRONMENT=dist/sos_spark_environment.zip tools/submit.sh ingest --master spark://host:7077 \
#       --properties-file conf/spark/cluster.conf -- --source /data/returns --lake /data/lake --key-file /secure/key
#
# Source and lake must be at the same paths on every machine, or be URIs. SOS_SPARK_ENVIRONMENT is a file of
# tools/environment.py, by a path or URI that the driver's machine can read: it brings the package and all that it runs
# on. Without it the package goes as a zip, and the packages of conf/locks/python.txt must be installed on the workers:
# name their Python in PYSPARK_PYTHON.
set -euo pipefail
root=$(cd "$(dirname "$0")/.." && pwd)
step=${1:?usage: tools/submit.sh STEP [options of spark-submit] -- [options of the step]}
shift
spark_options=() master='' mode=client
while [ $# -gt 0 ] && [ "$1" != -- ]; do
    case $1 in
        --master) master=${2:-} ;;
        --deploy-mode) mode=${2:-} ;;
    esac
    spark_options+=("$1")
    shift
done
[ $# -eq 0 ] || shift
environment=${SOS_SPARK_ENVIRONMENT:-}
umask 077
submit=$root/.venv/bin/spark-submit
inside=./environment/bin/python
# spark-submit asks the executors' Python where Spark is, and that one may not be here.
export SPARK_HOME=${SPARK_HOME:-$("$root/.venv/bin/python" -c 'import pyspark; print(pyspark.__path__[0])')}

if [ -n "$environment" ] && [ "$mode" = cluster ] && [[ $master == spark://* ]]; then
    # Spark takes no Python application into a standalone cluster, but any main class: its own, which runs Python, with
    # the file itself as the program (a zip with a __main__.py). It must be named .jar, and of a symbolic link Spark takes
    # the target's name: of a local file a hard link is made, beside a URI there must be a copy. The worker fetches it and
    # puts its place in {{USER_JAR}}.
    program=${environment%.zip}.jar
    case $environment in *://*) ;; *) ln -f "$environment" "$program" || cp "$environment" "$program" ;; esac
    version=$("$root/.venv/bin/python" -c 'import sys; print("python%d.%d" % sys.version_info[:2])')
    # What Spark opens of Java for Arrow, it opens in all its processes but in this one: the options of its own command.
    opened=$(SPARK_PRINT_LAUNCH_COMMAND=1 "$submit" --version 2>&1 | sed -n 's/^Spark Command: //p' | tr ' ' '\n' |
        grep -E '^(-XX:[+]Ignore|--add-|--enable-|--sun-|-Dio[.]netty)' | paste -sd' ')
    # Spark ends well whether the driver did or not; it only says so.
    said=$(mktemp)
    trap 'rm -f "$said"' EXIT
    "$submit" --conf "spark.driver.extraJavaOptions=$opened" ${spark_options[@]+"${spark_options[@]}"} \
        --archives "$environment#environment" --conf "spark.pyspark.driver.python=$version" \
        --conf "spark.pyspark.python=$inside" --conf spark.standalone.submit.waitAppCompletion=true \
        --class org.apache.spark.deploy.PythonRunner "$program" '{{USER_JAR}}' '' "$step" "$@" 2>&1 | tee "$said" >&2
    grep -q 'State of driver .* is FINISHED' "$said" && exit 0
    echo "$0: the driver did not end well; stdout in its folder, below the worker's folder of work, says why" >&2
    exit 1
fi

export SOS_SPARK_JARS=${SOS_SPARK_JARS:-$root/.sos/jars}
jars=$(ls "$SOS_SPARK_JARS"/delta-*.jar | paste -sd, -)
export SOS_SPARK_CONF=${SOS_SPARK_CONF:-$root/conf}
if [ -n "$environment" ]; then
    export PYSPARK_PYTHON=$inside
    # On YARN and Kubernetes the driver has the environment too; in client mode it runs here.
    if [ "$mode" = cluster ]; then
        export PYSPARK_DRIVER_PYTHON=$inside
        unset SOS_SPARK_CONF SOS_SPARK_JARS
    else
        export PYSPARK_DRIVER_PYTHON=${PYSPARK_DRIVER_PYTHON:-$root/.venv/bin/python}
    fi
    shipped=(--archives "$environment#environment")
else
    # The driver imports the package from the zip, which has no checkout around it.
    archive=$(cd "$root" && tools/package.sh)
    export PYSPARK_DRIVER_PYTHON=${PYSPARK_DRIVER_PYTHON:-$root/.venv/bin/python}
    export PYSPARK_PYTHON=${PYSPARK_PYTHON:-$root/.venv/bin/python}
    shipped=(--py-files "$root/$archive")
fi
exec "$submit" "${shipped[@]}" --jars "$jars" ${spark_options[@]+"${spark_options[@]}"} "$root/jobs/$step.py" "$@"
