"""WCR-33 against refitting every draw without each cluster, regions as clusters against statsmodels."""

from __future__ import annotations

from itertools import product

import numpy as np
import pandas as pd
import pytest
import statsmodels.api as sm

from sos_spark.analysis.other_inference import other_inference_frame, region_of
from sos_spark.config.reference import authorities
from sos_spark.config.study import OtherInference
from sos_spark.fit import fit_did
from sos_spark.fit.inference.jackknife import coarser, jackknife_bootstrap_test
from sos_spark.fit.inference.wild import wild_cluster_test
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import TREATED, treatment_regression
from tests.cluster_panels import Rows, moments_of, some_rows
from tests.fit_panels import QUICK, a_design, some_cells
from tests.references import Reference
from tools.monte_carlo.main_design import Conditions, Scenario, simulate_panels

REFITS = Reference(
    "Wild cluster bootstrap with the jackknife (WCR-33)",
    "p-value over all sign vectors",
    "every draw fitted again on individual rows, without each cluster",
    "brute force",
    1e-12,
)
REGIONS = Reference(
    "Coarser clusters",
    "CR1 standard error",
    "statsmodels on the individual rows, its factor apart",
    "package",
    1e-9,
)
METHODS: tuple[OtherInference, ...] = ("cr3_t", "wcr_33", "region")


def demeaned(rows: Rows) -> tuple[np.ndarray, np.ndarray]:
    """Regressors and outcome less their means in the unit: what sweeping units out leaves, as individual rows."""
    x, y = rows.regressors.copy(), rows.y.copy()
    for unit in range(rows.n_units):
        mine = rows.unit == unit
        x[mine] -= x[mine].mean(axis=0)
        y[mine] -= y[mine].mean()
    return x, y


def test_wcr_33_is_every_draw_fitted_again() -> None:
    rows = some_rows(n_units=6, n_treated=3, effect=0.4, seed=2)
    x, y = demeaned(rows)

    def cr3_t(outcome: np.ndarray) -> float:
        whole = np.linalg.lstsq(x, outcome, rcond=None)[0][0]
        apart = [np.linalg.lstsq(x[rows.unit != g], outcome[rows.unit != g], rcond=None)[0][0] for g in range(6)]
        return float(whole / np.sqrt(5 / 6 * np.sum((np.array(apart) - whole) ** 2)))

    fitted = x[:, 1:] @ np.linalg.lstsq(x[:, 1:], y, rcond=None)[0]
    residuals = np.empty_like(y)
    for g in range(6):
        mine = rows.unit == g
        beta = np.linalg.lstsq(x[~mine][:, 1:], y[~mine], rcond=None)[0]
        residuals[mine] = y[mine] - x[mine][:, 1:] @ beta
    t = cr3_t(y)
    stars = [cr3_t(fitted + np.array(signs)[rows.unit] * residuals) for signs in product((1, -1), repeat=6)]
    ours = jackknife_bootstrap_test(moments_of(rows), coefficient="treated", draws=64, seed=1)
    assert ours.t == pytest.approx(t, rel=1e-9)
    assert ours.p == REFITS.equals(np.mean(np.abs(stars) >= abs(t) * (1 - 1e-10)))


def test_clusters_put_together_are_those_of_individual_rows() -> None:
    rows = some_rows(n_units=9, n_treated=4, effect=0.3, seed=3)
    region = {str(200 + unit): f"r{unit // 2}" for unit in range(9)}
    moments = coarser(moments_of(rows), region)
    x, y = demeaned(rows)
    fitted = sm.OLS(y, x).fit(cov_type="cluster", cov_kwds={"groups": rows.unit // 2, "use_correction": False})
    solved = Sandwich(moments)
    assert solved.se(solved.cr1, "treated") / np.sqrt(solved.cr1_factor) == REGIONS.equals(float(fitted.bse[0]))
    assert solved.estimate("treated") == pytest.approx(fitted.params[0])


def test_each_declared_way_is_a_row_and_few_pilots_have_none() -> None:
    cells = some_cells(n_units=30)
    known = sorted(code for code, one in authorities().items() if one.region and one.last_census_year is None)[::4][:30]
    pilots = dict.fromkeys(known[::4], 3)
    cells["unit_id"] = cells["unit_id"].map(dict(zip(sorted(cells["unit_id"].unique()), known, strict=True)))
    result = fit_did(cells, design=a_design(pilots=pilots), inference=QUICK)
    frame = other_inference_frame(result, methods=METHODS, inference=QUICK)
    rows = {row["method"]: row for row in frame.to_dict("records")}
    assert result.fitted is not None
    assert rows["cr3_t"]["se"] == result.se_cr3
    assert rows["cr3_t"]["ci_low"] < result.att < rows["cr3_t"]["ci_high"]
    assert 0 < rows["wcr_33"]["p"] <= 1
    regions = {unit: region_of(unit) for unit in known}
    assert rows["region"]["n_treated_clusters"] == len({regions[unit] for unit in pilots}) > 4
    moments = coarser(result.fitted.moments, regions)
    own = wild_cluster_test(moments, coefficient="treated", draws=QUICK.draws, seed=QUICK.seed)
    assert rows["region"]["p"] == own.p
    assert rows["region"]["n_clusters"] == moments.n_clusters
    few = fit_did(cells, design=a_design(pilots=dict.fromkeys(known[:2], 3)), inference=QUICK)
    blank = other_inference_frame(few, methods=METHODS, inference=QUICK)
    assert blank[["se", "p", "ci_low", "ci_high"]].isna().all(axis=None)
    assert blank["note"].str.contains("4 or fewer").all()


def test_a_unit_without_a_region_is_named() -> None:
    result = fit_did(some_cells(n_units=30), design=a_design(), inference=QUICK)
    row = other_inference_frame(result, methods=("region",), inference=QUICK).iloc[0]
    assert "no region is known of" in row["note"]
    assert pd.isna(row["p"])


def test_nine_pilots_of_thirty_are_rejected_as_often_as_they_should_be() -> None:
    """400 panels: of a test at 5 % the share lies in 2.5 to 8 % 99 times in 100; the usual CR1 rejects 9.7 %."""
    rejected = []
    for replication in range(400):
        random = np.random.default_rng([3, replication])
        ((panel, _),) = simulate_panels(Scenario("x", 30, 9), random, conditions=Conditions())
        moments = treatment_regression(panel, weights="child").moments
        test = jackknife_bootstrap_test(moments, coefficient=TREATED, draws=199, seed=replication)
        rejected.append(test.p <= 0.05)
    assert 0.025 <= np.mean(rejected) <= 0.08
