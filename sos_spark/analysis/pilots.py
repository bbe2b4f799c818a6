"""The effect in each pilot against the comparators, and what the pilots together say of the next one.

A pilot's effect is two-way fixed effects on its own rows and the comparators', with main's weights and covariates. One
treated LA has no cluster-robust standard error, so its uncertainty is that of the comparators: each of them in turn is
taken for a pilot that went live on the same day, against all others, and what is found is error. A small LA's error is
larger than a large one's, so errors are compared in units of

    s = sqrt(a + b h),        h = 1 / rows before go-live + 1 / rows from it on,

a what shocks of LAs make and b what chance among few children makes, both at least 0, fitted to the comparators'
squared errors (Ferman and Pinto 2019, Review of Economics and Statistics 101(3), on pilots of unlike size). With J
comparators p = (1 + number with |error| / s at least the pilot's) / (1 + J), and the interval is the test inverted: it
needs 19. It is valid where the pilot's shocks are like those of comparators of its size: where they are twice as large
a true null is rejected in more than 20 % and not in 5 % (`tools.monte_carlo.each_pilot`), and after go-live no data can
tell an effect from such a shock. The pool's mean needs no such thing: its interval comes from how pilots differ.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
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

_NAN = float("nan")
_ROUNDS = 5


@dataclass(frozen=True)
class Errors:
    """What comparators show as an effect of a go-live that they did not have, by size. Shapes (J,).

    `shock` and `sampling` are a and b of the variance a + b h.
    """

    att: Array
    h: Array
    shock: float
    sampling: float

    @classmethod
    def of(cls, att: Array, h: Array) -> Errors:
        """Fits the variance to squared errors, each weighed by one over the square of its expectation."""
        x = np.column_stack([np.ones_like(h), h / h.mean()])
        weight = np.ones_like(h)
        for _ in range(_ROUNDS):
            found, _ = nnls(x * weight[:, None], att**2 * weight)
            expected = x @ found
            weight = 1 / np.maximum(expected, 1e-3 * expected.max()) if expected.max() > 0 else weight
        return cls(att, h, float(found[0]), float(found[1] / h.mean()))

    def sd(self, h: Array | float) -> Array:
        """Returns the standard deviation of an error at h."""
        return np.asarray(np.sqrt(self.shock + self.sampling * np.asarray(h)))

    @property
    def known(self) -> bool:
        """Whether there are comparators enough, and they differ."""
        return len(self.att) >= FEWEST_PLACEBOS and self.shock + self.sampling > 0

    def p_value(self, effect: float, h: float) -> float:
        """Returns p of 'no effect' in a pilot of that size."""
        if not self.known:
            return _NAN
        reached = np.abs(self.att) / self.sd(self.h) >= abs(effect) / float(self.sd(h)) * (1 - 1e-10)
        return float(1 + np.count_nonzero(reached)) / (1 + len(self.att))

    def margin(self, h: float, *, level: float = 1 - ALPHA) -> float:
        """Returns half the width of the interval of a pilot of that size."""
        rank = math.ceil(round(level * (1 + len(self.att)), 9))
        if not self.known or rank > len(self.att):
            return _NAN
        return float(np.sort(np.abs(self.att) / self.sd(self.h))[rank - 1] * self.sd(h))


@dataclass(frozen=True)
class PilotEffect:
    """One pilot's effect; `se` the standard deviation of errors at its size, NaN where too few comparators show any."""

    unit_id: str
    gtime: int
    n_rows: int
    att: float
    se: float
    margin: float
    p: float
    n_placebos: int


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
        size = _h(alone, gtime)[place]
        if not np.isfinite(size):
            continue
        att = float(next(refits_of_assignments(alone, [alone.gtime[None]], weights=weights, staggered=None)).att[0])
        own = errors[gtime]
        effects.append(
            PilotEffect(
                unit_id=unit,
                gtime=gtime,
                n_rows=int(alone.rows[place].sum()),
                att=att,
                se=float(own.sd(size)) if own.known else _NAN,
                margin=own.margin(size),
                p=own.p_value(att, size),
                n_placebos=len(own.att),
            )
        )
    if not effects:
        raise NotEstimableError("No pilot has rows before its go-live and from it on")
    known = [one for one in effects if one.se > 0]
    if not known:
        return EachPilot(tuple(effects), pool(np.empty(0), np.empty(0)))
    values, variances = np.array([one.att for one in known]), np.array([one.se**2 for one in known])
    first = errors[known[0].gtime]
    pooled = pool(values, variances, shared_variance=_shared_variance(rest, first), df=len(first.att) - 2)
    return EachPilot(tuple(effects), pooled)


def placebo_errors(rest: PreparedPanel, gtime: int, *, weights: Weights) -> Errors:
    """Returns the effects of a go-live that was none, in each LA of a panel of comparators against all others."""
    size = _h(rest, gtime)
    eligible = np.flatnonzero(np.isfinite(size))
    assigned: Ints = np.full((len(eligible), len(rest.unit_ids)), NEVER, dtype=np.int64)
    assigned[np.arange(len(eligible)), eligible] = gtime
    if not len(eligible):
        return Errors(np.empty(0), np.empty(0), 0.0, 0.0)
    (refits,) = refits_of_assignments(rest.with_gtime(assigned[0]), [assigned], weights=weights, staggered=None)
    seen = ~np.isnan(refits.att)
    return Errors.of(refits.att[seen], size[eligible][seen])


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
    return float(np.sum(share**2 * errors.sd(size) ** 2))


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
            "" if one.se > 0 else f"no interval: {one.n_placebos} comparators show what chance does, {FEWEST_PLACEBOS}"
            " are needed",
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
