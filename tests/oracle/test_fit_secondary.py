"""Triple differences, dose and exposure against pyfixest on individual rows, N x N matrices, and scores of means."""

from __future__ import annotations

import warnings
from itertools import combinations

import numpy as np
import pandas as pd
import pyfixest
import pytest

from sos_spark.analysis.secondary.dose import DOSE, dose_coefficients
from sos_spark.analysis.secondary.exposure import INTENSITY, exposure_coefficients
from sos_spark.analysis.secondary.split import Split, split_by_rating
from sos_spark.analysis.secondary.subgroups import (
    DIFFERENCE,
    FIRST,
    SECOND,
    label_p,
    subgroup_coefficients,
    subgroup_moments,
)
from sos_spark.config.study import Inference
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.estimators import cs_simple, twfe, unit_panel
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import TREATED, Weights
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.group_time import aggregate, group_time_effects
from tests.fit_panels import a_design, collapsed, design_of, some_children
from tests.oracle.test_fit_cr2 import brute_force
from tests.references import Reference
from tests.secondary_panels import a_study
from tests.staggered_panels import cluster_scores

OF_ROWS = Reference(
    "Difference between subgroups, dose, exposure",
    "coefficient and CR1 error",
    "pyfixest on the individual rows",
    "package",
    1e-10,
)
CR2_DIFFERENCE = Reference(
    "Difference between subgroups",
    "CR2 error and df",
    "matrices of individual rows",
    "brute force",
    1e-9,
)

EXACT = 1e-10
QUICK = Inference(draws=199, permutations=99)
RATINGS = ("good", "inadequate", "outstanding", "requires_improvement")


def labelled(children: pd.DataFrame) -> pd.DataFrame:
    """Individual rows with the second group's mark, a dose, and comparators' intensity."""
    n_periods = int(children["period"].max()) + 1
    ever = children.groupby("unit")["treated"].transform("max") == 1
    second = (children["unit"] % 2).astype(float)
    in_use = children["period"] >= 2 + children["unit"] % (n_periods - 2)
    return children.assign(
        second=second,
        t_first=children["treated"] * (1 - second),
        t_second=children["treated"] * second,
        t_dose=children["treated"] * (children["unit"] % 5) * 0.3,
        intensity=np.where(~ever & in_use & (children["unit"] % 3 > 0), 0.2 + 0.05 * (children["unit"] % 7), 0.0),
        **{f"s_{t}": second * (children["period"] == t) for t in range(1, n_periods)},
    )


def split_of(children: pd.DataFrame, *, crossed: bool, by: tuple[str, ...] = (), y: str = "yes") -> Split:
    panel = prepare(collapsed(children, y=y, by=by), design_of(children, by=by)).panel
    marked = np.array([int(unit) - 201 for unit in panel.unit_ids]) % 2 == 1
    return Split(panel, marked & (panel.is_treated_unit | crossed), ("first", "second"), crossed)


