"""How simulated returns are told from real ones: the marks that `simulate` leaves beside them.

truth.json lies in the source folder; a hidden mark lies in each folder of returns, so that one of them copied elsewhere
is still known for what it is.
"""

from __future__ import annotations

from sos_spark.places import Place

TRUTH_FILE = "truth.json"
MARK_FILE = ".simulated"
SIMULATED_TRAITS = "simulated characteristics, from the simulator's truth"
"""The note on what was estimated by characteristics of authorities that the simulation drew."""
MARK_TEXT = "Simulated by sos_spark: no record here is of a real child.\n"


def is_simulated(source: Place, name: str) -> bool:
    """Returns whether a file of a source, named relative to it, is simulated."""
    return (source / TRUTH_FILE).exists() or (source / name.partition("/")[0] / MARK_FILE).exists()
