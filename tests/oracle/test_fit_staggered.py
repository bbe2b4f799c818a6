"""Group-time effects and their aggregates against R's did on its own example, and by brute force."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sos_spark.errors import InputError
from sos_spark.fit.regression.design import NEVER
from sos_spark.fit.staggered.group_time import (
    Control,
    UnitPanel,
    aggregate,
    group_time_effects,
    saturated_moments,
)
from tests.references import Reference
from tests.staggered_panels import cluster_scores

R_DID = Reference(
    "Callaway and Sant'Anna",
    "effects by group and time, aggregates of all kinds",
    "did (R), minimum wages",
    "package",
    1e-12,
    absolute=True,
)


def simple_effect_and_se(panel: UnitPanel, *, control: Control | None = None) -> tuple[float, float]:
    """Returns the simple aggregate and its CR0 standard error, without building a regression."""
    effects = group_time_effects(panel, control=control)
    simple = aggregate(effects, "simple")["overall"]
    return float(simple @ effects.means), float(np.sqrt(np.sum(cluster_scores(panel, effects, simple) ** 2)))


@pytest.fixture(scope="module")
def mpdta(reference_data: Path) -> UnitPanel:
    rows = pd.read_csv(reference_data / "did" / "mpdta.csv")
    wide = rows.pivot(index="countyreal", columns="year", values="lemp")
    first = rows.groupby("countyreal")["first.treat"].first()
    gtime = np.where(first == 0, NEVER, first - 2003).astype(np.int64)
    values = wide.to_numpy()
    return UnitPanel(tuple(map(str, wide.index)), gtime, np.ones_like(values), values, values**2)


@pytest.mark.reference
@pytest.mark.parametrize(("scenario", "control"), [("mpdta_nev_dr", "never"), ("mpdta_nyt_dr", "not_yet")])
def test_group_time_effects_are_those_of_r(mpdta: UnitPanel, reference_data: Path, scenario: str, control: str) -> None:
    expected = pd.read_csv(reference_data / "did" / "r_did_reference" / "ref_attgt.csv").query("scenario == @scenario")
    effects = group_time_effects(mpdta, base="varying", control=control)  # type: ignore[arg-type]
    ours = {(g + 2003, t + 2003): att for (g, t), att in zip(effects.effects, effects.att, strict=True)}
    assert len(ours) == len(expected)
    se = {
        (g + 2003, t + 2003): np.sqrt(np.sum(cluster_scores(mpdta, effects, linear_map) ** 2))
        for (g, t), linear_map in zip(effects.effects, effects.maps, strict=True)
    }
    for row in expected.itertuples():
        assert ours[row.group, row.t] == R_DID.equals(row.att)
        # Not yet treated groups are pooled by R, and keep means of their own here.
        assert se[row.group, row.t] == pytest.approx(row.se, rel=1e-9 if control == "never" else 2e-2)


@pytest.mark.reference
@pytest.mark.parametrize(("scenario", "control"), [("mpdta_nev_dr", "never"), ("mpdta_nyt_dr", "not_yet")])
@pytest.mark.parametrize("how", ["simple", "group", "event", "calendar"])
def test_aggregates_are_those_of_r(
    mpdta: UnitPanel, reference_data: Path, scenario: str, control: str, how: str
) -> None:
    kind = "dynamic" if how == "event" else how
    table = pd.read_csv(reference_data / "did" / "r_did_reference" / "ref_aggte.csv")
    expected = table[(table["scenario"] == scenario) & (table["type"] == kind)]
    effects = group_time_effects(mpdta, base="varying", control=control)  # type: ignore[arg-type]
    ours = {name: float(row @ effects.means) for name, row in aggregate(effects, how).items()}  # type: ignore[arg-type]
    assert ours["overall"] == R_DID.equals(expected["overall_att"].iloc[0])
    for row in expected.dropna(subset="egt").to_dict("records"):
        name = str(int(row["egt"]) - (2003 if how in ("group", "calendar") else 0))
        assert ours[name] == R_DID.equals(row["att_egt"])


@pytest.mark.reference
def test_standard_error_is_close_to_the_influence_function_s(mpdta: UnitPanel) -> None:
    att, se = simple_effect_and_se(mpdta, control="never")
    assert att == pytest.approx(-0.0399512751551763, abs=1e-12)
    assert se == pytest.approx(0.0120340127701854, rel=0.03)  # R's adds the sampling of group shares


def a_panel(seed: int = 7) -> UnitPanel:
    random = np.random.default_rng(seed)
    gtime = np.array([3, 3, 5, 5, 5, NEVER, NEVER, NEVER, NEVER])
    rows = random.integers(0, 9, size=(9, 8)).astype(float)
    rows[:, 2:6] += 1
    y_sum = np.round(rows * random.random((9, 8)))
    return UnitPanel(tuple(f"u{k}" for k in range(9)), gtime, rows, y_sum, y_sum)


def test_saturated_regression_gives_the_aggregate_and_its_score() -> None:
    panel = a_panel()
    effects = group_time_effects(panel)
    maps = aggregate(effects, "event")
    moments = saturated_moments(panel, effects, {"overall": maps["overall"], "0": maps["0"]})
    beta = np.linalg.solve(moments.xx.sum(axis=0), moments.xy.sum(axis=0))
    assert beta[0] == pytest.approx(maps["overall"] @ effects.means, rel=1e-10)
    assert beta[1] == pytest.approx(maps["0"] @ effects.means, rel=1e-10)


def test_cr0_of_the_regression_is_the_score_s() -> None:
    panel = a_panel()
    effects = group_time_effects(panel)
    moments = saturated_moments(panel, effects, {"att": aggregate(effects, "simple")["overall"]})
    bread = np.linalg.inv(moments.xx.sum(axis=0))
    beta = bread @ moments.xy.sum(axis=0)
    scores = (moments.xy - moments.xx @ beta) @ bread[0]
    att, se = simple_effect_and_se(panel)
    assert beta[0] == pytest.approx(att, rel=1e-10)
    assert np.sqrt(np.sum(scores**2)) == pytest.approx(se, rel=1e-9)


def test_one_group_and_equal_rows_is_the_difference_of_differences() -> None:
    y = np.array([[1.0, 2.0, 5.0], [2.0, 3.0, 3.0], [0.0, 1.0, 1.0]])
    panel = UnitPanel(("a", "b", "c"), np.array([2, NEVER, NEVER]), np.full_like(y, 4.0), 4 * y)
    effects = group_time_effects(panel)
    assert aggregate(effects, "simple")["overall"] @ effects.means == pytest.approx((5 - 2) - (2 - 2))


def test_la_equal_takes_means_of_la_means() -> None:
    rows = np.array([[1.0, 1.0], [9.0, 9.0], [5.0, 5.0]])
    y = np.array([[0.0, 1.0], [0.0, 0.0], [0.0, 0.0]])
    panel = UnitPanel(("a", "b", "c"), np.array([1, 1, NEVER]), rows, rows * y)
    by = {w: simple_effect_and_se(panel.weighing(w))[0] for w in ("child", "la_equal")}
    assert by == {"child": pytest.approx(0.1), "la_equal": pytest.approx(0.5)}


def test_a_panel_without_treated_or_comparators_is_refused() -> None:
    rows = np.ones((2, 3))
    with pytest.raises(InputError, match="No authority is treated"):
        group_time_effects(UnitPanel(("a", "b"), np.array([NEVER, NEVER]), rows, rows))
    with pytest.raises(InputError, match="No effect can be measured"):
        group_time_effects(UnitPanel(("a", "b"), np.array([1, 1]), rows, rows))
