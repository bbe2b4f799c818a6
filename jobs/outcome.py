"""spark-submit jobs/outcome.py <the options of `sos-spark outcome`>."""

import sys

from sos_spark.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["outcome", *sys.argv[1:]]))
