"""spark-submit jobs/validate.py <the options of `sos-spark validate`>."""

import sys

from sos_spark.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["validate", *sys.argv[1:]]))
