"""The event study by years since go-live: what bounds under violations of parallel trends are computed from.

Event year k holds the event times k x p to k x p + p - 1, p the periods in a year; year -1, the last before go-live, is
the reference. All years before go-live count, for a cap could hide the largest step, and at most five from it on, in a
row without a gap, each with treated rows in at least half of its periods (a year that has less stands for a part of
itself only, and the bounds take years to lie equally far apart) and from more than four treated LAs (with several
go-lives the outermost years rest on few). Other years are estimated apart and not used.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from sos_spark.fit.cells.years import periods_a_year
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators import ESTIMATORS, shares_one_go_live, unit_panel
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import PreparedPanel, Weights, regression
from sos_spark.fit.regression.moments import Array, ClusterMoments
from sos_spark.fit.staggered.group_time import group_time_effects, saturated_moments
from sos_spark.fit.thresholds import FEW_TREATED

YEARS_AFTER = 5
REFERENCE = -1


@dataclass(frozen=True)
class AnnualEffects:
    """Effects by year since go-live against the last year before it, with their CR2 covariance.

    Shapes, with P years before the reference and Q from go-live on: pre (P,) and post (Q,), each in order of time, in
    the outcome's unit; covariance and working (P + Q, P + Q) in that order, CR2 and that of independent rows up to a
    factor. `df` is the smallest Satterthwaite df of the effects. `note` names what was left out.
    """

    pre: Array
    post: Array
    covariance: Array
    working: Array
    df: float
    note: str = ""

    @property
    def n_pre(self) -> int:
        """Years before go-live, the reference included."""
        return len(self.pre) + 1

    @property
    def n_post(self) -> int:
        """Years from go-live on."""
        return len(self.post)

    @property
    def both(self) -> Array:
        """(P + Q,): effects before, then from go-live on."""
        return np.concatenate([self.pre, self.post])


def annual_effects(panel: PreparedPanel, *, estimator: str, weights: Weights) -> AnnualEffects:
    """Estimates the effect in every year since go-live.

    Args:
        panel: The prepared panel.
        estimator: twfe (dummies of the treated LAs' years in the two-way model; with several go-lives taken as
            cs_simple) or cs_simple (averages of ATT(g, t), each group's effect of the reference year taken off).
        weights: child or la_equal.

    Raises:
        NotEstimableError: No year to compare, before go-live or after it; or the effects do not vary.
    """
    by_dummies = ESTIMATORS[estimator].by_dummies and shares_one_go_live(panel)
    filled = _filled(panel)
    moments, known = (_dummies if by_dummies else _averages)(panel, weights, sorted(filled))
    usable = {k: good and k in known for k, good in filled.items()}
    before = _run(usable, REFERENCE - 1, -1) if REFERENCE in usable else []
    after = _run(usable, 0, 1, most=YEARS_AFTER)
    if not before or not after:
        lacking = "before go-live to set against the last one before it" if not before else "from go-live on"
        raise NotEstimableError(
            f"No year {lacking}",
            expected="two years before go-live and one after it, each at least half filled and none between missing",
            remedy="Widen the window",
        )
    names = [_name(k) for k in (*before[::-1], *after)]
    sandwich = Sandwich(moments)
    own = sandwich.satterthwaite_of(names)
    if np.isnan(own.df).any():
        raise NotEstimableError("Effects by year do not vary between authorities", expected="outcomes that differ")
    places = [moments.names.index(name) for name in names]
    weighed = np.einsum("g,gkl->kl", moments.weight**2, moments.xx)
    working = sandwich.bread @ weighed @ sandwich.bread
    unused = sorted(set(usable) - {REFERENCE, *before, *after}) + sorted(k for k, good in usable.items() if not good)
    return AnnualEffects(
        pre=own.estimate[: len(before)],
        post=own.estimate[len(before) :],
        covariance=sandwich.cr2[np.ix_(places, places)],
        working=working[np.ix_(places, places)],
        df=float(own.df.min()),
        note=f"years since go-live not used: {', '.join(map(str, sorted(set(unused))))}" if unused else "",
    )


def _name(year: int) -> str:
    return f"year_{year}"


def _run(usable: dict[int, bool], first: int, step: int, *, most: int | None = None) -> list[int]:
    """Returns the years from the first on, in steps of 1 or -1, up to a gap."""
    years: list[int] = []
    while (most is None or len(years) < most) and usable.get(first + step * len(years), False):
        years.append(first + step * len(years))
    return years


def _filled(panel: PreparedPanel) -> dict[int, bool]:
    """Says of each year with treated rows whether it has enough of them to count."""
    a_year = periods_a_year(panel)
    unit, column = np.nonzero(panel.is_treated_unit[:, None] & (panel.rows > 0))
    event_time = panel.event_time[unit, column]
    year = event_time // a_year
    return {
        int(k): 2 * len(np.unique(event_time[year == k])) >= a_year and len(np.unique(unit[year == k])) > FEW_TREATED
        for k in np.unique(year)
    }


def _dummies(panel: PreparedPanel, weights: Weights, years: list[int]) -> tuple[ClusterMoments, set[int]]:
    """Returns the two-way regression with a dummy of the treated LAs' rows of each year, and the years it tells."""
    year = panel.event_time // periods_a_year(panel)
    treated = panel.is_treated_unit[:, None]
    effects = {_name(k): ((year == k) & treated).astype(np.float64) for k in years if k != REFERENCE}
    moments = regression(panel, effects, weights=weights).moments
    return moments, {k for k in years if k == REFERENCE or _name(k) in moments.names}


def _averages(panel: PreparedPanel, weights: Weights, years: list[int]) -> tuple[ClusterMoments, set[int]]:
    """Returns the saturated regression with annual averages of ATT(g, t) as its first coefficients, and their years.

    A group's effect in year k is the mean of its ATT(g, t) of that year less that of year -1, the base period's zero
    among them: so the reference is the whole year and not its last period. Groups are weighed by their rows.
    """
    a_year = periods_a_year(panel)
    units = unit_panel(panel).weighing(weights)
    effects = group_time_effects(units)
    starts = {int(place): int(gtime) for place, gtime in zip(units.gtime, panel.gtime, strict=True)}
    maps: dict[int, list[Array]] = {k: [] for k in years}
    shares: dict[int, list[float]] = {k: [] for k in years}
    for g in map(int, np.unique(effects.effects[:, 0])):
        mine = effects.effects[:, 0] == g
        # The base period's effect is zero, and stands in no row.
        periods = panel.periods[[*effects.effects[mine, 1], g - 1]]
        own = np.vstack([effects.maps[mine], np.zeros_like(effects.means)])
        year = (periods - starts[g]) // a_year
        if REFERENCE not in year:
            continue
        reference = own[year == REFERENCE].mean(axis=0)
        for k in map(int, np.unique(year)):
            maps[k].append(own[year == k].mean(axis=0) - reference)
            shares[k].append(float(effects.share[mine][0]))
    told = [k for k in years if maps[k]]
    chosen = {_name(k): np.average(maps[k], axis=0, weights=shares[k]) for k in told if k != REFERENCE}
    return saturated_moments(units, effects, chosen), set(told)
