"""Index rows of every outcome and declared switch, with the first reason why a row is not analysed; and cells."""

from __future__ import annotations

import csv
from datetime import date
from pathlib import Path

import duckdb

from tests.oracle.yardstick import reference
from tests.oracle.yardstick.candidates import SHARED, candidates
from tests.oracle.yardstick.study import COVARIATES, Study, Variant

ORDER = (
    "outside_window", "between_windows", "before_single_assessment", "transition_dropped", "age_unknown",
    "age_out_of_range", "before_first_return", "unit_incomplete", "not_fully_observed", "quarantined_record",
    "field_unreadable", "placement_unknown", "not_in_denominator", "not_rereferred", "open_after_window",
)  # fmt: skip
MONTHS = {"month": 1, "quarter": 3, "year": 12}


def prepare(db: duckdb.DuckDBPyConnection, study: Study) -> None:
    """Makes the working-day calendar and what several outcomes share."""
    db.execute("CREATE TABLE calendar (day DATE, working_day INTEGER, is_working BOOLEAN)")
    days = reference.working_days(date(2014, 4, 1), study.data_ends)
    db.executemany("INSERT INTO calendar VALUES (?, ?, ?)", days)
    for name, query in SHARED.items():
        db.execute(f"CREATE TABLE {name} AS {query}")


def make_index_rows(db: duckdb.DuckDBPyConnection, study: Study, variant: Variant, out: Path) -> None:
    """Makes the table `index_rows` of one outcome, writes it to Parquet and adds its cells to `cells`."""
    query, own = candidates(variant)
    day = "index_date"
    windows = (study.baseline, study.follow_up)
    in_windows = " OR ".join(f"({day} >= DATE '{start}' AND {day} < DATE '{end}')" for start, end in windows)
    start = period_start(day, study.period)
    holds = {
        "outside_window": f"{day} < DATE '{study.baseline[0]}' OR {day} >= DATE '{study.follow_up[1]}'",
        "between_windows": f"NOT ({in_windows})",
        "age_unknown": "age_years IS NULL",
        "age_out_of_range": f"age_years NOT BETWEEN {study.ages[0]} AND {study.ages[1]}",
        "before_first_return": f"{day} < first_day_observed",
        "unit_incomplete": "NOT coalesce(is_unit_seen, FALSE)",
        "not_fully_observed": "NOT coalesce(window_end <= observed_until, FALSE)",
        "quarantined_record": "list_count(list_filter(years, lambda y: make_date(y, 3, 31) >= index_date"
        " AND make_date(y - 1, 4, 1) <= window_end)) > 0",
        **own,
    }
    if study.transition == "drop":
        end = f"{start} + INTERVAL {MONTHS[study.period]} MONTH"
        holds["transition_dropped"] = f"go_live > {start} AND go_live < {end}"
    reason = " ".join(f"WHEN {holds[name]} THEN '{name}'" for name in ORDER if name in holds)
    first = study.baseline[0].year * 12 + study.baseline[0].month
    db.execute(f"""
        CREATE OR REPLACE TABLE index_rows AS
        SELECT * EXCLUDE (value), CASE WHEN reason IS NULL THEN value END AS y,
            ((year(period_start) * 12 + month(period_start) - {first}) // {MONTHS[study.period]})::INTEGER AS period
        FROM (
            SELECT c.la_code, u.unit_id, c.child, {day}, CASE WHEN {in_windows} THEN {start} END AS period_start,
                c.y::BIGINT AS value, CASE {reason} END AS reason, c.age_years::INTEGER AS age_years,
                {_age_band("age_years")} AS age_band, sex, ethnicity, primary_need
            FROM ({query}) c JOIN units u USING (la_code)
            LEFT JOIN doubt d ON d.kind = '{variant.kind}' AND d.child = c.child
        )
    """)
    path = out / "index_rows" / f"{variant.outcome_id}.parquet"
    path.parent.mkdir(parents=True, exist_ok=True)
    db.execute(f"COPY (SELECT i.* EXCLUDE (child), n.child_id FROM index_rows i JOIN child_names n USING (child))"
               f" TO '{path}' (FORMAT parquet)")  # fmt: skip
    _collapse(db, study, variant)


