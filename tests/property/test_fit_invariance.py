"""What must not change an estimate: order, splitting cells, time shifted by whole periods, units outside the study."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sos_spark.config.study import Comparators, Covariates, Pilot
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import TREATED, treatment_regression
from tests.fit_panels import a_design, quarter, some_cells

FEW = settings(max_examples=20, deadline=None)


def numbers(cells: pd.DataFrame, **changed: Any) -> tuple[float, ...]:
    """Estimate, CR1, CR2 and df."""
    panel = prepare(cells, a_design(**changed)).panel
    fitted = Sandwich(treatment_regression(panel, weights="child").moments)
    own = fitted.satterthwaite_of([TREATED])
    return fitted.estimate(TREATED), fitted.se(fitted.cr1, TREATED), float(own.se[0]), float(own.df[0])


@FEW
@given(seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False))
def test_row_order_changes_nothing(seed: int, order: object) -> None:
    cells = some_cells(seed=seed)
    places = list(range(len(cells)))
    order.shuffle(places)  # type: ignore[attr-defined]
    assert numbers(cells.iloc[places]) == numbers(cells)


@FEW
@given(seed=st.integers(0, 10_000), split_seed=st.integers(0, 10_000))
def test_splitting_cells_by_what_is_not_adjusted_for_changes_nothing(seed: int, split_seed: int) -> None:
    cells = some_cells(seed=seed)
    random = np.random.default_rng(split_seed)
    n = random.integers(1, cells["n"])
    y_sum = random.hypergeometric(cells["y_sum"], cells["n"] - cells["y_sum"], n)
    part = cells.assign(n=n, y_sum=y_sum, y_sumsq=y_sum, sex="male")
    rest = cells.assign(n=cells["n"] - n, y_sum=cells["y_sum"] - y_sum, y_sumsq=cells["y_sum"] - y_sum, sex="female")
    assert numbers(pd.concat([part, rest])) == pytest.approx(numbers(cells), rel=1e-12)


@FEW
@given(shift=st.integers(1, 12))
def test_shifting_time_by_whole_periods_changes_nothing(shift: int) -> None:
    cells = some_cells()
    moved = cells.assign(
        period=cells["period"] + shift, period_start=[quarter(int(t) + shift).isoformat() for t in cells["period"]]
    )
    later = tuple(Pilot(la_code=pilot.la_code, go_live=quarter(3 + shift)) for pilot in a_design().pilots)
    panel = prepare(moved, a_design().model_copy(update={"pilots": later})).panel
    fitted = Sandwich(treatment_regression(panel, weights="child").moments)
    assert fitted.estimate(TREATED) == pytest.approx(numbers(cells)[0], rel=1e-12)


@FEW
@given(seed=st.integers(0, 10_000))
def test_a_unit_that_does_not_compare_changes_nothing(seed: int) -> None:
    cells = some_cells(seed=seed)
    listed = Comparators(kind="listed", la_codes=tuple(str(code) for code in range(207, 214)))
    without = cells[cells["unit_id"] != "214"]
    assert numbers(cells, comparators=listed) == numbers(without, comparators=listed)


@FEW
@given(seed=st.integers(0, 10_000), scale=st.integers(2, 500))
def test_the_unit_of_y_is_the_unit_of_the_effect(seed: int, scale: int) -> None:
    cells = some_cells(seed=seed)
    scaled = cells.assign(y_sum=cells["y_sum"] * scale, y_sumsq=cells["y_sumsq"] * scale**2)
    att, se_cr1, se_cr2, df = numbers(cells)
    assert numbers(scaled) == pytest.approx((scale * att, scale * se_cr1, scale * se_cr2, df), rel=1e-10, abs=1e-12)


@FEW
@given(seed=st.integers(0, 10_000))
def test_the_names_of_levels_do_not_matter(seed: int) -> None:
    cells = some_cells(seed=seed)
    both = pd.concat([cells.assign(sex="female"), cells.assign(sex="male", y_sum=cells["n"] // 3)])
    both["y_sumsq"] = both["y_sum"]
    named = both.replace({"sex": {"female": "z", "male": "a"}})
    covariates = Covariates(categorical=("sex",))
    assert numbers(named, covariates=covariates) == pytest.approx(numbers(both, covariates=covariates), rel=1e-10)
