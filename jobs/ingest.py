"""spark-submit jobs/ingest.py <the options of `sos-spark ingest`>."""

import sys

from sos_spark.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["ingest", *sys.argv[1:]]))
