"""Silver, quarantine, conferences and links: made once from the flat tables and written to Parquet."""

from __future__ import annotations

from pathlib import Path

import duckdb

from tests.oracle.yardstick import entities
from tests.oracle.yardstick.findings import Entity, judge, keep_record
from tests.oracle.yardstick.source import Fields

CHILDREN = ("cin_children", "lac_children")


def start_records(db: duckdb.DuckDBPyConnection) -> None:
    """Makes the tables that hold what became of every row."""
    db.execute(
        "CREATE TABLE ledger (entity VARCHAR, la_code VARCHAR, census_year INTEGER, n_received BIGINT, n_silver BIGINT,"
        " n_quarantined BIGINT, n_superseded_by_later_return BIGINT, n_same_day_duplicates BIGINT)"
    )
    db.execute(
        "CREATE TABLE rule_counts (entity VARCHAR, rule_code VARCHAR, la_code VARCHAR, census_year INTEGER, n BIGINT)"
    )


def make_entity(db: duckdb.DuckDBPyConnection, entity: Entity, out: Path) -> None:
    """Makes silver_<entity> and quarantine_<entity> and writes both under pseudonyms."""
    judge(db, entity)
    keep_record(db, entity)
    columns = ", ".join(f"{sql} AS {name}" for name, sql in entity.columns.items())
    for table, which, more in (
        ("silver", "NOT is_bad AND rank = 1", ""),
        ("quarantine", "is_bad", ", errors AS reasons"),
    ):
        db.execute(
            f"CREATE OR REPLACE TABLE {table}_{entity.name} AS SELECT j.la_code, j.child, {columns}, j.census_year,"
            f" j.unknown_fields, j.record_position{more} FROM judged j {entity.joins} WHERE {which}"
        )
        write_named(db, f"{table}_{entity.name}", out / table / f"{entity.name}.parquet")
    if entity.name in CHILDREN:
        db.execute(
            f"CREATE TABLE births_{entity.name} AS SELECT child, sex, ethnicity, birth_date, only_expected"
            " FROM judged WHERE NOT is_bad AND rank = 1"
        )
    db.execute("DROP TABLE judged")


def write_named(db: duckdb.DuckDBPyConnection, table: str, path: Path) -> None:
    """Writes a table to Parquet, the child under its pseudonym."""
    path.parent.mkdir(parents=True, exist_ok=True)
    db.execute(
        f"COPY (SELECT t.* EXCLUDE (child), n.child_id FROM {table} t LEFT JOIN child_names n USING (child))"
        f" TO '{path}' (FORMAT parquet)"
    )


def make_conferences(db: duckdb.DuckDBPyConnection, out: Path) -> None:
    """Initial conferences by child and date, whichever level recorded them."""
    db.execute("""
        CREATE TABLE silver_icpcs AS
        SELECT la_code, child, icpc_date,
            CASE WHEN count(DISTINCT level) = 2 THEN 'both' ELSE min(level) END AS recorded_at
        FROM (
            SELECT la_code, child, icpc_date, 'referral' AS level FROM silver_referrals WHERE icpc_date IS NOT NULL
            UNION ALL
            SELECT la_code, child, icpc_date, 'section47' FROM silver_section47_enquiries WHERE icpc_date IS NOT NULL
        ) GROUP BY ALL
    """)
    write_named(db, "silver_icpcs", out / "silver" / "icpcs.parquet")


def make_links(db: duckdb.DuckDBPyConnection, out: Path) -> None:
    """Which child in need a looked-after child is: by id, else by a person key that one child of the authority has."""
    db.execute("""
        CREATE TABLE child_links AS
        WITH persons AS (
            SELECT la_code, person_key, min(child) AS child FROM silver_cin_children
            WHERE person_key IS NOT NULL GROUP BY ALL HAVING count(*) = 1
        )
        SELECT l.la_code, l.child AS lac_child, coalesce(c.child, p.child) AS cin_child,
            CASE WHEN c.child IS NOT NULL THEN 'child_id' WHEN p.child IS NOT NULL THEN 'person' ELSE 'unlinked' END
                AS link_kind
        FROM silver_lac_children l
        LEFT JOIN silver_cin_children c ON c.child = l.child
        LEFT JOIN persons p ON p.la_code = l.la_code AND p.person_key = l.person_key
    """)
    db.execute(f"""
        COPY (
            SELECT k.la_code, l.child_id AS lac_child_id, c.child_id AS cin_child_id, k.link_kind
            FROM child_links k JOIN child_names l ON l.child = k.lac_child
            LEFT JOIN child_names c ON c.child = k.cin_child
        ) TO '{out / "silver" / "child_links.parquet"}' (FORMAT parquet)
    """)


STEPS = {
    "children": (entities.children_in_need, entities.looked_after_children),
    "referrals": (entities.referrals,),
    "under referrals": (entities.assessments, entities.section47, entities.plans),
    "care": (entities.episodes,),
}
"""The entities by step, in the order in which one looks at another."""


def make_step(db: duckdb.DuckDBPyConnection, step: str, fields: dict[str, Fields], out: Path) -> None:
    """Makes the entities of a step, and what is made of them."""
    for entity_of in STEPS[step]:
        make_entity(db, entity_of(fields), out)
    if step == "children":
        make_links(db, out)
    if step == "under referrals":
        make_conferences(db, out)
