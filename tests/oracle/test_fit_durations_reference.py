"""Effects on the distribution of a length: against individual rows, another package's curves, and simulations."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import statsmodels.formula.api as smf
from statsmodels.duration.survfunc import SurvfuncRight

from sos_spark.analysis.durations import duration_days_frame, duration_effects_frame, lengths_of
from sos_spark.config.study import Inference
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.estimators import twfe
from sos_spark.fit.regression.design import PreparedPanel
from tests.fit_panels import collapsed, design_of, quarter, some_children
from tests.references import Reference
from tools.monte_carlo.durations import SCENARIOS, Scenario, duration_rates

SHARES = Reference(
    "Distribution difference-in-differences",
    "effect on the share within each day and on the restricted mean",
    "statsmodels on the individual rows",
    "package",
    1e-9,
)
CHANGES = Reference(
    "Changes-in-changes",
    "counterfactual shares, both bounds and the point between",
    "the paper's definitions, value by value, on the individual rows",
    "brute force",
    1e-12,
    absolute=True,
)
CURVES = Reference(
    "Kaplan-Meier curves with censoring", "share concluded by each day", "statsmodels' SurvfuncRight", "package", 1e-12
)
LAST = 30
TABLE = Path(__file__).with_name("monte_carlo_durations.csv")
QUICK = Inference(draws=999, permutations=199)


@pytest.fixture(scope="module")
def children() -> pd.DataFrame:
    rows = some_children(n_rows=5_000, n_units=14, n_treated=6, n_periods=8)
    random = np.random.default_rng(2)
    days = random.gamma(4, 3 + 0.1 * rows["unit"] + rows["treated"]).astype(int)
    seen = np.where(rows["period"] == 7, random.integers(0, 2 * LAST, len(rows)), LAST).clip(max=LAST)
    return rows.assign(days=days, seen=seen, is_followed=seen == LAST, is_concluded=days <= seen)


@pytest.fixture(scope="module")
def panel(children: pd.DataFrame) -> PreparedPanel:
    return prepare(collapsed(children, y="yes"), design_of(children)).panel


@pytest.fixture(scope="module")
def durations(children: pd.DataFrame) -> pd.DataFrame:
    rows = children.assign(days=children[["days", "seen"]].min(axis=1))
    counted = rows.groupby(["unit", "period", "days", "is_concluded", "is_followed"]).size().rename("n").reset_index()
    starts = [quarter(int(number)).isoformat() for number in counted["period"]]
    return counted.assign(outcome_id="o", unit_id=(201 + counted["unit"]).astype(str), period_start=starts)


@pytest.fixture(scope="module")
def effects(panel: PreparedPanel, durations: pd.DataFrame) -> pd.DataFrame:
    return duration_effects_frame(lengths_of(panel, durations, inference=QUICK))


def of(frame: pd.DataFrame, method: str, measure: str) -> pd.DataFrame:
    return frame[(frame["method"] == method) & (frame["measure"] == measure)].set_index("at")


def test_effects_on_shares_and_the_mean_are_those_of_individual_rows(
    children: pd.DataFrame, effects: pd.DataFrame
) -> None:
    rows = children[children["is_followed"]]

    def effect(y: pd.Series) -> float:
        return float(smf.ols("y ~ treated + C(unit) + C(period)", rows.assign(y=y)).fit().params["treated"])

    shares = of(effects, "distribution", "share_within")["att"]
    for day in (3, 10, 25):
        assert shares.loc[day] == SHARES.equals(effect((rows["days"] <= day).astype(float)))
    mean = of(effects, "distribution", "restricted_mean")["att"].iloc[0]
    assert mean == SHARES.equals(effect(rows["days"].clip(upper=LAST).astype(float)))


def test_the_p_of_a_share_is_the_one_that_the_main_estimator_s_permutations_give(
    children: pd.DataFrame, effects: pd.DataFrame
) -> None:
    rows = children[children["is_followed"]]
    rows = rows.assign(within=(rows["days"] <= 10).astype(int))
    panel = prepare(collapsed(rows, y="within"), design_of(rows)).panel
    found = twfe(panel, weights="child").randomise(permutations=QUICK.permutations, seed=QUICK.seed)
    assert of(effects, "distribution", "share_within").loc[10, "p"] == pytest.approx(found.p)


def test_changes_in_changes_are_the_paper_s_on_individual_rows(children: pd.DataFrame, effects: pd.DataFrame) -> None:
    rows = children[children["is_followed"]].assign(days=lambda rows: rows["days"].clip(upper=LAST + 1))
    pilot, after = rows["unit"] < 6, rows["period"] >= 4
    y = {(a, t): np.sort(rows.loc[(pilot == a) & (after == t), "days"]) for a in (False, True) for t in (False, True)}

    def share(values: np.ndarray, at: float) -> float:
        return float(np.mean(values <= at))

    found = of(effects, "changes_in_changes", "share_within")
    for day in (0, 4, 11, 20, LAST):
        q = share(y[False, True], day)
        reached = [v for v in np.unique(y[False, False]) if share(y[False, False], v) >= q - 1e-12]
        below = [v for v in np.unique(y[False, False]) if share(y[False, False], v) <= q + 1e-12]
        up, down = (reached[0] if reached else np.inf), (below[-1] if below else -np.inf)
        lower, upper = share(y[True, False], down), share(y[True, False], up)
        ranks = share(y[False, False], down), share(y[False, False], up)
        point = lower if ranks[1] <= ranks[0] else lower + (upper - lower) * (q - ranks[0]) / (ranks[1] - ranks[0])
        observed = share(y[True, True], day)
        row = found.loc[day]
        assert row["without"] == CHANGES.equals(point)
        assert row["bound_low"] == CHANGES.equals(observed - max(lower, upper))
        assert row["bound_high"] == CHANGES.equals(observed - min(lower, upper))


def test_curves_are_another_package_s_with_rows_cut_short(
    children: pd.DataFrame, panel: PreparedPanel, durations: pd.DataFrame
) -> None:
    days = duration_days_frame(lengths_of(panel, durations, inference=QUICK))
    rows = children[(children["unit"] >= 6) & (children["period"] >= 4)]
    expected = SurvfuncRight(rows[["days", "seen"]].min(axis=1), rows["is_concluded"].astype(int))
    own = days[(days["arm"] == "comparator") & (days["side"] == "after")].set_index("day")
    for day, survival in zip(expected.surv_times, expected.surv_prob, strict=True):
        assert own.loc[day, "within"] == CURVES.equals(1 - survival)


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(TABLE)


def test_each_measure_has_its_size_and_its_cover_where_pilots_are_as_unsteady_as_others(table: pd.DataFrame) -> None:
    assert set(table["scenario"]) == {scenario.name for scenario in SCENARIOS}
    alike = table[~table["scenario"].str.contains("shocks")]
    true_nulls = alike[~alike["scenario"].str.contains("less")]
    # Three Monte Carlo standard errors of 5 %; intervals of days are of whole ones, and so hold the truth more often.
    spread = 3 * np.sqrt(0.05 * 0.95 / table["replications"].min())
    assert true_nulls["rejected"].dropna().le(0.05 + spread).all()
    assert alike["covered"].dropna().ge(0.95 - spread).all()
    found = table[(table["scenario"] == "9 of 60, 3 days less") & (table["measure"] == "any")]
    assert found["rejected"].ge(0.9).all()


def test_a_few_studies_without_an_effect_reject_and_cover_as_they_should() -> None:
    """Forty small studies from a seed: more than six rejections of a true null come once in 200 at 5 %."""
    small = Scenario("6 of 20", 6, 20, n_periods=6)
    for rate in duration_rates(small, replications=40, permutations=39, seed=4):
        assert np.isnan(rate.rejected) or rate.rejected <= 6 / 40, (rate.method, rate.measure)
        assert np.isnan(rate.covered) or rate.covered >= 1 - 6 / 40, (rate.method, rate.measure)
