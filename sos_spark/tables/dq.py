"""What was checked, and that nothing is lost."""

from __future__ import annotations

from sos_spark.tables.table import Table, columns_of

DQ_LEDGER = Table(
    "dq.ledger",
    "an entity of a source file: received = silver + quarantined + superseded",
    columns_of("""
        file_id! BIGINT
        entity! STRING
        n_received! BIGINT
        n_silver! BIGINT
        n_quarantined! BIGINT
        n_superseded_by_later_return! BIGINT
        n_same_day_duplicates! BIGINT
    """),
    key=("file_id", "entity"),
    checks={
        "nothing_lost": "n_received = n_silver + n_quarantined + n_superseded_by_later_return + n_same_day_duplicates"
    },
    made_from=("bronze.files", "silver.*", "quarantine.*"),
)
DQ_RULE_COUNTS = Table(
    "dq.rule_counts",
    "a row rule in an LA and census year",
    columns_of("""
        entity! STRING
        rule_code! STRING
        dfe_code STRING
        severity! STRING
        la_code! STRING
        census_year! INT
        n_rows! BIGINT
        n_failed! BIGINT
    """),
    key=("entity", "rule_code", "la_code", "census_year"),
    made_from=("bronze.*",),
)
DQ_RESULTS = Table(
    "dq.results",
    "an expectation of a suite in a run",
    columns_of("""
        run_id! STRING
        suite! STRING
        expectation! STRING
        column STRING
        severity! STRING
        passed! BOOLEAN
    """),
    key=(),
    made_from=("bronze.*", "silver.*", "panel.cells"),
)
DQ_LINK_RATES = Table(
    "dq.link_rates",
    "an LA: how many of its looked-after children were found in its CIN census",
    columns_of("""
        la_code! STRING
        n_lac_children! BIGINT
        n_linked_by_child_id! BIGINT
        n_linked_by_person! BIGINT
        n_unlinked! BIGINT
    """),
    key=("la_code",),
    made_from=("silver.child_links",),
)
