"""What must change no outcome: order, partitions, time zone, strangers, and a shift of the whole calendar."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import fields, replace
from datetime import date, timedelta
from functools import reduce
from random import Random
from typing import Any, Literal

import pytest
from pyspark.sql import DataFrame, Row, SparkSession

from sos_spark.config.study import Continuous, Covariates, Study
from sos_spark.outcome.compute import index_rows, judged_rows
from sos_spark.outcome.records import Records
from sos_spark.outcome.sums import sum_index_rows, sum_judged
from sos_spark.panel.collapse import cells_of
from tests.builders import a_study
from tests.oracle.journeys import a_world
from tests.outcome_world import World, all_index_rows, records_of, scope_of

OUTCOMES = [
    {"outcome_id": "r", "kind": "rereferral_nfa"},
    {"outcome_id": "e", "kind": "rereferral_escalated"},
    {"outcome_id": "d", "kind": "assessment_duration"},
    {"outcome_id": "k", "kind": "kinship_placement"},
    {"outcome_id": "ks", "kind": "kinship_placement", "unit": "stock"},
    {"outcome_id": "i", "kind": "icpc"},
]
COVARIATES = Covariates(categorical=("age_band", "sex"))
PLACE = {"926", "301", "302"}
"""Authorities whose codes never change."""


@contextmanager
def session_setting(spark: SparkSession, name: str, value: str) -> Iterator[None]:
    before = str(spark.conf.get(name))
    spark.conf.set(name, value)
    try:
        yield
    finally:
        spark.conf.set(name, before)


def of_steady_authorities(world: World) -> World:
    """Only authorities whose codes never change."""
    kept = {f.name: [row for row in getattr(world, f.name) if row["la_code"] in PLACE] for f in fields(world)}
    return World(**kept)


def cells(rows: DataFrame) -> set[Row]:
    return set(cells_of(sum_index_rows(rows, COVARIATES)).collect())


@pytest.mark.slow
def test_order_partitions_and_time_zone_change_nothing(spark: SparkSession) -> None:
    world, study = a_world(7, children=60), a_study(outcomes=OUTCOMES)
    expected = Counter(all_index_rows(spark, world, study).collect())
    random = Random(1)
    shuffled = World(
        **{f.name: random.sample(getattr(world, f.name), len(getattr(world, f.name))) for f in fields(world)}
    )

    def scattered(frame: DataFrame, n_partitions: int) -> DataFrame:
        return frame.repartition(n_partitions)

    with session_setting(spark, "spark.sql.session.timeZone", "Pacific/Auckland"):
        records = records_of(spark, shuffled)
        scattered_records = Records(
            {name: scattered(table, number) for number, (name, table) in enumerate(records.silver.items(), start=2)},
            scattered(records.calendar, 9),
        )
        scope = scope_of(spark, shuffled, study)
        found: Counter[Row] = Counter()
        for outcome in study.outcomes:
            found += Counter(index_rows(outcome, scattered_records, scope, outcome_id=outcome.outcome_id).collect())
    assert found == expected


IN_COMMON = [
    *OUTCOMES,
    {"outcome_id": "ec", "kind": "rereferral_escalated", "estimand": "conditional"},
    {"outcome_id": "dr", "kind": "assessment_duration", "mean": "restricted"},
    {"outcome_id": "dc", "kind": "assessment_duration", "days": "calendar", "follow_up_days": 0},
    {"outcome_id": "w", "kind": "assessment_within", "days": 45},
    {"outcome_id": "kf", "kind": "kinship_placement", "denominator": "foster", "count_parents": False},
]


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["complete_case", "indicator"])
def test_outcomes_with_rows_in_common_are_what_each_is_alone(
    spark: SparkSession, missing: Literal["complete_case", "indicator"]
) -> None:
    world, study = a_world(3, children=80), a_study(outcomes=IN_COMMON)
    age = Continuous(name="age_years", centre=8.0)
    covariates = Covariates(categorical=("sex", "primary_need"), continuous=(age,), missing=missing)
    scope, records = scope_of(spark, world, study), records_of(spark, world)
    judged = judged_rows({one.outcome_id: one for one in study.outcomes}, records, scope)
    alone = all_index_rows(spark, world, study)

    shared = [("r",), ("e", "ec"), ("d", "dr", "dc", "w"), ("k", "kf"), ("ks",), ("i",)]
    assert [one.outcome_ids for one in judged] == shared
    of_each = reduce(DataFrame.unionByName, (one.of_each() for one in judged))
    assert Counter(of_each.collect()) == Counter(alone.collect())
    together, apart = sum_judged(judged, covariates).collect(), sum_index_rows(alone, covariates).collect()
    assert Counter(together) == Counter(apart)
    assert {row.outcome_id for row in together if row.reason == "analysed"} == {name for one in shared for name in one}


@pytest.mark.slow
def test_a_child_outside_the_population_changes_no_cell(spark: SparkSession) -> None:
    study = a_study(outcomes=OUTCOMES)
    world = a_world(11, children=40)
    strangers = a_world(12, children=20)

    def too_old(row: Mapping[str, Any]) -> dict[str, Any]:
        ages = {name: 18 for name in ("age_at_referral", "age_at_closure", "age_at_start") if name in row}
        born = {"birth_month": date(1990, 1, 1)} if "birth_month" in row else {}
        ids = {name: f"old {row[name]}" for name in ("child_id", "lac_child_id", "cin_child_id") if row.get(name)}
        return {**row, **ages, **born, **ids}

    joined = World(
        **{
            f.name: [*getattr(world, f.name), *map(too_old, getattr(strangers, f.name))]
            for f in fields(world)
            if f.name != "files"
        },
        files=world.files,
    )
    before, after = all_index_rows(spark, world, study), all_index_rows(spark, joined, study)
    assert cells(before) == cells(after)
    assert before.count() < after.count()


@pytest.mark.long
@pytest.mark.slow
def test_shifting_the_whole_calendar_shifts_only_the_calendar(spark: SparkSession) -> None:
    """By 28 years, which keep weekdays and leap years; without outcomes that count holidays."""
    outcomes = [outcome for outcome in OUTCOMES if outcome["outcome_id"] != "d"]
    world = of_steady_authorities(a_world(5, children=60))
    world = replace(world, referrals=[{**row, "census_year": 2020} for row in world.referrals])
    shift = timedelta(days=28 * 1461 // 4)

    def later(value: Any, name: str) -> Any:
        if isinstance(value, date):
            return value + shift
        return value + 28 if name == "census_year" else value

    moved = World(
        **{
            f.name: [{name: later(value, name) for name, value in row.items()} for row in getattr(world, f.name)]
            for f in fields(world)
        }
    )
    moved = replace(
        moved,
        referrals=[
            {**r, "closure_reason": "RC1" if r["closure_reason"] == "RC9" else r["closure_reason"]}
            for r in moved.referrals
        ],
    )
    here = a_study(outcomes=outcomes)
    there = _shifted(here, shift)
    found, expected = (
        Counter(
            (r.outcome_id, r.la_code, r.child_id, r.index_date + by, r.period, r.y, r.reason, r.age_years)
            for r in all_index_rows(spark, a_place, study).collect()
        )
        for a_place, study, by in ((moved, there, timedelta(0)), (world, here, shift))
    )
    assert found == expected


def _shifted(study: Study, shift: timedelta) -> Study:
    content = study.model_dump()
    window = content["window"]
    for name in ("baseline", "follow_up"):
        window[name] = [day + shift for day in window[name]]
    window["data_ends"] += shift
    for pilot in content["pilots"]:
        pilot["go_live"] += shift
    for outcome in content["outcomes"]:
        if "from_" in outcome:
            outcome["from"] = outcome.pop("from_")
    return Study.model_validate(content)
