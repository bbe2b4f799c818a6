"""Plants effects in expectations and keeps the tally: the truth is what was planted, not what was hoped for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from sos_spark.simulate.days import day_number
from sos_spark.simulate.draws import Flags, Floats, Ints
from sos_spark.simulate.effects import COMPANION, OUTCOMES, Effect, Effects

OLDEST = 17
"""Completed years beyond which a row is no index row, so that it does not count in the truth."""


@dataclass
class Tally:
    """Treated index rows of an effect, the sum of treated minus untreated expectation, and rows that were cut off."""

    n_rows: int = 0
    total: float = 0.0
    n_cut: int = 0

    def add(self, other: Tally) -> None:
        """Adds another tally of the same effect."""
        self.n_rows += other.n_rows
        self.total += other.total
        self.n_cut += other.n_cut


@dataclass(frozen=True)
class PlannedEffect:
    """An effect to tally. Size 0 beside another outcome's effect shows what that one does to this one."""

    outcome_id: str
    la_codes: tuple[str, ...]
    from_day: int
    from_text: str
    size: float


def planned_effects(effects: Effects) -> tuple[PlannedEffect, ...]:
    """Returns the file's effects, and beside each effect on one view of an assessment's length a line for the other."""
    planned = [_planned(effect, effect.outcome_id, effect.size) for effect in effects.effects]
    for outcome_id, other in (("assessment_duration", COMPANION), (COMPANION, "assessment_duration")):
        own = {code for e in effects.effects if e.outcome_id == outcome_id for code in e.la_codes}
        planned.extend(
            _planned(effect, outcome_id, 0.0)
            for effect in effects.effects
            if effect.outcome_id == other and not own & set(effect.la_codes)
        )
    return tuple(planned)


def _planned(effect: Effect, outcome_id: str, size: float) -> PlannedEffect:
    return PlannedEffect(outcome_id, effect.la_codes, day_number(effect.from_day), effect.from_day.isoformat(), size)


@dataclass
class Planting:
    """Effects on the rows of one area.

    Rows are given by the position of their authority in `codes`, their day, and whether they count: an index row of the
    default conventions, in a return that was made.
    """

    codes: Sequence[str]
    planned: Sequence[PlannedEffect]
    tallies: list[Tally] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.tallies = [Tally() for _ in self.planned]

    def treated(self, effect: PlannedEffect, code_positions: Ints, days: Ints) -> Flags:
        """Says which rows an effect bears on."""
        positions = [at for at, code in enumerate(self.codes) if code in effect.la_codes]
        return np.isin(code_positions, positions) & (days >= effect.from_day)

    def probability(
        self,
        outcome_id: str,
        untreated: Floats,
        *,
        code_positions: Ints,
        days: Ints,
        counts: Flags,
        highest: Floats | float = 1.0,
    ) -> Floats:
        """Returns the treated expectation of a 0/1 outcome: the untreated one, plus the effect where it applies."""
        result = untreated.copy()
        for effect, tally in zip(self.planned, self.tallies, strict=True):
            if effect.outcome_id != outcome_id:
                continue
            rows = self.treated(effect, code_positions, days)
            wanted = untreated[rows] + effect.size
            possible = np.clip(wanted, 0.0, np.broadcast_to(highest, untreated.shape)[rows])
            result[rows] = possible
            counted = counts[rows]
            tally.n_rows += int(counted.sum())
            tally.total += float(np.sum((possible - untreated[rows])[counted]))
            tally.n_cut += int(np.sum(np.abs(possible - wanted)[counted] > 1e-12))
        return result

    def sizes(self, outcome_id: str, code_positions: Ints, days: Ints) -> Floats:
        """Returns the size of an outcome's effect on each row; 0 where it has none."""
        sizes = np.zeros(len(days))
        for effect in self.planned:
            if effect.outcome_id == outcome_id:
                sizes[self.treated(effect, code_positions, days)] = effect.size
        return sizes

    def record(
        self, outcome_id: str, differences: Floats, cut: Flags, *, code_positions: Ints, days: Ints, counts: Flags
    ) -> None:
        """Tallies an outcome whose treated expectation was worked out elsewhere."""
        for effect, tally in zip(self.planned, self.tallies, strict=True):
            if effect.outcome_id == outcome_id:
                rows = self.treated(effect, code_positions, days) & counts
                tally.n_rows += int(rows.sum())
                tally.total += float(np.sum(differences[rows]))
                tally.n_cut += int(np.sum(cut[rows]))


def truth_entries(planned: Sequence[PlannedEffect], tallies: Sequence[Tally]) -> list[dict[str, object]]:
    """Returns a line for each planned effect, and one of size 0 for each outcome without any."""
    entries: list[dict[str, object]] = [
        {
            "outcome_id": effect.outcome_id,
            "la_codes": list(effect.la_codes),
            "from": effect.from_text,
            "size": effect.size,
            "effect_injected": round(tally.total / tally.n_rows, 12) if tally.n_rows else None,
            "n_treated_rows": tally.n_rows,
        }
        for effect, tally in zip(planned, tallies, strict=True)
    ]
    untouched = [outcome_id for outcome_id in OUTCOMES if outcome_id not in {e.outcome_id for e in planned}]
    nothing: dict[str, object] = {
        "la_codes": [],
        "from": None,
        "size": 0.0,
        "effect_injected": 0.0,
        "n_treated_rows": 0,
    }
    return entries + [{"outcome_id": outcome_id, **nothing} for outcome_id in untouched]
