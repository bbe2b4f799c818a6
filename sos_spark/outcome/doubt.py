"""Years of a child in which a record could lie that could not be read, or not in the field that tells an event."""

from __future__ import annotations

from collections.abc import Mapping
from functools import reduce

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.cohort.returned import ENTITIES
from sos_spark.config.outcomes import KINDS
from sos_spark.outcome.reads import has_unknown, kinds_that_read, reads


def unreadable_events(silver: Mapping[str, DataFrame]) -> DataFrame:
    """Returns the children of silver rows whose field of an event could not be used, by the kind that reads the field.

    Grain: one row per kind, entity, LA code, child and census year. Needs unknown_fields of the entities given by name.
    """
    rows = [
        silver[entity]
        .where(F.col("unknown_fields").isNotNull() & has_unknown(fields))
        .select(F.lit(name).alias("kind"), F.lit(entity).alias("entity"), "la_code", "child_id", "census_year")
        for name, kind in KINDS.items()
        for entity, fields in kind.events.items()
    ]
    return reduce(DataFrame.unionByName, rows).distinct()


def quarantined_years(quarantined: DataFrame, unreadable: DataFrame, child_links: DataFrame) -> DataFrame:
    """Returns, for each kind of outcome, the census years of each child in which a quarantined record of it could lie.

    Grain: `quarantined` is one row per quarantined row (`quarantined_rows`), `unreadable` as `unreadable_events`; out
    comes one row per kind, LA code and child with any of an entity that the kind reads, or with an event that it could
    not be told, and quarantined_years (array of int). A record could lie on any day
    of the year in whose return it stood; what began earlier stands in the earlier return. The child is the one of the
    kind's index rows: where the kind reads both collections, a looked-after child's rows stand under its own id and
    under that of the CIN child that it is linked to. Rows that do not say whose they are count in the LA-year's share
    only. Tiny: made to be broadcast, as it is against the links.
    """
    whose = quarantined.where(F.col("child_id").isNotNull()).distinct()
    by_kind = whose.withColumn("kind", F.explode(kinds_that_read(F.col("entity")))).unionByName(unreadable)
    return (
        _with_linked(by_kind, child_links)
        .groupBy("kind", "la_code", "child_id")
        .agg(F.collect_set("census_year").alias("quarantined_years"))
    )


def _with_linked(by_kind: DataFrame, child_links: DataFrame) -> DataFrame:
    in_both = [kind for kind, entities in reads().items() if all(set(entities) & set(own) for own in ENTITIES.values())]
    looked_after = by_kind.where(
        F.col("entity").isin(*ENTITIES["ssda903"]) & F.col("kind").isin(*in_both)
    ).withColumnRenamed("child_id", "lac_child_id")
    linked = (
        child_links.where(F.col("cin_child_id").isNotNull())
        .join(F.broadcast(looked_after), ["la_code", "lac_child_id"])
        .select("kind", "la_code", F.col("cin_child_id").alias("child_id"), "census_year")
    )
    return by_kind.select("kind", "la_code", "child_id", "census_year").unionByName(linked)
