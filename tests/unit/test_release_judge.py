"""What of an outcome's counts is hidden, and by which rule."""

from __future__ import annotations

import pytest

from sos_spark.config.disclosure import load_profile
from sos_spark.release.judge import judge
from tests.released import a_study, counted, judged, some_cells, told

LARGE = {"201": [30, 30, 30], "202": [40, 40, 40], "301": [50, 50, 50], "302": [60, 60, 60]}


def test_large_counts_are_all_shown() -> None:
    counts = counted(some_cells(LARGE))
    shown = told(counts, judged(counts))
    assert shown["pilot 2013-14"] == (200, 70)
    assert shown["201 before"] == (100, 30)
    assert shown["all after"] == (400, 140)
    assert shown["main"] == (1200, 540)


def test_a_small_count_is_hidden_and_so_is_what_it_could_be_worked_out_from() -> None:
    counts = counted(some_cells(LARGE | {"201": [3, 30, 30]}))
    judgement = judged(counts)
    shown = told(counts, judgement)
    assert shown["201 before"] == (100, None)
    rules = {row.labels.get("authority", ""): judgement.of(row.events).rule for row in counts.rows if row.events
             and row.labels.get("when") == "before"}  # fmt: skip
    assert rules["201"] == "threshold"
    assert "secondary" in rules.values(), "else it is the arm's count less the other pilot's"


def test_few_without_the_event_are_as_telling_as_few_with_it() -> None:
    counts = counted(some_cells(LARGE | {"201": [97, 30, 30]}))
    assert told(counts, judged(counts))["201 before"] == (100, None)


def test_everyone_with_the_event_is_hidden_where_the_profile_asks() -> None:
    counts = counted(some_cells(LARGE | {"201": [100, 30, 30]}))
    assert told(counts, judged(counts, "dfe-cin"))["201 before"] == (100, 100)
    assert told(counts, judged(counts, "ons-srs"))["201 before"] == (100, None)


def test_rounded_counts_add_up_and_zero_stays_zero() -> None:
    counts = counted(some_cells(LARGE | {"201": [0, 33, 33]}))
    shown = told(counts, judged(counts, "opensafely"))
    assert shown["201 before"] == (100, 0)
    assert all(value is None or value % 5 == 0 for pair in shown.values() for value in pair)
    years = [shown[f"pilot {year}"][1] for year in ("2013-14", "2014-15", "2015-16")]
    assert sum(year or 0 for year in years) == shown["pilot all"][1]


def test_of_two_outcomes_that_differ_by_few_the_later_gives_way() -> None:
    """Their difference is a group of children too: those of the one who are not of the other."""
    first, second = counted(some_cells(LARGE)), counted(some_cells(LARGE, n={"301": 102}))
    shown = judge(second, load_profile("dfe-cin"), beside=[(first, judged(first))])
    assert told(second, shown)["comparator 2013-14"][0] is None
    assert told(second, shown)["pilot 2013-14"] == (200, 70)


def test_two_outcomes_that_differ_by_many_are_both_shown() -> None:
    first, second = counted(some_cells(LARGE)), counted(some_cells(LARGE, n={"301": 120}))
    shown = judge(second, load_profile("dfe-cin"), beside=[(first, judged(first))])
    assert told(second, shown)["comparator 2013-14"][0] == 220


@pytest.mark.parametrize(("square", "shown"), [(90.0, 100), (8100.0, None)])
def test_a_mean_that_one_child_may_make_up_is_hidden(square: float, shown: int | None) -> None:
    """A sum of 90 over 100 assessments: 90 of one day, or one of 90 days."""
    study = a_study(kind="assessment_duration")
    cells = some_cells({unit: [90, 90, 90] for unit in LARGE}).assign(y_sumsq=90.0)
    cells.loc[(cells["unit_id"] == "201") & (cells["period"] == 0), "y_sumsq"] = square
    counts = counted(cells, study)
    assert told(counts, judged(counts))["201 before"][0] == shown
