"""How long index rows were open, day by day: the whole distribution, and what the end of the data cuts short.

Means and shares within a limit are sums over index rows whose window was observed to its last day. A distribution needs
more: how many were concluded on each day, and how long those that were not had been open when observation ended.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.config.outcomes import Outcome
from sos_spark.config.variants import Variant
from sos_spark.outcome.kinds import FOLLOWED_ROWS
from sos_spark.outcome.records import Records
from sos_spark.outcome.rows import Scope
from sos_spark.tables import OUTCOME_DURATIONS


def lengths_in(variants: Sequence[Variant]) -> dict[str, Outcome]:
    """Returns the outcomes that are lengths of records, by their ids; an alternative of one has no days of its own."""
    return {
        variant.outcome_id: variant.outcome
        for variant in variants
        if variant.outcome.counted_days is not None and not variant.switches
    }


def day_counts(outcomes: Mapping[str, Outcome], records: Records, scope: Scope) -> DataFrame:
    """Returns outcome.durations: index rows by unit, period, working day and fate.

    Grain in: an index row. Grain out: as the table says. A row counts from its first day, whether or not its window was
    observed to the last: is_followed tells. Days are working days, whatever the outcome counts, and at most
    `counted_days`; covariates take no row out, since none is adjusted for.
    """
    followed = (FOLLOWED_ROWS[type(one)](one, records, scope, outcome_id=name) for name, one in outcomes.items())
    return (
        reduce(DataFrame.unionByName, followed)
        .groupBy(*(name for name in OUTCOME_DURATIONS.column_names if name != "n"))
        .agg(F.count(F.lit(1)).alias("n"))
        .select(*OUTCOME_DURATIONS.column_names)
    )
