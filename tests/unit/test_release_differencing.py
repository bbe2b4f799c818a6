"""Differencing: a release that is harmless alone, and with an earlier one gives a few children away."""

from __future__ import annotations

import dataclasses

import pandas as pd
import pytest

from sos_spark.config.disclosure import load_profile
from sos_spark.errors import DisclosureError
from sos_spark.release.counts import OutcomeCounts
from sos_spark.release.differencing import Exposed, attack_with
from tests.released import a_study, as_released, counted, judged, some_cells

EVENTS = {"201": [30, 30, 30], "202": [40, 40, 40], "203": [20, 3, 20], "301": [50, 50, 50], "302": [60, 60, 60]}
THREE, TWO = ("201", "202", "203"), ("201", "202")


def attacked(now: OutcomeCounts, before: OutcomeCounts, *, profile: str = "dfe-cin") -> list[Exposed]:
    earlier = as_released(before, judged(before, profile))
    return attack_with(now, judged(now, profile), earlier, load_profile(profile))


def of_pilots(pilots: tuple[str, ...], cells: pd.DataFrame) -> OutcomeCounts:
    return counted(cells, a_study(pilots), unused=[unit for unit in THREE if unit not in pilots])


def test_two_sets_of_pilots_that_differ_by_one_authority_tell_its_few() -> None:
    cells = some_cells(EVENTS)
    with_three, with_two = of_pilots(THREE, cells), of_pilots(TWO, cells)
    assert attacked(with_two, with_three)
    assert attacked(with_three, with_two)


def test_the_same_release_again_tells_nothing_new() -> None:
    counts = of_pilots(THREE, some_cells(EVENTS))
    assert attacked(counts, counts) == []


def test_an_authority_with_many_may_be_told_by_the_difference() -> None:
    cells = some_cells(EVENTS | {"203": [20, 30, 20]})
    assert attacked(of_pilots(TWO, cells), of_pilots(THREE, cells)) == []


def test_a_corrected_return_must_not_tell_the_few_it_added() -> None:
    before = counted(some_cells(EVENTS))
    corrected = counted(some_cells(EVENTS | {"301": [50, 53, 50]}))
    found = attacked(corrected, before)
    assert any("differs by few" in one.words for one in found)
    assert any("comparator" in key for one in found for key in one.keys)


def test_a_correction_of_many_is_no_matter_of_a_few() -> None:
    before, corrected = counted(some_cells(EVENTS)), counted(some_cells(EVENTS | {"301": [50, 90, 50]}))
    assert not any("differs by few" in one.words for one in attacked(corrected, before))


def test_another_profile_may_not_show_what_an_earlier_one_hid() -> None:
    """203's 8 before go-live are few by the one, not by the other."""
    counts = of_pilots(THREE, some_cells(EVENTS | {"203": [8, 20, 20]}))
    earlier = as_released(counts, judged(counts, "ons-srs"))
    now = judged(counts, "dfe-cin")
    found = attack_with(counts, now, earlier, load_profile("ons-srs"))
    assert any("of an earlier release: hidden, and can be worked out" in one.words for one in found)


def test_releases_that_contradict_each_other_are_refused() -> None:
    counts = of_pilots(THREE, some_cells(EVENTS))
    released = as_released(counts, judged(counts))
    one = next(one for one in released if one.low is not None and one.key.endswith("pilot|all|n"))
    outside = counted(some_cells({unit: counts[:2] for unit, counts in EVENTS.items()}), a_study(THREE))
    impossible = dataclasses.replace(one, low=950, high=950)
    with pytest.raises(DisclosureError, match="do not agree"):
        attack_with(outside, judged(outside), [one, impossible], load_profile("dfe-cin"))
