"""spark-submit jobs/report.py <the options of `sos-spark report`>."""

import sys

from sos_spark.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["report", *sys.argv[1:]]))
