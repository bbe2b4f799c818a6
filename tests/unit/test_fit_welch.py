"""Welch's test on LA changes, by hand and by scipy."""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest
from scipy import stats

from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.regression.design import NEVER
from sos_spark.fit.staggered.group_time import UnitPanel
from sos_spark.fit.welch import welch_as_it_holds, welch_test
from tests.fit_panels import a_design, some_cells


def a_panel(*, gtime: list[int], before: list[float], after: list[float], rows: int = 10) -> UnitPanel:
    """Two periods, the same number of rows in each; go-live is period 1."""
    n = np.full((len(gtime), 2), float(rows))
    return UnitPanel(
        unit_ids=tuple(f"{u}" for u in range(len(gtime))),
        gtime=np.array(gtime),
        rows=n,
        y_sum=np.column_stack([before, after]) * rows,
    )


def test_equals_scipy_on_the_changes() -> None:
    after = [3.0, 5.0, 2.5, 1.0, 1.5, 0.5, 2.0]
    panel = a_panel(gtime=[1, 1, 1, NEVER, NEVER, NEVER, NEVER], before=[1.0] * 7, after=after)
    expected = stats.ttest_ind(np.array(after[:3]) - 1, np.array(after[3:]) - 1, equal_var=False)
    ours = welch_test(panel)
    assert ours.difference == pytest.approx(2.25)
    assert (ours.p, ours.df) == pytest.approx((expected.pvalue, expected.df))
    assert (ours.n_treated, ours.n_comparators) == (3, 4)


def test_a_large_authority_counts_no_more_than_a_small_one() -> None:
    panel = a_panel(gtime=[1, 1, NEVER, NEVER], before=[0.0] * 4, after=[1.0, 2.0, 0.5, 1.5])
    grown = UnitPanel(
        panel.unit_ids, panel.gtime, panel.rows * [[50], [1], [1], [1]], panel.y_sum * [[50], [1], [1], [1]]
    )
    assert welch_test(grown) == welch_test(panel)


def test_an_authority_unseen_on_one_side_is_left_out() -> None:
    panel = a_panel(gtime=[1, 1, NEVER, NEVER, NEVER], before=[0.0] * 5, after=[1.0, 2.0, 0.5, 1.5, 9.0])
    unseen = np.ones((5, 2))
    unseen[4, 0] = 0
    assert welch_test(UnitPanel(panel.unit_ids, panel.gtime, panel.rows * unseen, panel.y_sum * unseen)) == welch_test(
        a_panel(gtime=[1, 1, NEVER, NEVER], before=[0.0] * 4, after=[1.0, 2.0, 0.5, 1.5])
    )


@pytest.mark.parametrize(
    ("gtime", "note"), [([0, 1, NEVER, NEVER], "one go-live"), ([1, NEVER, NEVER, NEVER], "two authorities")]
)
def test_what_cannot_be_compared_is_blank_with_a_note(gtime: list[int], note: str) -> None:
    test = welch_test(a_panel(gtime=gtime, before=[0.0] * 4, after=[1.0, 2.0, 0.5, 1.5]))
    assert math.isnan(test.p)
    assert note in test.note


@pytest.mark.parametrize(("n_pilots", "has_welch"), [(3, False), (4, True)])
@pytest.mark.parametrize(("times", "has_pooled"), [(0.5, True), (4.0, False)])
def test_only_what_holds_on_a_panel_is_printed(n_pilots: int, has_welch: bool, times: float, has_pooled: bool) -> None:
    pilots = {str(201 + place): 3 for place in range(n_pilots)}
    panel = prepare(some_cells(n_periods=12), a_design(pilots=pilots)).panel
    scatter = np.random.default_rng(7).normal(0, 0.02, panel.rows.shape)
    scatter[panel.is_treated_unit] *= times
    test = welch_as_it_holds(replace(panel, y_sum=panel.rows * (0.3 + scatter), y_sumsq=None))
    assert np.isfinite([test.p, *test.interval()]).all() == has_welch
    assert np.isfinite([test.p_pooled, *test.pooled_interval()]).all() == has_pooled
    assert ("Welch's test rejects too much" in test.note) != has_welch
    assert ("above 1.2" in test.note) != has_pooled
    assert np.isfinite(test.difference)
