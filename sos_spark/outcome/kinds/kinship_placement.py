"""Kinship placement among looked-after children: at the start of a period of care, or on each 31 March."""

from __future__ import annotations

from collections.abc import Sequence

from pyspark.sql import Column, DataFrame, Window
from pyspark.sql import functions as F

from sos_spark.config.outcomes import KinshipPlacement
from sos_spark.outcome.care import FOSTER, OWN_PARENTS
from sos_spark.outcome.reads import has_unknown
from sos_spark.outcome.records import Records
from sos_spark.outcome.registry import judges
from sos_spark.outcome.rows import COMMON, Scope, Verdict, observe
from sos_spark.silver.readings import KINSHIP, census_year_of, is_care_start, is_short_break


def placements(outcomes: Sequence[KinshipPlacement], records: Records, scope: Scope) -> DataFrame:
    """Returns each start of a period of care, or each child looked after on a 31 March, with the placement that counts.

    Grain: one row per period of care (unit starts) or per child and 31 March (stock). Starts: the first placement of
    the period of care that is not temporary, looking ahead. Stock: the day's placement, or the one before a temporary
    one.
    """
    outcome = outcomes[0]
    candidates = _starts(records.care) if outcome.unit == "starts" else _stock(records.care, scope)
    return observe(candidates, scope, kind=outcome.kind)


@judges(KinshipPlacement, rows=placements, by=("unit",))
def verdict(outcome: KinshipPlacement) -> Verdict:
    """Returns the verdict on a placement; y is 1 where it is Q1, U1, U2 or U3, else 0.

    The window of a start ends on the day that its placement began. Denominator foster leaves out, as
    not_in_denominator, all that is not foster care; count_parents = false, own parents.
    """
    # A placement found only after the last day observed has not been found yet.
    not_found_yet = F.coalesce(F.col("placed_on") > F.col("last_day_observed"), F.lit(True))
    reasons = {
        "field_unreadable": F.col("is_unreadable"),
        "placement_unknown": not_found_yet | F.col("placement").isNull(),
        "not_in_denominator": ~_in_denominator(outcome),
    }
    until = F.when(not_found_yet, F.col("index_date")).otherwise(F.col("placed_on"))
    return Verdict(F.col("placement").isin(*KINSHIP), reasons, until)


def _in_denominator(outcome: KinshipPlacement) -> Column:
    placement = F.col("placement")
    kept = placement.isin(*FOSTER) if outcome.denominator == "foster" else F.lit(True)
    return kept if outcome.count_parents else kept & ~placement.isin(*OWN_PARENTS)


def _starts(episodes: DataFrame) -> DataFrame:
    """Periods of care, with the placement that counts and the day it began."""
    return (
        episodes.where(is_care_start())
        .withColumn("index_date", F.col("care_episode_start_date"))
        .withColumn("placement", F.col("placement_ahead.placement_code"))
        .withColumn("placed_on", F.col("placement_ahead.care_episode_start_date"))
        .withColumn("age_years", F.col("age_at_start"))
        .withColumn("primary_need", F.col("category_of_need"))
        .withColumn("is_unreadable", F.lit(False))
        .select(*COMMON, "placement", "placed_on", "is_unreadable")
    )


def _stock(episodes: DataFrame, scope: Scope) -> DataFrame:
    """Children looked after on each 31 March of the study's census years.

    An episode is open on a day if it began by then and ended later. One without an end is known to be open until the
    31 March of its latest return: were it still open the year after, it would have been returned again. Of episodes
    that overlap the day's is the one that began last, so that a child is counted once. Where the end of that one could
    not be read, whether the child was still looked after is unknown, reason field_unreadable.
    """
    years = scope.units.agg(
        F.min("first_census_year").alias("first_year"), F.max("last_census_year").alias("last_year")
    )
    last_open = F.coalesce(census_year_of(F.col("care_episode_end_date")) - 1, F.col("census_year"))
    first = F.greatest(census_year_of(F.col("care_episode_start_date")), F.col("first_year"))
    last = F.least(last_open, F.col("last_year"))
    turned = F.when(F.month("birth_month") <= 3, 0).otherwise(1)
    same_day = Window.partitionBy("la_code", "child_id", "index_date").orderBy(F.desc("care_episode_start_date"))
    return (
        episodes.where(~is_short_break())
        .crossJoin(F.broadcast(years))
        .where(first <= last)
        .withColumn("year", F.explode(F.sequence(first, last)))
        .withColumn("index_date", F.make_date(F.col("year"), F.lit(3), F.lit(31)))
        .withColumn("rank", F.row_number().over(same_day))
        .where(F.col("rank") == 1)
        .withColumn("placement", F.col("placement_behind.placement_code"))
        .withColumn("placed_on", F.when(F.col("placement_behind").isNotNull(), F.col("index_date")))
        .withColumn("age_years", F.col("year") - F.year("birth_month") - turned)
        .withColumn("primary_need", F.col("category_of_need"))
        .withColumn("is_unreadable", has_unknown(("care_episode_end_date",)))
        .select(*COMMON, "placement", "placed_on", "is_unreadable")
    )
