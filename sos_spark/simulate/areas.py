"""Which authorities are simulated, under which codes their children are returned, and which returns are missing."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from sos_spark.config.reference import Authority, AuthorityChange
from sos_spark.errors import StudyError
from sos_spark.simulate.calibration import SCORED, Levels, relative_size
from sos_spark.simulate.draws import Draws, Flags, Ints, spread_scores
from sos_spark.simulate.effects import Effects

MISSING_SHARE = 0.004
"""Share of the returns of authorities no effect names that were never made."""


@dataclass(frozen=True)
class Area:
    """An authority as it stood in the first census year, and the codes its children come under later.

    From `change_year` on its children are returned by `later_codes`, most of them by the first.
    """

    code: str
    ordinal: int
    levels: Levels
    change_year: int
    later_codes: tuple[str, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code of the area; `code_at` gives positions in it."""
        return (self.code, *self.later_codes)

    def code_at(self, position_draws: np.ndarray, census_years: Ints) -> Ints:
        """Returns which of `codes` returns each child in each census year."""
        if not self.later_codes:
            return np.zeros(len(census_years), dtype=np.int64)
        first, others = 0.85, len(self.later_codes) - 1
        later = 1 + np.where(
            (position_draws < first) | (others == 0),
            0,
            1 + ((position_draws - first) / (1 - first) * others).astype(np.int64),
        )
        return np.where(census_years >= self.change_year, later, 0).astype(np.int64)


@dataclass(frozen=True)
class Unit:
    """Areas that share a code at some time: generated together, because they fill one return."""

    areas: tuple[Area, ...]

    @property
    def codes(self) -> tuple[str, ...]:
        """Every code of the unit, in order."""
        return tuple(sorted({code for area in self.areas for code in area.codes}))


@dataclass(frozen=True)
class Absences:
    """Returns that are missing: (authority, census year, collection)."""

    returns: frozenset[tuple[str, int, str]]

    def present(self, codes: Sequence[str], code_positions: Ints, census_years: Ints, collection: str) -> Flags:
        """Says of each row whether the return it would stand in was made."""
        present = np.ones(len(census_years), dtype=bool)
        for code, year, missing_collection in self.returns:
            if missing_collection == collection and code in codes:
                present &= (code_positions != codes.index(code)) | (census_years != year)
        return present


def units_of(
    authorities: Mapping[str, Authority],
    changes: Sequence[AuthorityChange],
    effects: Effects,
    *,
    census_years: Sequence[int],
    n_authorities: int | None,
    seed: int,
) -> tuple[Unit, ...]:
    """Returns the units to simulate: all, or a seeded choice of so many that always holds those the effects name.

    Raises:
        StudyError: The effects name an authority that does not exist in these years, or more than there is room for.
    """
    first, last = census_years[0], census_years[-1]
    codes = sorted(code for code, authority in authorities.items() if authority.existed_in(first))
    later: dict[str, list[AuthorityChange]] = defaultdict(list)
    for change in changes:
        if first < change.first_census_year <= last and change.from_la_code in codes:
            later[change.from_la_code].append(change)
    everywhere = {*codes, *(change.to_la_code for group in later.values() for change in group)}
    if unknown := sorted(effects.la_codes - everywhere):
        raise StudyError(
            "The effects file names authorities that make no return in these years",
            expected="LA codes valid in the census years simulated",
            found=", ".join(unknown),
        )
    groups = [tuple(sorted(group)) for group in _connected(codes, later)]
    chosen = _choose(groups, later, effects, n_authorities, seed)
    levels = _levels(codes, effects, later, seed)
    return tuple(
        Unit(
            tuple(
                Area(
                    code,
                    ordinal,
                    levels[code],
                    later[code][0].first_census_year if code in later else last + 1,
                    tuple(change.to_la_code for change in later.get(code, ())),
                )
                for ordinal, code in enumerate(group)
            )
        )
        for group in sorted(chosen)
    )


def _connected(codes: Sequence[str], later: Mapping[str, list[AuthorityChange]]) -> list[set[str]]:
    """Groups codes that share a later code."""
    groups: list[tuple[set[str], set[str]]] = []
    for code in codes:
        members, targets = {code}, {change.to_la_code for change in later.get(code, ())}
        apart = []
        for other in groups:
            if targets & other[1]:
                members, targets = members | other[0], targets | other[1]
            else:
                apart.append(other)
        groups = [*apart, (members, targets)]
    return [members for members, _ in groups]


def _choose(
    groups: Sequence[tuple[str, ...]],
    later: Mapping[str, list[AuthorityChange]],
    effects: Effects,
    n_authorities: int | None,
    seed: int,
) -> list[tuple[str, ...]]:
    if n_authorities is None:
        return list(groups)
    named = [
        group
        for group in groups
        if effects.la_codes & {*group, *(change.to_la_code for code in group for change in later.get(code, ()))}
    ]
    count = sum(map(len, named))
    if count > n_authorities or n_authorities < 1:
        raise StudyError(
            "There is no room for every authority the effects file names",
            expected=f"at least {max(count, 1)} authorities",
            found=str(n_authorities),
            remedy="Ask for more with --las, or name another effects file",
        )
    chosen = list(named)
    order = spread_scores(seed, "chosen", [group[0] for group in groups])
    for group in sorted(groups, key=lambda group: order[group[0]]):
        if group not in named and count + len(group) <= n_authorities:
            chosen.append(group)
            count += len(group)
    return chosen


def _levels(
    codes: Sequence[str], effects: Effects, later: Mapping[str, list[AuthorityChange]], seed: int
) -> dict[str, Levels]:
    scores = {name: spread_scores(seed, name, codes) for name in SCORED}
    total = sum(relative_size(score) for score in scores["size"].values())
    levels = {}
    for code in codes:
        own_codes = {code, *(change.to_la_code for change in later.get(code, ()))}
        times = next((entry.times for entry in effects.sizes if own_codes & set(entry.la_codes)), 1.0)
        levels[code] = Levels(
            relative_size(scores["size"][code]) / total * times,
            {name: scores[name][code] for name in SCORED},
            {entry.outcome_id: entry.level for entry in effects.baselines if own_codes & set(entry.la_codes)},
        )
    return levels


def absences_of(units: Iterable[Unit], effects: Effects, *, census_years: Sequence[int], seed: int) -> Absences:
    """Returns the returns that are missing: those the effects file names, and a few of authorities it does not."""
    returns = {
        (code, year, collection)
        for entry in effects.missing_returns
        for code in entry.la_codes
        for year in entry.census_years
        for collection in ("cin", "ssda903")
    }
    years = np.arange(census_years[0], census_years[-1] + 1)
    for unit in units:
        for area in unit.areas:
            if effects.la_codes & set(unit.codes):
                continue
            for collection in ("cin", "ssda903"):
                absent = Draws(seed, area.code).below(f"missing/{collection}", years, MISSING_SHARE)
                returns |= {(area.code, year, collection) for year in years[absent].tolist() if year < area.change_year}
    return Absences(frozenset(returns))
