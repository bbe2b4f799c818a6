"""Calibration: which methods are judged, what is carried of the scatter's uncertainty, and when a rate holds."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sos_spark.analysis.calibration import Rate, Scatter, calibrate
from sos_spark.config.study import Inference
from tests.staggered_panels import random_totals

QUICK = Inference(draws=99, permutations=99)


def calibrated(gtime: list[int], effects: tuple[float, ...] = (0.1,), replications: int = 6) -> list[Rate]:
    panel = random_totals(gtime, n_units=16)
    return calibrate(panel, Scatter.of(panel, seed=1, n=3), effects, inference=QUICK, replications=replications)


@pytest.mark.parametrize(
    ("gtime", "methods"),
    [
        ([3], {"ri", "headline"}),
        ([3, 3, 3], {"cr2", "ri", "headline"}),
        ([3] * 6, {"cr2", "wcr", "ri", "headline"}),
        ([3, 3, 3, 4, 4, 4], {"cr2", "wcr", "ri", "headline"}),
    ],
)
def test_the_methods_are_those_that_a_study_of_so_many_pilots_prints(gtime: list[int], methods: set[str]) -> None:
    rates = calibrated(gtime, replications=2)
    assert {rate.method for rate in rates} == methods
    assert {(rate.measure, rate.effect) for rate in rates} == {
        ("size", 0.0), ("power", 0.1), *((name, at) for name in ("coverage", "strong", "moderate") for at in (0.0, 0.1))
    }  # fmt: skip


def test_the_headline_rejects_where_its_methods_do_and_a_large_effect_is_found() -> None:
    rates = {(rate.measure, rate.method, rate.effect): rate.value for rate in calibrated([3] * 6, (0.6,))}
    assert rates["power", "headline", 0.6] == 1
    for measure, effect in (("size", 0.0), ("power", 0.6)):
        assert rates[measure, "headline", effect] <= min(rates[measure, name, effect] for name in ("cr2", "wcr"))
    assert rates["coverage", "headline", 0.0] == rates["coverage", "wcr", 0.0]


def test_evidence_is_called_strong_where_a_drift_that_would_matter_is_ruled_out() -> None:
    panel = random_totals([4] * 6, n_units=16, n_periods=8)
    scatter = Scatter.of(panel, seed=1, n=3)

    def rated(smallest_effect: float) -> list[float]:
        rates = calibrate(panel, scatter, (0.5,), inference=QUICK, replications=4, smallest_effect=smallest_effect)
        return [rate.value for rate in rates if rate.measure in ("strong", "moderate") and rate.effect]

    assert rated(5.0) == [1, 1]
    assert rated(1e-6) == [0, 1]


def test_the_same_seed_gives_the_same_rates() -> None:
    assert calibrated([3] * 6) == calibrated([3] * 6)


def test_the_scatter_s_uncertainty_is_carried_also_from_the_edge() -> None:
    panel = random_totals([3] * 4, n_units=16, equal=True)
    half = panel.rows / 2
    flat = replace(panel, y_sum=half, y_sumsq=half)
    scatter = Scatter.of(flat, seed=1, n=40)
    assert scatter.estimated.sd_shock == 0
    assert (scatter.sd_shock > 0).any()
    assert scatter.drawn(40).sd_shock == scatter.drawn(0).sd_shock
    assert {scatter.drawn(k).sd_shock for k in range(40)} == set(scatter.sd_shock.tolist())


@pytest.mark.parametrize(
    ("measure", "value", "holds"),
    [
        ("size", 0.05, True),
        ("size", 0.09, False),
        ("size", 0.01, False),
        ("coverage", 0.95, True),
        ("coverage", 0.90, False),
        ("power", 0.3, None),
        ("strong", 0.3, None),
    ],
)
def test_a_rate_holds_within_its_band_but_for_chance(measure: str, value: float, holds: bool | None) -> None:
    assert Rate(measure, "cr2", 0.0, value, 10_000).holds is holds


def test_with_few_replications_only_a_gross_failure_is_told() -> None:
    assert Rate("size", "cr2", 0.0, 0.09, 50).holds
    assert not Rate("size", "cr2", 0.0, 0.30, 50).holds
    assert Rate("coverage", "cr2", 0.0, 1.0, 20).holds
