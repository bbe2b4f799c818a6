"""Classified rows as the lake's tables: silver and quarantine."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.silver.fate import QUARANTINED, SILVER
from sos_spark.silver.row_rule import codes
from sos_spark.tables import QUARANTINE, SILVER_ENTITIES, SILVER_ICPCS


def to_silver(entity: str, classified: DataFrame) -> DataFrame:
    """Returns the rows of an entity's silver table."""
    rows = classified.where(F.col("fate") == SILVER).withColumn("warnings", codes("warnings"))
    return rows.select(SILVER_ENTITIES[entity].column_names)


def to_quarantine(entity: str, classified: DataFrame) -> DataFrame:
    """Returns the rows of an entity's quarantine table, each with every rule of severity error it broke."""
    rows = classified.where(F.col("fate") == QUARANTINED).withColumn("reasons", codes("errors"))
    return rows.select(QUARANTINE[entity].column_names)


def to_icpcs(conferences: DataFrame) -> DataFrame:
    """Returns the rows of silver.icpcs from `find_conferences`."""
    return conferences.select(SILVER_ICPCS.column_names)
