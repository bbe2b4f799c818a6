"""From silver to the index rows of any outcome."""

from __future__ import annotations

from pyspark.sql import DataFrame

from sos_spark.config.outcomes import Outcome
from sos_spark.outcome.kinds import INDEX_ROWS
from sos_spark.outcome.records import Records
from sos_spark.outcome.rows import Scope


def index_rows(outcome: Outcome, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
    """Returns the index rows of an outcome, under an outcome_id of the caller's choice.

    Grain: as the kind's module says; columns of outcome.index_rows. reason is null exactly where y is known.

    Raises:
        ValueError: A kind that is not computed from records.
    """
    made_by = INDEX_ROWS.get(type(outcome))
    if made_by is None:
        raise ValueError(f"the kind {outcome.kind} is not computed from records")
    return made_by(outcome, records, scope, outcome_id=outcome_id)
