"""Columns that several files of results share: one name means one thing in all of them."""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables.cohort import STUDY_ID, UNIT_ID
from sos_spark.tables.outcome import OUTCOME_ID
from sos_spark.tables.table import Column

__all__ = ["OUTCOME_ID", "STUDY_ID", "UNIT_ID"]

ARMS = {
    "pilot": "treated: it has a pilot",
    "comparator": "it compares",
    "unused": "neither: the study leaves it out",
}

VERDICTS = {
    "a change": "the headline rule holds",
    "no change of a size that matters": "the smallest effect of interest is ruled out",
    "cannot tell": "neither",
}

SPECIFICATION = Column("specification", "STRING", "The way of doing the sums; the study's own is main", nullable=False)
ESTIMAND = Column("estimand", "STRING", "What is estimated, in words")
ARM = Column("arm", "STRING", "The unit's arm in the outcome", codes=ARMS, nullable=False)
EVENT_TIME = Column("event_time", "BIGINT", "Periods since the first treated one, negative before it")

ATT = Column("att", "DOUBLE", "The effect on the treated, in the outcome's own unit")
SE_CR2 = Column("se_cr2", "DOUBLE", "Its CR2 standard error, clustered by unit")
DF = Column("df", "DOUBLE", "The Satterthwaite degrees of freedom of se_cr2")
DF_SATTERTHWAITE = replace(DF, name="df_satterthwaite")
P_CR2 = Column("p_cr2", "DOUBLE", "The p-value by se_cr2 and its degrees of freedom")
MDE = Column("mde", "DOUBLE", "The least effect that the test finds with 80 % power")
CI_LOW = Column("ci_low", "DOUBLE", "The lower end of the 95 % interval")
CI_HIGH = Column("ci_high", "DOUBLE", "The upper end of the 95 % interval")
CI_LOW_CR2 = replace(CI_LOW, name="ci_low_cr2", meaning="The lower end of the 95 % interval by se_cr2")
CI_HIGH_CR2 = replace(CI_HIGH, name="ci_high_cr2", meaning="The upper end of the 95 % interval by se_cr2")
P_WCR = Column("p_wcr", "DOUBLE", "The p-value of the restricted wild cluster bootstrap")
CI_LOW_WCR = Column("ci_low_wcr", "DOUBLE", "The lower end of the 95 % interval of the inverted bootstrap test")
CI_HIGH_WCR = Column("ci_high_wcr", "DOUBLE", "The upper end of the 95 % interval of the inverted bootstrap test")
P_RI = Column(
    "p_ri",
    "DOUBLE",
    "The p-value of the randomisation test, by permuted go-lives, or one pilot's own scatter and placebo pilots",
)
CI_LOW_RI = Column("ci_low_ri", "DOUBLE", "The lower end of the 95 % interval of the inverted randomisation test")
CI_HIGH_RI = Column("ci_high_ri", "DOUBLE", "The upper end of the 95 % interval of the inverted randomisation test")
HEADLINE = Column(
    "headline",
    "STRING",
    "Which p-value to read first; blank where there is none",
    codes={
        "p_wcr": "the bootstrap's",
        "p_ri": "the randomisation test's, with few treated authorities",
        "p_cr2": "that by se_cr2, for a covariate's slope on few comparators",
    },
)
SIGNIFICANT = Column("significant", "BOOLEAN", "Whether the headline rule holds; blank where there is no p-value")
ANALYSIS = Column(
    "analysis",
    "STRING",
    "What the row is for",
    codes={
        "main": "the study's own answer",
        "beside": "the same by another method, to stand beside main",
        "sensitivity": "a declared alternative",
        "placebo": "where no effect can be",
    },
    nullable=False,
)

N_ROWS = Column("n_rows", "BIGINT", "How many individual rows", nullable=False)
N_CLUSTERS = Column("n_clusters", "BIGINT", "How many units", nullable=False)
N_TREATED_CLUSTERS = Column("n_treated_clusters", "BIGINT", "How many treated units", nullable=False)
NOTE = Column("note", "STRING", "What is left out or blank, and why; blank where there is nothing to say")
