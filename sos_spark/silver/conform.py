"""Text of the returns as typed Columns. Nothing here raises on a bad value: it becomes null, and a rule says so.

Each reading of a date comes with `unreadable`, which is true where text is present and is no date: a comparison with
the null it became would silently pass.
"""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

PROVENANCE = ("la_code", "census_year", "file_id", "record_position")


def text(name: str) -> Column:
    """Returns the field without surrounding blanks; nothing but blanks is null."""
    return F.nullif(F.trim(F.col(name)), F.lit(""))


def code(name: str) -> Column:
    """Returns a coded field in upper case."""
    return F.upper(text(name))


def iso_day(name: str) -> Column:
    """Returns a CIN date, yyyy-MM-dd with or without a time part."""
    value = text(name)
    # The cast alone would also take a bare year or year and month.
    return F.when(F.length(value) >= 10, value.try_cast("date"))


def british_day(name: str) -> Column:
    """Returns an SSDA903 date, dd/mm/yyyy with or without a time part; ISO, as typed tables have it, is read too."""
    value = F.substring_index(text(name), " ", 1)
    return F.coalesce(F.try_to_date(value, "d/M/yyyy"), F.when(F.length(value) >= 10, value.try_cast("date")))


def unreadable(name: str, day: str) -> Column:
    """Says whether a field holds text although the day read from it is null."""
    return text(name).isNotNull() & F.col(day).isNull()


def flag(name: str) -> Column:
    """Returns 1 or true, 0 or false in any case as a boolean; anything else is null."""
    value = F.lower(text(name))
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
