"""What accepted returns brought of each entity, and where that is too little for its absence to mean 'no'."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from functools import reduce

from pyspark.sql import Column, DataFrame, Row, Window
from pyspark.sql import functions as F

from sos_spark.silver.ledger import ENTITY_OF_MODULE
from sos_spark.tables import CIN_MODULES, COHORT_UNOBSERVED

ENTITIES: dict[str, tuple[str, ...]] = {
    "cin": tuple(entity for module, entity in ENTITY_OF_MODULE.items() if module in CIN_MODULES),
    "ssda903": tuple(entity for module, entity in ENTITY_OF_MODULE.items() if module not in CIN_MODULES),
}
"""The entities of each collection."""

CORE = ("referrals", "lac_episodes")
"""The entity of each collection without which its return is empty."""
CHILDREN = ("cin_children", "lac_children")
"""The entity of each collection that the records of all its others belong to."""

EMPTY_RETURN = "empty_return"
NO_CHILDREN = "no_children"
MOSTLY_QUARANTINED = "mostly_quarantined"


def quarantined_rows(quarantine: Mapping[str, DataFrame]) -> DataFrame:
    """Returns the rows of the quarantine tables, given by entity, as entity, la_code, child_id and census_year.

    Grain: one row per quarantined row; child_id is null where the row does not say whose it is.
    """
    rows = [
        table.select(F.lit(entity).alias("entity"), "la_code", "child_id", "census_year")
        for entity, table in quarantine.items()
    ]
    return reduce(DataFrame.unionByName, rows)


def returned_entities(
    files: DataFrame, quarantined: DataFrame, units: DataFrame, *, data_ends: date, max_quarantined: float
) -> DataFrame:
    """Returns what the accepted returns of a study's LA codes brought of each entity, and why it is not observed.

    Grain: one row per LA code, census year with an accepted return that begins by data_ends, and entity of the return's
    collection. Columns: la_code, census_year, entity, file_paths (of the files that delivered the entity, else of the
    whole return), n_received, n_quarantined, and reason: null where the LA-year observes the entity, else the first
    that holds of empty_return (no row of the collection's core, though an earlier return had some), no_children
    (records, but none of the children they belong to) and mostly_quarantined (more than max_quarantined, a share from
    0 to 1, of the entity's rows). Needs bronze.files, `quarantined_rows` and la_code of cohort.units.
    """
    accepted = (
        files.where((F.col("status") == "accepted") & F.col("collection").isin(*ENTITIES))
        .join(F.broadcast(units.select("la_code").distinct()), "la_code", "left_semi")
        .where(first_day_of(F.col("census_year")) <= F.lit(data_ends))
        .withColumn("entity", F.explode(_by_collection(ENTITIES)))
        .withColumn("n", F.coalesce(F.element_at("rows_by_module", _module_of_entity()), F.lit(-1)))
    )
    received = accepted.groupBy("la_code", "collection", "census_year", "entity").agg(
        F.sum(F.greatest("n", F.lit(0))).cast("bigint").alias("n_received"),
        F.array_sort(F.collect_set(F.when(F.col("n") >= 0, F.col("file_path")))).alias("own_paths"),
        F.array_sort(F.collect_set("file_path")).alias("all_paths"),
    )
    refused = quarantined.groupBy("la_code", "census_year", "entity").agg(F.count(F.lit(1)).alias("n_quarantined"))
    counted = received.join(F.broadcast(refused), ["la_code", "census_year", "entity"], "left").na.fill(
        0, ["n_quarantined"]
    )
    return _with_reason(counted, max_quarantined=max_quarantined).select(
        "la_code",
        "census_year",
        "entity",
        F.when(F.size("own_paths") > 0, F.col("own_paths")).otherwise(F.col("all_paths")).alias("file_paths"),
        "n_received",
        "n_quarantined",
        "reason",
    )


def _with_reason(counted: DataFrame, *, max_quarantined: float) -> DataFrame:
    def received_of(entities: Iterable[str]) -> Column:
        return F.when(F.col("entity").isin(*entities), F.col("n_received")).otherwise(0)

    one_return = Window.partitionBy("la_code", "collection", "census_year")
    earlier_returns = (
        Window.partitionBy("la_code", "collection").orderBy("census_year").rangeBetween(Window.unboundedPreceding, -1)
    )
    core, children = received_of(CORE), received_of(CHILDREN)
    is_empty = (F.sum(core).over(one_return) == 0) & (F.sum(core).over(earlier_returns) > 0)
    belongs_to_nobody = (F.sum(children).over(one_return) == 0) & (F.sum("n_received").over(one_return) > 0)
    share = F.when(F.col("n_received") > 0, F.col("n_quarantined") / F.col("n_received"))
    return counted.withColumn(
        "reason",
        F.when(is_empty, EMPTY_RETURN)
        .when(belongs_to_nobody, NO_CHILDREN)
        .when(share > max_quarantined, MOSTLY_QUARANTINED),
    )


def unobserved(returned: DataFrame, *, study_id: str) -> DataFrame:
    """Returns cohort.unobserved from `returned_entities`.

    Grain: one row per LA code, census year and entity with a reason.
    """
    rows = returned.where(F.col("reason").isNotNull()).withColumn("study_id", F.lit(study_id))
    return rows.select(*COHORT_UNOBSERVED.column_names)


def unobserved_warnings(rows: Iterable[Row], *, max_quarantined: float) -> list[str]:
    """Returns a line for each LA-year, file and reason of cohort.unobserved: counts and shares, no child's value."""
    alike: dict[tuple[str, int, str, str, str], list[str]] = {}
    for row in sorted(rows, key=lambda row: (row["la_code"], row["census_year"], row["entity"])):
        said = _reason_in_words(row, max_quarantined)
        key = (row["la_code"], row["census_year"], ", ".join(row["file_paths"]), row["reason"], said)
        alike.setdefault(key, []).append(row["entity"])
    return [
        f"authority {la_code}, census year {year}, {paths}: {', '.join(entities)} not observed, {said}; outcomes that"
        " read them are unknown in windows that touch the year"
        for (la_code, year, paths, _, said), entities in alike.items()
    ]


def _reason_in_words(row: Row, max_quarantined: float) -> str:
    if row["reason"] == EMPTY_RETURN:
        return "because the return is empty and an earlier one had rows"
    if row["reason"] == NO_CHILDREN:
        return "because the return has records but none of the children they belong to"
    share = row["n_quarantined"] / row["n_received"]
    return (
        f"because {row['n_quarantined']:,} of {row['n_received']:,} rows ({share:.1%}) are in quarantine, above"
        f" window.max_quarantined = {max_quarantined:g}"
    )


def first_day_of(year: Column) -> Column:
    """Returns the first day of a census year: 1 April before the year in which it ends."""
    return F.make_date(year - 1, F.lit(4), F.lit(1))


def last_day_of(year: Column) -> Column:
    """Returns the last day of a census year: 31 March."""
    return F.make_date(year, F.lit(3), F.lit(31))


def _by_collection(entities: Mapping[str, tuple[str, ...]]) -> Column:
    arrays = [
        F.when(F.col("collection") == collection, F.array(*map(F.lit, names))) for collection, names in entities.items()
    ]
    return F.coalesce(*arrays)


def _module_of_entity() -> Column:
    return F.coalesce(
        *(F.when(F.col("entity") == entity, F.lit(module)) for module, entity in ENTITY_OF_MODULE.items())
    )
