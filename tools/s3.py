"""Fetches the jars by which Spark reads and writes S3: `python -m tools.s3 FOLDER`.

Then name the folder in SOS_SPARK_MORE_JARS.
"""

from __future__ import annotations

import sys
from pathlib import Path

from sos_spark.machine.jars import fetch_jars, read_lock

if __name__ == "__main__":
    jars = fetch_jars(Path(sys.argv[1]), read_lock("s3a.toml"))
    sys.stdout.write(f"{len(jars)} jars in {sys.argv[1]}\n")
