"""Synthetic difference-in-differences on the balanced panel of LA means, each LA counting once.

Comparators are weighed so that their path before go-live runs parallel to the pilots' (unit weights), and periods
before go-live so that they resemble those after it (time weights); the estimate is the difference-in-differences under
both. Source: Arkhangelsky, Athey, Hirshberg, Imbens and Wager (2021, American Economic Review 111(12)): algorithm 1,
with the paper's ridge zeta, and algorithm 4, placebo variance. The weights are the exact minima; other programs stop an
iteration short of them. Where pilots went live in several periods, each group of pilots has its own estimate against
the LAs that never do, and the groups are averaged by their number of treated cells.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.optimize import nnls

from sos_spark.config.study import Design, Inference
from sos_spark.fit.cells.prepare import Prepared
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.inference.assignments import Assignments, Ints
from sos_spark.fit.inference.effect_distribution import TIE
from sos_spark.fit.regression.design import NEVER, PreparedPanel
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.result import NOT_KNOWN, DidResult
from sos_spark.fit.thresholds import ALPHA, UNLIKE
from sos_spark.fit.unsteadiness import unsteadiness

Mask = npt.NDArray[np.bool_]

ESTIMAND = "Synthetic DiD, each authority counts once"
MAX_REFITS = 300
"""Placebo refits at most: each solves two quadratic programmes a group."""

_TIME_RIDGE = 1e-6
_LEAST_RIDGE = 1e-12


@dataclass(frozen=True)
class BalancedPanel:
    """LA means of the LAs observed in every period used.

    Shapes: unit_ids (G,); periods (T,) period numbers; gtime (G,), NEVER for a comparator; means (G, T). `left_out`
    names the LAs that miss a period, `without_rows` counts periods in which no pilot, or no comparator, has rows.
    """

    unit_ids: tuple[str, ...]
    periods: Ints
    gtime: Ints
    means: Array
    left_out: tuple[str, ...]
    without_rows: int


@dataclass(frozen=True)
class SyntheticGroup:
    """The estimate of the pilots that went live in one period.

    Shapes: unit_weights (C,) over the comparators in the panel's order, time_weights (B,) over the periods before
    `gtime`; both are at least 0 and sum to 1. n_cells: treated LAs times periods from go-live on.
    """

    gtime: int
    att: float
    n_cells: int
    unit_weights: Array
    time_weights: Array


@dataclass(frozen=True)
class SyntheticUnit:
    """An LA's weight in its arm, and why it was left out; blank where it was not."""

    unit_id: str
    weight: float
    left_out: str = ""


@dataclass(frozen=True)
class SyntheticDid:
    """A synthetic difference-in-differences, in the outcome's own unit.

    `placebo` (n,): the estimate for each draw of pseudo-pilots among the comparators, the go-lives of the real ones
    permuted over them; all distinct draws once when they are no more than asked for. `se` is the root of their variance
    (divisor n); `p` = (1 + draws with |placebo| >= |att|) / (1 + n), ties at relative 1e-10 counted. Both are NaN, and
    `placebo` empty, where there are not more comparators than pilots.
    """

    panel: BalancedPanel
    groups: tuple[SyntheticGroup, ...]
    att: float
    placebo: Array

    @property
    def n_pilots(self) -> int:
        """The pilots in the estimate."""
        return int(np.count_nonzero(np.isin(self.panel.gtime, [group.gtime for group in self.groups])))

    @property
    def se(self) -> float:
        """The placebo standard error."""
        return float(np.std(self.placebo)) if len(self.placebo) else float("nan")

    @property
    def se_jackknife(self) -> float:
        """The jackknife standard error (algorithm 3): each LA left out, the weights of the others kept and scaled to 1.

        NaN with one pilot, and where a comparator has all the weight: nothing is left without it.
        """
        left_out = np.array([_without(self, place) for place in np.flatnonzero(self._in_fit).tolist()])
        n = len(left_out)
        return float(np.sqrt((n - 1) / n * np.sum((left_out - left_out.mean()) ** 2)))

    @property
    def _in_fit(self) -> Mask:
        """(G,): pilots of the groups, and comparators."""
        return np.asarray(np.isin(self.panel.gtime, [NEVER, *(group.gtime for group in self.groups)]))

    def units(self) -> Iterator[SyntheticUnit]:
        """Yields the LAs of the panel that was fitted, and those left out of it, in order of unit id.

        A pilot's weight is its share of treated cells, a comparator's its weight in the groups' controls, each group by
        its treated cells; either arm's add up to 1.
        """
        cells = np.array([group.n_cells for group in self.groups], dtype=float)
        control = np.zeros(len(self.panel.gtime))
        control[self.panel.gtime == NEVER] = sum(
            share * group.unit_weights for share, group in zip(cells / cells.sum(), self.groups, strict=True)
        )
        of_group = {group.gtime: group.n_cells / cells.sum() for group in self.groups}
        sizes = {g: int(np.count_nonzero(self.panel.gtime == g)) for g in of_group}
        found = {unit: SyntheticUnit(unit, 0.0, "not observed in every period") for unit in self.panel.left_out}
        for unit, gtime, weight in zip(self.panel.unit_ids, self.panel.gtime.tolist(), control, strict=True):
            if gtime == NEVER:
                found[unit] = SyntheticUnit(unit, float(weight))
            elif gtime in of_group:
                found[unit] = SyntheticUnit(unit, of_group[gtime] / sizes[gtime])
            else:
                found[unit] = SyntheticUnit(unit, 0.0, "without two periods before and one after its go-live")
        yield from (found[unit] for unit in sorted(found))

    @property
    def p(self) -> float:
        """The share of placebo estimates at least as large."""
        if not len(self.placebo):
            return float("nan")
        beyond = int(np.count_nonzero(np.abs(self.placebo) >= abs(self.att) * (1 - TIE)))
        return (1 + beyond) / (1 + len(self.placebo))


