"""Episodes of care: the SSDA903 episodes, one row per child and start date, from the latest return that holds it."""

from __future__ import annotations

from pyspark.sql import DataFrame, Window
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.entities.children import with_attributes
from sos_spark.silver.entities.lac_episode_rules import lac_episode_rules
from sos_spark.silver.fate import add_fate, open_counts_as_latest, total_order
from sos_spark.silver.pseudonyms import CHILD, by_authority
from sos_spark.silver.row_rule import add_findings
from sos_spark.silver.rule_data import RuleData
from sos_spark.tables import SILVER_LAC_EPISODES

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

    Grain: one row per row of bronze.lac_episodes, in and out. `children`: classified looked-after children.
    """
    rows = lac_episodes.select(
        *conform.PROVENANCE,
        "child_id",
        "id_has_invisible",
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
    returned = lac_episodes.select(
        "la_code", (F.col("census_year") + 1).alias("census_year"), F.lit(True).alias("has_return_last_year")
    ).distinct()
    rows_of_children = with_attributes(by_authority(typed), children)
    return _beside_neighbours(rows_of_children.join(F.broadcast(returned), ["la_code", "census_year"], "left"))


def _beside_neighbours(rows: DataFrame) -> DataFrame:
    """Adds what the child's other episodes say: the one before and after in the same return, and last year's return.

    An episode is open where its end is missing; one whose end is there and cannot be read is not.
    """
    in_order = Window.partitionBy(*CHILD).orderBy(
        "census_year",
        F.col("care_episode_start_date").asc_nulls_first(),
        F.col("care_episode_end_date").asc_nulls_last(),
        *total_order(_RECEIVED),
    )
    last_return = Window.partitionBy(*CHILD).orderBy("census_year").rangeBetween(-1, -1)
    year, start = F.col("census_year"), F.col("care_episode_start_date")
    is_open = F.col("care_episode_end_date").isNull() & ~F.col("care_episode_end_date_unreadable")
    open_start = F.when(is_open, start)
    same_return = F.coalesce(F.lag("census_year").over(in_order) == year, F.lit(False))
    more_to_come = F.coalesce(F.lead("census_year").over(in_order) == year, F.lit(False))
    before = {
        "end_before": "care_episode_end_date",
        "ceased_before": "reason_episode_ceased",
        "legal_status_before": "legal_status",
        "placement_code_before": "placement_code",
        "placement_provider_before": "placement_provider",
        "urn_before": "urn",
    }
    return rows.withColumns(
        {
            "is_first_in_return": ~same_return,
            # Those without a readable start come first.
            "is_first_dated": start.isNotNull() & (~same_return | F.lag(start).over(in_order).isNull()),
            "is_last_in_return": ~more_to_come,
            **{new: F.when(same_return, F.lag(old).over(in_order)) for new, old in before.items()},
            "next_start": F.when(more_to_come, F.lead("care_episode_start_date").over(in_order)),
            "has_return_last_year": F.coalesce("has_return_last_year", F.lit(False)),
            "last_start_last_year": F.max(start).over(last_return),
            "first_open_last_year": F.min(open_start).over(last_return),
            "last_open_last_year": F.max(open_start).over(last_return),
        }
    )


def classify_lac_episodes(lac_episodes: DataFrame, children: DataFrame, rule_data: RuleData) -> DataFrame:
    """Returns every row of bronze.lac_episodes with its findings and its fate.

    Of two episodes that begin on one day in one return the one that ends later is kept, open counting as latest, and
    last what has an end that could not be read.
    """
    examined = examine_lac_episodes(lac_episodes, children)
    best_first = [*open_counts_as_latest("care_episode_end_date"), *total_order(_RECEIVED)]
    rows = add_fate(
        add_findings(examined, lac_episode_rules(rule_data), SILVER_LAC_EPISODES),
        key=("care_episode_start_date",),
        best_first=best_first,
        contents=("care_episode_end_date", *_RECEIVED),
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
        "unknown_fields",
        "errors",
        "warnings",
        "fate",
    )
