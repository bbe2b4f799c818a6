"""spark-submit jobs/panel.py <the options of `sos-spark panel`>."""

import sys

from sos_spark.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["panel", *sys.argv[1:]]))
