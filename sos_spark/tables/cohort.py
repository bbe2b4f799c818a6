"""A study's authorities, and the days on which their returns observe what they report."""

from __future__ import annotations

from sos_spark.tables.bronze import LA_CODE
from sos_spark.tables.dq import ENTITY
from sos_spark.tables.table import Column, Table

STUDY_ID = Column("study_id", "STRING", "The study, as its file names it", nullable=False)
UNIT_ID = Column(
    "unit_id",
    "STRING",
    "The unit: an authority harmonised over the study's window; codes of merged authorities are joined by +",
    nullable=False,
)

COHORT_UNITS = Table(
    "cohort.units",
    "an LA code of a study and the harmonised unit it belongs to over the study's whole window",
    (
        STUDY_ID,
        LA_CODE.required(),
        UNIT_ID,
        Column("unit_name", "STRING", "The unit's name", nullable=False),
        Column("first_census_year", "INT", "The first census year in which the LA code was valid", nullable=False),
        Column("last_census_year", "INT", "The last census year in which the LA code was valid", nullable=False),
        Column("is_pilot", "BOOLEAN", "Whether the unit has a pilot", nullable=False),
        Column("go_live", "DATE", "The day the unit's pilot went live; null for none"),
    ),
    key=("study_id", "la_code"),
    partition_by=("study_id",),
    made_from=("reference", "study"),
)

COHORT_OBSERVED = Table(
    "cohort.observed",
    "an LA code of a study and an entity: the days on which its accepted returns observe the entity",
    (
        STUDY_ID,
        LA_CODE.required(),
        ENTITY,
        Column("first_day_observed", "DATE", "The first day of the first accepted return", nullable=False),
        Column(
            "last_day_observed",
            "DATE",
            "The last day of the last accepted return, or the study's data_ends where that is earlier",
            nullable=False,
        ),
        Column(
            "missing_years",
            "ARRAY<INT>",
            "Census years between the two without a return, or of cohort.unobserved",
            nullable=False,
        ),
    ),
    key=("study_id", "la_code", "entity"),
    partition_by=("study_id",),
    made_from=("bronze.files", "quarantine.*", "study"),
)

COHORT_UNOBSERVED = Table(
    "cohort.unobserved",
    "an LA code of a study, a census year and an entity: its return was accepted and does not observe the entity",
    (
        STUDY_ID,
        LA_CODE.required(),
        Column("census_year", "INT", "The year of the return", nullable=False),
        ENTITY,
        Column(
            "reason",
            "STRING",
            "Why the return does not observe the entity",
            codes={
                "empty_return": "it has no rows of the collection's core, though an earlier return had some",
                "no_children": "it has records, but none of the children they belong to",
                "mostly_quarantined": "the share of its rows in quarantine is above the study's max_quarantined",
            },
            nullable=False,
        ),
        Column("file_paths", "ARRAY<STRING>", "The files that delivered it", nullable=False),
        Column("n_received", "BIGINT", "How many rows of the entity were received", nullable=False),
        Column("n_quarantined", "BIGINT", "How many of these are in quarantine", nullable=False),
    ),
    key=("study_id", "la_code", "census_year", "entity"),
    partition_by=("study_id",),
    made_from=("bronze.files", "quarantine.*", "study"),
)
