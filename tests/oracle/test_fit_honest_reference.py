"""Bounds when trends are not parallel: the published example, linear programmes, grids, diff-diff; their coverage."""

from __future__ import annotations

from dataclasses import replace
from itertools import combinations
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from diff_diff import honest_did
from scipy.optimize import linprog

from sos_spark.analysis.annual import AnnualEffects
from sos_spark.analysis.honest_bounds import FoldedT, smoothness
from sos_spark.analysis.relative_magnitudes import Case, accepted, cases, relative_magnitudes
from sos_spark.fit.regression.moments import Array
from tests.references import Reference
from tools.monte_carlo.honest_bounds import N_POST, SCENARIOS, bending, coverages, stepping, zigzag

HYBRID = Reference(
    "Bounds by relative magnitudes",
    "conditional least-favourable hybrid interval, to a step of R's grid",
    "HonestDiD (R), its example",
    "package",
    7.7e-4,
    absolute=True,
)
CONDITIONAL = Reference(
    "Bounds by relative magnitudes",
    "conditional interval on its grid",
    "HonestDiD (R), its example",
    "package",
    1e-9,
    absolute=True,
)
FIXED_LENGTH = Reference(
    "Bounds by smoothness",
    "fixed-length interval",
    "HonestDiD (R), its example",
    "package",
    6e-5,
    absolute=True,
)
SETS = Reference(
    "Bounds when trends differ",
    "identified sets",
    "diff-diff",
    "package",
    1e-8,
    absolute=True,
)
VIOLATION = Reference(
    "Bounds by relative magnitudes",
    "test statistic",
    "linear programming (scipy)",
    "brute force",
    1e-7,
)

SIZES = [(1, 1), (1, 3), (2, 3), (3, 4), (3, 1)]


def effects_of(seed: int, n_pre: int, n_post: int, *, df: float = np.inf) -> AnnualEffects:
    random = np.random.default_rng(seed)
    root = random.normal(size=(n_pre + n_post, n_pre + n_post))
    covariance = root @ root.T / 50
    both = random.normal(size=n_pre + n_post)
    return AnnualEffects(both[:n_pre], both[n_pre:], covariance, covariance, df)


def targets(n_post: int) -> list[Array]:
    return [np.full(n_post, 1 / n_post), np.eye(n_post)[0]]


def inequalities(effects: AnnualEffects, m: float, restriction: str) -> tuple[Array, Array]:
    """A d <= b for the trend differences d after go-live (Q,), those before being the effects."""
    known = np.concatenate([effects.pre, [0.0]])
    n_post = len(effects.post)
    every = np.vstack([np.zeros((len(known), n_post)), np.eye(n_post)])
    fixed = np.concatenate([known, np.zeros(n_post)])
    if restriction == "relative_magnitudes":
        moved, moved_by = np.diff(every, axis=0), np.diff(fixed)
        limit = m * np.abs(np.diff(known)).max()
        moved, moved_by = moved[len(known) - 1 :], moved_by[len(known) - 1 :]
    else:
        moved, moved_by = np.diff(every, 2, axis=0), np.diff(fixed, 2)
        limit = m
    return np.vstack([moved, -moved]), np.concatenate([limit - moved_by, limit + moved_by])


def set_of(effects: AnnualEffects, target: Array, m: float, restriction: str) -> tuple[float, float]:
    found = (relative_magnitudes if restriction == "relative_magnitudes" else smoothness)(effects, target, m=m)
    return found.set_low, found.set_high


@pytest.mark.parametrize("restriction", ["relative_magnitudes", "smoothness"])
@pytest.mark.parametrize(("n_pre", "n_post"), SIZES)
@pytest.mark.parametrize("m", [0.3, 1.0, 4.0])
def test_sets_are_those_of_a_linear_programme_and_of_its_vertices(
    restriction: str, n_pre: int, n_post: int, m: float
) -> None:
    for seed in range(3):
        effects = effects_of(seed, n_pre, n_post)
        a, b = inequalities(effects, m, restriction)
        for target in targets(n_post):
            estimate = target @ effects.post
            ends = [linprog(sign * target, A_ub=a, b_ub=b, bounds=(None, None)) for sign in (-1, 1)]
            low, high = set_of(effects, target, m, restriction)
            if any(end.status == 2 for end in ends):
                assert np.isnan([low, high]).all()
                continue
            assert (low, high) == pytest.approx((estimate + ends[0].fun, estimate - ends[1].fun), abs=1e-8)
            corners = [
                estimate - target @ corner
                for rows in combinations(range(len(a)), n_post)
                if abs(np.linalg.det(a[list(rows)])) > 1e-9
                and (a @ (corner := np.linalg.solve(a[list(rows)], b[list(rows)])) <= b + 1e-9).all()
            ]
            assert (low, high) == pytest.approx((min(corners), max(corners)), abs=1e-8)


