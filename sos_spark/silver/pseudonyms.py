"""Pseudonyms: HMAC-SHA-256 in Spark's own functions, the key joined in as data.

A key in a Column literal or a Spark setting would show in plans; here it is a one-row frame that is broadcast.
"""

from __future__ import annotations

import hashlib

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

PSEUDONYM_LENGTH = 32
"""Hexadecimal characters kept: 128 bits."""

_BLOCK_BYTES = 64
_SEPARATOR = "\x1f"


def key_frame(spark: SparkSession, key: bytes) -> DataFrame:
    """Returns the key as one row: ipad and opad, HMAC's two 64-byte paddings of it."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
    pads = tuple(bytes(byte ^ mask for byte in block) for mask in (0x36, 0x5C))
    return spark.createDataFrame([pads], "ipad BINARY NOT NULL, opad BINARY NOT NULL")


def child_message(la_code: Column, returned_id: Column) -> Column:
    """Returns what a child's pseudonym is made of; null without an id.

    An id is unique within its LA only. LAchildID and CHILD share the label, so that the same id in one LA is the same
    pseudonym in both collections.
    """
    return F.concat(F.lit(f"child{_SEPARATOR}"), la_code, F.lit(_SEPARATOR), returned_id)


def person_message(upn: Column, birth_date: Column, sex: Column) -> Column:
    """Returns what a person's key is made of; null where one of them is missing or sex is unknown."""
    return F.when(
        sex != "unknown",
        F.concat(
            F.lit(f"person{_SEPARATOR}"), upn, F.lit(_SEPARATOR), birth_date.cast("string"), F.lit(_SEPARATOR), sex
        ),
    )


def add_pseudonyms(rows: DataFrame, key: DataFrame, **messages: Column) -> DataFrame:
    """Adds a column a message: the first 32 hexadecimal characters of its HMAC. Grain: unchanged."""
    keyed = rows.crossJoin(F.broadcast(key))
    return keyed.withColumns({name: _hmac(message) for name, message in messages.items()}).drop("ipad", "opad")


def _hmac(message: Column) -> Column:
    inner = F.sha2(F.concat(F.col("ipad"), F.encode(message, "UTF-8")), 256)
    outer = F.sha2(F.concat(F.col("opad"), F.unhex(inner)), 256)
    return F.substring(outer, 1, PSEUDONYM_LENGTH)
