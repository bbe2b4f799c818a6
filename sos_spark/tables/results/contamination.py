"""Comparators that had some of the programme: the effect without them, with them as a dose, and bounds."""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables.result_table import ResultTable
from sos_spark.tables.results import columns as c
from sos_spark.tables.table import Column

CONTAMINATION = ResultTable(
    "contamination",
    "an outcome, kind of exposure and part; no rows where no comparator is exposed",
    (
        c.OUTCOME_ID,
        Column("kind", "STRING", "The exposures looked at: of one kind, or all", nullable=False),
        Column(
            "part",
            "STRING",
            "What is estimated",
            codes={
                "as estimated": "the main estimate, exposures left aside",
                "without": "without exposed comparators",
                "dose": "the programme's effect, were exposures of the declared intensity",
                "bounds": "the same over every intensity from least to most",
            },
            nullable=False,
        ),
        Column("n_exposed", "BIGINT", "How many comparators are exposed", nullable=False),
        replace(c.ATT, meaning="The effect; blank for bounds"),
        Column("att_low", "DOUBLE", "The least effect over the intensities"),
        Column("att_high", "DOUBLE", "The greatest effect over the intensities"),
        replace(c.CI_LOW, meaning="The lower end of the 95 % interval by the headline; of bounds, the lowest of any"),
        replace(c.CI_HIGH, meaning="The upper end of the 95 % interval by the headline; of bounds, the highest of any"),
        Column("divisor", "DOUBLE", "The share of the contrast that is left, which the estimate is divided by"),
        c.NOTE,
    ),
    key=("outcome_id", "kind", "part"),
)
