"""Classified rows as the lake's tables: silver and quarantine."""

from __future__ import annotations

from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from sos_spark.silver.fate import QUARANTINED, SILVER
from sos_spark.silver.row_rule import codes
from sos_spark.tables import QUARANTINE, SILVER_ENTITIES, SILVER_ICPCS

_BESIDE = {"errors", "tally", "fate"}
"""What a classified row has beside its silver table's columns that may lie in the table's files, which no reader sees:
of silver's own rows nothing, the name of a count, and a folder's name."""


def is_silver_already(entity: str, classified: DataFrame) -> bool:
    """Returns whether the files of an entity's classified rows can be its silver table's as they are.

    Children's cannot: the table has their month of birth, and the rows have the day.
    """
    names = set(SILVER_ENTITIES[entity].column_names)
    return names <= set(classified.columns) <= names | _BESIDE


def to_silver(entity: str, classified: DataFrame) -> DataFrame:
    """Returns the rows of an entity's silver table."""
    return classified.where(F.col("fate") == SILVER).select(SILVER_ENTITIES[entity].column_names)


def to_quarantine(entity: str, classified: DataFrame) -> DataFrame:
    """Returns the rows of an entity's quarantine table, each with every rule of severity error it broke."""
    rows = classified.where(F.col("fate") == QUARANTINED).withColumn("reasons", codes(F.col("errors")))
    return rows.select(QUARANTINE[entity].column_names)


def to_icpcs(conferences: DataFrame) -> DataFrame:
    """Returns the rows of silver.icpcs from `find_conferences`."""
    return conferences.select(SILVER_ICPCS.column_names)
