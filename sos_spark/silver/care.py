"""Episodes of care: the SSDA903 episodes, one row a child and start date, from the latest return that holds it."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.children import with_attributes
from sos_spark.silver.fate import add_fate, open_counts_as_latest, total_order
from sos_spark.silver.reference import Reference
from sos_spark.silver.rules.lac_episodes import lac_episode_rules
from sos_spark.silver.rules.row_rule import add_findings

_RECEIVED = (
    "reason_new_episode",
    "legal_status",
    "category_of_need",
    "placement_code",
    "placement_provider",
    "reason_episode_ceased",
    "urn",
)


def examine_lac_episodes(lac_episodes: DataFrame, children: DataFrame) -> DataFrame:
    """Returns episodes typed, with their child's attributes and what their rules look at.

    Grain: a row of bronze.lac_episodes, in and out. `children`: classified looked-after children.
    """
    rows = lac_episodes.select(
        *conform.PROVENANCE,
        "child_id",
        conform.british_day("DECOM").alias("care_episode_start_date"),
        conform.british_day("DEC").alias("care_episode_end_date"),
        conform.code("RNE").alias("reason_new_episode"),
        conform.code("LS").alias("legal_status"),
        conform.code("CIN").alias("category_of_need"),
        conform.code("PLACE").alias("placement_code"),
        conform.code("PLACE_PROVIDER").alias("placement_provider"),
        conform.code("REC").alias("reason_episode_ceased"),
        conform.code("URN").alias("urn"),
        "DECOM",
        "DEC",
    )
    typed = rows.select(
        *rows.columns[:-2],
        conform.unreadable("DECOM", "care_episode_start_date").alias("care_episode_start_date_unreadable"),
        conform.unreadable("DEC", "care_episode_end_date").alias("care_episode_end_date_unreadable"),
    )
    return _beside_neighbours(with_attributes(typed, children))


def _beside_neighbours(rows: DataFrame) -> DataFrame:
    """Adds the child's episode before and after in the same return, and the last one of last year's return."""
    in_order = Window.partitionBy("child_id").orderBy(
        "census_year",
        F.col("care_episode_start_date").asc_nulls_first(),
        F.col("care_episode_end_date").asc_nulls_last(),
        *total_order(_RECEIVED),
    )
    year = F.col("census_year")
    same_return = F.coalesce(F.lag("census_year").over(in_order) == year, F.lit(False))
    last_return = F.lag("census_year").over(in_order) == year - 1
    more_to_come = F.coalesce(F.lead("census_year").over(in_order) == year, F.lit(False))
    before = {
        "end_before": "care_episode_end_date",
        "ceased_before": "reason_episode_ceased",
        "legal_status_before": "legal_status",
        "placement_before": "placement_code",
    }
    return rows.withColumns(
        {
            "is_first_in_return": ~same_return,
            "is_last_in_return": ~more_to_come,
            **{new: F.when(same_return, F.lag(old).over(in_order)) for new, old in before.items()},
            "next_start": F.when(more_to_come, F.lead("care_episode_start_date").over(in_order)),
            "last_start_last_year": F.when(last_return, F.lag("care_episode_start_date").over(in_order)),
            "was_open_last_year": F.when(
                last_return,
                F.lag("care_episode_end_date").over(in_order).isNull()
                & F.lag("care_episode_start_date").over(in_order).isNotNull(),
            ),
        }
    )


def classify_lac_episodes(lac_episodes: DataFrame, children: DataFrame, reference: Reference) -> DataFrame:
    """Returns every row of bronze.lac_episodes with its findings and its fate.

    Of two episodes that begin on one day in one return the one that ends later is kept, open counting as latest.
    """
    examined = examine_lac_episodes(lac_episodes, children)
    best_first = [open_counts_as_latest("care_episode_end_date"), *total_order(_RECEIVED)]
    rows = add_fate(
        add_findings(examined, lac_episode_rules(reference)),
        key=("care_episode_start_date",),
        best_first=best_first,
    )
    return rows.select(
        *conform.PROVENANCE,
        "child_id",
        "care_episode_start_date",
        "care_episode_end_date",
        "reason_new_episode",
        "legal_status",
        "category_of_need",
        "placement_code",
        "reason_episode_ceased",
        F.trunc("birth_date", "month").alias("birth_month"),
        conform.age_on(F.col("care_episode_start_date")).alias("age_at_start"),
        "sex",
        "ethnicity",
        "errors",
        "warnings",
        "fate",
    )