def synthetic_did(panel: PreparedPanel, *, refits: int, seed: int) -> SyntheticDid:
    """Estimates the effect, and its placebo distribution.

    Args:
        panel: Pilots and comparators; covariates are not adjusted for.
        refits: Placebo draws at most.
        seed: Draws are tied to the sorted unit ids.

    Raises:
        NotEstimableError: No pilot has two periods before and one after go-live, or fewer than two comparators are
            observed in every period.
    """
    balanced = balanced_panel(settled(panel))
    ridges = _ridges(balanced)
    groups = tuple(_groups(balanced, balanced.gtime, ridges))
    comparators = np.flatnonzero(balanced.gtime == NEVER)
    pseudo = balanced.gtime[np.isin(balanced.gtime, [*ridges])]
    if len(comparators) <= len(pseudo):
        return SyntheticDid(balanced, groups, _average(groups), np.empty(0))
    labels = np.concatenate([pseudo, np.full(len(comparators) - len(pseudo), NEVER)])
    draws = Assignments.of(labels, permutations=refits, seed=seed)
    gtime = np.full(len(balanced.gtime), _ASIDE)
    placebo = []
    for row in (row for batch in draws.batches(size=1_000) for row in batch):
        gtime[comparators] = row
        placebo.append(_average(tuple(_groups(balanced, gtime, ridges))))
    return SyntheticDid(balanced, groups, _average(groups), np.array(placebo))


def synthetic_result(
    prepared: Prepared, *, design: Design, inference: Inference, specification: str = "synthetic_did"
) -> DidResult:
    """Returns the row of a synthetic difference-in-differences: att and p_ri; its standard error stands in the note.

    Raises:
        NotEstimableError: As `synthetic_did`.
    """
    panel = prepared.panel
    fitted = synthetic_did(panel, refits=min(inference.permutations, MAX_REFITS), seed=inference.seed)
    used = fitted.panel
    treated = np.isin(used.gtime, [group.gtime for group in fitted.groups])
    p_ri = NOT_KNOWN if fitted.n_pilots == 1 or why_no_p(panel) else fitted.p
    in_fit = treated | (used.gtime == NEVER)
    before = treated[:, None] & (used.periods < used.gtime[:, None])
    units = {unit for unit, kept in zip(used.unit_ids, in_fit, strict=True) if kept}
    gtimes = {unit: int(g) for unit, g, mine in zip(used.unit_ids, used.gtime, treated, strict=True) if mine}
    unit = np.array([unit in units for unit in panel.unit_ids])
    period = np.isin(panel.periods, used.periods)
    return DidResult(
        study_id=design.study_id,
        outcome_id=design.outcome_id,
        specification=specification,
        estimand=ESTIMAND,
        family=design.family,
        estimator="synthetic_did",
        n_rows=int(panel.rows[np.ix_(unit, period)].sum()),
        n_cells=int(np.count_nonzero(unit[panel.cells.unit] & period[panel.cells.period])),
        n_clusters=len(units),
        n_treated_clusters=len(gtimes),
        baseline_mean=float(used.means[before].mean()),
        att=fitted.att,
        p_ri=p_ri,
        headline="p_ri",
        significant=None if np.isnan(p_ri) else p_ri < ALPHA,
        arms={name: arm if name in units else "unused" for name, arm in prepared.arms.items()},
        gtimes=gtimes,
        warnings=panel.warnings,
        note="; ".join(_notes(fitted, panel, inference)),
        inference=inference,
    )


