"""Where things are: the folders of a run, the Spark master, the key. Nothing here changes a number."""

from __future__ import annotations

from dataclasses import dataclass

from sos_spark.places import Place


@dataclass(frozen=True)
class Environment:
    """The places and permissions of a run.

    `key_file` holds the pseudonym key (at least 32 bytes, mode 0600). None: SOS_SPARK_KEY_FILE names the file, or
    SOS_SPARK_KEY holds the key itself; without any of them a step that needs the key stops.
    `allow_refused`: go on although source files were refused; their LA-years are missing.
    `keep_index_rows`: leave the index rows of every outcome in the lake, beside their sums.
    """

    source: Place | None = None
    lake: Place | None = None
    out: Place | None = None
    master: str | None = None
    key_file: Place | None = None
    allow_refused: bool = False
    keep_index_rows: bool = False
