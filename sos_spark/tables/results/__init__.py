"""Every CSV file of a run's results, once: what writes it and what reads it take its columns from here."""

from __future__ import annotations

from sos_spark.tables.result_table import ResultTable
from sos_spark.tables.results.casemix import CASEMIX, CASEMIX_LEVELS, CASEMIX_TREND
from sos_spark.tables.results.contamination import CONTAMINATION
from sos_spark.tables.results.durations import DURATION_DAYS, DURATION_EFFECTS, DURATIONS
from sos_spark.tables.results.estimates import ESTIMATES, EVENT_STUDY, SECONDARY, SENSITIVITY, WELCH
from sos_spark.tables.results.reliability import CALIBRATION, CALIBRATION_SWITCHES, POWER
from sos_spark.tables.results.robustness import (
    BOUNDS,
    HONEST,
    INFERENCE,
    LEAVE_ONE_OUT,
    PILOTS,
    PILOTS_POOLED,
    PLACEBO_PILOTS,
    PLACEBO_SUMMARY,
    PRETREND,
    SYNTHETIC,
    SYNTHETIC_CHECKS,
)
from sos_spark.tables.results.sample import ARMS, BALANCE, CELLS, FLOW, QUALITY, RETURNS, TO_MEND
from sos_spark.tables.results.staggered import AGGREGATES, GOODMAN_BACON, GROUP_TIME

__all__ = [
    "AGGREGATES",
    "ARMS",
    "BALANCE",
    "BOUNDS",
    "CALIBRATION",
    "CALIBRATION_SWITCHES",
    "CASEMIX",
    "CASEMIX_LEVELS",
    "CASEMIX_TREND",
    "CELLS",
    "CONTAMINATION",
    "DURATIONS",
    "DURATION_DAYS",
    "DURATION_EFFECTS",
    "ESTIMATES",
    "EVENT_STUDY",
    "FLOW",
    "GOODMAN_BACON",
    "GROUP_TIME",
    "HONEST",
    "INFERENCE",
    "LEAVE_ONE_OUT",
    "PILOTS",
    "PILOTS_POOLED",
    "PLACEBO_PILOTS",
    "PLACEBO_SUMMARY",
    "POWER",
    "PRETREND",
    "QUALITY",
    "RESULT_TABLES",
    "RETURNS",
    "SECONDARY",
    "SENSITIVITY",
    "SYNTHETIC",
    "SYNTHETIC_CHECKS",
    "TO_MEND",
    "WELCH",
    "ResultTable",
]

RESULT_TABLES: dict[str, ResultTable] = {
    table.name: table
    for table in (
        ESTIMATES,
        SENSITIVITY,
        EVENT_STUDY,
        SECONDARY,
        CONTAMINATION,
        WELCH,
        GROUP_TIME,
        AGGREGATES,
        GOODMAN_BACON,
        LEAVE_ONE_OUT,
        INFERENCE,
        PILOTS,
        PILOTS_POOLED,
        SYNTHETIC,
        SYNTHETIC_CHECKS,
        PRETREND,
        HONEST,
        PLACEBO_PILOTS,
        PLACEBO_SUMMARY,
        BOUNDS,
        CALIBRATION,
        CALIBRATION_SWITCHES,
        POWER,
        BALANCE,
        CASEMIX,
        CASEMIX_TREND,
        CASEMIX_LEVELS,
        DURATION_EFFECTS,
        DURATION_DAYS,
        ARMS,
        CELLS,
        DURATIONS,
        FLOW,
        QUALITY,
        RETURNS,
        TO_MEND,
    )
}
