"""The checksum file of a table's version 0, as Delta's protocol describes it: what state that version leaves.

The library that declares a table writes none. Without it Spark reads the log in jobs of its own before its first write
to each table, and again to make the checksum of that write from the one before.
"""

from __future__ import annotations

import json
from typing import Any

from sos_spark.places import Place, write_whole

_LOG = "_delta_log"
_VERSION_0 = f"{0:020}"


def write_checksum_of_declaration(table: Place) -> None:
    """Writes the checksum file of a table that has been declared and holds no file yet."""
    log = table / _LOG
    state: dict[str, Any] = {
        "tableSizeBytes": 0, "numFiles": 0, "numMetadata": 1, "numProtocol": 1, "setTransactions": [],
        "domainMetadata": [], "allFiles": [],
    }  # fmt: skip
    for line in (log / f"{_VERSION_0}.json").read_text(encoding="utf-8").splitlines():
        action = json.loads(line)
        if "protocol" in action:
            state["protocol"] = action["protocol"]
        elif "metaData" in action:
            state["metadata"] = action["metaData"]
    write_whole(log / f"{_VERSION_0}.crc", json.dumps(state).encode())
