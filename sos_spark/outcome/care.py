"""Periods of care: an unbroken run of a child's episodes, and the placements in it."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

TEMPORARY = ("T0", "T1", "T2", "T3", "T4")
FOSTER = ("Q1", "Q2", "U1", "U2", "U3", "U4", "U5", "U6")
OWN_PARENTS = ("P1",)


def add_placements_around(episodes: DataFrame) -> DataFrame:
    """Returns episodes, narrowed to what outcomes need, with the nearest placements of their period of care that last.

    Grain: an episode, in and out. A period of care ends with an episode whose REC is not X1, or where the next RNE S
    begins. Adds placement_ahead: the first placement from this episode on that is not temporary (T0-T4), a struct of
    (care_episode_start_date, placement_code), and placement_behind: the last one up to and including this episode.
    Null where the period has none there; its placement_code is null where that episode's placement is not known.
    Episodes are ordered by their start date, of which a child has one each.
    """
    by_child = Window.partitionBy("child_id", "la_code").orderBy("care_episode_start_date")
    has_ended = F.coalesce(F.col("reason_episode_ceased") != "X1", F.lit(False))
    begins = (F.col("reason_new_episode") == "S") | F.lag(has_ended, default=False).over(by_child)
    in_period = Window.partitionBy("child_id", "la_code", "period_of_care").orderBy("care_episode_start_date")
    lasting = F.when(
        ~F.coalesce(F.col("placement_code").isin(*TEMPORARY), F.lit(False)),
        F.struct("care_episode_start_date", "placement_code"),
    )
    needed = episodes.select(
        "la_code",
        "child_id",
        "census_year",
        "care_episode_start_date",
        "care_episode_end_date",
        "reason_new_episode",
        "reason_episode_ceased",
        "legal_status",
        "category_of_need",
        "placement_code",
        "birth_month",
        "age_at_start",
        "sex",
        "ethnicity",
        "unknown_fields",
    )
    return (
        needed.withColumn("begins_period", F.coalesce(begins, F.lit(False)).cast("int"))
        .withColumn("period_of_care", F.sum("begins_period").over(by_child))
        .withColumn(
            "placement_ahead",
            F.first(lasting, ignorenulls=True).over(in_period.rowsBetween(0, Window.unboundedFollowing)),
        )
        .withColumn(
            "placement_behind",
            F.last(lasting, ignorenulls=True).over(in_period.rowsBetween(Window.unboundedPreceding, 0)),
        )
        .drop("begins_period", "period_of_care")
    )
