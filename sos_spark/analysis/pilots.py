"""The effect in each pilot against the comparators, and what the pilots together say of the next one.

A pilot's effect is two-way fixed effects on its own rows and the comparators', with main's weights and covariates. One
treated LA has no cluster-robust standard error, so its uncertainty is read from two sources: how unsteady it is itself,
and what comparators show when each in turn is taken for a pilot that went live on the same day, which is error.

The statistic is t = effect / s. s^2 is the pilot's own scatter from period to period about its means before go-live and
from it on, less the comparators' mean of each period, times what the effect makes of such scatter. A pilot that is
twice as unsteady as its comparators has twice the s, and t has the same law; that shocks carry over from period to
period, and that s rests on few periods, is in the comparators' t. With J comparators p = (1 + number with |t| at least
the pilot's) / (1 + J), and the interval is the test inverted: it needs 19 comparators, and three periods more than the
two means. The plain comparison of errors, in units of their expected size, rejects 25 to 28 % of true nulls where
pilots' shocks are doubled; this one's measured rates are in `tools.monte_carlo.each_pilot` and its table. An effect
that grows or fades adds to s: the interval is then wider than it must be.

The pool weighs each pilot by the error expected of a comparator of its size,

    sd = r sqrt(a + b h),        h = 1 / rows before go-live + 1 / rows from it on,

a what shocks of LAs make and b what chance among few children makes, both at least 0, fitted to the comparators'
squared errors (Ferman and Pinto 2019, Review of Economics and Statistics 101(3)), and r^2 how the pilots' own scatter
compares with that of comparators of their size, one figure for all pilots.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import numpy.typing as npt
import pandas as pd
from scipy.optimize import nnls

from sos_spark.analysis.placebo import refits_of_assignments
from sos_spark.analysis.pooling import Pooled, pool
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import NEVER, Ints, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array
from sos_spark.fit.thresholds import ALPHA
from sos_spark.tables.results import PILOTS, PILOTS_POOLED

FEWEST_PLACEBOS = math.ceil(1 / ALPHA) - 1
"""With fewer comparators no p-value is below 0.05, and an interval would have no end."""
FEWEST_FREE_PERIODS = 3
"""With fewer periods beyond the two means a pilot's own scatter says next to nothing."""

_NAN = float("nan")
_ROUNDS = 5


@dataclass(frozen=True)
class Line:
    """A variance that grows with h: fixed + by_size h, both at least 0."""

    fixed: float
    by_size: float

    @classmethod
    def through(cls, squares: Array, h: Array) -> Line:
        """Fits it to squares (J,), each weighed by one over the square of its expectation."""
        x = np.column_stack([np.ones_like(h), h / h.mean()])
        weight = np.ones_like(h)
        for _ in range(_ROUNDS):
            found, _ = nnls(x * weight[:, None], squares * weight)
            expected = x @ found
            weight = 1 / np.maximum(expected, 1e-3 * expected.max()) if expected.max() > 0 else weight
        return cls(float(found[0]), float(found[1] / h.mean()))

    def at(self, h: Array | float) -> Array:
        """Returns the variance at h."""
        return np.asarray(self.fixed + self.by_size * np.asarray(h))


@dataclass(frozen=True)
class Scatter:
    """How unsteady LAs are by themselves. Shapes (G,): `variance` s^2, `free` the periods beyond the two means."""

    variance: Array
    free: Ints

    @classmethod
    def of(cls, panel: PreparedPanel, rest: PreparedPanel, gtime: int) -> Scatter:
        """Measures every LA of a panel against the comparators in `rest`, itself left out, about a go-live.

        NaN where an LA lacks rows before the go-live or from it on, or has no period beyond the two means.
        """
        gap, there = _gaps(panel, rest)
        squares, per_square = np.zeros(len(gap)), np.zeros(len(gap))
        with np.errstate(divide="ignore", invalid="ignore"):
            for side in (panel.periods < gtime, panel.periods >= gtime):
                inside = there & side
                share = np.where(inside, panel.rows, 0.0)
                share = share / share.sum(axis=1, keepdims=True)
                mean = np.sum(gap * inside, axis=1, keepdims=True) / inside.sum(axis=1, keepdims=True)
                squares += np.sum((gap - mean) ** 2 * inside, axis=1)
                per_square += np.sum(share**2, axis=1)
            free = there.sum(axis=1) - 2
            return cls(np.where(free > 0, squares / free * per_square, _NAN), free)


