"""spark-submit jobs/fit.py <the options of `sos-spark fit`>."""

import sys

from sos_spark.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["fit", *sys.argv[1:]]))
