"""What was checked, and that nothing is lost."""

from __future__ import annotations

from sos_spark.tables.bronze import FILE_ID, LA_CODE
from sos_spark.tables.silver import SILVER_ENTITIES
from sos_spark.tables.table import Column, Table

ENTITY = Column(
    "entity",
    "STRING",
    "The silver table that the records go to",
    codes={name: table.grain for name, table in SILVER_ENTITIES.items()},
    nullable=False,
)
SEVERITIES = {
    "error": "the row's key cannot be trusted: it goes to quarantine",
    "field": "a field cannot be used: it is null and named in unknown_fields",
    "warning": "the row stays as it is",
}

DQ_LEDGER = Table(
    "dq.ledger",
    "an entity of a source file: received = silver + quarantined + superseded",
    (
        FILE_ID.required(),
        ENTITY,
        Column("n_received", "BIGINT", "Rows of the file in bronze", nullable=False),
        Column("n_silver", "BIGINT", "Of these, rows in silver", nullable=False),
        Column("n_quarantined", "BIGINT", "Of these, rows in quarantine", nullable=False),
        Column(
            "n_superseded_by_later_return",
            "BIGINT",
            "Of these, rows that a later return replaced or left out",
            nullable=False,
        ),
        Column(
            "n_same_day_duplicates",
            "BIGINT",
            "Of these, rows with the key of another row of the return, which was kept",
            nullable=False,
        ),
    ),
    key=("file_id", "entity"),
    checks={
        "nothing_lost": "n_received = n_silver + n_quarantined + n_superseded_by_later_return + n_same_day_duplicates"
    },
    made_from=("bronze.files", "silver.*", "quarantine.*"),
)
DQ_RULE_COUNTS = Table(
    "dq.rule_counts",
    "a row rule in an LA and census year",
    (
        ENTITY,
        Column("rule_code", "STRING", "The rule's name", nullable=False),
        Column("dfe_code", "STRING", "The number of DfE's own rule; null where it has none"),
        Column("severity", "STRING", "What becomes of a row that breaks it", codes=SEVERITIES, nullable=False),
        LA_CODE.required(),
        Column("census_year", "INT", "The year of the return", nullable=False),
        Column("n_rows", "BIGINT", "How many rows it was tried on", nullable=False),
        Column("n_failed", "BIGINT", "How many broke it", nullable=False),
    ),
    key=("entity", "rule_code", "la_code", "census_year"),
    made_from=("bronze.*",),
)
DQ_RESULTS = Table(
    "dq.results",
    "an expectation of a suite in a run",
    (
        Column("run_id", "STRING", "The run that checked", nullable=False),
        Column("suite", "STRING", "The table that was checked", nullable=False),
        Column("expectation", "STRING", "The expectation's name, and what it looks at", nullable=False),
        Column("column", "STRING", "The column, or columns, it looks at; null for the whole table"),
        Column(
            "severity",
            "STRING",
            "What its failure does",
            codes={"error": "it stops the run", "warning": "it is told, and the run goes on"},
            nullable=False,
        ),
        Column("passed", "BOOLEAN", "Whether it was met", nullable=False),
    ),
    key=(),
    made_from=("bronze.*", "silver.*", "panel.cells"),
)
DQ_LINK_RATES = Table(
    "dq.link_rates",
    "an LA: how many of its looked-after children were found in its CIN census",
    (
        LA_CODE.required(),
        Column("n_lac_children", "BIGINT", "Looked-after children", nullable=False),
        Column("n_linked_by_child_id", "BIGINT", "Of these, found by an equal id", nullable=False),
        Column("n_linked_by_person", "BIGINT", "Of these, found by an equal person key", nullable=False),
        Column("n_unlinked", "BIGINT", "Of these, not found", nullable=False),
    ),
    key=("la_code",),
    made_from=("silver.child_links",),
)
