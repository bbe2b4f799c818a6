"""No value that what is unknown can have been takes the effect outside its bounds."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from sos_spark.analysis.bounds import UNKNOWN_COLUMNS, bounds_frame
from sos_spark.config.study import Design, Inference
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.estimators import main_estimate
from sos_spark.fit.regression.covariance import Sandwich
from tests.fit_panels import a_design, quarter, some_cells

FEW = Inference(draws=99, permutations=99)
CELLS = some_cells(n_units=8, n_periods=7).drop(columns="y_sumsq")
DESIGNS = {
    "one go-live": a_design(pilots={"201": 3, "202": 3, "203": 3}),
    "staggered": a_design(pilots={"201": 3, "202": 3, "203": 5}),
}
PLACES = st.sets(st.tuples(st.integers(201, 208), st.integers(0, 6)), min_size=1, max_size=9)


def effect(cells: pd.DataFrame, design: Design) -> float:
    estimate = main_estimate(prepare(cells, design).panel, weights="child", staggered="imputation")
    return Sandwich(estimate.moments).estimate(estimate.coefficient)


def boxes(places: set[tuple[int, int]], *, widen: int = 0) -> pd.DataFrame:
    rows = [
        ("o", str(unit), period, quarter(period), 40, max(0, 5 + unit % 7 - widen), min(40, 20 + period + widen), "x")
        for unit, period in sorted(places)
    ]
    return pd.DataFrame(rows, columns=list(UNKNOWN_COLUMNS))


@settings(max_examples=20, deadline=None)
@given(PLACES, st.sampled_from(sorted(DESIGNS)), st.integers(0, 2**32 - 1))
def test_no_point_of_the_box_is_outside_the_bounds(places: set[tuple[int, int]], kind: str, seed: int) -> None:
    design, box = DESIGNS[kind], boxes(places)
    row = bounds_frame(CELLS, box, design=design, inference=FEW).iloc[0]
    random = np.random.default_rng(seed)
    inside = box.assign(y_sum=random.uniform(box["y_low"], box["y_high"]))
    filled = (
        pd.concat([CELLS, inside]).groupby(["outcome_id", "unit_id", "period"], as_index=False)[["n", "y_sum"]].sum()
    )
    filled = filled.assign(period_start=filled["period"].map(quarter))

    assert row["att_low"] - 1e-12 <= effect(filled, design) <= row["att_high"] + 1e-12


@settings(max_examples=8, deadline=None)
@given(PLACES, st.integers(1, 9))
def test_a_wider_box_has_wider_bounds(places: set[tuple[int, int]], widen: int) -> None:
    narrow, wide = (
        bounds_frame(CELLS, boxes(places, widen=by), design=DESIGNS["one go-live"], inference=FEW).iloc[0]
        for by in (0, widen)
    )
    assert wide["att_low"] <= narrow["att_low"] <= narrow["att_high"] <= wide["att_high"]


@settings(max_examples=6, deadline=None)
@given(PLACES, st.randoms(use_true_random=False))
def test_the_order_of_rows_does_not_matter(places: set[tuple[int, int]], random) -> None:  # type: ignore[no-untyped-def]
    box = boxes(places)
    shuffled = [frame.iloc[random.sample(range(len(frame)), len(frame))] for frame in (CELLS, box)]
    there, back = (
        bounds_frame(cells, unknown, design=DESIGNS["staggered"], inference=FEW)
        for cells, unknown in ((CELLS, box), shuffled)
    )
    pd.testing.assert_frame_equal(there, back, rtol=1e-12, check_exact=False)
