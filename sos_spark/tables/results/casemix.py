"""Who was seen: the effect at a fixed casemix, split into casemix and rate, and casemix by arm over time."""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables.result_table import ResultTable
from sos_spark.tables.results import columns as c
from sos_spark.tables.table import Column

_ARM = replace(c.ARM, codes={name: c.ARMS[name] for name in ("pilot", "comparator")})
_PERIOD = Column("period", "BIGINT", "The number of the period", nullable=False)
_PERIOD_START = Column("period_start", "DATE", "The first day of the period", nullable=False)

CASEMIX = ResultTable(
    "casemix",
    "an outcome, set of strata and part of the effect; no rows without categorical covariates",
    (
        c.OUTCOME_ID,
        Column("by", "STRING", "The covariate whose levels are the strata, or all: their combinations", nullable=False),
        Column(
            "part",
            "STRING",
            "What is estimated; casemix and rate add up to unadjusted",
            codes={
                "unadjusted": "the effect without covariates",
                "casemix": "what the changed casemix alone would have made, at the rates of rows not treated",
                "rate": "what changed at a given casemix",
                "standardised": "the effect with every arm and period weighed to the pilots' casemix before go-live",
            },
            nullable=False,
        ),
        c.ATT,
        c.SE_CR2,
        c.DF,
        Column("p", "DOUBLE", "The p-value of no effect, by CR2; with 4 or fewer pilots by permuted go-lives"),
        c.CI_LOW,
        c.CI_HIGH,
        Column("n_strata", "BIGINT", "How many strata stand by themselves", nullable=False),
        Column("share_in_strata", "DOUBLE", "Their share of pilots' rows before go-live, where rows are weighed"),
        c.NOTE,
    ),
    key=("outcome_id", "by", "part"),
)

CASEMIX_TREND = ResultTable(
    "casemix_trend",
    "an outcome, arm and period",
    (
        c.OUTCOME_ID,
        _ARM,
        _PERIOD_START,
        c.N_ROWS,
        Column("mean", "DOUBLE", "The mean outcome", nullable=False),
        Column("expected", "DOUBLE", "What casemix alone leads one to expect, at the rates of rows not treated"),
    ),
    key=("outcome_id", "arm", "period_start"),
)

CASEMIX_LEVELS = ResultTable(
    "casemix_levels",
    "an outcome, level of a categorical covariate, arm and period",
    (
        c.OUTCOME_ID,
        Column("covariate", "STRING", "The covariate", nullable=False),
        Column("level", "STRING", "Its level", nullable=False),
        _ARM,
        _PERIOD,
        _PERIOD_START,
        replace(c.N_ROWS, meaning="How many rows of the level"),
        Column("share", "DOUBLE", "Their share of the arm's rows in the period", nullable=False),
    ),
    key=("outcome_id", "covariate", "level", "arm", "period"),
)
