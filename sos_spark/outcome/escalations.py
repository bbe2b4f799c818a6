"""Escalations: the days on which a child's protection plan or period of care began."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.outcome.referrals import dates_by_child
from sos_spark.silver.readings import is_care_start


def escalation_dates(cp_plans: DataFrame, lac_episodes: DataFrame, child_links: DataFrame) -> DataFrame:
    """Returns the days on which a CIN child's plan or period of care began.

    Grain: one row per CIN child with any, `event_dates` in order. A looked-after child is the CIN child it was linked
    to; one without a link escalates nobody. Plans count by child and date, whichever referral they were recorded under.
    """
    plans = cp_plans.select("la_code", "child_id", F.col("cpp_start_date").alias("event_date"))
    links = child_links.where(F.col("cin_child_id").isNotNull()).select("la_code", "lac_child_id", "cin_child_id")
    starts = (
        lac_episodes.where(is_care_start())
        .select(
            "la_code", F.col("child_id").alias("lac_child_id"), F.col("care_episode_start_date").alias("event_date")
        )
        .join(links, ["la_code", "lac_child_id"])
        .select("la_code", F.col("cin_child_id").alias("child_id"), "event_date")
    )
    return dates_by_child(plans.unionByName(starts), "event_date")
