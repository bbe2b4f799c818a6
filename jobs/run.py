"""spark-submit jobs/run.py <the options of `sos-spark run`>: all steps in order, in one application."""

import sys

from sos_spark.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["run", *sys.argv[1:]]))