@pytest.mark.parametrize(("n_pre", "n_post"), SIZES)
def test_sets_are_those_of_diff_diff(n_pre: int, n_post: int) -> None:
    for m in (0.0, 0.5, 2.0):
        effects = effects_of(7, n_pre, n_post)
        for target in targets(n_post):
            theirs = honest_did._solve_rm_bounds_union(effects.pre, effects.post, target, n_pre, m)
            assert set_of(effects, target, m, "relative_magnitudes") == SETS.equals(theirs)
            rows = honest_did._construct_constraints_sd(n_pre, n_post, m)
            theirs = honest_did._solve_bounds_lp(effects.pre, effects.post, target, *rows, n_pre)
            assert set_of(effects, target, m, "smoothness") == pytest.approx(theirs, abs=1e-8, nan_ok=True)


@pytest.mark.parametrize(("n_pre", "n_post"), [(1, 3), (2, 3), (3, 4)])
@pytest.mark.parametrize("m", [0.0, 0.05, 1.0])
def test_fixed_length_intervals_are_those_of_diff_diff_or_shorter(n_pre: int, n_post: int, m: float) -> None:
    """With normal quantiles, and weights chosen by the covariance itself, as theirs."""
    effects = effects_of(3, n_pre, n_post)
    for target in targets(n_post):
        low, high, _ = honest_did._flci_solve(effects.pre, effects.post, effects.covariance, target, n_pre, n_post, m)
        found = smoothness(effects, target, m=m)
        assert found.ci_high - found.ci_low == pytest.approx(high - low, rel=1e-6)
        assert found.ci_high - found.ci_low <= (high - low) * (1 + 1e-9)
        assert (found.ci_low, found.ci_high) == pytest.approx((low, high), abs=2e-3 * (high - low))


@pytest.mark.parametrize("m", [0.02, 0.1, 0.5])
@pytest.mark.parametrize("df", [4.0, 20.0])
def test_fixed_length_intervals_are_the_shortest_on_a_grid(m: float, df: float) -> None:
    """Two years before: one weight is free, once a line must cancel."""
    effects = effects_of(5, 2, 3, df=df)
    folded = FoldedT(df)
    years = np.array([-2, -1, 1, 2, 3])
    bends = np.array([np.where(years < -1, 1, 0)] + [np.where(years > i, years - i, 0) for i in range(3)])
    for target in targets(3):
        lengths = []
        for outer in np.linspace(-8, 8, 4_001):
            inner = float(target @ years[2:]) - 2 * outer
            weights = np.concatenate([[outer, inner], target])
            se = np.sqrt(weights @ effects.covariance @ weights)
            lengths.append(folded.quantile(m * np.abs(bends @ weights).sum() / se) * se)
        found = smoothness(effects, target, m=m)
        assert (found.ci_high - found.ci_low) / 2 == pytest.approx(min(lengths), rel=1e-5)
        assert (found.ci_high - found.ci_low) / 2 <= min(lengths) * (1 + 1e-9)


def published_example() -> AnnualEffects:
    """Benzarti and Carloni (2019), the example of Rambachan and Roth's R package: four years before, four after."""
    table = pd.read_csv(Path(__file__).with_name("honest_published_example.csv"))
    covariance = table.filter(like="covariance").to_numpy()
    effects = table["effect"].to_numpy()
    return AnnualEffects(effects[:4], effects[4:], covariance, covariance, np.inf)


R_GRID = 20 * float(np.sqrt(0.000359970436))
"""R looks at so many standard errors of the first year's effect either way."""

R_RELATIVE_MAGNITUDES = (
    (0.5, 0.11812948578177346, 0.27158386602562062),
    (1.0, 0.06723125075039843, 0.31868372530838568),
    (1.5, 0.013294315120135292, 0.36958196033976071),
    (2.0, -0.042161970809571847, 0.37945773728614690),
)
"""m and the outermost of R's 1,000 grid points that its conditional least-favourable hybrid accepts; 0.379 its last."""


@pytest.mark.parametrize(("m", "low", "high"), R_RELATIVE_MAGNITUDES)
def test_hybrid_intervals_of_the_published_example_are_those_of_r(m: float, low: float, high: float) -> None:
    """R draws its least-favourable quantile 1,000 times, ours is integrated: so one end may lie a grid point off."""
    effects, first = published_example(), np.eye(4)[0]
    grid = np.linspace(-R_GRID, R_GRID, 1000)
    kept = grid[accepted(effects, first, grid, m=m)]
    step = float(grid[1] - grid[0])
    assert kept[-1] == pytest.approx(high, abs=1e-9)
    assert kept[0] == pytest.approx(low, abs=1e-9 if m < 2 else 1.001 * step)
    found = relative_magnitudes(effects, first, m=m)
    assert found.ci_low == HYBRID.equals(low)
    assert high >= R_GRID - 1e-9 or found.ci_high == HYBRID.equals(high)


