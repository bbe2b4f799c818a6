"""Years of a child in which a record could lie that could not be read."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.cohort.returned import ENTITIES
from sos_spark.outcome.reads import READS, kinds_that_read


def quarantined_years(quarantined: DataFrame, child_links: DataFrame) -> DataFrame:
    """Returns, for each kind of outcome, the census years of each child in which a quarantined record of it could lie.

    Grain: `quarantined` is one row per quarantined row (`quarantined_rows`); out comes one row per kind, LA code and
    child with any of an entity that the kind reads, and quarantined_years (array of int). A record could lie on any day
    of the year in whose return it stood; what began earlier stands in the earlier return. The child is the one of the
    kind's index rows: where the kind reads both collections, a looked-after child's rows stand under its own id and
    under that of the CIN child that it is linked to. Rows that do not say whose they are count in the LA-year's share
    only. Tiny: made to be broadcast, as it is against the links.
    """
    whose = quarantined.where(F.col("child_id").isNotNull()).distinct()
    return (
        _with_linked(whose, child_links)
        .groupBy("kind", "la_code", "child_id")
        .agg(F.collect_set("census_year").alias("quarantined_years"))
    )


def _with_linked(whose: DataFrame, child_links: DataFrame) -> DataFrame:
    in_both = [kind for kind, entities in READS.items() if all(set(entities) & set(own) for own in ENTITIES.values())]
    own = whose.withColumn("kind", F.explode(kinds_that_read(F.col("entity")))).select(
        "kind", "la_code", "child_id", "census_year"
    )
    looked_after = whose.where(F.col("entity").isin(*ENTITIES["ssda903"])).withColumnRenamed("child_id", "lac_child_id")
    linked = (
        child_links.where(F.col("cin_child_id").isNotNull())
        .join(F.broadcast(looked_after), ["la_code", "lac_child_id"])
        .withColumn("kind", F.explode(F.array(*map(F.lit, in_both))))
        .select("kind", "la_code", F.col("cin_child_id").alias("child_id"), "census_year")
    )
    return own.unionByName(linked)
