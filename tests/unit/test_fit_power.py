"""Power: the formula, the panel's scatter it is simulated from, and the simulated studies."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from scipy import stats
from statsmodels.stats.power import TTestPower

from sos_spark.analysis.power import (
    analytic_power,
    analytic_rows,
    default_effects,
    power_frame,
    simulated_rows,
)
from sos_spark.analysis.simulated_studies import SimulatedPower, drawn, planted, simulate_power, untreated_means
from sos_spark.analysis.variance_components import VarianceComponents, variance_components
from sos_spark.config.study import Inference
from sos_spark.fit import fit_did
from sos_spark.fit.did import blank_result
from sos_spark.fit.regression.design import NEVER, PreparedPanel
from sos_spark.tables.results import POWER
from tests.fit_panels import QUICK, a_design, some_cells
from tools.monte_carlo.main_design import panel_of_totals


def scatter(**changed: object) -> VarianceComponents:
    """Fourteen LAs, eight periods, shares about a quarter."""
    given: dict[str, object] = {
        "mean": 0.25,
        "la_effects": np.linspace(-0.05, 0.05, 14),
        "period_effects": np.zeros(8),
        "sd_la": 0.03,
        "sd_shock": 0.03,
        "autocorrelation": 0.3,
        "within_variance": np.full(14, 0.19),
        "binary": True,
    }
    return VarianceComponents(**(given | changed))  # type: ignore[arg-type]


def a_panel(
    components: VarianceComponents, *, n_treated: int = 6, rows: float = 80.0, go_live: int = 3, seed: int = 1
) -> PreparedPanel:
    """A panel that scatters as the components say."""
    random = np.random.default_rng(seed)
    shape = len(components.la_effects), len(components.period_effects)
    n = np.maximum(random.poisson(rows * np.exp(random.normal(0, 0.5, shape[0]))[:, None], shape), 2).astype(float)
    y_sum = drawn(components, n, untreated_means(components, random), random)
    gtime = np.where(np.arange(shape[0]) < n_treated, go_live, NEVER)
    within = components.within_variance[:, None] * random.chisquare(n - 1)
    return replace(panel_of_totals(n, y_sum, gtime), y_sumsq=y_sum if components.binary else y_sum**2 / n + within)


class TestFormula:
    """Noncentral t."""

    def test_no_effect_is_found_as_often_as_the_test_errs(self) -> None:
        assert analytic_power(0.0, se=0.02, df=8.3) == pytest.approx(0.05)

    def test_either_sign_alike(self) -> None:
        assert analytic_power(-0.05, se=0.02, df=8.3) == analytic_power(0.05, se=0.02, df=8.3)

    @pytest.mark.parametrize("df", [2.5, 9.0, 60.0])
    @pytest.mark.parametrize("ratio", [0.3, 2.0, 3.5])
    def test_statsmodels_says_the_same(self, ratio: float, df: float) -> None:
        theirs = TTestPower().power(effect_size=ratio, nobs=1, alpha=0.05, df=df)
        assert analytic_power(ratio * 0.02, se=0.02, df=df) == pytest.approx(theirs, rel=1e-6)

    def test_a_simulated_t_test_says_the_same(self) -> None:
        random = np.random.default_rng(1)
        z, scale = random.normal(2.5, 1, 400_000), np.sqrt(random.chisquare(7, 400_000) / 7)
        found = np.mean(np.abs(z / scale) > stats.t.ppf(0.975, 7))
        assert analytic_power(2.5, se=1.0, df=7) == pytest.approx(found, abs=0.003)

    def test_far_beyond_the_noise_it_is_one(self) -> None:
        assert analytic_power(50.0, se=0.02, df=5) == 1.0

    def test_without_a_standard_error_it_is_not_known(self) -> None:
        assert np.isnan(analytic_power(0.1, se=float("nan"), df=5))


class TestFrame:
    """The rows that every run leaves in power.csv."""

    result = fit_did(some_cells(), design=a_design(), inference=QUICK)

    def test_the_effect_of_interest_and_the_mde(self) -> None:
        frame = power_frame(self.result, smallest_effect=0.02)
        assert tuple(frame.columns) == POWER.column_names
        assert frame["effect"].tolist() == [0.02, self.result.mde]
        assert frame["source"].tolist() == ["analytic"] * 2
        assert frame["power"].iloc[1] == pytest.approx(0.8, abs=0.01)
        assert frame["power"].iloc[0] < 0.8
        assert (frame["n_clusters"] == 14).all()
        assert frame["mc_se"].isna().all()

    def test_without_an_effect_of_interest_the_mde_alone(self) -> None:
        assert power_frame(self.result, smallest_effect=None)["effect"].tolist() == [self.result.mde]

    def test_what_was_not_estimated_is_blank_with_its_reason(self) -> None:
        blank = blank_result(a_design(), inference=QUICK, note="no treated unit")
        frame = power_frame(blank, smallest_effect=0.02)
        assert frame["note"].tolist() == ["no treated unit"]
        assert frame[["effect", "power", "mde"]].isna().all(axis=None)

    def test_default_effects_are_multiples_of_the_smallest_of_interest_or_the_mde(self) -> None:
        assert default_effects(smallest_effect=0.02, mde=0.5) == pytest.approx((0, 0.01, 0.02, 0.03, 0.04))
        assert default_effects(smallest_effect=None, mde=0.5) == pytest.approx((0, 0.25, 0.5, 0.75, 1.0))

    def test_simulated_rows_stand_beside_analytic_ones(self) -> None:
        assert self.result.fitted is not None
        panel = self.result.fitted.panel
        components = variance_components(panel)
        analytic = analytic_rows(self.result, components, [0.1])
        simulated = simulated_rows(panel, components, [0.1], inference=QUICK, replications=5)
        frame = pd.concat([analytic, simulated])
        assert frame["source"].tolist() == ["analytic", "simulated"]
        assert frame["replications"].tolist() == [0, 5]
        assert (frame["sd_shock"] == components.sd_shock).all()


class TestComponents:
    """What is told of a panel's scatter."""

    def told(self, truth: VarianceComponents, *, n: int = 40, **knobs: float) -> np.ndarray:
        """The means of sd_la, sd_shock and autocorrelation over some panels."""
        found = [variance_components(a_panel(truth, seed=seed, **knobs)) for seed in range(n)]  # type: ignore[arg-type]
        return np.array([(c.sd_la**2, c.sd_shock**2, c.autocorrelation) for c in found]).mean(axis=0)

    def test_shares_with_much_sampling(self) -> None:
        random = np.random.default_rng(5)
        truth = scatter(
            la_effects=random.normal(0, 0.05, 60), period_effects=np.linspace(-0.03, 0.03, 20),
            within_variance=np.full(60, 0.19), sd_shock=0.04, autocorrelation=0.5,
        )  # fmt: skip
        level, shock, carried = self.told(truth)
        assert np.sqrt(shock) == pytest.approx(0.04, rel=0.05)
        assert carried == pytest.approx(0.5, abs=0.05)
        assert np.sqrt(level) == pytest.approx(truth.la_effects.std(ddof=1), rel=0.1)

    def test_days(self) -> None:
        truth = scatter(
            mean=40.0, la_effects=np.linspace(-8, 8, 30), period_effects=np.zeros(16),
            within_variance=np.full(30, 400.0), sd_shock=3.0, autocorrelation=0.2, binary=False,
        )  # fmt: skip
        panel = a_panel(truth)
        assert variance_components(panel).within_variance.mean() == pytest.approx(400, rel=0.03)
        assert not variance_components(panel).binary
        _, shock, carried = self.told(truth)
        assert np.sqrt(shock) == pytest.approx(3.0, rel=0.06)
        assert carried == pytest.approx(0.2, abs=0.07)

    def test_few_periods_do_not_make_shocks_look_less_alike(self) -> None:
        random = np.random.default_rng(6)
        truth = scatter(
            la_effects=random.normal(0, 0.05, 120), period_effects=np.zeros(5), within_variance=np.full(120, 0.19),
            sd_shock=0.05, autocorrelation=0.4,
        )  # fmt: skip
        _, shock, carried = self.told(truth, rows=2_000.0)
        assert carried == pytest.approx(0.4, abs=0.06)
        assert np.sqrt(shock) == pytest.approx(0.05, rel=0.06)

    def test_an_effect_is_no_scatter(self) -> None:
        plain = a_panel(scatter())
        treated = replace(plain, y_sum=plain.y_sum + np.round(0.3 * plain.treated * (plain.rows - plain.y_sum)))
        before, after = (variance_components(replace(panel, y_sumsq=panel.y_sum)) for panel in (plain, treated))
        assert after.sd_shock == before.sd_shock
        assert after.la_effects == pytest.approx(before.la_effects)

    def test_scatter_that_sampling_explains_is_none(self) -> None:
        # Every LA and period has the mean exactly: less scatter than sampling alone makes.
        panel = panel_of_totals(np.full((6, 5), 40.0), np.full((6, 5), 10.0), np.array([2, 2, -1, -1, -1, -1]))
        found = variance_components(panel)
        assert (found.sd_shock, found.autocorrelation, found.sd_la) == (0, 0, 0)
        assert "no more scatter" in found.note
        assert found.mean == pytest.approx(0.25)

    def test_sums_of_more_than_counts_without_squares_hold_sampling_in_the_shocks(self) -> None:
        days = scatter(mean=40.0, within_variance=np.full(14, 400.0), sd_shock=3.0, binary=False)
        panel = replace(a_panel(days), y_sumsq=None)
        found = variance_components(panel)
        assert "no y_sumsq" in found.note
        assert np.isnan(found.within_variance).all()
        assert found.sd_shock > variance_components(a_panel(days)).sd_shock

    def test_two_periods_say_nothing_of_autocorrelation(self) -> None:
        found = variance_components(a_panel(scatter(period_effects=np.zeros(2)), go_live=1, rows=5_000.0))
        assert "too few periods" in found.note
        assert found.autocorrelation == 0


