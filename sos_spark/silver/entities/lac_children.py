"""Looked-after children: the SSDA903 header, one row per child, from its latest return.

The row is taken whole: a value that the latest return no longer gives is not filled from an earlier one.
"""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.silver import conform
from sos_spark.silver.entities.children import RECEIVED, beside_other_years, classified
from sos_spark.silver.entities.lac_child_rules import lac_child_rules
from sos_spark.silver.pseudonyms import by_authority
from sos_spark.silver.row_rule import add_findings
from sos_spark.silver.rule_data import RuleData
from sos_spark.tables import SILVER_LAC_CHILDREN


def examine_lac_children(lac_header: DataFrame) -> DataFrame:
    """Returns header rows typed, with what their rules look at.

    Grain: one row per row of bronze.lac_header, in and out, under pseudonyms.
    """
    rows = lac_header.select(
        *conform.PROVENANCE,
        "child_id",
        "id_has_invisible",
        "person_key",
        conform.british_day("DOB").alias("birth_date"),
        conform.sex("SEX").alias("sex"),
        conform.code("SEX").alias("sex_received"),
        conform.code("ETHNIC").alias("ethnicity"),
        F.col("DOB").alias("birth_text"),
    )
    typed = rows.select(
        *rows.columns[:-1],
        (F.col("birth_text").isNotNull() & F.col("birth_date").isNull()).alias("birth_date_unreadable"),
        F.lit(False).alias("only_expected"),
    )
    return beside_other_years(by_authority(typed), RECEIVED)


def classify_lac_children(lac_header: DataFrame, rule_data: RuleData) -> DataFrame:
    """Returns every row of bronze.lac_header with its findings and its fate."""
    examined = examine_lac_children(lac_header)
    return classified(add_findings(examined, lac_child_rules(rule_data), SILVER_LAC_CHILDREN), RECEIVED)
