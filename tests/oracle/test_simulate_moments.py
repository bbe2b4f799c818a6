"""Simulated England beside DfE's statistics: totals, shares, spread between authorities and between their years."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest

from sos_spark.config.reference import bank_holidays
from sos_spark.simulate.cases import NO_FURTHER_ACTION, NOT_IN_NEED
from sos_spark.simulate.days import NEVER, add_months, census_year_of, last_day
from sos_spark.simulate.generate import Journeys
from tests.simulated import FIRST_YEAR, LAST_YEAR, simulated_journeys

SCALE = 0.1
YEARS = np.arange(FIRST_YEAR, LAST_YEAR + 1)

pytestmark = pytest.mark.slow


@dataclass(frozen=True)
class England:
    """Counts by quantity: (authority, census year)."""

    counts: dict[str, np.ndarray]
    lengths: dict[int, np.ndarray]
    kinship_by_age: np.ndarray

    def total(self, name: str, year: int) -> float:
        return float(self.counts[name][:, year - FIRST_YEAR].sum())

    def share(self, name: str, of: str, year: int) -> float:
        return self.total(name, year) / self.total(of, year)


def counts_of(journeys: Journeys) -> dict[str, np.ndarray]:
    cases, episodes = journeys.cases, journeys.episodes

    def by_year(days: np.ndarray, chosen: np.ndarray | None = None) -> np.ndarray:
        chosen = (days < NEVER) if chosen is None else chosen & (days < NEVER)
        return np.array([(census_year_of(days[chosen]) == year).sum() for year in YEARS])

    same_child = np.concatenate([[False], cases.child[1:] == cases.child[:-1]])
    before = np.concatenate([cases.referred[:1], cases.referred[:-1]])
    again = same_child & (cases.referred <= add_months(before, 12))
    in_care = ~episodes.is_short_break
    starts = in_care & (episodes.reason_new == 0)
    stock = [in_care & (episodes.began <= last_day(int(y))) & (episodes.ended > last_day(int(y))) for y in YEARS]
    return {
        "referrals": by_year(cases.referred),
        "again": by_year(cases.referred, again),
        "nfa": by_year(cases.referred, cases.kind == NO_FURTHER_ACTION),
        "not_in_need": by_year(cases.referred, cases.kind == NOT_IN_NEED),
        "section47": by_year(cases.enquiry),
        "icpc": by_year(cases.conference),
        "plans": by_year(cases.plan_from),
        "starts": by_year(episodes.began, starts),
        "stock": np.array([chosen.sum() for chosen in stock]),
        "kinship": np.array([(chosen & (episodes.placement == 0)).sum() for chosen in stock]),
        "assessments": by_year(cases.assessed_to),
    }


@pytest.fixture(scope="module")
def england() -> England:
    areas = [journeys for _, journeys in simulated_journeys(scale=SCALE, seed=3)]
    each = [counts_of(journeys) for journeys in areas]
    holidays = np.array(bank_holidays(), dtype="datetime64[D]")
    lengths: dict[int, list[np.ndarray]] = {2015: [], 2020: []}
    by_age = np.zeros((5, 2))
    for journeys in areas:
        cases, episodes = journeys.cases, journeys.episodes
        done = cases.assessed_to < NEVER
        year = census_year_of(np.minimum(cases.assessed_to, NEVER - 1))
        for y, found in lengths.items():
            start, end = (d[done & (year == y)] for d in (cases.assessed_from, cases.assessed_to))
            first, last = ((d + 1).astype("datetime64[D]") for d in (start, end))
            found.append(np.busday_count(first, last, holidays=holidays))
        starts = (episodes.reason_new == 0) & ~episodes.is_short_break & (episodes.placement < 10)
        age = np.digitize(journeys.children.age(episodes.child[starts], episodes.began[starts]), (1, 5, 10, 16))
        np.add.at(by_age, (age, (episodes.placement[starts] == 0).astype(int)), 1)
    return England(
        {name: np.array([counts[name] for counts in each]) for name in each[0]},
        {year: np.concatenate(found) for year, found in lengths.items()},
        by_age[:, 1] / by_age.sum(axis=1),
    )


@pytest.mark.parametrize(
    ("name", "published"),
    [
        ("referrals", (593_470, 621_470, 642_980)),
        ("section47", (127_190, 172_510, 201_000)),
        ("icpc", (60_080, 73_050, 77_470)),
        ("plans", (52_680, 63_310, 66_380)),
        ("stock", (68_060, 70_400, 80_000)),
        ("starts", (28_970, 32_170, 31_010)),
    ],
)
def test_totals_are_those_of_england(england: England, name: str, published: tuple[int, ...]) -> None:
    for year, wanted in zip((2013, 2016, 2020), published, strict=True):
        assert england.total(name, year) / SCALE == pytest.approx(wanted, rel=0.10), year


@pytest.mark.parametrize(
    ("name", "published", "tolerance"),
    [
        ("again", (0.247, 0.225, 0.226), 0.02),
        ("nfa", (0.145, 0.099, 0.063), 0.02),
        ("not_in_need", (0.190, 0.254, 0.302), 0.02),
    ],
)
def test_shares_are_those_of_england(
    england: England, name: str, published: tuple[float, ...], tolerance: float
) -> None:
    for year, wanted in zip((2013, 2016, 2020), published, strict=True):
        assert england.share(name, "referrals", year) == pytest.approx(wanted, abs=tolerance), year


def test_assessments_have_englands_lengths(england: England) -> None:
    assert 0.5e6 < england.total("assessments", 2015) / SCALE < 0.62e6
    assert 0.55e6 < england.total("assessments", 2020) / SCALE < 0.68e6
    for year, median, within, same_day in ((2015, 28, 0.815, 0.042), (2020, 32, 0.838, 0.0215)):
        days = england.lengths[year]
        assert np.median(days) == pytest.approx(median, abs=1)
        assert np.mean(days <= 45) == pytest.approx(within, abs=0.015)
        assert np.mean(days == 0) == pytest.approx(same_day, abs=0.01)
    by_day = np.bincount(england.lengths[2020], minlength=61)
    assert by_day[41:46].mean() > 1.4 * by_day[31:41].mean()
    assert by_day[41:46].mean() > 2.5 * by_day[46:51].mean()


def test_authorities_have_englands_sizes(england: England) -> None:
    sizes = england.counts["referrals"].mean(axis=1) / SCALE
    assert np.quantile(sizes, [0.1, 0.5, 0.9]) == pytest.approx([1400, 3500, 7900], rel=0.10)


@pytest.mark.parametrize(
    ("name", "between", "within", "correlation"), [("again", 0.048, 0.041, 0.29), ("nfa", 0.075, 0.079, 0.31)]
)
def test_years_differ_as_much_as_authorities(
    england: England, name: str, between: float, within: float, correlation: float
) -> None:
    """Sampling noise of the small scale is taken out of the spread within authorities by its expected variance."""
    referrals = england.counts["referrals"]
    shares = england.counts[name] / referrals
    noise = np.mean(shares * (1 - shares) / referrals)
    shares = shares - shares.mean(axis=0)
    level = shares.mean(axis=1, keepdims=True)
    shocks = shares - level
    n_years = len(YEARS)
    variance = np.mean(shocks**2) * n_years / (n_years - 1) - noise
    assert np.sqrt(variance) == pytest.approx(within, rel=0.25)
    assert np.sqrt(np.mean(level**2) - noise / n_years) == pytest.approx(between, rel=0.25)
    lag_1 = np.mean(shocks[:, 1:] * shocks[:, :-1]) / variance
    assert lag_1 == pytest.approx(correlation, abs=0.17)


def test_the_share_without_further_action_has_a_heavy_right_tail(england: England) -> None:
    shares = england.counts["nfa"] / england.counts["referrals"]
    assert np.median(shares) < 0.8 * shares.mean()
    assert shares.max() > 0.40


def test_kinship_has_englands_level_and_spread_and_falls_with_age(england: England) -> None:
    for year in (2016, 2020):
        assert england.share("kinship", "stock", year) == pytest.approx(0.14, abs=0.015)
    stock = england.counts["stock"].sum(axis=1)
    large = stock > 8 * 20
    shares = (england.counts["kinship"].sum(axis=1) / stock)[large]
    assert np.std(shares) == pytest.approx(0.06, abs=0.015)
    assert 0.02 < shares.min() < 0.08
    assert 0.25 < shares.max() < 0.45
    by_age = england.kinship_by_age
    assert min(by_age[:2]) > by_age[2] > by_age[3] > by_age[4]
