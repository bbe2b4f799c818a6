"""What a suppressed count can have been: no more and no less than everything else published allows."""

from __future__ import annotations

from typing import Any

import pytest

from sos_spark.bronze.read.published import EARLY_BANDS, LATE_BANDS, PublishedValue
from sos_spark.config.outcomes.published import MeasureName
from sos_spark.config.reference import Authority
from sos_spark.config.study import Window
from sos_spark.outcome.published import Component
from sos_spark.outcome.published_bounds import PublishedBound, published_bounds

YEAR = 2015
WINDOW = Window.model_validate(
    {
        "baseline": ["2014-04-01", "2015-04-01"],
        "follow_up": ["2015-04-01", "2016-04-01"],
        "period": "year",
        "data_ends": "2015-03-31",
    }
)
REGION = "region:east of england"
AUTHORITIES = {
    code: Authority(code, code, region, None, None, ())
    for code, region in (("926", "East of England"), ("935", "East of England"), ("304", "Outer London"))
}


def counts(place: str = "926", **values: int | str) -> list[PublishedValue]:
    """A place's values: a number, or why there is none."""
    return [
        PublishedValue(place, YEAR, name, None, value)  # type: ignore[arg-type]
        if isinstance(value, str)
        else PublishedValue(place, YEAR, name, value, "known")
        for name, value in values.items()
    ]


def bounds_of(values: list[PublishedValue], measure: MeasureName, *codes: str) -> list[PublishedBound]:
    named = codes or ("926",)
    units = {"+".join(named): [Component(code, 0, 9999) for code in named]}
    return published_bounds(values, measure=measure, units=units, window=WINDOW, authorities=AUTHORITIES)


def ends(values: list[PublishedValue], measure: MeasureName, *codes: str) -> tuple[int | None, int | None, int | None]:
    (bound,) = bounds_of(values, measure, *codes)
    return bound.n, bound.y_low, bound.y_high


def test_what_is_known_has_no_bounds() -> None:
    assert bounds_of(counts(referrals=50, nfa=10), "nfa_share") == []


def test_a_share_lies_between_nobody_and_everybody() -> None:
    assert ends(counts(referrals=50, nfa="suppressed"), "nfa_share") == (50, 0, 50)


def test_referrals_that_ended_otherwise_did_not_end_in_no_further_action() -> None:
    assert ends(counts(referrals=50, nfa="suppressed", not_in_need=20), "nfa_share") == (50, 0, 30)


def test_re_referred_children_were_re_referred_and_the_others_referred_once() -> None:
    # 40 children, 10 of them re-referred: at least 10 re-referrals, and 30 referrals that are none.
    values = counts(referrals=50, rereferrals="unavailable", referred_children=40, rereferred_children=10)
    assert ends(values, "rereferral_12m") == (50, 10, 20)


def test_the_only_suppressed_count_of_a_region_is_its_total_less_the_others_give_or_take_5() -> None:
    values = [
        *counts(referrals=500, nfa="suppressed"),
        *counts("935", referrals=500, nfa=80),
        *counts(REGION, nfa=100),
        *counts("304", referrals=9, nfa=9),
    ]
    assert ends(values, "nfa_share") == (500, 15, 25)


@pytest.mark.parametrize("other", ["suppressed", "unavailable"])
def test_beside_another_unknown_one_it_is_no_more_than_what_the_total_leaves(other: str) -> None:
    values = [
        *counts(referrals=500, nfa="suppressed"),
        *counts("935", referrals=500, nfa=other),
        *counts(REGION, nfa=100),
    ]
    assert ends(values, "nfa_share") == (500, 0, 105)


def test_a_region_s_total_says_nothing_of_a_count_that_does_not_exist() -> None:
    values = [
        *counts(referrals=500, nfa="unavailable"),
        *counts("935", referrals=500, nfa=80),
        *counts(REGION, nfa=100),
    ]
    assert ends(values, "nfa_share") == (500, 0, 500)


def test_without_all_authorities_of_the_region_its_total_is_an_upper_limit_only() -> None:
    assert ends([*counts(referrals=500, nfa="suppressed"), *counts(REGION, nfa=20)], "nfa_share") == (500, 0, 25)


def test_a_total_that_contradicts_the_counts_narrows_nothing() -> None:
    values = [*counts(referrals=500, nfa="suppressed"), *counts("935", nfa=80), *counts(REGION, nfa=10)]
    assert ends(values, "nfa_share") == (500, 0, 500)


def test_reasons_for_leaving_care_add_up_to_all_who_left() -> None:
    others: dict[str, Any] = {
        "ceased_because:Adop": 25,
        "ceased_because:Died": "suppressed",
        "ceased_because:Abroad": "not_applicable",
    }
    values = counts(
        ceased=40,
        ceased_guardianship_carers="suppressed",
        ceased_guardianship_others=7,
        **others,
    )
    # 8 are left for guardianship to carers and for deaths.
    assert ends(values, "special_guardianship_share") == (40, 7, 15)


def test_guardianship_that_alone_is_suppressed_is_known_from_the_others() -> None:
    parts: dict[str, Any] = {"ceased_guardianship_carers": "suppressed", "ceased_guardianship_others": "suppressed"}
    values = counts(ceased=40, **parts | {"ceased_because:Adop": 25})
    assert ends(values, "special_guardianship_share") == (40, 15, 15)


def test_assessments_in_time_lie_between_the_known_early_bands_and_all_but_the_known_late_ones() -> None:
    early = dict.fromkeys(EARLY_BANDS, 10) | {"Same_day": "suppressed"}
    late = dict.fromkeys(LATE_BANDS, 5) | {"61+_days": "suppressed"}
    assert ends(counts(assessments=70, **early, **late), "assessed_within_45") == (70, 50, 60)  # type: ignore[arg-type]


def test_without_a_denominator_there_is_no_bound() -> None:
    (bound,) = bounds_of(counts(referrals="unavailable", nfa="unavailable"), "nfa_share")
    assert (bound.n, bound.y_low, bound.y_high, bound.reason) == (None, None, None, "unavailable")


def test_a_ratio_that_can_pass_1_has_no_upper_limit_of_its_own() -> None:
    assert ends(counts(section47=10, icpc="suppressed"), "icpc_per_section47") == (10, 0, None)
    values = [*counts(section47=10, icpc="suppressed"), *counts("935", icpc=4), *counts(REGION, icpc=20)]
    assert ends(values, "icpc_per_section47") == (10, 11, 21)


def test_a_merged_unit_adds_what_is_known_of_one_part_to_what_the_other_can_be() -> None:
    values = [*counts(referrals=50, nfa="suppressed", not_in_need=20), *counts("935", referrals=100, nfa=30)]
    assert ends(values, "nfa_share", "926", "935") == (150, 30, 60)
