"""Plain Parquet tables: those whose every wanted column Arrow turns into the text that a return would hold.

That is text, whole numbers, dates of the Gregorian calendar, booleans, and columns without a value. Spark would do the
same with their rows at many times the cost; what is not plain (CSV, timestamps, decimals, lists) it reads itself.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable
from datetime import date
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from sos_spark.bronze.fields import LA_YEAR
from sos_spark.bronze.record_batches import WHITE_SPACE

LA_CODE_PATTERN = r"[0-9]{3}(\.0*)?"
"""What is read as an LA code; its first three characters are one."""
CENSUS_YEAR_PATTERN = r"(19|20)[0-9]{2}(\.0*)?"
"""What is read as a census year; its first four characters are one."""
_FIRST_DAY, _LAST_DAY = ((day - date(1970, 1, 1)).days for day in (date(1582, 10, 15), date(9999, 12, 31)))

LaYearRows = tuple[str | None, int | None, int]
"""An LA code, a census year and the number of rows that have both; None where a row has no such code, or year."""


class PlainRows:
    """Counts the rows of a table file by LA and year while it is read, for as long as all it holds is plain."""

    def __init__(self, schema: pa.Schema) -> None:
        named = {wanted: [name for name in schema.names if name.strip().casefold() == wanted] for wanted in LA_YEAR}
        self._names = [names[0] for names in named.values() if len(names) == 1]
        self._is_plain = len(self._names) == len(LA_YEAR) and all(_is_plain(field.type) for field in schema)
        self._counts: Counter[tuple[str | None, int | None]] = Counter()

    def add(self, batch: pa.RecordBatch) -> None:
        """Takes the next rows of the file."""
        self._is_plain = self._is_plain and all(map(_is_of_the_calendar, batch.columns))
        if self._is_plain:
            la_code, census_year = la_years(*(batch.column(name) for name in self._names))
            pairs = pa.table({"la_code": la_code, "census_year": census_year}).group_by([*LA_YEAR], use_threads=False)
            for row in pairs.aggregate([([], "count_all")]).to_pylist():
                self._counts[row["la_code"], row["census_year"]] += row["count_all"]

    def counts(self) -> tuple[LaYearRows, ...] | None:
        """Returns how many rows each LA-year has; None of a file that is not plain."""
        return tuple((*pair, n_rows) for pair, n_rows in self._counts.items()) if self._is_plain else None


def la_years(la_code: pa.Array, census_year: pa.Array) -> tuple[pa.Array, pa.Array]:
    """Returns each row's LA code as text and census year as int32; null where it is none."""
    return (
        _by_value(la_code, lambda text: text[:3] if re.fullmatch(LA_CODE_PATTERN, text) else None, pa.string()),
        _by_value(census_year, lambda text: int(text[:4]) if re.fullmatch(CENSUS_YEAR_PATTERN, text) else None,
                  pa.int32()),
    )  # fmt: skip


def text_of(column: pa.Array, *, in_slashes: bool = False) -> pa.Array:
    """Returns a plain column as text, trimmed, null where empty; dates as ISO, or dd/mm/yyyy."""
    kind = column.type
    if pa.types.is_dictionary(kind):
        column, kind = column.cast(kind.value_type), kind.value_type
    if pa.types.is_null(kind):
        return pa.nulls(len(column), pa.string())
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        trimmed = pc.utf8_trim(column.cast(pa.string()), WHITE_SPACE)
        return pc.if_else(pc.equal(trimmed, ""), pa.scalar(None, pa.string()), trimmed)
    if pa.types.is_date(kind):
        day = column.cast(pa.date32())
        return pc.strftime(day, "%d/%m/%Y") if in_slashes else day.cast(pa.string())
    return column.cast(pa.string())


def _by_value(column: pa.Array, read: Callable[[str], Any], kind: pa.DataType) -> pa.Array:
    """Reads each different value of a column once."""
    if pa.types.is_null(column.type):
        return pa.nulls(len(column), kind)
    encoded = column.dictionary_encode()
    texts = text_of(encoded.dictionary).to_pylist()
    return pa.array([None if text is None else read(text) for text in texts], kind).take(encoded.indices)


def _is_plain(kind: pa.DataType) -> bool:
    """Spark has no whole number as wide as uint64."""
    if pa.types.is_dictionary(kind):
        kind = kind.value_type
    is_text = pa.types.is_string(kind) or pa.types.is_large_string(kind)
    is_whole = pa.types.is_integer(kind) and not pa.types.is_uint64(kind)
    return is_text or is_whole or pa.types.is_date(kind) or pa.types.is_boolean(kind) or pa.types.is_null(kind)


def _is_of_the_calendar(column: pa.Array) -> bool:
    """Of days before the calendar's reform Spark may count others, and it writes years of five digits its own way."""
    if not pa.types.is_date(column.type) or column.null_count == len(column):
        return True
    span = pc.min_max(column.cast(pa.date32()).cast(pa.int32())).as_py()
    return bool(span["min"] >= _FIRST_DAY and span["max"] <= _LAST_DAY)
