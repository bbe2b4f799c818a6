"""Lengths day by day: exact counts, what became of each arm's rows, and effects on the whole distribution."""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables import outcome
from sos_spark.tables.result_table import ResultTable
from sos_spark.tables.results import columns as c
from sos_spark.tables.table import Column

DURATIONS = ResultTable(
    "durations",
    "an outcome that is a length, unit, period, working day and fate: what `fit --panel` reads beside the cells",
    (
        c.OUTCOME_ID,
        c.UNIT_ID,
        outcome.PERIOD.required(),
        outcome.PERIOD_START.required(),
        outcome.DAYS,
        outcome.IS_CONCLUDED,
        outcome.IS_FOLLOWED,
        replace(outcome.N, meaning="How many index rows"),
    ),
    key=("outcome_id", "unit_id", "period", "days", "is_concluded", "is_followed"),
)

DURATION_EFFECTS = ResultTable(
    "duration_effects",
    "an outcome that is a length, method and measure; no rows without durations.csv",
    (
        c.OUTCOME_ID,
        Column(
            "method",
            "STRING",
            "How it is estimated",
            codes={
                "distribution": "difference-in-differences of the share concluded within each day",
                "changes_in_changes": "pilots' lengths moved as comparators' of the same rank did",
                "hazard": "difference-in-differences of the chance a day, of those still open and seen",
            },
            nullable=False,
        ),
        Column(
            "measure",
            "STRING",
            "What it is an effect on",
            codes={
                "any": "any share within a day: p is of 'none changed'",
                "share_within": "the share concluded within so many working days",
                "quantile": "the working day by which a share was concluded",
                "restricted_mean": "the mean of working days, none counting more than the last that is counted",
                "daily_hazard": "the chance of being concluded on a working day of a band",
            },
            nullable=False,
        ),
        Column("at", "DOUBLE", "The day, the share of a quantile, or the first day of a band; blank for any"),
        Column("to", "DOUBLE", "The last day of a band"),
        Column("observed", "DOUBLE", "The pilots' own from go-live on"),
        Column("without", "DOUBLE", "What it would have been without the programme"),
        replace(c.ATT, meaning="Observed less without: a share, or working days; blank beyond the days counted"),
        Column("se", "DOUBLE", "The standard error: clusters' scores, or the jackknife's for changes_in_changes"),
        Column("p", "DOUBLE", "The p-value of no effect, by |att / se| under permuted go-lives"),
        replace(
            c.CI_LOW, meaning="The lower end of the 95 % interval: of a quantile by inversion; blank beyond the days"
        ),
        replace(c.CI_HIGH, meaning="The upper end of the 95 % interval"),
        Column("band_low", "DOUBLE", "The lower end of the band that holds all shares within a day together"),
        Column("band_high", "DOUBLE", "The upper end of that band"),
        Column("bound_low", "DOUBLE", "The least effect that lengths in whole days leave (changes_in_changes)"),
        Column("bound_high", "DOUBLE", "The greatest effect that they leave"),
        c.NOTE,
    ),
    key=("outcome_id", "method", "measure", "at"),
)

DURATION_DAYS = ResultTable(
    "duration_days",
    "an outcome that is a length, arm, side of go-live and working day",
    (
        c.OUTCOME_ID,
        replace(c.ARM, codes={name: c.ARMS[name] for name in ("pilot", "comparator")}),
        Column(
            "side",
            "STRING",
            "Before or after go-live; of comparators, the first of all pilots",
            codes={"before": "before go-live", "after": "from go-live on"},
            nullable=False,
        ),
        replace(outcome.DAYS, name="day", type="BIGINT", meaning="Working days after the start"),
        Column("at_risk", "BIGINT", "Rows still open at its start and seen on it", nullable=False),
        Column("ended", "BIGINT", "Of them, rows concluded on it", nullable=False),
        Column("hazard", "DOUBLE", "Their share: 0 where none was at risk", nullable=False),
        Column("within", "DOUBLE", "The share concluded by its end, by Kaplan and Meier", nullable=False),
    ),
    key=("outcome_id", "arm", "side", "day"),
)
