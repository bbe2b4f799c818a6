"""The days an LA's accepted returns observe, by collection."""

from __future__ import annotations

from datetime import date

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.tables import COHORT_OBSERVED

COLLECTIONS = ("cin", "ssda903")


def observed_days(files: DataFrame, units: DataFrame, *, study_id: str, data_ends: date) -> DataFrame:
    """Returns the days each LA code of a study observes, in each collection and in both.

    Grain: files is one row an LA-year of a collection in a source file; out comes one row an LA code and collection
    (cin, ssda903, both) that has an accepted return. The first day is 1 April before the first accepted census year;
    the last is 31 March of the last one, or data_ends if that is earlier. 'both' has the later first day, the earlier
    last one and the union of the missing years; no row where these leave no day.
    Needs collection, la_code, census_year, status of bronze.files and la_code of cohort.units.
    """
    ends = F.lit(data_ends)
    accepted = (
        files.where((F.col("status") == "accepted") & F.col("collection").isin(*COLLECTIONS))
        .select("la_code", "collection", "census_year")
        .join(F.broadcast(units.select("la_code").distinct()), "la_code", "left_semi")
        .where(_first_day("census_year") <= ends)
        .groupBy("la_code", "collection")
        .agg(
            F.min("census_year").alias("first_year"),
            F.max("census_year").alias("last_year"),
            F.collect_set("census_year").alias("years"),
        )
        .withColumn("missing_years", F.array_except(F.sequence("first_year", "last_year"), "years"))
        .select("la_code", "collection", "first_year", "last_year", "missing_years")
    )
    both = (
        accepted.groupBy("la_code")
        .agg(
            F.count(F.lit(1)).alias("n_collections"),
            F.max("first_year").alias("first_year"),
            F.min("last_year").alias("last_year"),
            F.flatten(F.collect_list("missing_years")).alias("missing"),
        )
        .where((F.col("n_collections") == len(COLLECTIONS)) & (F.col("first_year") <= F.col("last_year")))
        .select(
            "la_code",
            F.lit("both").alias("collection"),
            "first_year",
            "last_year",
            F.array_distinct(
                F.filter("missing", lambda year: year.between(F.col("first_year"), F.col("last_year")))
            ).alias("missing_years"),
        )
    )
    return (
        accepted.unionByName(both)
        .withColumn("study_id", F.lit(study_id))
        .withColumn("first_day_observed", _first_day("first_year"))
        .withColumn("last_day_observed", F.least(F.make_date(F.col("last_year"), F.lit(3), F.lit(31)), ends))
        .withColumn("missing_years", F.array_sort("missing_years"))
        .select(*COHORT_OBSERVED.column_names)
    )


def _first_day(year: str) -> Column:
    """1 April before a census year ends."""
    return F.make_date(F.col(year) - 1, F.lit(4), F.lit(1))
