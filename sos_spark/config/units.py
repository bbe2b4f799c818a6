"""How an outcome's own unit is shown to people: what it is multiplied by, and the unit of a change."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sos_spark.config.outcomes.base import ScaleName


@dataclass(frozen=True)
class Unit:
    """A natural unit: values times `factor`; `of_change` names it, spelled out for a sentence or an axis."""

    factor: float
    of_change: str


UNITS: Mapping[ScaleName, Unit] = {
    "points": Unit(100.0, "percentage points"),
    "working_days": Unit(1.0, "working days"),
    "calendar_days": Unit(1.0, "days"),
    "per_10_000": Unit(10_000.0, "children per 10,000"),
}
OWN = Unit(1.0, "the outcome's own unit")
"""Where nothing says what an outcome is counted in, as in a design made by hand."""


def unit_of(scale: ScaleName | None) -> Unit:
    """Returns the natural unit of a scale; the outcome's own where there is none."""
    return OWN if scale is None else UNITS[scale]
