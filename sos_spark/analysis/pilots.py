"""The effect in each pilot against the comparators, and what the pilots together say of the next one.

A pilot's effect is two-way fixed effects on its own rows and the comparators', with main's weights and covariates; its
test and interval set it beside its own scatter and placebo pilots, see `fit.lone_pilot`. The plain comparison of
errors, in units of their expected size, rejects 25 to 28 % of true nulls where pilots' shocks are doubled; this one's
measured rates are in `tools.monte_carlo.each_pilot` and its table.

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
import pandas as pd
from scipy.optimize import nnls

from sos_spark.analysis.pooling import Pooled, pool
from sos_spark.fit.assigned import refits_of_assignments
from sos_spark.fit.cells.subpanel import settled
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.lone_pilot import Placebos, inverse_rows, own_scatter, placebo_effects
from sos_spark.fit.regression.design import NEVER, PreparedPanel, Weights
from sos_spark.fit.regression.moments import Array
from sos_spark.tables.results import PILOTS, PILOTS_POOLED

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
class Errors(Placebos):
    """Placebos and what their errors are by size. `line` is the variance of errors by h, `steady` that of s^2."""

    @cached_property
    def line(self) -> Line:
        """The variance of an error by h."""
        return Line.through(self.att**2, self.h)

    @cached_property
    def steady(self) -> Line:
        """The expected s^2 by h."""
        return Line.through(self.own, self.h)

    def sd(self, h: float, unsteadiness: float) -> float:
        """Returns the standard deviation of an error at h, of LAs so much more unsteady than comparators (a ratio)."""
        return float(np.sqrt(self.line.at(h))) * unsteadiness


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
    panel = settled(panel)
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
        size = float(inverse_rows(alone, gtime)[place])
        if not np.isfinite(size):
            continue
        att = float(next(refits_of_assignments(alone, [alone.gtime[None]], weights=weights, staggered=None)).att[0])
        own, found = own_scatter(alone, rest, gtime, place), errors[gtime]
        unknown = found.why_unknown(own)
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
                note=f"no interval: {unknown}" if unknown else "",
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


def placebo_errors(rest: PreparedPanel, gtime: int, *, weights: Weights) -> Errors:
    """Returns the effects of a go-live that was none, in each LA of a panel of comparators against all others."""
    found = placebo_effects(rest, gtime, weights=weights)
    return Errors(found.att, found.h, found.own, found.unit_ids)


def _shared_variance(rest: PreparedPanel, errors: Errors) -> float:
    """Returns the variance of the comparators' own mean change, which every pilot's effect has in common."""
    rows = rest.rows.sum(axis=1)
    share = rows / rows.sum()
    size = np.nan_to_num(inverse_rows(rest, int(rest.periods[len(rest.periods) // 2])), posinf=errors.h.max())
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
        *pooled.sd_interval, pooled.q, note,
    )  # fmt: skip
    return pd.DataFrame([row], columns=list(PILOTS_POOLED.column_names))
