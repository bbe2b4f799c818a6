"""Leaving an LA out of the cross-products against leaving its rows out of the data."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from sos_spark.analysis.leave_one_out import leave_one_out, without_cluster
from sos_spark.fit.estimators import Estimator, LinearEstimate, cs_simple, twfe
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import NEVER, PreparedPanel, Weights
from sos_spark.tables.results import LEAVE_ONE_OUT
from tests.cluster_panels import Rows, moments_of, some_rows
from tools.monte_carlo.main_design import panel_of_totals


def a_panel(gtime: list[int], *, seed: int = 1) -> PreparedPanel:
    random = np.random.default_rng(seed)
    rows = random.integers(5, 40, size=(len(gtime), 5)).astype(float)
    return panel_of_totals(rows, random.binomial(rows.astype(int), 0.3).astype(float), np.array(gtime))


def effect(estimate: LinearEstimate) -> tuple[float, float, float, float]:
    test = Sandwich(estimate.moments).satterthwaite_of([estimate.coefficient])
    return float(test.estimate[0]), float(test.se[0]), float(test.df[0]), float(test.p[0])


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("estimator", [twfe, cs_simple])
def test_every_row_is_the_estimate_from_the_other_units_panel(estimator: Estimator, weights: Weights) -> None:
    panel = a_panel([2, 3, 3, *[NEVER] * 6])
    frame = leave_one_out(estimator(panel, weights=weights))
    assert tuple(frame.columns) == LEAVE_ONE_OUT.column_names
    assert frame["left_out"].tolist() == list(panel.unit_ids)
    assert frame["arm"].tolist() == ["pilot"] * 3 + ["comparator"] * 6
    for row in frame.itertuples():
        expected = effect(estimator(panel.without({str(row.left_out)}), weights=weights))
        assert (row.att, row.se_cr2, row.df, row.p_cr2) == pytest.approx(expected, rel=1e-7)


def test_an_answer_stays_where_verdict_and_half_of_the_effect_do() -> None:
    panel = a_panel([2, 3, 3, *[NEVER] * 6])
    estimate = twfe(panel, weights="child")
    att, _, _, p = effect(estimate)
    frame = leave_one_out(estimate, smallest_effect=10.0)
    assert frame["change"].tolist() == pytest.approx((frame["att"] - att).tolist())
    for row in frame.to_dict("records"):
        _, se, df, own_p = effect(twfe(panel.without({row["left_out"]}), weights="child"))
        within = abs(row["att"]) + stats.t.ppf(0.95, df) * se < 10
        expected = "a change" if own_p < 0.05 else "no change of a size that matters" if within else "cannot tell"
        assert row["verdict_cr2"] == expected
        main = "a change" if p < 0.05 else "no change of a size that matters"
        assert row["keeps_answer"] == (expected == main and (main != "a change" or row["att"] / att >= 0.5))


@pytest.mark.parametrize("estimator", [twfe, cs_simple])
def test_the_only_pilot_leaves_a_blank_row(estimator: Estimator) -> None:
    frame = leave_one_out(estimator(a_panel([2, *[NEVER] * 5]), weights="child"))
    assert frame.loc[frame["arm"] == "pilot", ["att", "se_cr2", "df", "p_cr2"]].isna().all(axis=None)
    assert frame.loc[frame["arm"] == "comparator", "att"].notna().all()


def test_pilots_come_first_whatever_their_ids() -> None:
    frame = leave_one_out(twfe(a_panel([NEVER, NEVER, NEVER, 2, 2]), weights="child"))
    assert frame["left_out"].tolist() == ["003", "004", "000", "001", "002"]


def without_unit(rows: Rows, unit: int) -> Rows:
    kept = rows.unit != unit
    renumbered = np.where(rows.unit > unit, rows.unit - 1, rows.unit)
    return Rows(renumbered[kept], rows.period[kept], rows.treated[kept], rows.age[kept], rows.y[kept])


@pytest.mark.parametrize("la_equal", [False, True])
def test_cross_products_without_a_unit_are_those_of_the_other_units_rows(la_equal: bool) -> None:
    rows = some_rows(n_units=9, n_treated=3, seed=6)
    for unit in range(9):
        rest = without_cluster(moments_of(rows, la_equal=la_equal), f"{200 + unit}", coefficient="treated")
        other = moments_of(without_unit(rows, unit), la_equal=la_equal)
        assert Sandwich(rest).beta == pytest.approx(Sandwich(other).beta, rel=1e-8)


def with_a_period_of_its_own(rows: Rows) -> Rows:
    """Unit 8 alone has rows in a sixth period."""
    return Rows(
        np.append(rows.unit, [8, 8]),
        np.append(rows.period, [5, 5]),
        np.append(rows.treated, [0.0, 0.0]),
        np.append(rows.age, [7.0, 9.0]),
        np.append(rows.y, [1.0, 2.0]),
    )


def test_a_period_that_only_the_left_out_unit_knew_goes_with_it() -> None:
    rows = some_rows(n_units=9, seed=6)
    moments = moments_of(with_a_period_of_its_own(rows))
    rest = without_cluster(moments, "208", coefficient="treated")
    assert "period_5" in moments.names
    assert rest.names == rows.names
    assert Sandwich(rest).beta == pytest.approx(Sandwich(moments_of(without_unit(rows, 8))).beta, rel=1e-8)
