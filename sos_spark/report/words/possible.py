"""What an outcome can be, and intervals of its change cut there, for sentences: files keep every number as computed."""

from __future__ import annotations

import math
from dataclasses import dataclass

from sos_spark.config.outcomes import Outcome
from sos_spark.report.words.numbers import Scale


@dataclass(frozen=True)
class Possible:
    """The least and the greatest that an outcome can be, in its own unit; `most` may be infinite."""

    least: float
    most: float

    def change(self, low: float, high: float, *, baseline: float | None) -> tuple[float, float]:
        """Returns an interval of changes, cut at what they can be from a baseline; one that is not known as it is."""
        if math.isnan(low) or math.isnan(high):
            return low, high
        floor, ceiling = self.changes(baseline)
        return min(max(low, floor), ceiling), max(min(high, ceiling), floor)

    def changes(self, baseline: float | None) -> tuple[float, float]:
        """Returns the least and the greatest change from a baseline; without one, those from anywhere."""
        if baseline is None or math.isnan(baseline):
            return self.least - self.most, self.most - self.least
        return self.least - baseline, self.most - baseline

    def holds_change(self, size: float, *, baseline: float | None) -> bool:
        """Returns whether a change of that size, up or down, can be at all."""
        return baseline is None or size <= max(self.most - baseline, baseline - self.least)

    def in_words(self, scale: Scale) -> str:
        """Returns 'between 0% and 100%' or 'not below 0.0 working days'."""
        if math.isinf(self.most):
            return f"not below {scale.level(self.least)}"
        return f"between {scale.level(self.least)} and {scale.level(self.most)}"


def possible_of(outcome: Outcome) -> Possible:
    """Returns what an outcome can be: a share 0 to 1, a length or a ratio of two counts 0 or more."""
    return Possible(0.0, outcome.greatest)
