"""The index rows of each kind of outcome from records: one file each, of the same name as in `config.outcomes`.

To add one: write its file, and import it here; one that is declared without index rows is refused on import.
"""

from sos_spark.outcome.kinds import (
    assessment_duration,
    assessment_within,
    icpc,
    kinship_placement,
    rereferral_escalated,
    rereferral_nfa,
)
from sos_spark.outcome.registry import COMPUTED, FOLLOWED_ROWS, Computed, judges, require_every_kind

require_every_kind()

__all__ = [
    "COMPUTED",
    "FOLLOWED_ROWS",
    "Computed",
    "assessment_duration",
    "assessment_within",
    "icpc",
    "judges",
    "kinship_placement",
    "require_every_kind",
    "rereferral_escalated",
    "rereferral_nfa",
]
