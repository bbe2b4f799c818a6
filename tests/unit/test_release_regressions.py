"""Which estimates may leave: by the children behind each, residual degrees of freedom, and samples near each other."""

from __future__ import annotations

import dataclasses

import pandas as pd

from sos_spark.config.disclosure import load_profile
from sos_spark.release.regressions import (
    OutcomeFacts,
    estimate_decisions,
    event_study_decisions,
    leave_one_out_decisions,
    main_decision,
    whole_sample_decisions,
)
from tests.released import a_study, counted, judged, some_cells

EVENTS = {"201": [30, 30, 30], "202": [40, 40, 40], "301": [50, 50, 50], "302": [60, 60, 60]}
N_ROWS = 1200


def an_estimate(
    specification: str = "main", *, n_rows: int = N_ROWS, n_cells: int = 60, **changed: object
) -> dict[str, object]:
    return {
        "outcome_id": "y", "specification": specification, "att": 0.1, "n_rows": n_rows, "n_cells": n_cells,
        "n_clusters": 4, **changed,
    }  # fmt: skip


def facts(events: dict[str, list[int]] = EVENTS, *estimates: dict[str, object]) -> OutcomeFacts:
    counts = counted(some_cells(events))
    rows = pd.DataFrame(list(estimates) or [an_estimate()])
    return OutcomeFacts(a_study(), counts, judged(counts), rows, load_profile("dfe-cin"))


def event_rows(*times: int) -> pd.DataFrame:
    return pd.DataFrame({"event_time": times, "n_rows": 200, "att": 0.1})


def test_a_main_estimate_of_many_is_cleared() -> None:
    decision = main_decision(facts())
    assert decision.cleared
    assert (decision.n, decision.residual_df) == (N_ROWS, 60 - 4 - 3)


def test_too_few_residual_degrees_of_freedom() -> None:
    decision = main_decision(facts(EVENTS, an_estimate(n_cells=16)))
    assert (decision.cleared, decision.rule, decision.residual_df) == (False, "degrees of freedom", 9)


def test_an_estimate_whose_rows_the_cells_do_not_hold_is_not_judged() -> None:
    assert main_decision(facts(EVENTS, an_estimate(n_rows=N_ROWS + 1))).rule == "not judged"


def test_few_events_in_the_pilots_before_go_live() -> None:
    decision = main_decision(facts(EVENTS | {"201": [1, 30, 30], "202": [2, 40, 40]}))
    assert (decision.rule, "before go-live" in decision.reason) == ("threshold", True)


def test_all_that_rests_on_the_same_sample_follows_the_main_estimate() -> None:
    small = facts(EVENTS, an_estimate(n_cells=16))
    (decision,) = whole_sample_decisions(small, pd.DataFrame({"att": [0.1]}))
    assert (decision.cleared, decision.rule) == (False, "degrees of freedom")


def test_a_sample_that_differs_by_few_from_one_that_is_shown_is_not() -> None:
    rows = [an_estimate(), an_estimate("near", n_rows=N_ROWS - 3), an_estimate("far", n_rows=N_ROWS - 300)]
    assert [one.rule for one in estimate_decisions(facts(EVENTS, *rows))] == ["", "difference", ""]


def test_a_point_of_the_event_study_that_rests_on_few_events() -> None:
    one = facts(EVENTS | {"201": [30, 1, 30], "202": [40, 2, 40]})
    first, second = event_study_decisions(one, event_rows(0, 1))
    assert (first.cleared, first.n, "event" in first.reason) == (False, 200, True)
    assert second.cleared


def test_no_point_is_shown_where_its_reference_rests_on_few() -> None:
    events = {"201": [2, 30, 30], "202": [1, 40, 40]}
    rows = event_study_decisions(dataclasses.replace(facts(EVENTS | events)), event_rows(0, 1))
    assert not any(row.cleared for row in rows)


def test_leaving_out_an_authority_with_few_events_is_not_shown() -> None:
    one = facts(EVENTS | {"201": [2, 30, 30]})
    rows = pd.DataFrame({"left_out": ["201", "202", "301"], "att": 0.1})
    assert [decision.cleared for decision in leave_one_out_decisions(one, rows)] == [False, True, True]
