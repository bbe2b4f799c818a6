"""A value of a flat table as it was received, and as a return would write it."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark.sql import Column
from pyspark.sql import functions as F

from sos_spark.bronze.arrive.table_file import NANOSECONDS, NANOSECONDS_UTC
from sos_spark.bronze.record_batches import WHITE_SPACE
from sos_spark.config.zone import ZONE

_C1 = "".join(chr(code) for code in range(0x80, 0xA0) if code not in (0x81, 0x8D, 0x8F, 0x90, 0x9D))
_WINDOWS = "".join(bytes([ord(char)]).decode("cp1252") for char in _C1)
NO_DAY = "a moment beyond the calendar"
"""What stands for a timestamp of no year from 1 to 9999: text that no reader takes for a date."""
_FIRST_MICROS, _LAST_MICROS = -62_135_596_800_000_000, 253_402_300_799_999_999


@dataclass(frozen=True)
class Received:
    """A column of a table and its kind (see `table_files`): a Spark type, nanoseconds with or without UTC, nothing."""

    value: Column
    kind: str

    def text(self, *, in_slashes: bool, encoding: str) -> Column:
        """Returns the text, trimmed, null where empty; dates as ISO, or dd/mm/yyyy.

        Args:
            in_slashes: Whether dates are written dd/mm/yyyy.
            encoding: Of a CSV file; iso-8859-1 stands for Windows-1252, which Spark does not read as such.
        """
        if self.kind in ("string", "binary", "array<string>"):
            is_list = self.kind == "array<string>"
            as_text = F.array_join(self.value, ";") if is_list else self.value.cast("string")
            if encoding == "iso-8859-1":
                as_text = F.translate(as_text, _C1, _WINDOWS)
            trimmed = F.trim(as_text, F.lit(WHITE_SPACE))
            return F.when(trimmed != "", trimmed)
        if self.kind == "date":
            return _day_text(self.value, in_slashes=in_slashes)
        if self._is_timestamp:
            civil = _day_text(self._civil().cast("date"), in_slashes=in_slashes)
            return F.when(self._has_a_day(), civil).when(self.value.isNotNull(), NO_DAY)
        if self.kind in ("float", "double"):
            is_whole = (F.floor(self.value) == self.value) & (F.abs(self.value) < F.lit(2.0**53))
            return F.when(is_whole, F.floor(self.value).cast("bigint").cast("string")).when(
                ~F.isnan(self.value), self.value.cast("string")
            )
        if self.kind.startswith("decimal"):
            whole = F.floor(self.value)
            return F.when(whole == self.value, whole.cast("string")).otherwise(self.value.cast("string"))
        return self.value.cast("string")

    def is_off_midnight(self) -> Column:
        """Returns 1 where a timestamp is another moment than the midnight that its day begins with, else 0."""
        if not self._is_timestamp:
            return F.lit(0)
        civil = self._civil()
        is_off = self._has_a_day() & (civil != civil.cast("date").cast("timestamp_ntz"))
        return F.when(is_off, 1).otherwise(0)

    @property
    def _is_timestamp(self) -> bool:
        return self.kind in ("timestamp", "timestamp_ntz", NANOSECONDS, NANOSECONDS_UTC)

    def _micros(self) -> Column:
        """Microseconds since 1970 of what counts them, or nanoseconds."""
        if self.kind == "timestamp":
            return F.unix_micros(self.value)
        thousands = self.value - F.pmod(self.value, F.lit(1000))
        return (thousands.cast("decimal(20,0)") / F.lit(1000)).cast("bigint")

    def _has_a_day(self) -> Column:
        if self.kind == "timestamp_ntz":
            return F.year(self.value).between(1, 9999)
        return self._micros().between(_FIRST_MICROS, _LAST_MICROS)

    def _civil(self) -> Column:
        """The date and time on a clock: of an instant London's, of a timestamp without a zone its own.

        Made without the session's time zone: from a local midnight in 1970 by an interval.
        """
        if self.kind == "timestamp_ntz":
            return self.value
        # Beyond the calendar the interval would overflow, and Spark's error would quote the value.
        micros = F.when(self._has_a_day(), self._micros())
        seconds = (micros.cast("decimal(20,0)") / F.lit(1_000_000)).cast("decimal(18,6)")
        local = F.to_timestamp_ntz(F.lit("1970-01-01 00:00:00")) + F.make_dt_interval(secs=seconds)
        return local if self.kind == NANOSECONDS else F.convert_timezone(F.lit("UTC"), F.lit(ZONE), local)


def _day_text(day: Column, *, in_slashes: bool) -> Column:
    return F.date_format(day, "dd/MM/yyyy") if in_slashes else day.cast("string")
