"""Welch's test on LA changes, by hand and by scipy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy import stats

from sos_spark.fit.regression.design import NEVER
from sos_spark.fit.staggered.group_time import UnitPanel
from sos_spark.fit.welch import welch_test


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
