"""Every outcome and every switch against the plain-Python oracle, on awkward journeys."""

from __future__ import annotations

from collections import Counter
from datetime import date
from typing import Any

import pytest
from pyspark.sql import SparkSession

from sos_spark.config.outcomes import KINDS
from sos_spark.config.reference import bank_holidays
from tests.builders import a_study
from tests.oracle.journeys import UNOBSERVED, a_world
from tests.oracle.outcome_oracle import PRECEDENCE, READS, Answer, Setting, answers
from tests.outcome_world import AUTHORITIES, TABLES, World, all_index_rows

NFA: dict[str, dict[str, Any]] = {
    "default": {},
    "at_referral": {"nfa": "at_referral"},
    "after_assessment": {"nfa": "after_assessment"},
    "from_referral": {"from": "referral", "within_months": 3},
    "year": {"within_months": 12},
}
OUTCOMES: list[dict[str, Any]] = [
    *({"outcome_id": f"rereferral_{name}", "kind": "rereferral_nfa", **keys} for name, keys in NFA.items()),
    {"outcome_id": "escalated", "kind": "rereferral_escalated"},
    {"outcome_id": "escalated_conditional", "kind": "rereferral_escalated", "estimand": "conditional"},
    {
        "outcome_id": "escalated_switched", "kind": "rereferral_escalated", "nfa": "after_assessment",
        "from": "referral", "within_months": 12, "escalate_within_months": 1,
    },
    {"outcome_id": "duration", "kind": "assessment_duration"},
    {"outcome_id": "duration_calendar", "kind": "assessment_duration", "days": "calendar", "follow_up_days": 30},
    {"outcome_id": "duration_completed", "kind": "assessment_duration", "follow_up_days": 0},
    {"outcome_id": "duration_restricted", "kind": "assessment_duration", "follow_up_days": 40, "mean": "restricted"},
    {"outcome_id": "within_45", "kind": "assessment_within"},
    {"outcome_id": "within_1", "kind": "assessment_within", "days": 1},
    {"outcome_id": "kinship", "kind": "kinship_placement"},
    {"outcome_id": "kinship_foster", "kind": "kinship_placement", "denominator": "foster"},
    {"outcome_id": "kinship_no_parents", "kind": "kinship_placement", "count_parents": False},
    {"outcome_id": "stock", "kind": "kinship_placement", "unit": "stock"},
    {"outcome_id": "stock_foster", "kind": "kinship_placement", "unit": "stock", "denominator": "foster"},
    {"outcome_id": "icpc", "kind": "icpc"},
    {"outcome_id": "icpc_section47", "kind": "icpc", "index": "section47", "within_months": 1},
]  # fmt: skip

WINDOWS: dict[str, dict[str, Any]] = {
    "quarters": {
        "baseline": ["2013-04-01", "2015-04-01"], "follow_up": ["2015-04-01", "2020-04-01"],
        "data_ends": "2020-03-31", "period": "quarter",
    },
    "months_with_a_gap": {
        "baseline": ["2012-06-01", "2014-12-01"], "follow_up": ["2015-03-01", "2020-02-01"],
        "data_ends": "2019-12-31", "period": "month", "transition": "drop",
    },
    "years": {
        "baseline": ["2014-04-01", "2016-04-01"], "follow_up": ["2016-04-01", "2019-04-01"],
        "data_ends": "2020-02-28", "period": "year", "transition": "drop",
    },
}  # fmt: skip
MERGED = ("835", "836", "837", "838", "839")
GO_LIVES = {"926": date(2016, 2, 10), "836": date(2016, 10, 1)}


def setting_of(world: World, window: dict[str, Any], *, merged: bool) -> Setting:
    """The oracle's view of the study. `merged`: whether the change of census year 2020 is inside the window."""
    day = date.fromisoformat
    last_year = 2020 if merged else 2019
    first_year = {"2012-06-01": 2013, "2013-04-01": 2014, "2014-04-01": 2015}[window["baseline"][0]]
    units: dict[str, tuple[str, tuple[str, ...], int, int]] = {}
    for code in AUTHORITIES:
        if code in MERGED:
            begin, end = (first_year, 2019) if code in MERGED[:3] else (2020, 2020)
            if begin <= last_year:
                codes = MERGED if merged else (code,)
                units[code] = ("+".join(codes), codes, begin, min(end, last_year))
        else:
            units[code] = (code, (code,), first_year, last_year)
    accepted: dict[tuple[str, str], set[int]] = {}
    for file in world.files:
        accepted.setdefault((file["la_code"], file["collection"]), set()).add(file["census_year"])
    return Setting(
        baseline=(day(window["baseline"][0]), day(window["baseline"][1])),
        follow_up=(day(window["follow_up"][0]), day(window["follow_up"][1])),
        period=window["period"],
        data_ends=day(window["data_ends"]),
        transition=window.get("transition", "keep"),
        age_min=0,
        age_max=17,
        units=units,
        go_live={units[code][0]: go_live for code, go_live in GO_LIVES.items()},
        accepted=accepted,
        holidays=set(bank_holidays()),
        unobserved={(la, entity): (year,) for (la, year, _), (_, entity) in UNOBSERVED.items()},
    )


def test_the_oracle_has_every_kind_that_is_computed_from_records() -> None:
    reads = {name: set(kind.reads) for name, kind in KINDS.items() if kind.reads}
    assert {outcome["kind"] for outcome in OUTCOMES} == set(reads)
    assert {name: set(entities) for name, entities in READS.items()} == reads


@pytest.mark.slow
@pytest.mark.parametrize("name", list(WINDOWS))
def test_every_outcome_and_switch_agrees_with_the_oracle(spark: SparkSession, name: str) -> None:
    window = WINDOWS[name]
    world = a_world(seed=len(name), children=220)
    pilots = [{"la_code": code, "go_live": go_live} for code, go_live in GO_LIVES.items()]
    study = a_study(window=window, outcomes=OUTCOMES, pilots=pilots)
    found = Counter(
        Answer(
            row.outcome_id,
            row.la_code,
            row.child_id,
            row.unit_id,
            row.index_date,
            row.period,
            row.y,
            row.reason,
            row.age_years,
        )
        for row in all_index_rows(spark, world, study).collect()
    )
    setting = setting_of(world, window, merged=name != "years")
    silver = {table: getattr(world, table) for table in (*TABLES, "quarantined")}
    expected = Counter(answer for outcome in OUTCOMES for answer in answers(setting, silver, outcome))
    assert found - expected == Counter()
    assert expected - found == Counter()
    reasons = {answer.reason for answer in expected}
    # No return begins inside the years from 2014/15 on: no row there can be before the first.
    possible = {None, *PRECEDENCE} - {"between_windows", "transition_dropped"}
    possible -= {"before_first_return", "before_single_assessment"} if name == "years" else set()
    assert possible <= reasons
    for outcome in OUTCOMES:
        known = {answer.y for answer in expected if answer.outcome_id == outcome["outcome_id"] and not answer.reason}
        assert len(known) >= 2, f"{outcome['outcome_id']} cannot fail here"