def test_conditional_intervals_of_the_published_example_are_those_of_r() -> None:
    """Without a first stage nothing is drawn in R; 200 grid points."""
    grid = np.linspace(-R_GRID, R_GRID, 200)
    kept = grid[accepted(published_example(), np.eye(4)[0], grid, m=1.0, hybrid=False)]
    assert (kept[0], kept[-1]) == CONDITIONAL.equals((0.07055244362, 0.3184394077))


@pytest.mark.parametrize(
    ("m", "low", "high"),
    [(0.0, 0.131411316, 0.2161696482), (0.1, 0.1194440001, 0.4185082143), (0.2, 0.01944400015, 0.5185082143)],
)
def test_fixed_length_intervals_of_the_published_example_are_those_of_r(m: float, low: float, high: float) -> None:
    """R searches on a grid and draws its folded normal quantile: ours is as long, to the fourth digit."""
    found = smoothness(published_example(), np.eye(4)[0], m=m)
    assert (found.ci_low, found.ci_high) == FIXED_LENGTH.equals((low, high))


N_STEPS = 3


def inequalities_of(case: Case) -> tuple[Array, Array]:
    """The inequalities as weights of the effects, and how the true effect's steps from year to year enter them."""
    rows = np.vstack([case.after - case.room, -case.after - case.room])
    return rows, np.concatenate([np.eye(N_STEPS), -np.eye(N_STEPS)])


@pytest.mark.parametrize("target", [[1 / 3, 1 / 3, 1 / 3], [1.0, 0.0, 0.0], [0.5, -0.2, 0.7]])
def test_the_largest_violation_is_that_of_a_linear_programme(target: list[float]) -> None:
    """Steps x after go-live that make the target what is tested, such that no inequality is violated by more."""
    effects, weights = effects_of(11, 3, N_STEPS), np.array(target)
    steps_of_target = np.cumsum(weights[::-1])[::-1]
    for case in cases(effects, weights, m=0.7):
        for value in (-1.0, 0.2, 1.5):
            rows, of_steps = inequalities_of(case)
            spread = np.sqrt(np.einsum("rk,kl,rl->r", rows, effects.covariance, rows))
            programme = linprog(
                [1, 0, 0, 0],
                A_ub=np.column_stack([-spread, -of_steps]),
                b_ub=-(rows @ effects.both),
                A_eq=[[0, *steps_of_target]],
                b_eq=[value],
                bounds=(None, None),
            )
            violations = case.vertices @ effects.both
            upper, lower, _ = case.norms
            largest = max(violations[0] - value / upper, violations[1] + value / lower, *violations[2:])
            assert programme.fun == VIOLATION.equals(largest)


@pytest.mark.parametrize("df", [np.inf, 5.0])
def test_the_least_favourable_quantile_is_that_of_draws(df: float) -> None:
    random, n = np.random.default_rng(5), 200_000
    effects = replace(published_example(), df=df)
    drawn = random.multivariate_normal(np.zeros(8), effects.covariance, size=n)
    drawn /= np.sqrt(random.chisquare(df, n) / df)[:, None] if np.isfinite(df) else 1.0
    for case in list(cases(effects, np.full(4, 0.25), m=1.0))[:3]:
        beyond = np.mean((drawn @ case.vertices.T).max(axis=1) > case.least_favourable)
        assert beyond == pytest.approx(0.005, abs=4 * np.sqrt(0.005 / n))


def test_violations_are_what_they_are_called() -> None:
    """Three years before: slope 1 into the reference, bends of -2 before it and of 3 from it on."""
    whole = np.insert(bending(3, slope=1, before=-2, after=3), 3, 0.0)
    assert list(np.diff(whole, 2)) == [-2, -2] + [3] * N_POST
    assert whole[3] - whole[2] == 1
    assert list(np.diff(np.insert(stepping(3, before=2, after=1), 3, 0.0))) == [0, 0, 2] + [1] * N_POST
    assert list(np.diff(np.insert(zigzag(3, step=2, after=1), 3, 0.0))) == [-2, 2, -2] + [1] * N_POST


@pytest.fixture(scope="module")
def table() -> pd.DataFrame:
    return pd.read_csv(Path(__file__).with_name("monte_carlo_honest.csv"))


def test_intervals_cover(table: pd.DataFrame) -> None:
    """Two standard errors of the simulation are allowed for; where several violations fit, more is covered."""
    assert set(table["name"]) == {one.name for one in SCENARIOS}
    assert (table["value"] + 2 * table["mc_se"] >= 0.93).all()
    exact = table[table["violation"].isin(["line", "no steps", "bends at the edge"])]
    assert (exact["value"] - 2 * exact["mc_se"] <= 0.97).all()


def test_a_quick_run_agrees_with_the_saved_table(table: pd.DataFrame) -> None:
    scenario = SCENARIOS[0]
    saved = table[table["name"] == scenario.name].set_index(["violation", "target"])["value"]
    for one in coverages(scenario, replications=12, seed=5):
        expected = float(saved[one.violation, one.target])
        assert abs(one.value - expected) <= 4 * np.sqrt(max(expected * (1 - expected), 0.01) / 12)
