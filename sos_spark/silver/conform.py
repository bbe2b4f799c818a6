"""Text of the returns as typed Columns. Nothing here raises on a bad value: it becomes null, and a rule says so.

All but `cleaned`, `text` and `has_invisible` read fields that are cleaned. Each reading of a date comes with
`unreadable`, which is true where text is present and is no date: a comparison with the null it became would silently
pass.
"""

from __future__ import annotations

from collections.abc import Collection

from pyspark.sql import Column, DataFrame
from pyspark.sql import functions as F

from sos_spark.config.zone import ZONE
from sos_spark.tables import BRONZE_MODULES
from sos_spark.tables import PROVENANCE as BRONZE_PROVENANCE

PROVENANCE = ("la_code", "census_year", "file_id", "record_position")

RECEIVED = frozenset(name for table in BRONZE_MODULES.values() for name in table.column_names[len(BRONZE_PROVENANCE) :])
"""The fields of the returns, whichever module they are of."""

SECONDS_PER_DAY = 86_400

_DAY_LENGTH = len("yyyy-MM-dd")


def _characters(spans: str) -> str:
    """Returns the characters of blank-parted spans of hexadecimal code points."""
    bounds = [[int(end, 16) for end in span.split("-")] for span in spans.split()]
    return "".join(chr(point) for pair in bounds for point in range(pair[0], pair[-1] + 1))


LIKE_BLANKS = _characters("9-D 85 A0 1680 2000-200A 2028-2029 202F 205F 3000")
"""Characters that look like a blank and are none: tabs and line ends, no-break and typographic spaces."""

UNSEEN = _characters("0-8 E-1F 7F-84 86-9F AD 61C 180E 200B-200F 202A-202E 2060-206F FEFF")
"""Characters that nothing is seen of: controls, soft hyphens, zero-width spaces and joiners, directional marks."""

_NOT_PLAIN = r"[^\x20-\x7E]"
"""One range, which costs a regular expression little: almost every value is plain text, and no invisible character is.

A class of many characters is looked through for every character of every value.
"""

_INVISIBLE = "[" + "".join(f"\\x{{{ord(char):X}}}" for char in LIKE_BLANKS + UNSEEN) + "]"

_TIME = r"(?:[01]\d|2[0-3]):[0-5]\d(?::[0-5]\d(?:\.\d{1,9})?)?"
_OFFSET = r"(?:Z|[+-](?:[01]\d|2[0-3]):[0-5]\d)"
_ISO_DAY = rf"^((?!0000)\d{{4}}-\d\d-\d\d)(?:[T ]{_TIME})?$"
_BRITISH_DAY = rf"^(\d\d?/\d\d?/(?!0000)\d{{4}})(?: {_TIME})?$"
# Not the calendar's first and last years: an offset could lead out of what other readers of Delta can read.
_ISO_INSTANT = rf"^((?!000[01]|9999)\d{{4}}-\d\d-\d\d[T ]{_TIME}{_OFFSET})$"


def cleaned(rows: DataFrame, names: Collection[str] = RECEIVED) -> DataFrame:
    """Returns rows with the fields that were received as they are seen: see `text`. Grain: unchanged.

    Everything below reads cleaned fields. Cleaned once, in a projection of its own, a field that is looked at five
    times is not cleaned five times. Columns that are not among `names` stay.
    """
    return rows.withColumns({name: text(name) for name in rows.columns if name in names})


def text(name: str) -> Column:
    """Returns the field as it is seen: without invisible characters and surrounding blanks; null where nothing is left.

    What looks like a blank is one.
    """
    return _seen(F.col(name))


def _seen(received: Column) -> Column:
    without = F.translate(received, LIKE_BLANKS + UNSEEN, " " * len(LIKE_BLANKS))
    # Few values can hold any: only those are gone through character by character.
    return F.nullif(F.trim(F.when(received.rlike(_NOT_PLAIN), without).otherwise(received)), F.lit(""))


def has_invisible(name: str) -> Column:
    """Returns whether a field as received holds characters that cannot be seen, or that look like a blank."""
    return F.coalesce(F.col(name).rlike(_NOT_PLAIN) & F.col(name).rlike(_INVISIBLE), F.lit(False))


def code(name: str) -> Column:
    """Returns a coded field in upper case."""
    return F.upper(F.col(name))


