"""Checks of authority-years: what is doubted, and what ordinary years are not."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Any

import pandas as pd
import pytest

from sos_spark.quality.authority_years import (
    accepted_years,
    distance,
    find_doubts,
    missing_years,
    off_published,
    recording_jumps,
    volume_shifts,
    weak_links,
)

YEARS = range(2013, 2021)
RETURNED = pd.DataFrame([("cin", "926", year) for year in YEARS], columns=["collection", "la_code", "census_year"])


def wide(*values: float) -> pd.DataFrame:
    """One authority's values from 2013 on."""
    return pd.DataFrame(
        [values], index=pd.Index(["926"], name="la_code"), columns=list(YEARS)[: len(values)], dtype=float
    )


def rows(values: Sequence[int]) -> pd.DataFrame:
    made = [("referrals", "926", year, n) for year, n in zip(YEARS, values, strict=False)]
    return pd.DataFrame(made, columns=["entity", "la_code", "census_year", "n"])


def files(*places: tuple[str, str, int | None, str]) -> pd.DataFrame:
    return pd.DataFrame(places, columns=["collection", "la_code", "census_year", "status"])


@pytest.mark.parametrize(
    ("received", "doubted"),
    [
        ([1000, 1030, 980, 1010, 2100, 990, 1020, 1000], [2017]),
        ([1000, 1030, 980, 1010, 400, 410, 395, 405], [2017, 2018]),
        ([1000, 1030, 980, 1010, 1060, 990, 1100, 1000], []),
        ([1000, 200, 3000, 500, 2500, 300, 2000, 1000], []),
        ([3, 9, 1, 12, 2, 8, 1, 11], []),
        ([1000], []),
    ],
    ids=["twice", "a part is gone, until it is the history", "ordinary", "always wild", "few", "no history"],
)
def test_a_volume_is_held_against_the_authoritys_own_years_before(received: list[int], doubted: list[int]) -> None:
    found = volume_shifts(rows(received))
    assert [doubt.census_year for doubt in found] == doubted


def test_a_doubt_says_what_was_expected_and_how_far_it_is_off() -> None:
    [doubt] = volume_shifts(rows([1000, 1000, 1000, 1000, 2000]))
    assert (doubt.check, doubt.la_code, doubt.subject) == ("volume", "926", "referrals")
    assert (doubt.found, doubt.expected, doubt.n) == (2000, 1000, 2000)
    noise = math.sqrt(0.08**2 + 1 / 2000 + 1 / 1000)
    assert doubt.distance == pytest.approx(math.log(2) / noise)


def test_the_spread_is_that_of_the_authoritys_other_years() -> None:
    z = distance(wide(0, 1, 0, 1, 0, 10), wide(*[0.001] * 6))
    # Before: -, 0, 0.5, 0, 1, 0. Off by 1, 0.5, 1, 1 in the other years, of which the median is 1.
    assert z[2018].item() == pytest.approx(10 / 1.4826, rel=1e-3)


@pytest.mark.parametrize(
    ("nfa", "doubted"),
    [([480, 480, 50, 50, 50], [2015, 2016]), ([480, 470, 490, 500, 470], []), ([None, 480, 480, 50], [2016])],
    ids=["from 48 % to 5 %", "ordinary", "the first year was not returned"],
)
def test_a_jump_in_recording(nfa: list[float | None], doubted: list[int]) -> None:
    shares = wide(*(math.nan if n is None else n for n in nfa))
    measures = {"nfa": shares, "referrals": wide(*[1000.0] * len(nfa)).where(shares.notna())}
    found = recording_jumps(measures, RETURNED)
    assert [(doubt.subject, doubt.census_year) for doubt in found] == [("nfa", year) for year in doubted]


def test_years_that_were_not_returned_are_in_no_history() -> None:
    measures = {"nfa": wide(1, 480, 480), "referrals": wide(100, 1000, 1000)}
    returned = RETURNED[RETURNED["census_year"] > 2013]
    assert recording_jumps(measures, returned) == []
    assert [doubt.census_year for doubt in recording_jumps(measures, RETURNED)] == [2014, 2015]


def test_a_missing_return_is_one_of_a_year_in_which_the_authority_existed_and_others_returned() -> None:
    accepted = accepted_years(
        files(
            ("cin", "926", 2015, "accepted"), ("cin", "926", 2017, "accepted"), ("cin", "926", 2016, "refused"),
            ("cin", "839", 2017, "accepted"), ("published", "301", 2016, "accepted"), ("cin", "926", None, "accepted"),
        )
    )  # fmt: skip
    existed = {"926": (0, 9999), "839": (2016, 9999)}
    found = missing_years(accepted, existed)
    assert [(doubt.la_code, doubt.census_year, doubt.subject) for doubt in found] == [
        ("839", 2016, "cin"),
        ("926", 2016, "cin"),
    ]


@pytest.mark.parametrize(("published", "doubted"), [(1000, False), (1090, False), (1200, True), (800, True)])
def test_a_total_that_is_not_what_was_published(published: int, doubted: bool) -> None:
    table = pd.DataFrame(
        [("926", 2013, "referrals", published, "known"), ("926", 2014, "referrals", None, "suppressed")],
        columns=["la_code", "census_year", "quantity", "value", "status"],
    )
    found = off_published({"referrals": wide(1000, 1000)}, RETURNED, table)
    assert bool(found) is doubted
    assert all((doubt.census_year, doubt.expected) == (2013, published) for doubt in found)


@pytest.mark.parametrize(("linked", "doubted"), [((70, 9), True), ((70, 10), False)])
def test_few_links(linked: tuple[int, int], doubted: bool) -> None:
    columns = ["la_code", "n_lac_children", "n_linked_by_child_id", "n_linked_by_person"]
    rates = pd.DataFrame([("926", 100, *linked), ("301", 10, 0, 0)], columns=columns)
    assert [doubt.la_code for doubt in weak_links(rates)] == (["926"] if doubted else [])


def everything(**given: Any) -> dict[str, Any]:
    """The counts of a lake in which nothing is in doubt, changed."""
    empty = {
        "files": ["collection", "la_code", "census_year", "status"],
        "rule_counts": ["entity", "la_code", "census_year", "n_rows"],
        "measures": ["la_code", "census_year", "measure", "n"],
        "link_rates": ["la_code", "n_lac_children", "n_linked_by_child_id", "n_linked_by_person"],
        "published": ["la_code", "census_year", "quantity", "value", "status"],
    }
    return {name: pd.DataFrame(columns=columns) for name, columns in empty.items()} | {"existed": {}} | given


def test_a_lake_without_anything_is_not_in_doubt() -> None:
    assert find_doubts(**everything()).empty


@pytest.mark.parametrize(("kind", "check"), [("renamed", "ids_changed"), ("elsewhere", "in_several")])
@pytest.mark.parametrize(("n", "doubted"), [(10, True), (9, False)])
def test_children_who_are_another_child_too(kind: str, check: str, n: int, doubted: bool) -> None:
    measures = [("926", 2016, "cin_children", 200)]
    measures += [("926", 2016, f"cin_children_{k}", n if k == kind else 0) for k in ("renamed", "elsewhere")]
    columns = ["la_code", "census_year", "measure", "n"]
    found = find_doubts(**everything(measures=pd.DataFrame(measures, columns=columns)))
    assert found["check"].tolist() == ([check] if doubted else [])