def why_no_p(panel: PreparedPanel) -> str:
    """Returns why draws of pseudo-pilots give no p: pilots scatter more than comparators do. Blank where they do."""
    times = unsteadiness(panel)
    if not times > UNLIKE:
        return ""
    return (
        f"no p: the pilots' scatter from period to period is {times:.1f} times that of the comparators, of which"
        f" pseudo-pilots are drawn; above {UNLIKE} they reject too much"
    )


def _notes(fitted: SyntheticDid, panel: PreparedPanel, inference: Inference) -> Iterator[str]:
    """Yields what the row's numbers are, and what was left out."""
    used = fitted.panel
    yield "synthetic difference-in-differences of the means of authorities observed in every period"
    n = len(fitted.placebo)
    if n and fitted.n_pilots == 1:
        yield f"its placebo standard error is {fitted.se:.4g}"
        yield "no p: draws of pseudo-pilots know nothing of one pilot's own shocks"
    elif n:
        capped = f", {MAX_REFITS} at most" if inference.permutations > MAX_REFITS else ""
        yield f"its placebo standard error is {fitted.se:.4g}, by the jackknife {_told(fitted.se_jackknife)}"
        yield why_no_p(panel) or f"p_ri compares it with {n} draws of pseudo-pilots among the comparators{capped}"
    else:
        yield "no placebo and no p: there are not more comparators than pilots to draw pseudo-pilots from"
        yield f"its jackknife standard error is {_told(fitted.se_jackknife)}"
    if used.left_out:
        pilots = [unit for unit, g in zip(panel.unit_ids, panel.gtime, strict=True) if g != NEVER]
        lost = sum(unit in pilots for unit in used.left_out)
        yield f"{len(used.left_out)} authorities not observed in every period left out, pilots among them: {lost}"
    idle = sorted(set(used.gtime.tolist()) - {NEVER} - {group.gtime for group in fitted.groups})
    if idle:
        lost = int(np.count_nonzero(np.isin(used.gtime, idle)))
        yield f"{lost} pilots without two periods before and one after their go-live left out"
    if used.without_rows:
        yield f"{used.without_rows} periods without rows of pilots or of comparators left out"
    if panel.covariates:
        yield "not adjusted for covariates"


def _told(value: float) -> str:
    return "not known" if np.isnan(value) else f"{value:.4g}"


def balanced_panel(panel: PreparedPanel) -> BalancedPanel:
    """Returns the means of the LAs that have rows in every period in which some pilot and some comparator have."""
    seen, treated = panel.rows > 0, panel.is_treated_unit
    dates = np.unique(panel.gtime[treated])
    used = seen[~treated].any(axis=0)
    for date in dates:
        used = used & seen[panel.gtime == date].any(axis=0)
    complete: Mask = np.asarray(seen[:, used].all(axis=1))
    rows, y_sum = (part[np.ix_(complete, used)] for part in (panel.rows, panel.y_sum))
    return BalancedPanel(
        unit_ids=tuple(unit for unit, kept in zip(panel.unit_ids, complete, strict=True) if kept),
        periods=panel.periods[used],
        gtime=panel.gtime[complete],
        means=y_sum / rows,
        left_out=tuple(unit for unit, kept in zip(panel.unit_ids, complete, strict=True) if not kept),
        without_rows=int(np.count_nonzero(~used)),
    )


