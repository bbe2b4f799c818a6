"""Attack, suppression and rounding against brute force: every table, and every choice of what to hide, is tried."""

from __future__ import annotations

import itertools

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from sos_spark.release.attack import Attacker
from sos_spark.release.suppress import Linked, exposed_by, suppress
from tests.linked_tables import every_table, linked, margins, random_linked, two_linked_tables

SHAPES = [((2, 3), None), ((3, 3), None), ((2, 2, 2), None), ((2, 2, 2), "overlapping")]


def a_small_one(seed: int, shape: tuple[int, ...], kind: str | None, width: int = 3) -> Linked:
    rng = np.random.default_rng(seed)
    members = two_linked_tables(shape) if kind else margins(shape)
    return linked(members, rng.integers(0, 6, size=int(np.prod(shape))), hide_up_to=2, width=width)


def ranges_by_trying(
    one: Linked, hidden: NDArray[np.bool_], targets: NDArray[np.float64], most: int
) -> NDArray[np.float64]:
    """Each target's least and greatest value over every table that agrees with what is published."""
    sums = np.array([targets @ table for table in every_table(one.members, one.lower, ~hidden, most)])
    return np.array([sums.min(axis=0), sums.max(axis=0)]).T


@pytest.mark.parametrize(("shape", "kind"), SHAPES)
@pytest.mark.parametrize("seed", range(6))
def test_the_attack_finds_the_intervals_that_trying_every_table_finds(
    seed: int, shape: tuple[int, ...], kind: str | None
) -> None:
    one = a_small_one(seed, shape, kind)
    rng = np.random.default_rng(seed + 100)
    hidden = rng.random(len(one.members)) < 0.4
    hidden[one.members.sum(axis=1).argmax()] = False  # the grand total is known, so that trying comes to an end
    cells = np.eye(one.members.shape[1])
    tried = ranges_by_trying(one, hidden, cells, most=int(one.lower.max()))
    found = Attacker(one.members[~hidden], one.lower[~hidden], one.upper[~hidden]).intervals(cells)
    assert [(i.low, i.high) for i in found] == [tuple(row) for row in tried]


def test_the_attack_takes_only_whole_tables_for_possible() -> None:
    """a + b = 1, b + c = 1, and a + c is 1 or 2: halves would do, whole numbers only with a = 1."""
    members = np.array([[1.0, 1, 0], [0, 1, 1], [1, 0, 1]])
    (of_a,) = Attacker(members, np.array([1.0, 1, 1]), np.array([1.0, 1, 2])).intervals(np.eye(3)[:1])
    assert (of_a.low, of_a.high) == (1, 1)
    assert of_a.relaxed == pytest.approx(0.5)


def is_safe_by_trying(one: Linked, hidden: NDArray[np.bool_], most: int) -> bool:
    targets = np.vstack([one.members[hidden], one.targets])
    ranges = ranges_by_trying(one, hidden, targets, most)
    return bool((ranges[:, 1] - ranges[:, 0] >= one.width).all())


@pytest.mark.parametrize(("shape", "kind"), [((2, 2), None), ((2, 3), None)])
@pytest.mark.parametrize("seed", range(5))
def test_no_choice_that_loses_less_protects(seed: int, shape: tuple[int, ...], kind: str | None) -> None:
    one = a_small_one(seed, shape, kind)
    chosen = suppress(one)
    assert chosen.least
    assert not chosen.exposed
    most = 14  # as good as no limit: twice the largest total of what the width asks for
    free = [place for place in range(len(one.members)) if not one.sensitive[place]]
    cheaper = []
    for size in range(len(free) + 1):
        for more in itertools.combinations(free, size):
            hidden = one.sensitive.copy()
            hidden[list(more)] = True
            lost = one.weights[hidden].sum()
            if lost < chosen.lost - 1e-6 and (~hidden).any() and is_safe_by_trying(one, hidden, most):
                cheaper.append((lost, more))
        if size > 4:
            break
    assert cheaper == []


@settings(max_examples=60, deadline=None)
@given(st.integers(0, 2**32 - 1))
def test_no_hidden_count_is_inside_the_width(seed: int) -> None:
    one = random_linked(np.random.default_rng(seed))
    chosen = suppress(one)
    assert not chosen.exposed
    assert not (one.sensitive & ~chosen.hidden).any()
    assert exposed_by(one, chosen.hidden) == {}
