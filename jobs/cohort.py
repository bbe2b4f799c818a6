"""spark-submit jobs/cohort.py <the options of `sos-spark cohort`>."""

import sys

from sos_spark.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["cohort", *sys.argv[1:]]))