@dataclass(frozen=True)
class Errors:
    """What comparators show as an effect of a go-live that they did not have. Shapes (J,).

    `own` is s^2 of each; `line` the variance of errors by h, `steady` that of s^2.
    """

    att: Array
    h: Array
    own: Array

    @cached_property
    def line(self) -> Line:
        """The variance of an error by h."""
        return Line.through(self.att**2, self.h)

    @cached_property
    def steady(self) -> Line:
        """The expected s^2 by h."""
        return Line.through(self.own, self.h)

    @property
    def known(self) -> bool:
        """Whether there are comparators enough, and they differ."""
        return len(self.att) >= FEWEST_PLACEBOS and self.line.fixed + self.line.by_size > 0

    def sd(self, h: float, unsteadiness: float) -> float:
        """Returns the standard deviation of an error at h, of LAs so much more unsteady than comparators (a ratio)."""
        return float(np.sqrt(self.line.at(h))) * unsteadiness

    @cached_property
    def _t(self) -> Array:
        return np.abs(self.att) / np.sqrt(self.own)

    def p_value(self, effect: float, own: float) -> float:
        """Returns p of 'no effect' in a pilot whose s^2 is `own`; NaN where that is not known."""
        if not self.known or not own > 0:
            return _NAN
        reached = self._t >= abs(effect) / math.sqrt(own) * (1 - 1e-10)
        return float(1 + np.count_nonzero(reached)) / (1 + len(self.att))

    def margin(self, own: float, *, level: float = 1 - ALPHA) -> float:
        """Returns half the width of the interval of a pilot whose s^2 is `own`."""
        rank = math.ceil(round(level * (1 + len(self.att)), 9))
        if not self.known or rank > len(self.att) or not own > 0:
            return _NAN
        return float(np.sort(self._t)[rank - 1] * math.sqrt(own))


@dataclass(frozen=True)
class PilotEffect:
    """One pilot's effect; `own` is its s^2 and `se` the error expected at its size, NaN where they are not known."""

    unit_id: str
    gtime: int
    n_rows: int
    att: float
    own: float
    h: float
    se: float
    margin: float
    p: float
    n_placebos: int
    note: str = ""


@dataclass(frozen=True)
class EachPilot:
    """The pilots' effects in order of unit id, and their pool; its shrunken effects are of `known`, in order."""

    effects: tuple[PilotEffect, ...]
    pooled: Pooled

    @property
    def known(self) -> tuple[PilotEffect, ...]:
        """The pilots that have an effect and an error to weigh it by."""
        return tuple(effect for effect in self.effects if effect.se > 0)


def each_pilot(panel: PreparedPanel, *, weights: Weights) -> EachPilot:
    """Estimates the effect in each pilot that has rows before its go-live and from it on.

    Raises:
        NotEstimableError: There is no such pilot, or no comparator.
    """
    pilots = {unit for unit, g in zip(panel.unit_ids, panel.gtime, strict=True) if g != NEVER}
    rest = panel.without(pilots)
    if len(rest.unit_ids) < 2:
        raise NotEstimableError("No effect of single pilots: fewer than two authorities compare")
    errors = {
        int(g): placebo_errors(rest, int(g), weights=weights) for g in np.unique(panel.gtime[panel.gtime != NEVER])
    }
    effects = []
    for unit in sorted(pilots):
        alone = panel.without(pilots - {unit})
        place = alone.unit_ids.index(unit)
        gtime = int(alone.gtime[place])
        size = float(_h(alone, gtime)[place])
        if not np.isfinite(size):
            continue
        att = float(next(refits_of_assignments(alone, [alone.gtime[None]], weights=weights, staggered=None)).att[0])
        scatter, found = Scatter.of(alone, rest, gtime), errors[gtime]
        own = float(scatter.variance[place]) if scatter.free[place] >= FEWEST_FREE_PERIODS else _NAN
        effects.append(
            PilotEffect(
                unit_id=unit,
                gtime=gtime,
                n_rows=int(alone.rows[place].sum()),
                att=att,
                own=own,
                h=size,
                se=_NAN,
                margin=found.margin(own),
                p=found.p_value(att, own),
                n_placebos=len(found.att),
                note=_why_no_interval(found, own),
            )
        )
    if not effects:
        raise NotEstimableError("No pilot has rows before its go-live and from it on")
    return _pooled(_expected(effects, errors), rest, errors)


def _expected(effects: Sequence[PilotEffect], errors: Mapping[int, Errors]) -> list[PilotEffect]:
    """Returns the effects with the error expected of each, at the pilots' own unsteadiness."""
    ratios = [
        one.own / float(errors[one.gtime].steady.at(one.h))
        for one in effects
        if errors[one.gtime].known and one.own > 0 and float(errors[one.gtime].steady.at(one.h)) > 0
    ]
    if not ratios:
        return list(effects)
    unsteadiness = math.sqrt(float(np.mean(ratios)))
    return [
        replace(one, se=errors[one.gtime].sd(one.h, unsteadiness)) if errors[one.gtime].known and one.own > 0 else one
        for one in effects
    ]


