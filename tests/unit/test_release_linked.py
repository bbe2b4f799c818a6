"""Linked counts: which groups published sets can tell apart, and which small groups two of them tell together."""

from __future__ import annotations

import numpy as np

from sos_spark.release.linked import Box, Count, groups_of, nested_differences


def a_count(key: str, value: int, *, units: str, months: str = "1 2", sides: str = "event other") -> Count:
    box = Box(frozenset(units.split()), frozenset(months.split()), frozenset(sides.split()))
    return Count(key, (box,), value)


def test_children_whom_no_count_tells_apart_are_one_group() -> None:
    groups = groups_of([a_count("all", 9, units="A B C"), a_count("of A", 4, units="A")])
    assert sorted(sorted(part.units) for (part,) in groups.parts) == [["A"], ["B", "C"]]
    assert sorted(groups.members.sum(axis=1)) == [1, 2]


def test_a_half_year_and_a_year_share_the_months_they_share() -> None:
    groups = groups_of([a_count("year", 9, units="A", months="1 2"), a_count("half", 4, units="A", months="1")])
    assert sorted("".join(sorted(part.months)) for (part,) in groups.parts) == ["1", "2"]


def test_a_count_of_two_boxes_is_their_sum() -> None:
    a, b = a_count("a", 3, units="A").boxes[0], a_count("b", 4, units="B").boxes[0]
    groups = groups_of([Count("both", (a, b), 7), Count("a", (a,), 3), Count("b", (b,), 4)])
    assert groups.members.tolist()[0] == [1.0, 1.0]
    assert len(groups.parts) == 2


def test_a_count_within_another_tells_the_rest_which_no_table_holds() -> None:
    counts = [a_count("all", 9, units="A B C"), a_count("but C", 7, units="A B")]
    sets, left = nested_differences(groups_of(counts).members, np.array([9, 7]))
    assert left == [2]
    assert sets.shape == (1, 2)


def test_a_rest_that_a_table_holds_is_no_new_set() -> None:
    counts = [a_count("all", 9, units="A B"), a_count("A", 7, units="A"), a_count("B", 2, units="B")]
    assert nested_differences(groups_of(counts).members, np.array([9, 7, 2]))[1] == []
