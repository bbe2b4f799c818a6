"""Who and what was analysed: collapsed cells, arms, balance, the sample's flow, the quality of the returns."""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables import outcome, panel
from sos_spark.tables.bronze import CENSUS_YEAR, LA_CODE
from sos_spark.tables.dq import ENTITY, SEVERITIES
from sos_spark.tables.result_table import ResultTable
from sos_spark.tables.results import columns as c
from sos_spark.tables.table import OUTCOME_REASONS, Column

CELLS = ResultTable(
    "cells",
    "an outcome, unit, period and covariate cell: what `fit --panel` reads",
    (
        c.STUDY_ID,
        c.OUTCOME_ID,
        c.UNIT_ID,
        outcome.PERIOD.required(),
        outcome.PERIOD_START.required(),
        *outcome.COVARIATES,
        outcome.N,
        outcome.Y_SUM,
        outcome.Y_SUMSQ,
    ),
    key=("study_id", "outcome_id", "unit_id", "period", *panel.COVARIATES),
    optional=frozenset({"study_id", *panel.COVARIATES, "y_sumsq"}),
    further="other covariates of the study, and moments of continuous ones: <z>__sum, <z>__<w>__sum, <z>__y__sum",
)

ARMS = ResultTable(
    "arms",
    "an outcome and unit of the panel",
    (
        c.OUTCOME_ID,
        c.UNIT_ID,
        c.ARM,
        Column("gtime", "BIGINT", "The number of the unit's first treated period; blank for never"),
    ),
    key=("outcome_id", "unit_id"),
)

BALANCE = ResultTable(
    "balance",
    "an outcome and variable: how alike pilots and comparators are before go-live, each authority counting once",
    (
        c.OUTCOME_ID,
        Column(
            "variable",
            "STRING",
            "What is compared",
            codes={
                "level": "the outcome's mean",
                "trend": "its slope over the periods",
                "log_rows": "the logarithm of the number of rows",
            },
            nullable=False,
        ),
        Column("mean_pilots", "DOUBLE", "The mean of pilots"),
        Column("mean_comparators", "DOUBLE", "The mean of the comparators used"),
        Column("mean_candidates", "DOUBLE", "The mean of all candidates"),
        Column("smd_before", "DOUBLE", "The standardised mean difference of pilots and candidates"),
        Column("smd_after", "DOUBLE", "The same of pilots and the comparators used, in the same unit"),
    ),
    key=("outcome_id", "variable"),
)

FLOW = ResultTable(
    "flow",
    "an outcome, stage, arm and reason: a stage's total has no reason, and its losses follow it",
    (
        c.OUTCOME_ID,
        Column(
            "stage",
            "STRING",
            "The stage, or lost_ and the stage that the rows did not reach",
            codes={
                "received": "records of the returns that the outcome is read from",
                "lost_valid": "received, and not valid",
                "valid": "records in silver",
                "index_rows": "what the outcome counts once",
                "lost_eligible": "index rows outside the study's windows or population",
                "eligible": "index rows inside them",
                "lost_analysed": "eligible, and not analysed",
                "analysed": "rows whose outcome is known",
            },
            nullable=False,
        ),
        Column(
            "arm",
            "STRING",
            "The arm; records of a file that holds several authorities cannot be told apart by it",
            codes={**c.ARMS, "several": "a file of several authorities"},
            nullable=False,
        ),
        Column("entity", "STRING", "What is counted: a silver table's records, or index_rows", nullable=False),
        Column("reason", "STRING", "Why the rows are lost; blank for a total", codes=OUTCOME_REASONS),
        c.N_ROWS,
    ),
    key=("outcome_id", "stage", "arm", "entity", "reason"),
)

QUALITY = ResultTable(
    "quality",
    "a row rule in an LA and census year",
    (
        LA_CODE.required(),
        Column("la_name", "STRING", "The authority's name", nullable=False),
        c.UNIT_ID,
        replace(c.ARM, meaning="The most involved arm of the unit over all outcomes"),
        Column("census_year", "BIGINT", "The year of the return", nullable=False),
        ENTITY,
        Column("rule_code", "STRING", "The rule's name", nullable=False),
        Column("dfe_code", "STRING", "The number of DfE's own rule; blank where it has none"),
        Column("severity", "STRING", "What becomes of a row that breaks it", codes=SEVERITIES, nullable=False),
        Column("n_rows", "BIGINT", "How many rows it was tried on", nullable=False),
        Column("n_failed", "BIGINT", "How many broke it", nullable=False),
        Column("failed_share", "DOUBLE", "The share that broke it; blank without rows"),
    ),
    key=("la_code", "census_year", "entity", "rule_code"),
)

RETURNS = ResultTable(
    "returns",
    "a collection of an authority's year in a source file, or a published table",
    (
        Column("collection", "STRING", "Which return, or published", nullable=False),
        Column("census_year", "BIGINT", "The year of the return; blank where a file is of several"),
        LA_CODE,
        Column("status", "STRING", "What became of it", nullable=False),
        Column("sha256", "STRING", "The SHA-256 of the file's content", nullable=False),
    ),
    key=("collection", "census_year", "la_code", "sha256"),
)


TO_MEND = ResultTable(
    "returns_to_mend",
    "what an authority is asked to mend or explain: a rule or a check in a year, and the files that it concerns",
    (
        LA_CODE.required(),
        Column("la_name", "STRING", "The authority's name", nullable=False),
        replace(CENSUS_YEAR, type="BIGINT", meaning="The year of the return; blank where it is about all years"),
        Column("collection", "STRING", "Which return", nullable=False),
        Column("file_paths", "STRING", "The files of that return, below the source folder"),
        Column(
            "kind",
            "STRING",
            "What found it",
            codes={
                "file": "the whole file was refused",
                "rule": "a row rule that costs a record or a value",
                "check": "a check of the authority's year against other years or sources",
            },
            nullable=False,
        ),
        Column("code", "STRING", "The rule's or the check's name", nullable=False),
        Column("dfe_code", "STRING", "The number of DfE's own rule; blank where it has none"),
        Column("severity", "STRING", "What becomes of a row that breaks the rule; blank for others"),
        Column("subject", "STRING", "The records, or the measure, that it is about"),
        Column("request", "STRING", "What is wrong, or asked", nullable=False),
        Column("n_rows", "BIGINT", "The rows looked at; blank where none are counted"),
        Column("n_failed", "BIGINT", "Of these, rows that break the rule; blank for a check"),
        Column("found", "DOUBLE", "The count or share that a check found; blank for others"),
        Column("expected", "DOUBLE", "The count or share that it was held against; blank where there is none"),
    ),
    key=("la_code", "census_year", "collection", "kind", "code", "subject"),
)
