"""Where pilots went live at different times: effects by group and period, their averages, what they are made of."""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables.result_table import ResultTable
from sos_spark.tables.results import columns as c
from sos_spark.tables.table import Column

GROUP_TIME = ResultTable(
    "group_time",
    "an outcome, control, group and period",
    (
        c.OUTCOME_ID,
        Column(
            "control",
            "STRING",
            "Which units compare",
            codes={"never": "those never treated", "not_yet": "those not yet treated too"},
            nullable=False,
        ),
        Column("group_start", "DATE", "The first day of the group's first treated period", nullable=False),
        Column("period_start", "DATE", "The first day of the period", nullable=False),
        c.EVENT_TIME,
        replace(c.ATT, meaning="The effect on the group in the period"),
        c.SE_CR2,
        c.DF,
        c.CI_LOW,
        c.CI_HIGH,
        replace(c.N_ROWS, meaning="How many rows the group has in the period"),
    ),
    key=("outcome_id", "control", "group_start", "period_start"),
)

AGGREGATES = ResultTable(
    "aggregates",
    "an outcome, estimator, kind of average and level",
    (
        c.OUTCOME_ID,
        Column("estimator", "STRING", "The estimator of effects by group and period", nullable=False),
        Column(
            "aggregate",
            "STRING",
            "What is averaged over",
            codes={
                "simple": "everything treated",
                "group": "the periods of a group",
                "calendar": "the groups of a period",
                "event": "the groups at an event time",
            },
            nullable=False,
        ),
        Column(
            "level",
            "STRING",
            "The start of the group or period, the event time, or overall",
            nullable=False,
        ),
        replace(c.ATT, meaning="The average effect"),
        c.SE_CR2,
        c.DF,
        c.P_CR2,
        c.CI_LOW,
        c.CI_HIGH,
        c.NOTE,
    ),
    key=("outcome_id", "estimator", "aggregate", "level"),
)

GOODMAN_BACON = ResultTable(
    "goodman_bacon",
    "an outcome and two-by-two comparison, on the balanced panel in which each authority counts once",
    (
        c.OUTCOME_ID,
        Column(
            "comparison",
            "STRING",
            "What is compared",
            codes={
                "treated_vs_never": "a group against the never treated",
                "earlier_vs_later": "a group against one not yet treated",
                "later_vs_earlier": "a group against one already treated",
            },
            nullable=False,
        ),
        Column("treated_start", "DATE", "The first day of the group's first treated period", nullable=False),
        Column("control_start", "DATE", "The same of the group that compares; blank for the never treated"),
        Column("weight", "DOUBLE", "The comparison's weight in two-way fixed effects", nullable=False),
        Column("estimate", "DOUBLE", "The comparison's own effect", nullable=False),
    ),
)
