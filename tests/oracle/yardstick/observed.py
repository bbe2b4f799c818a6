"""Which days of which authority were observed, by what each kind of outcome reads, and which years of a child are not.

Small tables: an authority, a year and an entity or kind.
"""

from __future__ import annotations

import duckdb

from tests.oracle.yardstick import reference
from tests.oracle.yardstick.source import MODULES
from tests.oracle.yardstick.study import Study

ENTITY_OF = dict(
    zip(
        MODULES,
        ("cin_children", "referrals", "assessments", "section47_enquiries", "cp_plans", "lac_children", "lac_episodes"),
        strict=True,
    )
)
COLLECTION = {entity: "ssda903" if module.startswith("lac_") else "cin" for module, entity in ENTITY_OF.items()}
READS = {
    "assessment_duration": ("assessments", "cin_children"),
    "assessment_within": ("assessments", "cin_children"),
    "rereferral_nfa": ("referrals", "cin_children"),
    "rereferral_escalated": ("referrals", "cp_plans", "cin_children", "lac_episodes", "lac_children"),
    "kinship_placement": ("lac_episodes", "lac_children"),
    "icpc": ("referrals", "section47_enquiries", "cin_children"),
}
"""What each kind of outcome reads: unobserved, or in quarantine, it leaves the outcome unknown."""
EVENT_FIELDS = {
    ("rereferral_escalated", "lac_episodes"): ("reason_new_episode", "legal_status"),
    ("kinship_placement", "lac_episodes"): ("reason_new_episode", "legal_status", "reason_episode_ceased"),
    ("icpc", "referrals"): ("icpc_date",),
    ("icpc", "section47_enquiries"): ("icpc_date",),
}
"""Fields without which it is not known whether, or when, the event happened."""


