"""Leaving a cluster out of the cross-products against leaving its rows out of the data."""

from __future__ import annotations

import numpy as np
import pytest

from sos_spark.fit.covariance import Sandwich
from sos_spark.fit.leave_out import LEAVE_ONE_OUT_COLUMNS, leave_one_out, without_cluster
from sos_spark.fit.moments import ClusterMoments
from tests.cluster_panels import Rows, moments_of, some_rows


def without_unit(rows: Rows, unit: int) -> Rows:
    kept = rows.unit != unit
    renumbered = np.where(rows.unit > unit, rows.unit - 1, rows.unit)
    return Rows(renumbered[kept], rows.period[kept], rows.treated[kept], rows.age[kept], rows.y[kept])


@pytest.mark.parametrize("la_equal", [False, True])
def test_every_row_is_the_fit_of_the_other_units_rows(la_equal: bool) -> None:
    rows = some_rows(n_units=9, n_treated=3, seed=6)
    frame = leave_one_out(
        moments_of(rows, la_equal=la_equal),
        outcome_id="rereferral",
        coefficient="treated",
        pilots={"200", "201", "202"},
    )
    assert tuple(frame.columns) == LEAVE_ONE_OUT_COLUMNS
    assert frame["left_out"].tolist() == [f"{200 + u}" for u in range(9)]
    assert frame["arm"].tolist() == ["pilot"] * 3 + ["comparator"] * 6
    for unit, row in enumerate(frame.itertuples()):
        whole = Sandwich(moments_of(without_unit(rows, unit), la_equal=la_equal)).satterthwaite_of(["treated"])
        assert (row.att, row.se_cr2, row.df, row.p_cr2) == pytest.approx(
            (whole.estimate[0], whole.se[0], whole.df[0], whole.p[0]), rel=1e-8
        )


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


def test_the_only_pilot_leaves_a_blank_row() -> None:
    rows = some_rows(n_units=6, n_treated=1)
    frame = leave_one_out(moments_of(rows), outcome_id="y", coefficient="treated", pilots={"200"})
    assert frame.loc[frame["arm"] == "pilot", ["att", "se_cr2", "df", "p_cr2"]].isna().all(axis=None)
    assert frame.loc[frame["arm"] == "comparator", "att"].notna().all()


def test_units_in_any_order_give_the_same_frame() -> None:
    moments = moments_of(some_rows(n_units=6))
    turned = ClusterMoments(
        unit_ids=moments.unit_ids[::-1],
        names=moments.names,
        xx=moments.xx[::-1],
        xy=moments.xy[::-1],
        yy=None,
        n_rows=moments.n_rows[::-1],
        weight=moments.weight[::-1],
    )
    knobs = {"outcome_id": "y", "coefficient": "treated", "pilots": {"200", "201", "202"}}
    one, other = leave_one_out(moments, **knobs), leave_one_out(turned, **knobs)
    assert one["left_out"].tolist() == other["left_out"].tolist()
    assert other["att"].to_numpy() == pytest.approx(one["att"].to_numpy())
