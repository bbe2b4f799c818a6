"""Every table of the lake, once: name, grain, columns, key, constraints and partitioning; one module per layer.

A table is written with exactly these columns, in this order. Bronze keeps the returns' own spelling and text; from
silver on the names are ours and a child is a pseudonym. The README's diagram is made from this package.
"""

from __future__ import annotations

from sos_spark.tables.bronze import (
    BRONZE_MODULES,
    CIN_MODULES,
    FILES,
    LAC_MODULES,
    PROVENANCE,
    PUBLISHED_VALUES,
    RECORD_FAULTS,
)
from sos_spark.tables.cohort import COHORT_OBSERVED, COHORT_UNITS, COHORT_UNOBSERVED
from sos_spark.tables.dq import (
    DQ_FACTS,
    DQ_LEDGER,
    DQ_LINK_RATES,
    DQ_MEASURES,
    DQ_QUARANTINED,
    DQ_RESULTS,
    DQ_ROW_COUNTS,
    DQ_RULE_COUNTS,
    DQ_RULES,
)
from sos_spark.tables.outcome import CONTINUOUS, OUTCOME_DURATIONS, OUTCOME_FLOW, OUTCOME_INDEX_ROWS, OUTCOME_SUMS
from sos_spark.tables.panel import COVARIATES, PANEL_BOUNDS, PANEL_CELLS, PANEL_MOMENTS
from sos_spark.tables.quarantine import QUARANTINE
from sos_spark.tables.silver import (
    SILVER_ASSESSMENTS,
    SILVER_CHILD_LINKS,
    SILVER_CIN_CHILDREN,
    SILVER_CP_PLANS,
    SILVER_ENTITIES,
    SILVER_ICPCS,
    SILVER_LAC_CHILDREN,
    SILVER_LAC_EPISODES,
    SILVER_REFERRALS,
    SILVER_SECTION47,
)
from sos_spark.tables.table import LAYERS, OUTCOME_REASONS, Column, Table

__all__ = [
    "BRONZE_MODULES",
    "CIN_MODULES",
    "COHORT_OBSERVED",
    "COHORT_UNITS",
    "COHORT_UNOBSERVED",
    "CONTINUOUS",
    "COVARIATES",
    "DQ_FACTS",
    "DQ_LEDGER",
    "DQ_LINK_RATES",
    "DQ_MEASURES",
    "DQ_QUARANTINED",
    "DQ_RESULTS",
    "DQ_ROW_COUNTS",
    "DQ_RULES",
    "DQ_RULE_COUNTS",
    "FILES",
    "LAC_MODULES",
    "LAYERS",
    "OUTCOME_DURATIONS",
    "OUTCOME_FLOW",
    "OUTCOME_INDEX_ROWS",
    "OUTCOME_REASONS",
    "OUTCOME_SUMS",
    "PANEL_BOUNDS",
    "PANEL_CELLS",
    "PANEL_MOMENTS",
    "PROVENANCE",
    "PUBLISHED_VALUES",
    "QUARANTINE",
    "RECORD_FAULTS",
    "SILVER_ASSESSMENTS",
    "SILVER_CHILD_LINKS",
    "SILVER_CIN_CHILDREN",
    "SILVER_CP_PLANS",
    "SILVER_ENTITIES",
    "SILVER_ICPCS",
    "SILVER_LAC_CHILDREN",
    "SILVER_LAC_EPISODES",
    "SILVER_REFERRALS",
    "SILVER_SECTION47",
    "TABLES",
    "Column",
    "Table",
]

TABLES: dict[str, Table] = {
    table.name: table
    for table in (
        FILES,
        *BRONZE_MODULES.values(),
        PUBLISHED_VALUES,
        *SILVER_ENTITIES.values(),
        SILVER_ICPCS,
        SILVER_CHILD_LINKS,
        *QUARANTINE.values(),
        DQ_LEDGER,
        DQ_RULES,
        DQ_RULE_COUNTS,
        DQ_QUARANTINED,
        DQ_MEASURES,
        DQ_FACTS,
        DQ_RESULTS,
        DQ_ROW_COUNTS,
        DQ_LINK_RATES,
        COHORT_UNITS,
        COHORT_OBSERVED,
        COHORT_UNOBSERVED,
        OUTCOME_INDEX_ROWS,
        OUTCOME_SUMS,
        OUTCOME_DURATIONS,
        OUTCOME_FLOW,
        PANEL_CELLS,
        PANEL_MOMENTS,
        PANEL_BOUNDS,
    )
}