def on_rows(rows: pd.DataFrame, formula: str, name: str, *, weights: str | None = None) -> tuple[float, float]:
    """pyfixest's coefficient and CR1 standard error."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pyfixest.feols(
            formula,
            rows,
            vcov={"CRV1": "unit"},
            weights=weights,
            fixef_tol=1e-14,
            fixef_maxiter=100_000,
            fixef_rm="none",
        )
    return float(fit.coef()[name]), float(fit.se()[name])


def assert_same(moments: ClusterMoments, name: str, expected: tuple[float, float]) -> None:
    fitted = Sandwich(moments)
    assert fitted.estimate(name) == OF_ROWS.equals(expected[0])
    assert fitted.se(fitted.cr1, name) == OF_ROWS.equals(expected[1])


@pytest.mark.parametrize("weights", ["child", "la_equal"])
@pytest.mark.parametrize("crossed", [True, False])
@pytest.mark.parametrize("by", [(), ("sex",)])
def test_the_triple_difference_is_that_of_the_rows(weights: Weights, crossed: bool, by: tuple[str, ...]) -> None:
    rows = labelled(some_children(n_rows=12_000, seed=11))
    rows["weight"] = 1 / rows.groupby("unit")["yes"].transform("size")
    effects, difference = subgroup_moments(split_of(rows, crossed=crossed, by=by), weights=weights)
    own_periods = [name for name in rows.columns if name.startswith("s_")] if crossed else []
    others = " + ".join([*own_periods, *(f"C({name})" for name in by)])
    tail = (f" + {others}" if others else "") + " | unit + period"
    column = "weight" if weights == "la_equal" else None
    for name, term in ((FIRST, "t_first"), (SECOND, "t_second")):
        assert_same(effects, name, on_rows(rows, f"yes ~ t_first + t_second{tail}", term, weights=column))
    assert_same(difference, DIFFERENCE, on_rows(rows, f"yes ~ treated + t_second{tail}", "t_second", weights=column))


def test_without_covariates_a_group_s_effect_is_that_of_its_own_panel() -> None:
    split = split_of(labelled(some_children(n_rows=9_000, seed=12)), crossed=True)
    effects, _ = subgroup_moments(split, weights="child")
    for second, name in ((False, FIRST), (True, SECOND)):
        alone = Sandwich(twfe(split.part(second=second), weights="child").moments)
        assert Sandwich(effects).estimate(name) == pytest.approx(alone.estimate(TREATED), rel=EXACT)


@pytest.mark.parametrize("crossed", [True, False])
@pytest.mark.parametrize("weights", ["child", "la_equal"])
def test_cr2_of_the_difference_by_brute_force(crossed: bool, weights: Weights) -> None:
    rows = labelled(some_children(n_rows=800, n_units=12, n_treated=5, n_periods=5, seed=13))
    _, difference = subgroup_moments(split_of(rows, crossed=crossed, y="days"), weights=weights)
    own = Sandwich(difference).satterthwaite_of([DIFFERENCE])
    totals = rows.groupby("unit")["unit"].transform("size").to_numpy(dtype=float)
    columns: list[Array] = [rows["t_second"].to_numpy(), rows["treated"].to_numpy()]
    columns += [rows[name].to_numpy() for name in rows.columns if crossed and name.startswith("s_")]
    dummies = [pd.get_dummies(rows["unit"]).to_numpy(), pd.get_dummies(rows["period"]).to_numpy()[:, 1:]]
    expected = brute_force(
        np.column_stack([*columns, *dummies]).astype(float),
        rows["days"].to_numpy(dtype=float),
        rows["unit"].to_numpy(),
        np.ones_like(totals) if weights == "child" else 1 / totals,
        place=0,
    )
    assert own.se[0] == CR2_DIFFERENCE.equals(expected.se_cr2)
    assert own.df[0] == CR2_DIFFERENCE.equals(expected.df)


def test_the_slope_on_the_dose_is_that_of_the_rows() -> None:
    rows = labelled(some_children(n_rows=12_000, seed=14))
    cells, design = collapsed(rows, y="yes", by=("sex",)), design_of(rows, by=("sex",))
    doses = {str(201 + unit): {"embeddedness": 0.3 * (unit % 5)} for unit in range(9)}
    at_mean, slope = dose_coefficients(prepare(cells, design).panel, a_study(design, pilots=doses), inference=QUICK)
    mean = np.mean([own["embeddedness"] for own in doses.values()])
    assert_same(slope.moments, DOSE, on_rows(rows, "yes ~ treated + t_dose + C(sex) | unit + period", "t_dose"))
    centred = rows.assign(t_dose=rows["t_dose"] - mean * rows["treated"])
    expected = on_rows(centred, "yes ~ treated + t_dose + C(sex) | unit + period", "treated")
    assert_same(at_mean.moments, TREATED, expected)


def test_the_effect_allowing_for_practice_models_is_that_of_the_rows() -> None:
    rows = labelled(some_children(n_rows=12_000, seed=15))
    cells, design = collapsed(rows, y="yes", by=("sex",)), design_of(rows, by=("sex",))
    models = [(str(201 + u), 2 + u % 10, 0.2 + 0.05 * (u % 7)) for u in range(9, 40) if u % 3 > 0]
    effect, slope = exposure_coefficients(prepare(cells, design).panel, a_study(design, models=models), inference=QUICK)
    formula = "yes ~ treated + intensity + C(sex) | unit + period"
    assert_same(effect.moments, TREATED, on_rows(rows, formula, "treated"))
    assert_same(slope.moments, INTENSITY, on_rows(rows, formula, "intensity"))


def staggered_split(*, crossed: bool) -> Split:
    children = some_children(n_rows=20_000, n_units=30, n_treated=10, n_periods=10, seed=16)
    design = a_design(pilots={str(201 + unit): 3 + unit % 3 for unit in range(10)})
    panel = prepare(collapsed(children, y="yes"), design).panel
    marked = np.array([int(unit) - 201 for unit in panel.unit_ids]) % 2 == 1
    return Split(panel, marked & (panel.is_treated_unit | crossed), ("first", "second"), crossed)


@pytest.mark.parametrize("crossed", [True, False])
@pytest.mark.parametrize("weights", ["child", "la_equal"])
def test_under_several_go_lives_effects_and_scores_are_those_of_each_group(crossed: bool, weights: Weights) -> None:
    split = staggered_split(crossed=crossed)
    effects, difference = subgroup_moments(split, weights=weights)
    scores = np.zeros((2, len(split.panel.unit_ids)))
    own = []
    for second in (False, True):
        part = split.part(second=second)
        own.append(Sandwich(cs_simple(part, weights=weights).moments).estimate(TREATED))
        units = unit_panel(part).weighing(weights)
        grouped = group_time_effects(units)
        place = [split.panel.unit_ids.index(unit) for unit in part.unit_ids]
        scores[int(second), place] = cluster_scores(units, grouped, aggregate(grouped, "simple")["overall"])
    fitted = Sandwich(effects)
    assert [fitted.estimate(FIRST), fitted.estimate(SECOND)] == pytest.approx(own, rel=EXACT)
    apart = Sandwich(difference)
    assert apart.estimate(DIFFERENCE) == pytest.approx(own[1] - own[0], rel=1e-9)
    cr0 = apart.se(apart.cr1, DIFFERENCE) / np.sqrt(apart.cr1_factor)
    assert cr0 == pytest.approx(float(np.linalg.norm(scores[1] - scores[0])), rel=1e-9)


@pytest.mark.parametrize("crossed", [True, False])
def test_labels_are_permuted_in_the_regression_that_gives_the_difference(crossed: bool) -> None:
    """Every labelling fitted again by the long way, the actual one included."""
    rows = labelled(some_children(n_rows=3_000, n_units=9, n_treated=5, n_periods=4, seed=17))
    split = split_of(rows, crossed=crossed)
    p = label_p(split, inference=Inference(permutations=9_999))
    treated = split.panel.is_treated_unit
    statistics = []
    for own in combinations(np.flatnonzero(treated), int(split.second[treated].sum())):
        chosen = np.flatnonzero(~treated)
        others = combinations(chosen, int(split.second[~treated].sum())) if crossed else [()]
        for other in others:
            second = np.isin(np.arange(len(treated)), [*own, *other])
            _, moments = subgroup_moments(Split(split.panel, second, split.names, crossed), weights="child")
            fitted = Sandwich(moments)
            statistics.append(abs(fitted.estimate(DIFFERENCE) / fitted.se(fitted.cr1, DIFFERENCE)))
    _, moments = subgroup_moments(split, weights="child")
    fitted = Sandwich(moments)
    actual = abs(fitted.estimate(DIFFERENCE) / fitted.se(fitted.cr1, DIFFERENCE))
    assert p == pytest.approx(np.mean(np.array(statistics) >= actual * (1 - 1e-10)), abs=1e-12)


def test_ratings_of_a_study_split_the_panel() -> None:
    rows = some_children(n_rows=5_000, n_units=30, seed=18)
    design = design_of(rows)
    panel = prepare(collapsed(rows, y="yes"), design).panel
    known = {pilot.la_code: {"ofsted_before": RATINGS[int(pilot.la_code) % 4]} for pilot in design.pilots}
    ratings = {str(201 + unit): RATINGS[(201 + unit) % 4] for unit in range(9, 30)}
    split = split_by_rating(panel, a_study(design, pilots=known, ratings=ratings))
    assert split.crossed
    assert split.second.tolist() == [int(unit) % 2 == 1 for unit in split.panel.unit_ids]
    terms = [each.term for each in subgroup_coefficients(split, inference=QUICK)]
    assert terms == ["effect in requires_improvement or inadequate", "effect in good or outstanding", "difference"]
