"""Pseudonyms: HMAC-SHA-256 in Spark's own functions, the key joined in as data.

A key in a Column literal or a Spark setting would show in plans; here it is a one-row frame that is broadcast. Ids and
UPNs are replaced before anything else is done with a row, so no draft, join or window holds them. One shuffle does, of
`referred_years`, which brings the rows of an id together to name it once. Because a pseudonym stands for the LA and the
id together, one short column is all that joins and windows need.
"""

from __future__ import annotations

import hashlib

from pyspark.sql import Column, DataFrame, SparkSession
from pyspark.sql import functions as F

from sos_spark.silver import conform

PSEUDONYM_LENGTH = 32
"""Hexadecimal characters kept: 128 bits."""

CHILD = ("child_id", "la_code")
"""What rows of one child share: the key of every join and window.

The authority adds nothing to a pseudonym, but lets rows that are parted by authority stay where they are, and keeps
rows without an id of one authority from those of another. It comes second: rows are sorted by the first, which parts.
"""

_BLOCK_BYTES = 64
_SEPARATOR = "\x1f"


def key_frame(spark: SparkSession, key: bytes) -> DataFrame:
    """Returns the key as one row: ipad and opad, HMAC's two 64-byte paddings of it."""
    block = (hashlib.sha256(key).digest() if len(key) > _BLOCK_BYTES else key).ljust(_BLOCK_BYTES, b"\0")
    pads = tuple(bytes(byte ^ mask for byte in block) for mask in (0x36, 0x5C))
    return spark.createDataFrame([pads], "ipad BINARY NOT NULL, opad BINARY NOT NULL")


def with_pseudonyms(bronze: DataFrame, key: DataFrame) -> DataFrame:
    """Replaces a bronze module's id by child_id, and its UPN, where it has one, by person_key; cleans its other fields.

    Grain: unchanged. child_id: null without an id, or where nothing of it can be seen. An id is unique within its LA
    only, so the LA is part of it; LAchildID and CHILD are one kind of id, so that a child of both collections has one
    pseudonym. person_key: made of UPN, birth date and sex, null where one of them is missing (a code for 'not known' is
    not missing); it links the collections where the ids do not. Adds id_has_invisible: whether the id held characters
    that cannot be seen, of which the pseudonym knows nothing. `key`: `key_frame`.
    """
    id_field = "LAchildID" if "LAchildID" in bronze.columns else "CHILD"
    messages = {"child_id": _message("child", F.col("la_code"), F.col(id_field))}
    if "UPN" in bronze.columns:
        messages["person_key"] = _person(bronze.columns)
    seen = conform.cleaned(bronze.withColumn("id_has_invisible", conform.has_invisible(id_field)))
    return add_hmac(seen, key, **messages).drop(id_field, "UPN", "FormerUPN")


def by_authority(rows: DataFrame) -> DataFrame:
    """Returns rows parted by authority, as every join and window by `CHILD` can take them. Grain: unchanged.

    A table written from rows parted so holds an authority's rows in few files, and a change of one authority then
    rewrites few. The largest authority has some 4 % of England's children, which bounds what a cluster can gain.
    """
    return rows.repartition("la_code")


def _person(fields: list[str]) -> Column:
    birth_date = conform.british_day("DOB") if "DOB" in fields else conform.iso_day("PersonBirthDate")
    sex_fields = ("SEX",) if "SEX" in fields else ("Sex", "GenderCurrent")
    is_given = F.coalesce(*sex_fields).isNotNull()
    upn = conform.code("UPN")
    # UN1 to UN7 say why there is no UPN.
    return F.when(
        is_given & ~upn.rlike(r"^UN\d$"), _message("person", upn, birth_date.cast("string"), conform.sex(*sex_fields))
    )


def _message(label: str, *parts: Column) -> Column:
    """Returns the parts after a label that says what is named, so that no two kinds of name can meet."""
    separated = [F.lit(_SEPARATOR) if position % 2 else parts[position // 2] for position in range(2 * len(parts) - 1)]
    return F.concat(F.lit(f"{label}{_SEPARATOR}"), *separated)


def add_hmac(rows: DataFrame, key: DataFrame, **messages: Column) -> DataFrame:
    """Adds a column a message: the first 32 hexadecimal characters of its HMAC. Grain: unchanged."""
    keyed = rows.crossJoin(F.broadcast(key))
    return keyed.withColumns({name: _hmac(message) for name, message in messages.items()}).drop("ipad", "opad")


def _hmac(message: Column) -> Column:
    inner = F.sha2(F.concat(F.col("ipad"), F.encode(message, "UTF-8")), 256)
    outer = F.sha2(F.concat(F.col("opad"), F.unhex(inner)), 256)
    return F.substring(outer, 1, PSEUDONYM_LENGTH)