def make_units(db: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Makes `units`: each LA code of the study's years, its unit, the years it was valid in, and its go-live."""
    first, last = study.years
    go_lives, valid = study.go_lives, reference.authority_years()
    db.execute(
        "CREATE TABLE units (la_code VARCHAR, unit_id VARCHAR, first_year INTEGER, last_year INTEGER, go_live DATE)"
    )
    db.executemany(
        "INSERT INTO units VALUES (?, ?, ?, ?, ?)",
        [
            (code, unit, max(first, valid[code][0]), min(last, valid[code][1]), go_lives.get(unit))
            for code, unit in study.unit_of.items()
        ],
    )


def make_coverage(db: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Makes `observed` (an LA code, entity and census year that counts) and `coverage` (a kind, LA code and year)."""
    pairs = [(kind, entity) for kind, entities in READS.items() for entity in entities]
    db.execute("CREATE TABLE reads (kind VARCHAR, entity VARCHAR)")
    db.executemany("INSERT INTO reads VALUES (?, ?)", pairs)
    db.execute("CREATE TABLE collections (entity VARCHAR, collection VARCHAR)")
    db.executemany("INSERT INTO collections VALUES (?, ?)", list(COLLECTION.items()))
    db.execute(f"""
        CREATE TABLE observed AS
        WITH returned AS (
            SELECT DISTINCT la_code, census_year, collection FROM ledger JOIN collections USING (entity)
            WHERE la_code IN (SELECT la_code FROM units)
                AND make_date(census_year - 1, 4, 1) <= DATE '{study.data_ends}'
        ), counted AS (
            SELECT r.*, c.entity, coalesce(l.n_received, 0) AS n, coalesce(l.n_quarantined, 0) AS n_bad
            FROM returned r JOIN collections c USING (collection)
            LEFT JOIN ledger l USING (la_code, census_year, entity)
        ), whole AS (
            SELECT *,
                sum(n) FILTER (entity IN ('referrals', 'lac_episodes')) OVER one AS n_core,
                coalesce(sum(n) FILTER (entity IN ('referrals', 'lac_episodes')) OVER before, 0) AS n_core_before,
                sum(n) FILTER (entity IN ('cin_children', 'lac_children')) OVER one AS n_children,
                sum(n) OVER one AS n_all
            FROM counted
            WINDOW one AS (PARTITION BY la_code, collection, census_year),
                before AS (PARTITION BY la_code, collection ORDER BY census_year
                           RANGE BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING)
        )
        SELECT la_code, entity, census_year FROM whole
        WHERE NOT (n_core = 0 AND n_core_before > 0) AND NOT (n_children = 0 AND n_all > 0)
            AND (n = 0 OR n_bad / n <= {study.max_quarantined})
    """)
    db.execute(f"""
        CREATE TABLE coverage AS
        WITH needed AS (
            SELECT kind, entity, count(*) OVER (PARTITION BY kind) AS n FROM reads
        ), spans AS (
            SELECT kind, la_code, max(first) AS first, min(last) AS last
            FROM (SELECT la_code, entity, min(census_year) AS first, max(census_year) AS last
                  FROM observed GROUP BY ALL)
            JOIN needed USING (entity)
            GROUP BY kind, la_code, n HAVING count(*) = n AND max(first) <= min(last)
        ), years AS (
            SELECT kind, la_code, census_year FROM observed JOIN needed USING (entity)
            GROUP BY kind, la_code, census_year, n HAVING count(*) = n
        ), runs AS (
            SELECT *, min(census_year) OVER run AS run_first, max(census_year) OVER run AS run_last
            FROM (SELECT *, census_year - row_number() OVER (PARTITION BY kind, la_code ORDER BY census_year) AS island
                  FROM years)
            WINDOW run AS (PARTITION BY kind, la_code, island)
        ), every AS (
            SELECT k.kind, u.la_code, u.unit_id, y.census_year, s.first, s.last, r.run_first, r.run_last,
                y.census_year BETWEEN u.first_year AND u.last_year AS is_valid, r.census_year IS NOT NULL AS is_seen
            FROM units u, (SELECT DISTINCT kind FROM reads) k,
                (SELECT unnest(generate_series({study.years[0]}, {study.years[1]}))::INTEGER AS census_year) y
            LEFT JOIN spans s ON s.kind = k.kind AND s.la_code = u.la_code
            LEFT JOIN runs r ON r.kind = k.kind AND r.la_code = u.la_code AND r.census_year = y.census_year
        )
        SELECT kind, la_code, census_year, make_date(first - 1, 4, 1) AS first_day_observed,
            least(make_date(last, 3, 31), DATE '{study.data_ends}') AS last_day_observed,
            make_date(run_first - 1, 4, 1) AS observed_from,
            least(make_date(run_last, 3, 31), DATE '{study.data_ends}') AS observed_until,
            is_valid AND bool_and(is_seen OR NOT is_valid) OVER whole_unit AS is_unit_seen
        FROM every WINDOW whole_unit AS (PARTITION BY kind, unit_id, census_year)
    """)


def make_doubt(db: duckdb.DuckDBPyConnection) -> None:
    """Makes `doubt`: by kind and child the census years in which a record lies that could not be read."""
    quarantined = " UNION ALL ".join(
        f"SELECT '{entity}' AS entity, child, census_year FROM quarantine_{entity} WHERE child IS NOT NULL"
        for entity in COLLECTION
    )
    unreadable = " UNION ALL ".join(
        f"SELECT '{kind}' AS kind, '{entity}' AS entity, child, census_year FROM silver_{entity} WHERE unknown_fields"
        f" IS NOT NULL AND list_has_any(string_split(unknown_fields, ' '), {list(fields)})"
        for (kind, entity), fields in EVENT_FIELDS.items()
    )
    db.execute(f"""
        CREATE TABLE doubt AS
        WITH own AS (
            SELECT kind, entity, child, census_year FROM ({quarantined}) JOIN reads USING (entity)
            UNION {unreadable}
        ), linked AS (
            SELECT kind, child, census_year FROM own
            UNION
            SELECT kind, cin_child, census_year FROM own JOIN child_links ON lac_child = child
            WHERE kind = 'rereferral_escalated' AND entity IN ('lac_episodes', 'lac_children')
                AND cin_child IS NOT NULL
        )
        SELECT kind, child, list(census_year) AS years FROM linked GROUP BY ALL
    """)
