"""spark-submit jobs/doctor.py <the options of `sos-spark doctor`>."""

import sys

from sos_spark.cli.main import main

if __name__ == "__main__":
    sys.exit(main(["doctor", *sys.argv[1:]]))