class TestStudies:
    """Simulated studies."""

    def test_a_seed_decides_everything(self) -> None:
        components = scatter()
        one, two, other = (
            simulate_power(a_panel(components), components, [0.05], seed=seed, replications=12).se_cr2
            for seed in (1, 1, 2)
        )
        assert one == two
        assert one != other

    @pytest.mark.parametrize("effect", [0.1, -0.1])
    @pytest.mark.parametrize("binary", [True, False])
    def test_what_is_planted_is_the_effect(self, effect: float, binary: bool) -> None:
        components, random = scatter(binary=binary, sd_shock=0.0), np.random.default_rng(3)
        panel = a_panel(components, rows=2e6)
        untreated = untreated_means(components, random)
        y_sum = drawn(components, panel.rows, untreated, random)
        moved = planted(components, panel, y_sum, untreated, effect, random)
        on = panel.treated == 1
        assert ((moved - y_sum) / panel.rows)[on] == pytest.approx(np.full(on.sum(), effect), abs=2e-3)
        assert (moved == y_sum)[~on].all()
        if binary:
            assert (moved % 1 == 0).all()

    def test_four_treated_are_judged_by_randomisation(self, monkeypatch: pytest.MonkeyPatch) -> None:
        components = scatter()
        monkeypatch.setattr("sos_spark.analysis.simulated_studies.wild_cluster_test", None)
        found = simulate_power(a_panel(components, n_treated=4), components, [0.4], seed=1, replications=3)
        assert found.rejected.tolist() == [1.0]

    def test_staggered_go_lives(self) -> None:
        components = scatter()
        panel = a_panel(components)
        staggered = panel.with_gtime(np.where(np.arange(14) < 3, 3, panel.gtime + (panel.gtime != NEVER)))
        found = simulate_power(staggered, components, [0.0, 0.4], seed=1, replications=4)
        assert found.rejected[1] == 1.0
        assert found.n_treated_clusters == 6

    def test_pilots_at_random(self) -> None:
        components = scatter()
        panel = a_panel(components)
        found = simulate_power(panel, components, [0.4], seed=1, replications=6, pilots=8)
        assert found.n_treated_clusters == 8
        assert found.rejected.tolist() == [1.0]
        frame = simulated_rows(panel, components, [0.4], inference=QUICK, replications=2, pilots=8)
        assert frame["source"].tolist() == ["analytic", "simulated"]
        assert "8 pilots drawn at random" in frame["note"].iloc[0]

    def test_shares_held_within_0_and_1_are_told(self) -> None:
        components = scatter()
        frame = simulated_rows(a_panel(components), components, [0.9], inference=QUICK, replications=2)
        assert "held within 0 and 1" in frame["note"].iloc[0]

    def test_monte_carlo_error(self) -> None:
        found = SimulatedPower(np.zeros(2), np.array([0.5, 1.0]), 100, 1.0, 1.0, 9, 0.0)
        assert found.mc_se == pytest.approx([0.05, 0.0])

    @pytest.mark.slow
    def test_size_is_five_per_cent_and_power_rises_to_what_the_formula_says(self) -> None:
        random = np.random.default_rng(9)
        components = scatter(
            la_effects=random.normal(0, 0.05, 40), period_effects=np.zeros(8), within_variance=np.full(40, 0.19)
        )
        panel = a_panel(components, n_treated=9, rows=150.0)
        effects = [0.0, 0.015, 0.03, 0.06]
        found = simulate_power(panel, components, effects, seed=Inference().seed, replications=1_000)
        size, *power = found.rejected
        # Both tests must agree, so the rule errs a little less often than either.
        assert 0.03 <= size <= 0.065
        assert size < power[0] < power[1] < power[2]
        by_formula = [analytic_power(effect, se=found.se_cr2, df=found.df) for effect in effects[1:]]
        assert power == pytest.approx(by_formula, abs=0.06)
