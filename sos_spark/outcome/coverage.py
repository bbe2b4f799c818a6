"""What was observed of each LA code in each census year, and whether its whole unit was, by what an outcome reads."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.cohort.returned import first_day_of, last_day_of
from sos_spark.outcome.reads import kinds_that_read, n_entities, reads
from sos_spark.silver.readings import census_year_of


def coverage(units: DataFrame, observed: DataFrame, *, years: range) -> DataFrame:
    """Returns how far each LA code was observed without a gap, from each census year on, for each kind of outcome.

    Grain: one row per kind of outcome from records, LA code and census year of the study's window. A kind observes a
    day on which every entity that it reads is observed. Columns: kind, la_code, census_year; first_day_observed and
    last_day_observed of the LA code (null: never observed); observed_from and observed_until: the first and last day of
    the run of observed years that holds this one (null: this year was not observed); is_unit_observed: the code was
    valid in the year, and all of its unit that were then were observed.
    Needs cohort.units and cohort.observed of one study, each unique by its key. A few thousand rows: made to be
    broadcast.
    """
    each = (
        units.withColumn("census_year", F.explode(F.array(*(F.lit(year) for year in years))))
        .withColumn("kind", F.explode(F.array(*(F.lit(kind) for kind in reads()))))
        .withColumn("is_valid", F.col("census_year").between(F.col("first_census_year"), F.col("last_census_year")))
    )
    is_observed = F.coalesce(
        first_day_of(F.col("census_year")).between(F.col("first_day_observed"), F.col("last_day_observed"))
        & ~F.array_contains("missing_years", F.col("census_year")),
        F.lit(False),
    )
    next_missing = F.array_min(F.filter("missing_years", lambda year: year > F.col("census_year")))
    last_missing = F.array_max(F.filter("missing_years", lambda year: year < F.col("census_year")))
    by_code = (
        each.join(F.broadcast(_by_kind(observed)), ["la_code", "kind"], "left")
        .withColumn("is_observed", is_observed)
        .withColumn(
            "observed_from",
            F.when(F.col("is_observed"), F.coalesce(first_day_of(last_missing + 1), F.col("first_day_observed"))),
        )
        .withColumn(
            "observed_until",
            F.when(F.col("is_observed"), F.coalesce(last_day_of(next_missing - 1), F.col("last_day_observed"))),
        )
    )
    by_unit = by_code.groupBy("unit_id", "census_year", "kind").agg(
        F.bool_and(F.col("is_observed") | ~F.col("is_valid")).alias("is_unit_observed")
    )
    return by_code.join(F.broadcast(by_unit), ["unit_id", "census_year", "kind"]).select(
        "kind",
        "la_code",
        "census_year",
        "first_day_observed",
        "last_day_observed",
        "observed_from",
        "observed_until",
        (F.col("is_unit_observed") & F.col("is_valid")).alias("is_unit_observed"),
    )


def _by_kind(observed: DataFrame) -> DataFrame:
    """The days that a kind's entities observe together: the latest first, the earliest last, every missing year.

    Grain: an LA code and kind, where these leave a day.
    """
    return (
        observed.withColumn("kind", F.explode(kinds_that_read(F.col("entity"))))
        .groupBy("la_code", "kind")
        .agg(
            F.count(F.lit(1)).alias("n_entities"),
            F.max("first_day_observed").alias("first_day_observed"),
            F.min("last_day_observed").alias("last_day_observed"),
            F.flatten(F.collect_list("missing_years")).alias("missing"),
        )
        .where(F.col("n_entities") == n_entities(F.col("kind")))
        .where(F.col("first_day_observed") <= F.col("last_day_observed"))
        .withColumn(
            "missing_years",
            F.filter(
                "missing",
                lambda year: year.between(
                    census_year_of(F.col("first_day_observed")), census_year_of(F.col("last_day_observed"))
                ),
            ),
        )
        .drop("n_entities", "missing")
    )
