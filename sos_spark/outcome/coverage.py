"""What was observed of each LA code in each census year, and whether its whole unit was."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F


def coverage(units: DataFrame, observed: DataFrame, *, years: range) -> DataFrame:
    """Returns how far each LA code was observed without a gap, from each census year on.

    Grain: one row a collection (cin, ssda903, both), LA code and census year of the study's window. Columns:
    collection, la_code, census_year; first_day_observed and last_day_observed of the LA code (null: never observed);
    observed_from and observed_until: the first and last day of the run of observed years that holds this one (null:
    this year was not observed); is_unit_observed: the code was valid in the year, and all of its unit that were then
    were observed.
    Needs cohort.units and cohort.observed of one study, each unique by its key. A few thousand rows: made to be
    broadcast.
    """
    collections = F.array(*(F.lit(name) for name in ("cin", "ssda903", "both")))
    each = (
        units.withColumn("census_year", F.explode(F.array(*(F.lit(year) for year in years))))
        .withColumn("collection", F.explode(collections))
        .withColumn("is_valid", F.col("census_year").between(F.col("first_census_year"), F.col("last_census_year")))
    )
    year_begins = F.make_date(F.col("census_year") - 1, F.lit(4), F.lit(1))
    is_observed = F.coalesce(
        year_begins.between(F.col("first_day_observed"), F.col("last_day_observed"))
        & ~F.array_contains("missing_years", F.col("census_year")),
        F.lit(False),
    )
    next_missing = F.array_min(F.filter("missing_years", lambda year: year > F.col("census_year")))
    last_missing = F.array_max(F.filter("missing_years", lambda year: year < F.col("census_year")))
    by_code = (
        each.join(F.broadcast(observed.drop("study_id")), ["la_code", "collection"], "left")
        .withColumn("is_observed", is_observed)
        .withColumn(
            "observed_from",
            F.when(
                F.col("is_observed"),
                F.coalesce(F.make_date(last_missing, F.lit(4), F.lit(1)), F.col("first_day_observed")),
            ),
        )
        .withColumn(
            "observed_until",
            F.when(
                F.col("is_observed"),
                F.coalesce(F.make_date(next_missing - 1, F.lit(3), F.lit(31)), F.col("last_day_observed")),
            ),
        )
    )
    by_unit = by_code.groupBy("unit_id", "census_year", "collection").agg(
        F.bool_and(F.col("is_observed") | ~F.col("is_valid")).alias("is_unit_observed")
    )
    return by_code.join(F.broadcast(by_unit), ["unit_id", "census_year", "collection"]).select(
        "collection",
        "la_code",
        "census_year",
        "first_day_observed",
        "last_day_observed",
        "observed_from",
        "observed_until",
        (F.col("is_unit_observed") & F.col("is_valid")).alias("is_unit_observed"),
    )
