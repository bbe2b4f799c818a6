"""Small frames for tests: a builder for each row, with defaults for all that a test is not about.

`frame(spark, TABLE, rows)` makes a frame with the table's own schema.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import date
from typing import Any

from pyspark.sql import DataFrame, SparkSession

from sos_spark.config.study import Study
from sos_spark.tables import Table

LA = "926"
BANK_HOLIDAYS = (date(2015, 4, 3), date(2015, 4, 6), date(2015, 5, 4), date(2015, 5, 25))
"""England's, from April to June 2015."""

Rows = Iterable[Mapping[str, Any]]


def day(text: str | date) -> date:
    return text if isinstance(text, date) else date.fromisoformat(text)


def maybe(text: str | date | None) -> date | None:
    return None if text is None else day(text)


def frame(spark: SparkSession, table: Table, rows: Rows) -> DataFrame:
    """A frame with the table's columns; a column that a row does not name is null."""
    named = [dict(row) for row in rows]
    unknown = {name for row in named for name in row} - set(table.column_names)
    assert not unknown, f"{table.name} has no {unknown}"
    return spark.createDataFrame([tuple(row.get(name) for name in table.column_names) for row in named], table.schema())


def _child(la: str, child: str, year: int) -> dict[str, Any]:
    return {"la_code": la, "child_id": child, "census_year": year, "file_id": 1, "record_position": 1}


def _attributes(**given: Any) -> dict[str, Any]:
    return {"sex": "male", "ethnicity": "WBRI", **given}


def census_year(of: date) -> int:
    return of.year + (1 if (of.month, of.day) >= (4, 1) else 0)


def a_referral(
    day: str | date = "2015-05-01",
    *,
    nfa: bool = False,
    closed: str | date | None = None,
    because: str | None = None,
    child: str = "a",
    la: str = LA,
    age: int | None = 7,
    age_at_closure: int | None = None,
    year: int | None = None,
    need: str | None = "N1",
    **others: Any,
) -> dict[str, Any]:
    """A row of silver.referrals."""
    referred, closure = maybe(day), maybe(closed)
    assert referred is not None
    return {
        **_child(la, child, year or census_year(closure or referred)),
        **_attributes(),
        "referral_date": referred,
        "is_nfa_at_referral": nfa,
        "closure_date": closure,
        "closure_reason": because,
        "age_at_referral": age,
        "age_at_closure": age_at_closure if age_at_closure is not None else age if closure else None,
        "primary_need": need,
        **others,
    }


def an_assessment(
    start: str | date = "2015-05-01",
    authorised: str | date | None = None,
    *,
    child: str = "a",
    la: str = LA,
    age: int | None = 7,
    referred: str | date | None = None,
) -> dict[str, Any]:
    """A row of silver.assessments."""
    return {
        **_child(la, child, census_year(day(start))),
        **_attributes(),
        "referral_date": day(referred or start),
        "assessment_start_date": day(start),
        "assessment_authorised_date": maybe(authorised),
        "age_at_start": age,
        "primary_need": "N1",
    }


def a_section47(
    start: str | date = "2015-05-01", *, child: str = "a", la: str = LA, age: int | None = 7, referred: Any = None
) -> dict[str, Any]:
    """A row of silver.section47_enquiries."""
    return {
        **_child(la, child, census_year(day(start))),
        **_attributes(),
        "referral_date": day(referred or start),
        "section47_start_date": day(start),
        "age_at_start": age,
        "primary_need": "N1",
    }


def a_plan(start: str | date, *, child: str = "a", la: str = LA) -> dict[str, Any]:
    """A row of silver.cp_plans."""
    return {
        **_child(la, child, census_year(day(start))),
        "referral_date": day(start),
        "cpp_start_date": day(start),
    }


def an_icpc(on: str | date, *, child: str = "a", la: str = LA) -> dict[str, Any]:
    """A row of silver.icpcs."""
    return {"la_code": la, "child_id": child, "icpc_date": day(on), "recorded_at": "section47"}


def an_episode(
    start: str | date = "2015-05-01",
    placement: str | None = "U4",
    *,
    end: str | date | None = None,
    rne: str = "S",
    status: str | None = "C2",
    rec: str | None = None,
    child: str = "a",
    la: str = LA,
    born: str | date | None = "2008-01-01",
    age: int | None = 7,
    year: int | None = None,
) -> dict[str, Any]:
    """A row of silver.lac_episodes. `year` is that of the latest return it stood in."""
    ended = maybe(end)
    return {
        **_child(la, child, year or census_year(ended or day(start))),
        **_attributes(),
        "care_episode_start_date": day(start),
        "care_episode_end_date": ended,
        "reason_new_episode": rne,
        "legal_status": status,
        "category_of_need": "N1",
        "placement_code": placement,
        "reason_episode_ceased": rec,
        "birth_month": maybe(born),
        "age_at_start": age,
    }


def a_link(lac_child: str, cin_child: str | None, *, la: str = LA) -> dict[str, Any]:
    """A row of silver.child_links."""
    kind = "unlinked" if cin_child is None else "child_id" if lac_child == cin_child else "person"
    return {"la_code": la, "lac_child_id": lac_child, "cin_child_id": cin_child, "link_kind": kind}


def quarantined(
    entity: str = "referrals", year: int = 2016, *, child: str | None = "a", la: str = LA
) -> dict[str, Any]:
    """What outcomes read of a row of a quarantine table."""
    return {"entity": entity, "la_code": la, "child_id": child, "census_year": year}


def a_file(
    year: int, *, la: str = LA, collection: str = "cin", status: str = "accepted", rows: Mapping[str, int] | None = None
) -> dict[str, Any]:
    """A row of bronze.files. `rows`: received by module."""
    return {
        "file_id": year * 1000 + int(la) + (0 if collection == "cin" else 500_000_000),
        "file_sha256": "0" * 64,
        "file_path": f"{collection}/{year}/{la}",
        "form": "table",
        "collection": collection,
        "la_code": la,
        "census_year": year,
        "status": status,
        "is_simulated": False,
        "read_by": "code",
        "rows_by_module": rows,
    }


def returns(
    first: int, last: int, *, la: str = LA, missing: Iterable[int] = (), collections: Iterable[str] = ("cin", "ssda903")
) -> list[dict[str, Any]]:
    """The accepted returns of an LA, of both collections."""
    years = [year for year in range(first, last + 1) if year not in set(missing)]
    return [a_file(year, la=la, collection=collection) for collection in collections for year in years]


def a_study(**changes: Any) -> Study:
    """A study of one pilot from 2013 to 2020 by quarter; `changes` replace or add keys of the file, by dotted name."""
    content: dict[str, Any] = {
        "schema_version": 1,
        "study_id": "s",
        "title": "A study",
        "window": {
            "baseline": ["2013-04-01", "2015-04-01"],
            "follow_up": ["2015-04-01", "2020-04-01"],
            "period": "quarter",
            "data_ends": "2020-03-31",
        },
        "pilots": [{"la_code": LA, "go_live": "2015-04-01"}],
        "outcomes": [{"outcome_id": "o", "kind": "rereferral_nfa"}],
    }
    for name, value in changes.items():
        *parents, last = name.split("__")
        table = content
        for parent in parents:
            table = table.setdefault(parent, {})
        table[last] = value
    return Study.model_validate(content)