def iso_day(name: str) -> Column:
    """Returns a CIN date: yyyy-MM-dd, which may be followed by a time of day.

    The whole text is a date or it is none. A time with an offset from UTC is an instant, taken to its date in `ZONE`.
    """
    return _iso_day(F.col(name))


def first_iso_day(name: str) -> Column:
    """Returns the earliest of the CIN dates that a field joins with semicolons, looking past what is no date."""
    return F.array_min(F.transform(F.split(F.col(name), ";"), lambda one: _iso_day(F.trim(one))))


def british_day(name: str) -> Column:
    """Returns an SSDA903 date: dd/mm/yyyy, which may be followed by a time of day; ISO, as typed tables have it, too.

    The whole text is a date or it is none.
    """
    value = F.col(name)
    parts = [F.substring(value, start, n) for start, n in ((7, 4), (4, 2), (1, 2))]
    is_plain = (F.length(value) == _DAY_LENGTH) & (F.instr(value, "/") == 3) & (F.locate("/", value, 4) == 6)
    turned = F.when(is_plain, F.concat_ws("-", *parts))
    in_full = F.coalesce(F.try_to_date(F.regexp_extract(value, _BRITISH_DAY, 1), "d/M/yyyy"), _iso_day(value))
    return F.when(_is_plain_day(turned), turned.try_cast("date")).otherwise(in_full)


def _iso_day(value: Column) -> Column:
    # A cast alone would also take a bare year, and a date followed by anything.
    day = F.regexp_extract(value, _ISO_DAY, 1).try_cast("date")
    instant = F.regexp_extract(value, _ISO_INSTANT, 1).try_cast("timestamp")
    # By arithmetic: a cast to a date would read the shifted instant in the session's own zone.
    seconds = F.unix_seconds(F.from_utc_timestamp(instant, ZONE))
    in_full = F.coalesce(day, F.date_from_unix_date(F.floor(seconds / SECONDS_PER_DAY).cast("int")))
    return F.when(_is_plain_day(value), value.try_cast("date")).otherwise(in_full)


def _is_plain_day(value: Column) -> Column:
    """Returns whether a text has the shape yyyy-MM-dd, as almost all have, which a cast then reads as it should.

    Told without a regular expression, which costs ten times the cast.
    """
    has_shape = (F.length(value) == _DAY_LENGTH) & (F.instr(value, "-") == 5) & (F.locate("-", value, 6) == 8)
    # A cast takes a day of one digit before the T or blank that a time would follow.
    ends_in_day = ~(value.endswith("T") | value.endswith(" "))
    return has_shape & ends_in_day & (value >= "0001")


def unreadable(name: str, day: str) -> Column:
    """Returns whether a field holds text although the day read from it is null."""
    return F.col(name).isNotNull() & F.col(day).isNull()


def flag(name: str) -> Column:
    """Returns 1 or true, 0 or false in any case as a boolean; anything else is null."""
    value = F.lower(F.col(name))
    return F.when(value.isin("1", "true"), True).when(value.isin("0", "false"), False)


def sex(*names: str) -> Column:
    """Returns male, female or unknown, from the first of the fields that says anything: 1 or M, 2 or F."""
    value = F.coalesce(*(code(name) for name in names))
    return F.when(value.isin("1", "M"), "male").when(value.isin("2", "F"), "female").otherwise("unknown")


def reference_day() -> Column:
    """Returns the 31 March that the row's return is about."""
    return F.make_date(F.col("census_year"), F.lit(3), F.lit(31))


def first_day() -> Column:
    """Returns the 1 April that the row's return begins with."""
    return F.make_date(F.col("census_year") - 1, F.lit(4), F.lit(1))


def age_on(day: Column) -> Column:
    """Returns completed years of age on a day. Needs birth_date and only_expected.

    An unborn child (an expected birth date only, or a birth after the day) is 0; an unknown birth date gives null.
    Month and day are compared as a pair: a child born on 29 February turns a year older on 1 March in common years.
    """
    birth = F.col("birth_date")
    before_birthday = _month_and_day(day) < _month_and_day(birth)
    years = F.year(day) - F.year(birth) - F.when(before_birthday, 1).otherwise(0)
    # greatest() passes over nulls, so it may only see a known birth date.
    known = F.when(F.col("only_expected"), 0).when(birth.isNotNull(), F.greatest(years, F.lit(0)))
    return F.when(day.isNotNull(), known)


def _month_and_day(day: Column) -> Column:
    return F.month(day) * 100 + F.dayofmonth(day)
