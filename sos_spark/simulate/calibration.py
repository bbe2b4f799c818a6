"""What England looked like, and how far authorities and their years differ from it.

National figures: Department for Education, Children in need and Children looked after statistics, years ending 31 March
2013, 2016 and 2020 (Open Government Licence v3.0), interpolated in between and held level outside. The spread between
authorities, and of an authority's years around its own level, was measured on the same statistics: shocks of a year are
as large as the differences that last, and are correlated from one year to the next.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from sos_spark.simulate.draws import Draws, Floats, Ints

RUN_UP_YEARS = 3
"""Census years simulated before the first return, so that it holds open cases and re-referrals."""

STOCK_YEARS = 9
"""Further years before those in which only entries to care are simulated: they fill the stock looked after."""

SCALES = {"tiny": 1 / 150, "small": 1 / 40, "england": 1.0}
TINY_AUTHORITIES = 12

_KNOTS = (2013, 2016, 2020)
_ENGLAND = {
    "referrals": (593_470, 621_470, 642_980),
    "nfa": (0.145, 0.099, 0.063),
    "not_in_need": (0.190, 0.254, 0.302),
    "section47": (0.2143, 0.2776, 0.3126),
    "icpc": (0.1012, 0.1175, 0.1205),
    "plan": (0.0888, 0.1019, 0.1032),
    "through_plan": (0.77, 0.80, 0.83),
    "rereferral": (0.247, 0.225, 0.226),
}

# Days: same day, 1-10, 11-20, 21-30, 31-40, 41-45, 46-50, 51-60, 61 and more working days; shares of completed
# assessments, years ending 31 March 2015 and 2020.
_BANDS = ((0, 0), (1, 10), (11, 20), (21, 30), (31, 40), (41, 45), (46, 50), (51, 60), (61, 160))
_BAND_SHARES = (
    (0.0419, 0.1775, 0.1744, 0.1497, 0.1715, 0.1000, 0.0387, 0.0466, 0.0997),
    (0.0215, 0.1171, 0.1684, 0.1685, 0.2000, 0.1630, 0.0572, 0.0474, 0.0569),
)
LONGEST_ASSESSMENT = 160
_TAIL_SCALE = 22.0

CARE_AFTER_PLAN = 0.28
"""Share of plans after which the child comes into care."""

_WITHIN_SIX_MONTHS = 0.92
_SIX_TO_TWELVE_MONTHS = 0.52
_LATER = 0.06
"""Chances of another referral after a decision or closure; the first two multiply the authority's re-referral level,
set so that England's share of referrals within twelve months of the one before comes out."""


@dataclass(frozen=True)
class Levels:
    """An authority's standing: normal scores by quantity, its share of England, and baselines that replace levels.

    An authority that the effects file makes larger has more than its share.
    """

    share_of_england: float
    scores: Mapping[str, float]
    baselines: Mapping[str, float]


SCORED = ("size", "nfa", "rereferral", "icpc", "escalation", "kinship", "tail", "speed", "embeddedness", "ofsted")


def relative_size(score: float) -> float:
    """Returns an authority's referrals a year before scaling: 1.4k, 3.5k, 7.9k at the percentiles 10, 50 and 90."""
    return 3_500 * float(np.exp(score * (0.715 if score < 0 else 0.635)))


@dataclass(frozen=True)
class Rates:
    """What is expected in one authority. Each array has one value a census year, from `first_year` on.

    `referrals` counts all of a year, `arrivals` those of children never referred before; `through_plan` is the share of
    escalations that goes through a plan. `durations` is (years, days 0 to 160): the probability of each length of an
    assessment in working days.
    """

    first_year: int
    referrals: Floats
    arrivals: Floats
    nfa: Floats
    not_in_need: Floats
    section47: Floats
    icpc: Floats
    escalation: Floats
    through_plan: Floats
    again_6m: Floats
    again_12m: Floats
    again_later: Floats
    kinship: Floats
    durations: Floats

    def year_index(self, census_years: Ints) -> Ints:
        """Returns positions in the arrays; years outside take the nearest."""
        positions: Ints = np.clip(census_years - self.first_year, 0, len(self.arrivals) - 1)
        return positions


