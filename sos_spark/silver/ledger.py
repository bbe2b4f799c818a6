"""The ledger: what became of every received row, and how often each rule was broken, from one pass over an entity."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import reduce

import pyarrow as pa
from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.errors import InputError
from sos_spark.silver.described import PLANS_AGAINST_CONFERENCES
from sos_spark.silver.fate import DUPLICATE, QUARANTINED, SILVER, SUPERSEDED
from sos_spark.silver.row_rule import RowRule
from sos_spark.tables import DQ_LEDGER, DQ_QUARANTINED, DQ_ROW_COUNTS, DQ_RULE_COUNTS

ENTITY_OF_MODULE = {
    "child_identifiers": "cin_children",
    "cin_details": "referrals",
    "assessments": "assessments",
    "section47": "section47_enquiries",
    "cp_plans": "cp_plans",
    "lac_header": "lac_children",
    "lac_episodes": "lac_episodes",
}
"""The bronze module an entity is made from, one row to one."""

UNKNOWN_FIELDS = "unknown_fields"
"""The item under which rows with any unknown field are counted."""

_EVERY_ROW = "*"
_COUNTED_BY = ("file_id", "la_code", "census_year", "fate")

_COUNTED = (*_COUNTED_BY, "errors", "warnings", UNKNOWN_FIELDS, "tally")
"""The columns of a classified row that `count_rows` looks at."""


def with_contents_of_kept(classified: DataFrame) -> DataFrame:
    """Returns classified rows, of which those that end in neither table keep only what is counted of them.

    Grain: unchanged. Almost half the rows of children are superseded by a later return: what nobody reads is not
    written.
    """
    is_kept = F.col("fate").isin(SILVER, QUARANTINED)
    return classified.select(
        *(F.col(name) if name in _COUNTED else F.when(is_kept, F.col(name)).alias(name) for name in classified.columns)
    )


def count_rows(entity: str, classified: DataFrame) -> DataFrame:
    """Returns an entity's rows of dq.row_counts: the one pass from which ledger and rule counts are made.

    Grain: one row per file, LA, census year, fate and item (a rule's code, UNKNOWN_FIELDS, a tally's name, or * for
    every row).
    """
    tally = F.col("tally") if "tally" in classified.columns else F.lit(None).cast("string")
    unknown = F.when(F.col("unknown_fields").isNotNull(), F.lit(UNKNOWN_FIELDS))
    findings = F.concat_ws(" ", F.lit(_EVERY_ROW), "errors", "warnings", unknown, tally)
    # Most rows of a place have the same findings, or none: they are counted before they are taken apart.
    alike = classified.select(*_COUNTED_BY, findings.alias("findings")).groupBy(*_COUNTED_BY, "findings").count()
    return (
        alike.select(*_COUNTED_BY, F.explode(F.split("findings", " ")).alias("item"), "count")
        .groupBy(*_COUNTED_BY, "item")
        .agg(F.sum("count").alias("n"))
        .withColumn("entity", F.lit(entity))
        .select(*DQ_ROW_COUNTS.column_names)
    )


def make_ledger(files: DataFrame, counts: DataFrame) -> DataFrame:
    """Returns dq.ledger: what bronze.files says was received beside what became of it.

    Grain: one row per file and entity of which it delivered, or silver has, any row. The two sides are counted
    independently.
    """
    received = (
        files.where(F.col("status") == "accepted")
        .select("file_id", F.explode("rows_by_module").alias("module", "n_received"))
        .select("file_id", _entity_of(F.col("module")).alias("entity"), "n_received")
        .where(F.col("entity").isNotNull())
        .groupBy("file_id", "entity")
        .agg(F.sum("n_received").alias("n_received"))
    )

    def met(fate: str) -> Column:
        return F.sum(F.when(F.col("fate") == fate, F.col("n")).otherwise(0))

    became = (
        counts.where(F.col("item") == _EVERY_ROW)
        .groupBy("file_id", "entity")
        .agg(
            met(SILVER).alias("n_silver"),
            met(QUARANTINED).alias("n_quarantined"),
            met(SUPERSEDED).alias("n_superseded_by_later_return"),
            met(DUPLICATE).alias("n_same_day_duplicates"),
        )
    )
    return received.join(became, ["file_id", "entity"], "full").na.fill(0).select(DQ_LEDGER.column_names)


def count_places(counts: DataFrame, endings: Sequence[str]) -> DataFrame:
    """Returns where rules were broken whose codes end in one of `endings`, most rows first.

    Grain: one row per ending, entity, LA and census year with any, out of `count_rows`. Returns ending, entity,
    la_code, census_year and n, in the order of ending and entity.
    """
    ending = F.coalesce(*(F.when(F.col("item").endswith(one), F.lit(one)) for one in endings))
    return (
        counts.withColumn("ending", ending)
        .where(F.col("ending").isNotNull())
        .groupBy("ending", "entity", "la_code", "census_year")
        .agg(F.sum("n").alias("n"))
        .orderBy("ending", "entity", F.desc("n"), "la_code", "census_year")
    )


def count_unknown(counts: DataFrame) -> DataFrame:
    """Returns how many rows of silver have an unknown field.

    Grain: one row per entity with any, out of `count_rows`.
    """
    return (
        counts.where((F.col("item") == UNKNOWN_FIELDS) & (F.col("fate") == SILVER))
        .groupBy("entity")
        .agg(F.sum("n").alias("n_unknown"))
    )


def _entity_of(module: Column) -> Column:
    return reduce(
        lambda so_far, pair: so_far.when(module == pair[0], pair[1]), ENTITY_OF_MODULE.items(), F.when(F.lit(False), "")
    )


def require_nothing_lost(ledger: DataFrame, files: DataFrame) -> None:
    """Proves received = silver + quarantined + superseded for each file and entity.

    Raises:
        InputError: They differ; names the first files with their counts.
    """
    ends = [F.col(name) for name in DQ_LEDGER.column_names[3:]]
    lost = ledger.withColumn("n_found", reduce(Column.__add__, ends)).where(F.col("n_found") != F.col("n_received"))
    paths = files.groupBy("file_id").agg(F.min("file_path").alias("file_path"))
    first = lost.join(paths, "file_id", "left").orderBy("file_path", "entity").limit(5).collect()
    if first:
        raise InputError(
            "Rows of a file are not all accounted for",
            where=", ".join(sorted({row["file_path"] or "a file unknown to bronze.files" for row in first})),
            expected="; ".join(f"{row['n_received']} {row['entity']}" for row in first),
            found="; ".join(f"{row['n_found']} {row['entity']}" for row in first),
            remedy="Ingest the files again; if it stays so, bronze and bronze.files disagree: delete both and rebuild",
        )


def count_rules(counts: DataFrame, rules: Mapping[str, Sequence[RowRule]]) -> DataFrame:
    """Returns dq.rule_counts.

    Grain: one row per rule, LA and census year with any row of the entity; zeros are rows too.
    """
    totals = (
        counts.where(F.col("item") == _EVERY_ROW)
        .groupBy("entity", "la_code", "census_year")
        .agg(F.sum("n").alias("n_rows"))
    )
    failed = (
        counts.withColumnRenamed("item", "rule_code")
        .groupBy("entity", "rule_code", "la_code", "census_year")
        .agg(F.sum("n").alias("n_failed"))
    )
    by_rule = totals.join(F.broadcast(_rules_of(counts.sparkSession, rules)), "entity")
    row_rules = by_rule.join(failed, ["entity", "rule_code", "la_code", "census_year"], "left").na.fill(0, ["n_failed"])
    return row_rules.select(DQ_RULE_COUNTS.column_names).unionByName(_plans_against_conferences(counts))


def count_quarantined(counts: DataFrame, rules: Mapping[str, Sequence[RowRule]]) -> DataFrame:
    """Returns dq.quarantined, out of `count_rows`.

    Grain: one row per file, LA, census year, entity and rule of severity error that sent any row to quarantine.
    """
    reasons = sorted({rule.code for of_entity in rules.values() for rule in of_entity if rule.severity == "error"})
    return (
        counts.where((F.col("fate") == QUARANTINED) & F.col("item").isin(*reasons))
        .select(
            "file_id", "la_code", "census_year", "entity", F.col("item").alias("rule_code"), F.col("n").alias("n_rows")
        )
        .select(DQ_QUARANTINED.column_names)
    )


def _rules_of(spark: SparkSession, rules: Mapping[str, Sequence[RowRule]]) -> DataFrame:
    """Grain: one row per entity and rule. As literals, hundreds of rules take longer to write down than to count."""
    listed = [(entity, rule.code, rule.dfe, rule.severity) for entity, of_entity in rules.items() for rule in of_entity]
    columns = zip(*listed, strict=True)
    names = ("entity", "rule_code", "dfe_code", "severity")
    return spark.createDataFrame(pa.table({n: pa.array(c, pa.string()) for n, c in zip(names, columns, strict=True)}))


def _plans_against_conferences(counts: DataFrame) -> DataFrame:
    def tallied(name: str) -> Column:
        return F.sum(F.when(F.col("item") == name, F.col("n")).otherwise(0))

    return (
        counts.where(F.col("item").isin("plan_start_in_year", "icpc_in_year"))
        .groupBy("la_code", "census_year")
        .agg(tallied("plan_start_in_year").alias("n_rows"), tallied("icpc_in_year").alias("n_conferences"))
        .select(
            F.lit(PLANS_AGAINST_CONFERENCES.entity).alias("entity"),
            F.lit(PLANS_AGAINST_CONFERENCES.rule_code).alias("rule_code"),
            F.lit(PLANS_AGAINST_CONFERENCES.dfe_code).alias("dfe_code"),
            F.lit(PLANS_AGAINST_CONFERENCES.severity).alias("severity"),
            "la_code",
            "census_year",
            "n_rows",
            F.greatest(F.col("n_rows") - F.col("n_conferences"), F.lit(0)).cast("bigint").alias("n_failed"),
        )
        .select(DQ_RULE_COUNTS.column_names)
    )
