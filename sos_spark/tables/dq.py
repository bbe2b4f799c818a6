"""What was checked, and that nothing is lost."""

from __future__ import annotations

from dataclasses import replace

from sos_spark.tables.bronze import CENSUS_YEAR, FILE_ID, LA_CODE
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

_N_ROWS = Column("n_rows", "BIGINT", "How many rows it was tried on", nullable=False)

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
_RULE_CODE = Column("rule_code", "STRING", "The rule's name", nullable=False)
_DFE_CODE = Column("dfe_code", "STRING", "The number of DfE's own rule; null where it has none")
_SEVERITY = Column("severity", "STRING", "What becomes of a row that breaks it", codes=SEVERITIES, nullable=False)

DQ_RULES = Table(
    "dq.rules",
    "a row rule by which the lake's rows were judged",
    (
        ENTITY,
        _RULE_CODE,
        _DFE_CODE,
        _SEVERITY,
        Column("meaning", "STRING", "What a row that breaks it is like", nullable=False),
        Column(
            "first_specification",
            "INT",
            "The earliest census year whose specification is known to hold DfE's rule; null where it is not DfE's",
        ),
        Column("last_specification", "INT", "The latest such census year"),
    ),
    key=("entity", "rule_code"),
    made_from=("bronze.*",),
)
DQ_RULE_COUNTS = Table(
    "dq.rule_counts",
    "a row rule in an LA and census year",
    (
        ENTITY,
        _RULE_CODE,
        _DFE_CODE,
        _SEVERITY,
        LA_CODE.required(),
        Column("census_year", "INT", "The year of the return", nullable=False),
        _N_ROWS,
        Column("n_failed", "BIGINT", "How many broke it", nullable=False),
    ),
    key=("entity", "rule_code", "la_code", "census_year"),
    made_from=("bronze.*",),
)
DQ_ROW_COUNTS = Table(
    "dq.row_counts",
    "what happened to rows of an entity: a file, LA, census year, fate and item with any such row",
    (
        FILE_ID.required(),
        LA_CODE.required(),
        CENSUS_YEAR.required(),
        ENTITY,
        Column(
            "fate",
            "STRING",
            "Where the rows ended",
            codes={
                "silver": "in silver",
                "quarantined": "in quarantine",
                "superseded_by_later_return": "nowhere: a later return has the key",
                "same_day_duplicate": "nowhere: another row of the return has the key, and was kept",
            },
            nullable=False,
        ),
        Column(
            "item",
            "STRING",
            "What is counted of them: * for all, the code of a rule that they break, unknown_fields for those with any,"
            " or the name of a tally",
            nullable=False,
        ),
        Column("n", "BIGINT", "How many rows", nullable=False),
    ),
    key=("file_id", "la_code", "census_year", "entity", "fate", "item"),
    made_from=("bronze.*",),
)
DQ_QUARANTINED = Table(
    "dq.quarantined",
    "a rule of severity error in an authority's year of a file: how many of its rows it sent to quarantine",
    (
        FILE_ID.required(),
        LA_CODE.required(),
        CENSUS_YEAR.required(),
        ENTITY,
        _RULE_CODE,
        replace(_N_ROWS, meaning="Rows in quarantine that break it; a row with two reasons counts with both"),
    ),
    key=("file_id", "la_code", "census_year", "entity", "rule_code"),
    made_from=("bronze.*",),
)
MEASURES = {
    "referrals": "referrals made in the year",
    "nfa": "of these, ended in no further action at once",
    "no_primary_need": "of these, with a primary need that is missing or not stated, and not ended at once",
    "assessments": "assessments authorised in the year",
    "section47": "section 47 enquiries begun in the year",
    "icpc": "initial child protection conferences held in the year",
    "cp_plans": "child protection plans begun in the year",
    "care_starts": "children's episodes of care that start a period of care in the year, short breaks left out",
    "kinship_starts": "of these, placed with relatives or friends",
    "cin_children": "children in need whose latest return is the year's and whose person is known",
    "cin_children_renamed": "of these, known under another id in an earlier return of the authority",
    "cin_children_elsewhere": "of these, another authority's too, whose latest return is of the same year",
    "lac_children": "looked-after children whose latest return is the year's and whose person is known",
    "lac_children_renamed": "of these, known under another id in an earlier return of the authority",
    "lac_children_elsewhere": "of these, another authority's too, whose latest return is of the same year",
}
"""What is counted of silver by authority and year, whatever a study asks."""

DQ_MEASURES = Table(
    "dq.measures",
    "a measure of an LA and year to 31 March: events by the day they happened on, children by their latest return",
    (
        LA_CODE.required(),
        Column("census_year", "INT", "The year to 31 March", nullable=False),
        Column("measure", "STRING", "What is counted", codes=MEASURES, nullable=False),
        Column("n", "BIGINT", "How many", nullable=False),
    ),
    key=("la_code", "census_year", "measure"),
    made_from=("silver.*",),
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
DQ_FACTS = Table(
    "dq.facts",
    "a count other than 0 that suites judge, of a table's rows in an LA, and in a census year where rows have one",
    (
        Column("suite", "STRING", "The table whose rows are counted", nullable=False),
        LA_CODE.required(),
        Column("census_year", "INT", "The year of the rows' return; null in a table of no years"),
        Column(
            "fact",
            "STRING",
            "What is counted: n_rows, or a fact of the table's suite; of a share, its .rows and those they are .among",
            nullable=False,
        ),
        Column("n", "BIGINT", "How many", nullable=False),
    ),
    key=("suite", "la_code", "census_year", "fact"),
    made_from=("bronze.*", "silver.*"),
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
