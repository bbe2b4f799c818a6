"""What must not change a secondary analysis: order, which group comes first, the unit and origin of a dose."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sos_spark.config.ratings import OFSTED_RATINGS
from sos_spark.config.study import Study
from tests.fit_panels import a_design, some_cells
from tests.secondary_panels import a_study, rows_of

FEW = settings(max_examples=8, deadline=None)
PILOTS = {str(201 + k): 4 for k in range(12)}
SAME: dict[str, Any] = {"rel": 1e-9, "abs": 1e-12}
NUMBERS = ["att", "se_cr2", "df_satterthwaite", "p_cr2", "p_wcr", "p_ri"]
WORSE, GOOD = "effect in requires_improvement or inadequate", "effect in good or outstanding"


def a_rated_study(*, seed: int = 1, scale: float = 1.0, origin: float = 0.0, **secondary: Any) -> Study:
    """Twelve pilots and twelve comparators, ratings in turn, doses at random in some unit and from some origin."""
    random = np.random.default_rng(seed)
    doses = random.normal(size=12)
    pilots = {
        code: {"ofsted_before": OFSTED_RATINGS[k % 4], "embeddedness": float(origin + scale * doses[k])}
        for k, code in enumerate(PILOTS)
    }
    ratings = {str(213 + k): OFSTED_RATINGS[k % 4] for k in range(12)}
    models = [(str(213 + k), 2 + k % 4, 0.1 + 0.05 * k) for k in range(9)]
    return a_study(a_design(pilots=PILOTS), pilots=pilots, ratings=ratings, models=models, secondary=secondary)


def cells(seed: int) -> pd.DataFrame:
    return some_cells(n_units=24, seed=seed)


@FEW
@given(seed=st.integers(0, 10_000), order=st.randoms(use_true_random=False))
def test_the_order_of_rows_pilots_and_ratings_changes_nothing(seed: int, order: object) -> None:
    study = a_rated_study(seed=seed)
    places = list(range(24 * 8))
    order.shuffle(places)  # type: ignore[attr-defined]
    turned = study.model_copy(
        update={
            "pilots": study.pilots[::-1],
            "ratings": study.ratings[::-1],
            "practice_models": study.practice_models[::-1],
        }
    )
    design = a_design(pilots=PILOTS)
    one, other = rows_of(cells(seed), design, study), rows_of(cells(seed).iloc[places], design, turned)
    assert other.index.tolist() == one.index.tolist()
    for name in NUMBERS:
        assert other[name].to_numpy() == pytest.approx(one[name].to_numpy(), nan_ok=True, **SAME)


@FEW
@given(seed=st.integers(0, 10_000))
def test_which_group_comes_first_turns_the_difference_s_sign_only(seed: int) -> None:
    design = a_design(pilots=PILOTS)
    one = rows_of(cells(seed), design, a_rated_study(analyses=("ofsted",)))
    swapped = ("requires_improvement", "inadequate")
    other = rows_of(cells(seed), design, a_rated_study(analyses=("ofsted",), ofsted_better=swapped))
    assert other.index.tolist() == [GOOD, WORSE, "difference"]
    for name in NUMBERS:
        assert other.loc[[WORSE, GOOD], name].to_numpy() == pytest.approx(
            one.loc[[WORSE, GOOD], name].to_numpy(), **SAME
        )
    assert other.loc["difference", "att"] == pytest.approx(-one.loc["difference", "att"], **SAME)
    for name in ("se_cr2", "df_satterthwaite", "p_cr2", "p_wcr"):
        assert other.loc["difference", name] == pytest.approx(one.loc["difference", name], **SAME)
    assert one.loc["difference", "att"] == pytest.approx(one.loc[WORSE, "att"] - one.loc[GOOD, "att"], **SAME)


@FEW
@given(seed=st.integers(0, 10_000), scale=st.floats(0.01, 100), origin=st.floats(-50, 50))
def test_a_dose_in_another_unit_or_from_another_origin_is_the_same_dose(seed: int, scale: float, origin: float) -> None:
    design = a_design(pilots=PILOTS)
    kept: dict[str, Any] = {"analyses": ("embeddedness",)}
    one = rows_of(cells(seed), design, a_rated_study(**kept))
    other = rows_of(cells(seed), design, a_rated_study(scale=scale, origin=origin, **kept))
    near: dict[str, Any] = {"rel": 1e-6, "abs": 1e-9}
    at_mean, slope = "effect at mean embeddedness", "per unit of embeddedness"
    assert other.loc[at_mean, NUMBERS].tolist() == pytest.approx(one.loc[at_mean, NUMBERS].tolist(), **near)
    assert scale * other.loc[slope, "att"] == pytest.approx(one.loc[slope, "att"], **near)
    for name in ("df_satterthwaite", "p_cr2", "p_wcr", "p_ri"):
        assert other.loc[slope, name] == pytest.approx(one.loc[slope, name], **near)


@FEW
@given(seed=st.integers(0, 10_000), level=st.integers(1, 5))
def test_an_outcome_in_another_unit_scales_every_effect(seed: int, level: int) -> None:
    design, study = a_design(pilots=PILOTS), a_rated_study()
    base = cells(seed).drop(columns="y_sumsq")
    one = rows_of(base, design, study)
    other = rows_of(base.assign(y_sum=7 * base["y_sum"] + level * base["n"]), design, study)
    assert other["att"].to_numpy() == pytest.approx(7 * one["att"].to_numpy(), rel=1e-7, abs=1e-11)
    for name in ("p_cr2", "p_ri"):
        assert other[name].to_numpy() == pytest.approx(one[name].to_numpy(), rel=1e-6, nan_ok=True)