def period_start(day: str, period: str) -> str:
    """The first day of a day's period; a year is April to March."""
    if period == "year":
        return f"(date_trunc('year', {day} - INTERVAL 3 MONTH) + INTERVAL 3 MONTH)::DATE"
    return f"date_trunc('{period}', {day})::DATE"


def level(covariate: str) -> str:
    """A covariate as cells and fits have it: text that is a code of no year is one level, whatever it says."""
    fields = {"ethnicity": ("cin.Ethnicity", "ssda903.header.ETHNIC"), "primary_need": ("cin.PrimaryNeedCode",)}
    if covariate not in fields:
        return covariate
    codes = {code for field in fields[covariate] for code in reference.code_set(*field.split(".", 1))}
    listed = ", ".join(f"'{code}'" for code in sorted(codes))
    return f"CASE WHEN {covariate} IS NULL OR {covariate} IN ({listed}) THEN {covariate} ELSE 'unrecognised' END"


def _age_band(age: str) -> str:
    bands = ((0, "0"), (4, "1-4"), (9, "5-9"), (15, "10-15"), (17, "16-17"))
    cases = " ".join(f"WHEN {age} <= {top} THEN '{name}'" for top, name in bands)
    return f"CASE {cases} WHEN {age} >= 18 THEN '18+' END"


def _collapse(db: duckdb.DuckDBPyConnection, study: Study, variant: Variant) -> None:
    """Adds the outcome's cells to `cells`, and to `flow` what became of all its rows."""
    filled = {
        name: f"coalesce({level(name)}, 'missing')" if study.missing == "indicator" else level(name)
        for name in study.covariates
    }
    levels = ", ".join(f"{filled[name]} AS {name}" if name in filled else f"NULL AS {name}" for name in COVARIATES)
    lacking = "FALSE"
    if study.missing == "complete_case" and study.covariates:
        lacking = " OR ".join(f"{name} IS NULL" for name in study.covariates)
    slice_of = "outcome_id VARCHAR, unit_id VARCHAR, period INTEGER, period_start DATE"
    named = ", ".join(f"{name} VARCHAR" for name in COVARIATES)
    db.execute(f"CREATE TABLE IF NOT EXISTS cells ({slice_of}, {named}, n BIGINT, y_sum BIGINT, y_sumsq BIGINT)")
    db.execute(f"CREATE TABLE IF NOT EXISTS flow ({slice_of}, reason VARCHAR, n_rows BIGINT)")
    db.execute(f"""
        INSERT INTO cells
        SELECT '{variant.outcome_id}', unit_id, period, period_start, {levels}, count(*), sum(y), sum(y * y)
        FROM index_rows WHERE reason IS NULL AND NOT ({lacking}) GROUP BY ALL
    """)
    db.execute(f"""
        INSERT INTO flow
        SELECT '{variant.outcome_id}', unit_id, period, period_start,
            coalesce(reason, CASE WHEN {lacking} THEN 'covariate_missing' ELSE 'analysed' END) AS reason, count(*)
        FROM index_rows GROUP BY ALL
    """)


def write_cells(db: duckdb.DuckDBPyConnection, study: Study, path: Path) -> int:
    """Writes cells.csv as the design has it; returns the number of cells."""
    columns = ["outcome_id", "unit_id", "period", "period_start", *study.covariates, "n", "y_sum", "y_sumsq"]
    order = ", ".join(columns[:-3])
    rows = db.execute(f"SELECT {', '.join(columns)} FROM cells ORDER BY {order}").fetchall()
    with path.open("w", encoding="utf-8", newline="") as handle:
        writer = csv.writer(handle, lineterminator="\n")
        writer.writerow(["study_id", *columns])
        writer.writerows((study.study_id, *row) for row in rows)
    return len(rows)
