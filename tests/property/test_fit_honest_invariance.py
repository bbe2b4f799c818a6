"""What must not change bounds and slopes: a unit of the outcome, the order of rows, the names of authorities."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sos_spark.analysis.annual import annual_effects
from sos_spark.analysis.honest import bounds_frame
from sos_spark.analysis.pretrend import pre_trend
from sos_spark.config.study import Inference
from sos_spark.fit import DidResult, fit_did
from sos_spark.fit.cells.prepare import prepare
from tests.fit_panels import a_design, some_cells

FEW = settings(max_examples=8, deadline=None)
IN_UNITS = ["estimate", "ci_low", "ci_high", "set_low", "set_high"]
LEAST = Inference(draws=99, permutations=99)


def pilots(codes: list[int]) -> dict[str, int]:
    return {str(code): 8 for code in codes}


def bounds(cells: pd.DataFrame, codes: list[int]) -> pd.DataFrame:
    effects = annual_effects(prepare(cells, a_design(pilots=pilots(codes))).panel, estimator="twfe", weights="child")
    return bounds_frame(effects, outcome_id="o")


def fitted(cells: pd.DataFrame, codes: list[int]) -> DidResult:
    return fit_did(cells, design=a_design(pilots=pilots(codes)), inference=LEAST)


ALL = list(range(201, 207))


@FEW
@given(seed=st.integers(0, 10_000), unit=st.sampled_from([10, 100]))
def test_an_outcome_in_another_unit_gives_bounds_in_that_unit(seed: int, unit: int) -> None:
    cells = some_cells(seed=seed, n_periods=20)
    larger = cells.assign(y_sum=cells["y_sum"] * unit, y_sumsq=cells["y_sumsq"] * unit**2)
    one, other = bounds(cells, ALL), bounds(larger, ALL)
    assert other[IN_UNITS].to_numpy() == pytest.approx(unit * one[IN_UNITS].to_numpy(), rel=1e-4, nan_ok=True)
    smooth = one["restriction"] == "smoothness"
    scale = np.where(smooth, unit, 1)
    assert other["m"].to_numpy() == pytest.approx(scale * one["m"].to_numpy(), rel=1e-9)
    assert other["breakdown"].to_numpy() == pytest.approx(scale * one["breakdown"].to_numpy(), rel=1e-3, nan_ok=True)
    slope, scaled = (pre_trend(fitted(each, ALL), smallest_effect=effect) for each, effect in
                     ((cells, 0.02), (larger, 0.02 * unit)))  # fmt: skip
    for name in ("slope", "se_cr2", "ci_low", "slope_bound", "detectable_slope", "detectable_violation"):
        assert getattr(scaled, name) == pytest.approx(unit * getattr(slope, name), rel=1e-8)
    for name in ("df", "p_cr2", "p_equivalence", "p_joint"):
        assert getattr(scaled, name) == pytest.approx(getattr(slope, name), rel=1e-6)


@FEW
@given(seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(seed: int, order: object) -> None:
    cells = some_cells(seed=seed, n_periods=20)
    places = list(range(len(cells)))
    order.shuffle(places)  # type: ignore[attr-defined]
    pd.testing.assert_frame_equal(bounds(cells, ALL), bounds(cells.iloc[places], ALL))
    one, other = (pre_trend(fitted(each, ALL), smallest_effect=0.02) for each in (cells, cells.iloc[places]))
    assert one == other


@FEW
@given(seed=st.integers(0, 10_000), names=st.permutations(range(201, 215)))
def test_the_names_of_authorities_change_nothing(seed: int, names: list[int]) -> None:
    """But the draws of the joint test, which belong to the sorted names."""
    cells = some_cells(seed=seed, n_periods=20)
    renamed = cells.assign(unit_id=cells["unit_id"].map({str(201 + k): str(name) for k, name in enumerate(names)}))
    one, other = bounds(cells, ALL), bounds(renamed, names[:6])
    numbers = ["m", *IN_UNITS, "df"]
    assert other[numbers].to_numpy() == pytest.approx(one[numbers].to_numpy(), rel=1e-4, abs=1e-9, nan_ok=True)
    slope, same = (pre_trend(fitted(each, codes), smallest_effect=0.02) for each, codes in
                   ((cells, ALL), (renamed, names[:6])))  # fmt: skip
    for name in ("slope", "se_cr2", "df", "p_equivalence", "detectable_violation"):
        assert getattr(same, name) == pytest.approx(getattr(slope, name), rel=1e-7)
