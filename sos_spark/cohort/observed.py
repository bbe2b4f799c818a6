"""The days on which an LA's accepted returns observe each entity."""

from __future__ import annotations

from datetime import date

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.cohort.returned import first_day_of, last_day_of
from sos_spark.tables import COHORT_OBSERVED


def observed_days(returned: DataFrame, *, study_id: str, data_ends: date) -> DataFrame:
    """Returns the days on which each LA code of a study observes each entity.

    Grain: `returned` is one row per LA code, census year and entity, as `returned_entities` makes it; out comes one row
    per LA code and entity that any year observes. The first day is 1 April before the first census year that observes
    it; the last is 31 March of the last one, or data_ends if that is earlier. A year that was returned and does not
    observe the entity counts like one that was not returned. Needs la_code, census_year, entity and reason.
    """
    return (
        returned.where(F.col("reason").isNull())
        .groupBy("la_code", "entity")
        .agg(
            F.min("census_year").alias("first_year"),
            F.max("census_year").alias("last_year"),
            F.collect_set("census_year").alias("years"),
        )
        .withColumn("study_id", F.lit(study_id))
        .withColumn("first_day_observed", first_day_of(F.col("first_year")))
        .withColumn("last_day_observed", F.least(last_day_of(F.col("last_year")), F.lit(data_ends)))
        .withColumn("missing_years", F.array_sort(F.array_except(F.sequence("first_year", "last_year"), "years")))
        .select(*COHORT_OBSERVED.column_names)
    )
