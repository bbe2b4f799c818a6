"""How columns are read wherever rows are judged or counted: short breaks, care, kinship, closures, census years."""

from __future__ import annotations

from pyspark.sql import Column
from pyspark.sql import functions as F

SHORT_BREAKS = ("V3", "V4")
KINSHIP = ("Q1", "U1", "U2", "U3")

NFA_AFTER_ASSESSMENT, EARLY_HELP = "RC8", "RC9"
"""Reasons for a closure that is a decision to take no further action."""


def is_short_break() -> Column:
    """Returns whether an episode is a short break, which is never being looked after."""
    return F.coalesce(F.col("legal_status").isin(*SHORT_BREAKS), F.lit(False))


def is_care_start() -> Column:
    """Returns whether an episode starts a period of care: RNE S, legal status not V3 or V4. Never null."""
    return F.coalesce(F.col("reason_new_episode") == "S", F.lit(False)) & ~is_short_break()


def census_year_of(day: Column) -> Column:
    """Returns the census year of a day: the year in which the 12 months from 1 April end."""
    return F.year(F.add_months(day, 9))