def rates_of(levels: Levels, draws: Draws, *, scale: float, first_year: int, last_year: int) -> Rates:
    """Returns an authority's expectations for the census years, its yearly shocks included."""
    years = np.arange(first_year, last_year + 1)
    england = {name: np.interp(years, _KNOTS, values) for name, values in _ENGLAND.items()}
    scores = levels.scores

    rereferral = np.clip(
        england["rereferral"] + 0.037 * scores["rereferral"] + 0.050 * _shocks(draws, "rereferral", years, 0.45),
        0.05,
        0.60,
    )
    # Log-normal: the right tail of the share without further action is heavy (one authority had 64 %).
    nfa = england["nfa"] * np.exp(0.52 * scores["nfa"] + 0.76 * _shocks(draws, "nfa", years, 0.55) - 0.42)
    nfa = np.minimum(nfa, 0.70)
    icpc = england["icpc"] + 0.020 * scores["icpc"] + 0.012 * _shocks(draws, "icpc", years, 0.30)
    icpc = np.clip(icpc, 0.07, 0.30)
    # Authorities that hold more conferences make more plans: the share of conferences that leads to one varies little.
    escalation = england["plan"] / england["through_plan"] * icpc / england["icpc"]
    escalation = escalation * np.exp(0.04 * scores["escalation"] + 0.03 * _shocks(draws, "escalation", years, 0.30))
    kinship = 0.121 * np.exp(0.41 * scores["kinship"]) + 0.020 * _shocks(draws, "kinship", years, 0.30)
    again_6m = _WITHIN_SIX_MONTHS * rereferral
    for name, level in levels.baselines.items():
        if name == "kinship_placement":
            kinship = level + 0.020 * _shocks(draws, "kinship", years, 0.30)
        elif name == "icpc":
            icpc = level + 0.012 * _shocks(draws, "icpc", years, 0.30)
        elif name == "rereferral_nfa_6m":
            again_6m = level * rereferral / np.mean(rereferral)
    again_12m = _SIX_TO_TWELVE_MONTHS * rereferral
    new_share = 1.02 - (again_6m + again_12m + _LATER)
    referrals = (
        levels.share_of_england * scale * england["referrals"] * np.exp(0.05 * _shocks(draws, "size", years, 0.3))
    )
    return Rates(
        first_year=first_year,
        referrals=referrals,
        arrivals=referrals * new_share,
        nfa=nfa,
        not_in_need=england["not_in_need"] / (1 - england["nfa"]),
        section47=england["section47"],
        icpc=icpc,
        escalation=np.minimum(escalation, 0.45),
        through_plan=england["through_plan"],
        again_6m=again_6m,
        again_12m=again_12m,
        again_later=np.full(len(years), _LATER),
        kinship=np.clip(kinship, 0.03, 0.60),
        durations=_durations(scores, draws, years),
    )


def _shocks(draws: Draws, name: str, years: Ints, correlation: float) -> Floats:
    """Returns a stationary first-order series with unit variance, the same whatever the first year asked for."""
    origin = 1990
    fresh = draws.normal(f"shock/{name}", np.arange(origin, years[-1] + 1))
    series = np.empty(len(fresh))
    series[0] = fresh[0]
    for at in range(1, len(fresh)):
        series[at] = correlation * series[at - 1] + np.sqrt(1 - correlation**2) * fresh[at]
    return series[years[0] - origin :]


def _durations(scores: Mapping[str, float], draws: Draws, years: Ints) -> Floats:
    """Returns the lengths' probabilities: England's bands, with the authority's own tail and speed."""
    later = np.clip((years - 2015) / 5, 0, 1)[:, None]
    bands = (1 - later) * np.array(_BAND_SHARES[0]) + later * np.array(_BAND_SHARES[1])
    days = np.arange(LONGEST_ASSESSMENT + 1)
    chances = np.zeros((len(years), len(days)))
    for band, (low, high) in enumerate(_BANDS):
        inside = (days >= low) & (days <= high)
        weight = np.exp(-(days[inside] - low) / _TAIL_SCALE) if band == len(_BANDS) - 1 else np.ones(inside.sum())
        chances[:, inside] = bands[:, [band]] * weight / weight.sum()

    tail = days > 45
    tilt = 0.35 * scores["speed"] + 0.25 * _shocks(draws, "speed", years, 0.30)
    body = chances * ~tail * np.exp(tilt[:, None] * (days / 45 - 0.5))
    body_share = chances[:, ~tail].sum(axis=1)
    odds = (
        (1 - body_share)
        / body_share
        * 0.92
        * np.exp(0.30 * scores["tail"] + 0.22 * _shocks(draws, "tail", years, 0.30))
    )
    tail_share = odds / (1 + odds)
    body *= ((1 - tail_share) / body.sum(axis=1))[:, None]
    long = chances * tail * (tail_share / (1 - body_share))[:, None]
    lengths: Floats = body + long
    return lengths


def age_factors(ages: Ints) -> dict[str, Floats]:
    """Returns what a child's completed years multiply its probabilities by, by quantity."""
    band = np.digitize(ages, (1, 5, 10, 16))
    table = {
        "rereferral": (1.05, 1.08, 1.04, 0.93, 0.75),
        "protection": (1.55, 1.27, 1.06, 0.78, 0.50),
        "kinship": (1.15, 1.20, 1.05, 0.82, 0.60),
    }
    return {name: np.array(values)[band] for name, values in table.items()}
