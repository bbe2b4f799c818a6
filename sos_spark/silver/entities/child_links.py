"""Links: which CIN child a looked-after child is, and how many were found."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.silver.pseudonyms import by_authority
from sos_spark.tables import DQ_LINK_RATES, SILVER_CHILD_LINKS


def link_children(lac_children: DataFrame, cin_children: DataFrame) -> DataFrame:
    """Returns silver.child_links: by equal child_id within the LA, else by person_key, else unlinked.

    Grain: one row per row of silver.lac_children. A person key links only where it is one CIN child's in the LA: of two
    it would not tell which. Looked-after children that share it, as one whose CHILD changed does, are each that child.
    """
    cin = by_authority(cin_children.select("la_code", F.col("child_id").alias("cin_child_id"), "person_key"))
    lac = by_authority(lac_children.select("la_code", F.col("child_id").alias("lac_child_id"), "person_key"))
    same_id = cin.select("la_code", F.col("cin_child_id").alias("lac_child_id"), F.lit(True).alias("has_same_id"))
    same_person = _held_by_one(cin, "cin_child_id").withColumnRenamed("cin_child_id", "person_child_id")
    joined = lac.join(same_id, ["la_code", "lac_child_id"], "left").join(same_person, ["la_code", "person_key"], "left")
    by_person = F.col("person_child_id")
    return joined.select(
        "la_code",
        "lac_child_id",
        F.when(F.col("has_same_id"), F.col("lac_child_id")).otherwise(by_person).alias("cin_child_id"),
        F.when(F.col("has_same_id"), "child_id")
        .when(by_person.isNotNull(), "person")
        .otherwise("unlinked")
        .alias("link_kind"),
    ).select(SILVER_CHILD_LINKS.column_names)


def _held_by_one(children: DataFrame, child: str) -> DataFrame:
    """Returns the person keys that are one child's in their LA, with that child."""
    return (
        children.where(F.col("person_key").isNotNull())
        .groupBy("la_code", "person_key")
        .agg(F.count(F.lit(1)).alias("n"), F.min(child).alias(child))
        .where(F.col("n") == 1)
        .drop("n")
    )


def count_links(child_links: DataFrame) -> DataFrame:
    """Returns dq.link_rates. Grain: one row per LA, out of silver.child_links."""

    def of_kind(kind: str) -> Column:
        return F.count_if(F.col("link_kind") == kind)

    return (
        child_links.groupBy("la_code")
        .agg(
            F.count(F.lit(1)).alias("n_lac_children"),
            of_kind("child_id").alias("n_linked_by_child_id"),
            of_kind("person").alias("n_linked_by_person"),
            of_kind("unlinked").alias("n_unlinked"),
        )
        .select(DQ_LINK_RATES.column_names)
    )