def simplex_weights(x: Array, y: Array, *, ridge: float) -> Array:
    """Returns the w >= 0 with sum 1 that minimise |x w + c - y|^2 + ridge |w|^2 over w and the constant c.

    Args:
        x: (R, K).
        y: (R,).
        ridge: Not negative; of several minima about the one of the smallest |w| is returned.

    On the simplex x w - y = (x - y 1') w, so w is the point of least norm of a convex hull, which is proportional to
    the non-negative least-squares solution of [x - y 1'; sqrt(ridge) I; 1'] u = [0; 0; 1]: exact, whatever the scale.
    """
    k = x.shape[1]
    hull = (x - x.mean(axis=0)) - (y - y.mean())[:, None]
    scale = np.sqrt((hull**2).sum() / k + ridge)
    if scale == 0:
        return np.full(k, 1 / k)
    root = np.sqrt(max(ridge, _LEAST_RIDGE * scale**2)) * np.eye(k)
    system = np.vstack([hull / scale, root / scale, np.ones(k)])
    u, _ = nnls(system, np.append(np.zeros(len(system) - 1), 1.0))
    return np.asarray(u / u.sum())


_ASIDE = -2
"""The gtime of a real pilot while pseudo-pilots are drawn: neither treated nor a comparator."""


def _ridges(panel: BalancedPanel) -> dict[int, tuple[float, float]]:
    """Returns zeta of the unit and of the time weights by go-live, for the groups that can be estimated.

    zeta = (treated LAs x periods after)^(1/4) sigma, and 1e-6 sigma, with sigma the standard deviation of the
    comparators' first differences before go-live. Placebo refits keep the real groups' zeta.

    Raises:
        NotEstimableError: There is no such group, or there are fewer than two comparators.
    """
    never = panel.gtime == NEVER
    ridges = {}
    for date in np.unique(panel.gtime[~never]):
        before = panel.periods < date
        n_treated = int(np.count_nonzero(panel.gtime == date))
        if before.sum() >= 2 and (~before).any() and n_treated and never.sum() >= 2:
            sigma = float(np.diff(panel.means[never][:, before], axis=1).std(ddof=1))
            n_cells = n_treated * int((~before).sum())
            ridges[int(date)] = (n_cells**0.25 * sigma, _TIME_RIDGE * sigma)
    if not ridges:
        raise NotEstimableError(
            "Synthetic difference-in-differences has too little to weigh",
            expected="pilots and two comparators observed in every period, two of them before go-live and one after",
            found=f"{int((~never).sum())} pilots, {int(never.sum())} comparators and {len(panel.periods)} periods",
            remedy="Widen the window, or the comparators",
        )
    return ridges


def _groups(panel: BalancedPanel, gtime: Ints, ridges: dict[int, tuple[float, float]]) -> Iterator[SyntheticGroup]:
    """Yields the estimate of each group of an assignment (G,)."""
    controls = panel.means[gtime == NEVER]
    for date, (zeta, zeta_time) in ridges.items():
        before = panel.periods < date
        treated = panel.means[gtime == date]
        mean = treated.mean(axis=0)
        early, late = controls[:, before], controls[:, ~before].mean(axis=1)
        unit_weights = simplex_weights(early.T, mean[before], ridge=zeta**2 * early.shape[1])
        time_weights = simplex_weights(early, late, ridge=zeta_time**2 * len(early))
        own = mean[~before].mean() - mean[before] @ time_weights
        theirs = unit_weights @ (late - early @ time_weights)
        n_cells = len(treated) * int((~before).sum())
        yield SyntheticGroup(date, float(own - theirs), n_cells, unit_weights, time_weights)


def _without(fitted: SyntheticDid, place: int) -> float:
    """Returns the estimate without an LA, the weights of the others kept; NaN where nothing is left."""
    panel, found, cells = fitted.panel, [], []
    kept = np.arange(len(panel.gtime)) != place
    for group in fitted.groups:
        treated, weight = kept & (panel.gtime == group.gtime), np.zeros(len(kept))
        weight[panel.gtime == NEVER] = group.unit_weights
        weight = weight * kept
        if not treated.any():
            continue
        before = panel.periods < group.gtime
        change = panel.means[:, ~before].mean(axis=1) - panel.means[:, before] @ group.time_weights
        total = weight.sum()
        found.append(change[treated].mean() - (weight @ change / total if total > 0 else np.nan))
        cells.append(int(treated.sum()) * int((~before).sum()))
    return float(np.average(found, weights=cells)) if found else float("nan")


def _average(groups: tuple[SyntheticGroup, ...]) -> float:
    return float(np.average([group.att for group in groups], weights=[group.n_cells for group in groups]))
