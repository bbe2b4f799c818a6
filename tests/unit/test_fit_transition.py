"""A go-live inside a period: treated by the share of its days in two-way effects, left out of everything else."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf

from sos_spark.analysis.pilots import each_pilot
from sos_spark.analysis.pretrend import pre_trend
from sos_spark.config.study import Design, Pilot
from sos_spark.fit import DidResult, fit_did
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.did import fit_prepared
from sos_spark.fit.estimators import twfe
from sos_spark.fit.inference.effect_distribution import EffectDistribution
from sos_spark.fit.lone_pilot import LonePilot, lone_pilot
from tests.fit_panels import QUICK, a_design, a_window, quarter, some_cells

EFFECT = 0.2


def a_fraction_design(days: dict[str, int], *, transition: str = "fraction") -> Design:
    """Pilots that go live so many days into the fourth quarter (number 3)."""
    pilots = tuple(
        Pilot(la_code=code, go_live=date.fromisoformat(str(quarter(3))) + timedelta(days=n)) for code, n in days.items()
    )
    return a_design(window=a_window(transition=transition)).model_copy(update={"pilots": pilots})


def planted(exposed: dict[str, float], *, n_units: int = 14, noise: bool = False) -> pd.DataFrame:
    """Outcomes of 0.3 and the effect by exposure, which is 1 from quarter 4 on and the share given in quarter 3."""
    cells = some_cells(n_units=n_units)
    share = cells["unit_id"].map(exposed).fillna(0.0) * (cells["period"] == 3)
    share = share + cells["unit_id"].isin(list(exposed)) * (cells["period"] > 3)
    mean = cells["y_sum"] / cells["n"] if noise else 0.3
    return cells.assign(y_sum=cells["n"] * (mean + EFFECT * share), y_sumsq=np.nan).drop(columns="y_sumsq")


def share_of(days: int) -> float:
    start, end = (date.fromisoformat(str(quarter(number))) for number in (3, 4))
    return 1 - days / (end - start).days


def test_an_effect_that_starts_inside_a_period_is_found_whole_and_was_watered_down() -> None:
    days = dict.fromkeys(("201", "202", "203", "204", "205", "206"), 30)
    cells = planted({code: share_of(n) for code, n in days.items()})
    fraction, keep, drop = (
        fit_did(cells, design=a_fraction_design(days, transition=how), inference=QUICK).att
        for how in ("fraction", "keep", "drop")
    )
    assert fraction == pytest.approx(EFFECT)
    assert drop == pytest.approx(EFFECT)
    assert keep < EFFECT - 0.02


def test_shares_may_differ_between_pilots_and_the_estimate_is_that_of_statsmodels() -> None:
    days = {"201": 10, "202": 45, "203": 80, "204": 10, "205": 45}
    cells = planted({code: share_of(n) for code, n in days.items()}, noise=True)
    result = fit_did(cells, design=a_fraction_design(days), inference=QUICK)
    rows = cells.assign(y=cells["y_sum"] / cells["n"])
    shares = rows["unit_id"].map({code: share_of(n) for code, n in days.items()}).fillna(0.0)
    rows["d"] = shares * (rows["period"] == 3) + rows["unit_id"].isin(list(days)) * (rows["period"] > 3)
    outside = smf.wls("y ~ d + C(unit_id) + C(period)", rows, weights=rows["n"]).fit()
    assert result.att == pytest.approx(outside.params["d"], rel=1e-9)
    assert "share of days" in result.note
    assert "treated by its share of days" in " ".join(result.warnings)


def test_shares_are_permuted_with_their_go_lives() -> None:
    """Two pilots of 6 with different shares: 30 ways, each fitted again by statsmodels."""
    days = {"201": 10, "202": 70}
    cells = planted({code: share_of(n) for code, n in days.items()}, n_units=6, noise=True)
    result = fit_did(cells, design=a_fraction_design(days), inference=QUICK)
    assert isinstance(result.permuted, EffectDistribution)
    assert result.permuted.plan.n == 30
    rows = cells.assign(y=cells["y_sum"] / cells["n"])
    found = []
    for first in sorted(rows["unit_id"].unique()):
        for second in sorted(set(rows["unit_id"]) - {first}):
            share = rows["unit_id"].map({first: share_of(10), second: share_of(70)}).fillna(0.0)
            rows["d"] = share * (rows["period"] == 3) + rows["unit_id"].isin([first, second]) * (rows["period"] > 3)
            found.append(smf.wls("y ~ d + C(unit_id) + C(period)", rows, weights=rows["n"]).fit().params["d"])
    assert sorted(result.permuted.att) == pytest.approx(sorted(found), rel=1e-8)


def test_whatever_else_is_fitted_leaves_the_period_out() -> None:
    days = dict.fromkeys(("201", "202", "203", "204", "205"), 30)
    cells = planted({code: share_of(n) for code, n in days.items()}, noise=True)
    fraction, drop = (prepare(cells, a_fraction_design(days, transition=how)) for how in ("fraction", "drop"))
    assert settled(fraction.panel).rows == pytest.approx(drop.panel.rows)
    design = a_fraction_design(days)
    for estimator in ("imputation", "etwfe"):
        mine, theirs = (
            fit_prepared(one, design=design, inference=QUICK, estimator=estimator).att for one in (fraction, drop)
        )
        assert mine == theirs
    own = [one.att for one in each_pilot(fraction.panel, weights="child").effects]
    assert own == [one.att for one in each_pilot(drop.panel, weights="child").effects]
    results: list[DidResult] = [fit_prepared(one, design=design, inference=QUICK) for one in (fraction, drop)]
    studies = [one.event_study() for one in results]
    pd.testing.assert_frame_equal(studies[0], studies[1])
    assert "event time -1 has no rows" in results[0].event_study_result.note
    assert pre_trend(results[0], smallest_effect=0.1).slope == pytest.approx(
        pre_trend(results[1], smallest_effect=0.1).slope
    )
    assert results[0].n_rows > results[1].n_rows
    assert results[0].baseline_mean == pytest.approx(results[1].baseline_mean)


def test_placebos_of_one_pilot_have_its_share() -> None:
    days = {"201": 30}
    cells = planted({"201": share_of(30)}, n_units=30, noise=True)
    result = fit_did(cells, design=a_fraction_design(days), inference=QUICK)
    assert isinstance(result.permuted, LonePilot)
    rest = prepare(cells, a_fraction_design(days)).panel.without({"201"})
    other = rest.unit_ids[4]
    starts = np.where(np.arange(len(rest.unit_ids)) == 4, 4, -1)
    moved = replace(rest, gtime=starts, partial=share_of(30) * (starts == 4))
    assert result.permuted.placebos.unit_ids[4] == other
    assert result.permuted.placebos.att[4] == pytest.approx(lone_pilot(twfe(moved, weights="child")).estimate)


def test_a_go_live_on_the_first_day_of_a_period_has_no_share() -> None:
    design = a_fraction_design({"201": 0, "202": 0})
    assert prepare(some_cells(), design).panel.partial is None
