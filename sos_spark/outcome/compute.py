"""From silver to the index rows of any outcomes, those that several have in common made once."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Hashable, Mapping

from pyspark.sql import DataFrame

from sos_spark.config.outcomes import Outcome
from sos_spark.outcome.kinds import COMPUTED, Computed
from sos_spark.outcome.records import Records
from sos_spark.outcome.rows import Judged, Scope, judge


def judged_rows(outcomes: Mapping[str, Outcome], records: Records, scope: Scope) -> list[Judged]:
    """Returns the index rows of outcomes, by ids of the caller's choice; each is in one of the frames.

    Grain: an index row, as the kind's module says.

    Raises:
        ValueError: A kind that is not computed from records.
    """
    alike: dict[Hashable, dict[str, Outcome]] = defaultdict(dict)
    for outcome_id, outcome in outcomes.items():
        alike[_how(outcome).rows_key(outcome)][outcome_id] = outcome
    return [_judged(group, records, scope) for group in alike.values()]


def index_rows(outcome: Outcome, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
    """Returns the index rows of one outcome, under an id of the caller's choice; columns of outcome.index_rows.

    Grain and errors as of `judged_rows`. reason is null exactly where y is known.
    """
    (judged,) = judged_rows({outcome_id: outcome}, records, scope)
    return judged.of_each()


def _judged(alike: Mapping[str, Outcome], records: Records, scope: Scope) -> Judged:
    outcomes = list(alike.values())
    rows = _how(outcomes[0]).rows(outcomes, records, scope)
    return judge(rows, {name: _how(outcome).verdict(outcome) for name, outcome in alike.items()}, scope)


def _how(outcome: Outcome) -> Computed:
    if type(outcome) not in COMPUTED:
        raise ValueError(f"the kind {outcome.kind} is not computed from records")
    return COMPUTED[type(outcome)]