def _pooled(effects: Sequence[PilotEffect], rest: PreparedPanel, errors: Mapping[int, Errors]) -> EachPilot:
    known = [one for one in effects if one.se > 0]
    if not known:
        return EachPilot(tuple(effects), pool(np.empty(0), np.empty(0)))
    values, variances = np.array([one.att for one in known]), np.array([one.se**2 for one in known])
    first = errors[known[0].gtime]
    free = len(known) * max(len(rest.periods) - 2, 1)
    pooled = pool(values, variances, shared_variance=_shared_variance(rest, first), df=min(len(first.att) - 2, free))
    return EachPilot(tuple(effects), pooled)


def _why_no_interval(errors: Errors, own: float) -> str:
    if not own > 0:
        return (
            "no interval: too few periods show how unsteady this authority is by itself, and one that is more unsteady"
            " than the comparators cannot be judged by them"
        )
    if not errors.known:
        return f"no interval: {len(errors.att)} comparators show what chance does, {FEWEST_PLACEBOS} are needed"
    return ""


def placebo_errors(rest: PreparedPanel, gtime: int, *, weights: Weights) -> Errors:
    """Returns the effects of a go-live that was none, in each LA of a panel of comparators against all others."""
    size = _h(rest, gtime)
    eligible = np.flatnonzero(np.isfinite(size))
    assigned: Ints = np.full((len(eligible), len(rest.unit_ids)), NEVER, dtype=np.int64)
    assigned[np.arange(len(eligible)), eligible] = gtime
    if not len(eligible):
        return Errors(np.empty(0), np.empty(0), np.empty(0))
    (refits,) = refits_of_assignments(rest.with_gtime(assigned[0]), [assigned], weights=weights, staggered=None)
    scatter = Scatter.of(rest, rest, gtime)
    own = np.where(scatter.free >= FEWEST_FREE_PERIODS, scatter.variance, _NAN)[eligible]
    seen = ~np.isnan(refits.att) & (own > 0)
    return Errors(refits.att[seen], size[eligible][seen], own[seen])


def _gaps(panel: PreparedPanel, rest: PreparedPanel) -> tuple[Array, npt.NDArray[np.bool_]]:
    """Returns each LA's mean less that of the comparators without it, 0 where not known, and where it is (G, T)."""
    shared = [panel.unit_ids.index(unit) for unit in rest.unit_ids]
    compares = np.isin(np.arange(len(panel.unit_ids)), shared)[:, None]
    others = panel.rows[shared].sum(axis=0) - compares * panel.rows
    total = panel.y_sum[shared].sum(axis=0) - compares * panel.y_sum
    there = (panel.rows > 0) & (others > 0)
    gap = np.zeros(panel.rows.shape)
    gap[there] = panel.y_sum[there] / panel.rows[there] - total[there] / others[there]
    return gap, there


def _h(panel: PreparedPanel, gtime: int) -> Array:
    """Returns 1 / rows before a go-live + 1 / rows from it on, by LA (G,); infinite where an LA lacks either."""
    after = panel.periods >= gtime
    with np.errstate(divide="ignore"):
        return np.asarray(1 / panel.rows[:, ~after].sum(axis=1) + 1 / panel.rows[:, after].sum(axis=1))


def _shared_variance(rest: PreparedPanel, errors: Errors) -> float:
    """Returns the variance of the comparators' own mean change, which every pilot's effect has in common."""
    rows = rest.rows.sum(axis=1)
    share = rows / rows.sum()
    size = np.nan_to_num(_h(rest, int(rest.periods[len(rest.periods) // 2])), posinf=errors.h.max())
    return float(np.sum(share**2 * errors.line.at(size)))


def pilots_frame(outcome_id: str, found: EachPilot) -> pd.DataFrame:
    """Returns one row per pilot, the columns of pilots.csv."""
    shrunken = {
        one.unit_id: ends
        for one, *ends in zip(
            found.known, found.pooled.shrunken, found.pooled.shrunken_low, found.pooled.shrunken_high, strict=True
        )
    }
    blank = [_NAN, _NAN, _NAN]
    records = [
        (
            outcome_id, one.unit_id, one.gtime, one.n_rows, one.att, one.se, one.att - one.margin, one.att + one.margin,
            one.p, one.n_placebos, *shrunken.get(one.unit_id, blank),
            one.note,
        )
        for one in found.effects
    ]  # fmt: skip
    return pd.DataFrame(records, columns=list(PILOTS.column_names))


def pooled_frame(outcome_id: str, found: EachPilot) -> pd.DataFrame:
    """Returns one row: the columns of pilots_pooled.csv."""
    pooled = found.pooled
    note = (
        "" if pooled.n > 2 else f"{pooled.n} pilots with an interval: three are needed for what a next one may expect"
    )
    row = (
        outcome_id, pooled.n, pooled.mean, pooled.se, *pooled.interval, *pooled.prediction, pooled.sd,
        *pooled.sd_interval, pooled.q, pooled.p, note,
    )  # fmt: skip
    return pd.DataFrame([row], columns=list(PILOTS_POOLED.column_names))
