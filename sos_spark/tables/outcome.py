"""What each outcome of a study counts, and why a row is not analysed."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from sos_spark.tables.bronze import LA_CODE
from sos_spark.tables.cohort import STUDY_ID, UNIT_ID
from sos_spark.tables.silver import SEX
from sos_spark.tables.table import OUTCOME_REASONS, Column, Table

OUTCOME_ID = Column(
    "outcome_id",
    "STRING",
    "The outcome, as the study names it; one of its declared alternatives has the switch after a ~",
    nullable=False,
)
PERIOD = Column("period", "INT", "The period's number, from 0 at the start of the baseline")
PERIOD_START = Column("period_start", "DATE", "The first day of the period")
AGE_BANDS = {
    "0": "under 1, or unborn",
    "1-4": "1 to 4 years",
    "5-9": "5 to 9 years",
    "10-15": "10 to 15 years",
    "16-17": "16 or 17 years",
    "18+": "18 years or older",
}
AGE_BAND = Column("age_band", "STRING", "Completed years of age on the index date, in bands", codes=AGE_BANDS)
COVARIATES = (
    AGE_BAND,
    replace(SEX, nullable=True),
    Column("ethnicity", "STRING", "The child's ethnic group, in the codes of its collection"),
    Column("primary_need", "STRING", "The main need of the referral", codes="cin.PrimaryNeedCode"),
)
"""What a study can adjust for by levels."""

CONTINUOUS = ("age_years",)
"""What a study can adjust for as a number."""

N = Column("n", "BIGINT", "How many rows the cell counts", nullable=False)
Y_SUM = Column("y_sum", "BIGINT", "The sum of their y, in the outcome's own unit", nullable=False)
Y_SUMSQ = Column("y_sumsq", "BIGINT", "The sum of the squares of their y; null where it is not known")

DAYS = Column(
    "days",
    "INT",
    "Working days after the start: to the conclusion, or to the last that was observed, or that is counted",
    nullable=False,
)
IS_CONCLUDED = Column(
    "is_concluded", "BOOLEAN", "Whether the rows were concluded on that day; else they were still open", nullable=False
)
IS_FOLLOWED = Column(
    "is_followed",
    "BOOLEAN",
    "Whether every day that is counted was observed, concluded or not; else the data end before",
    nullable=False,
)

_OUTSIDE_WINDOWS = "; null outside the study's windows"

OUTCOME_INDEX_ROWS = Table(
    "outcome.index_rows",
    "an index row of an outcome of a study: y, or why it is unknown, or why the row is out",
    (
        STUDY_ID,
        OUTCOME_ID,
        LA_CODE.required(),
        UNIT_ID,
        Column("child_id", "STRING", "The child of the authority, as a pseudonym", nullable=False),
        Column("index_date", "DATE", "The day from which the outcome is counted", nullable=False),
        replace(PERIOD_START, meaning=PERIOD_START.meaning + _OUTSIDE_WINDOWS),
        replace(PERIOD, meaning=PERIOD.meaning + _OUTSIDE_WINDOWS),
        Column("y", "BIGINT", "The outcome in its own unit: days, or 0 and 1; null unless the row is analysed"),
        Column(
            "reason",
            "STRING",
            "The first reason, in order of precedence, why the row is not analysed; null exactly where it is",
            codes=OUTCOME_REASONS,
        ),
        Column("age_years", "INT", "Completed years of age on the index date; 0 for the unborn"),
        *COVARIATES,
    ),
    partition_by=("study_id", "outcome_id"),
    made_from=("silver.*", "quarantine.*", "cohort.units", "cohort.observed"),
)


def pairs_of(names: Sequence[str]) -> list[tuple[str, str | None]]:
    """Returns which sums continuous covariates have: (z, None), (z, w) with itself and later ones, and (z, 'y')."""
    pairs: list[tuple[str, str | None]] = []
    for position, z in enumerate(names):
        pairs += [(z, None), *((z, w) for w in names[position:]), (z, "y")]
    return pairs


def sum_name(z: str, w: str | None) -> str:
    """Returns the column of a sum of z, or of z times w."""
    return f"{z}__sum" if w is None else f"{z}__{w}__sum"


OUTCOME_SUMS = Table(
    "outcome.sums",
    "index rows of an outcome with the same unit, period, covariate levels and fate: their number and exact sums",
    (
        STUDY_ID,
        OUTCOME_ID,
        UNIT_ID,
        replace(PERIOD, meaning=PERIOD.meaning + _OUTSIDE_WINDOWS),
        replace(PERIOD_START, meaning=PERIOD_START.meaning + _OUTSIDE_WINDOWS),
        *COVARIATES,
        Column(
            "reason", "STRING", "Why the rows are not analysed, or 'analysed'", codes=OUTCOME_REASONS, nullable=False
        ),
        N,
        replace(Y_SUM, nullable=True, meaning=Y_SUM.meaning + "; null where it is not known"),
        Y_SUMSQ,
        *(
            Column(
                sum_name(z, w),
                "BIGINT",
                f"The sum of their {z}" + (f" times {w}" if w else "") + ", not centred; null where not asked for",
            )
            for z, w in pairs_of(CONTINUOUS)
        ),
    ),
    key=("study_id", "outcome_id", "unit_id", "period", *(column.name for column in COVARIATES), "reason"),
    partition_by=("study_id",),
    checks={"n_positive": "n > 0"},
    made_from=("silver.*", "quarantine.*", "cohort.units", "cohort.observed"),
)

OUTCOME_FLOW = Table(
    "outcome.flow",
    "a reason (or 'analysed') of an outcome, by unit and period",
    (
        STUDY_ID,
        OUTCOME_ID,
        UNIT_ID,
        Column("is_pilot", "BOOLEAN", "Whether the unit has a pilot", nullable=False),
        replace(PERIOD, meaning=PERIOD.meaning + _OUTSIDE_WINDOWS),
        replace(PERIOD_START, meaning=PERIOD_START.meaning + _OUTSIDE_WINDOWS),
        Column(
            "reason", "STRING", "Why the rows are not analysed, or 'analysed'", codes=OUTCOME_REASONS, nullable=False
        ),
        Column(
            "n_rows", "BIGINT", "How many index rows; of a published outcome a row is a unit's year", nullable=False
        ),
    ),
    key=("study_id", "outcome_id", "unit_id", "period", "reason"),
    partition_by=("study_id",),
    made_from=("outcome.sums",),
)

OUTCOME_DURATIONS = Table(
    "outcome.durations",
    "a length in working days and a fate of an outcome that is a length, by unit and period",
    (
        STUDY_ID,
        OUTCOME_ID,
        UNIT_ID,
        PERIOD.required(),
        PERIOD_START.required(),
        DAYS,
        IS_CONCLUDED,
        IS_FOLLOWED,
        replace(N, meaning="How many index rows"),
    ),
    key=("study_id", "outcome_id", "unit_id", "period", "days", "is_concluded", "is_followed"),
    partition_by=("study_id",),
    checks={"n_positive": "n > 0", "days_forward": "days >= 0"},
    made_from=("silver.*", "quarantine.*", "cohort.units", "cohort.observed"),
)
