"""Classified rows as the lake's tables: silver and quarantine, children under pseudonyms, birth dates gone."""

from __future__ import annotations

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.silver.fate import QUARANTINED, SILVER
from sos_spark.silver.pseudonyms import add_pseudonyms, child_message, person_message
from sos_spark.silver.rules.row_rule import codes
from sos_spark.tables import QUARANTINE, SILVER_ENTITIES, SILVER_ICPCS, Table


def to_silver(entity: str, classified: DataFrame, key: DataFrame) -> DataFrame:
    """Returns the rows of an entity's silver table."""
    table = SILVER_ENTITIES[entity]
    rows = _under_pseudonyms(classified.where(F.col("fate") == SILVER), table, key)
    return rows.withColumn("warnings", codes("warnings")).select(table.column_names)


def to_quarantine(entity: str, classified: DataFrame, key: DataFrame) -> DataFrame:
    """Returns the rows of an entity's quarantine table, each with every rule of severity error it broke."""
    table = QUARANTINE[entity]
    rows = _under_pseudonyms(classified.where(F.col("fate") == QUARANTINED), table, key)
    return rows.withColumn("reasons", codes("errors")).select(table.column_names)


def to_icpcs(conferences: DataFrame, key: DataFrame) -> DataFrame:
    """Returns the rows of silver.icpcs from `find_conferences`."""
    return _under_pseudonyms(conferences, SILVER_ICPCS, key).select(SILVER_ICPCS.column_names)


def _under_pseudonyms(rows: DataFrame, table: Table, key: DataFrame) -> DataFrame:
    messages: dict[str, Column] = {"child_id": child_message(F.col("la_code"), F.col("returned_id"))}
    if "person_key" in table.column_names:
        messages["person_key"] = person_message(F.col("upn"), F.col("birth_date"), F.col("sex"))
    return add_pseudonyms(rows, key, **messages)
