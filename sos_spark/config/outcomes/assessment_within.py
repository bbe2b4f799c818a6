"""Whether an assessment was authorised within so many working days."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field

from sos_spark.config.model import Words
from sos_spark.config.outcomes.base import Outcome, ScaleName, Switch


class AssessmentWithin(Outcome):
    """Whether an assessment was authorised within so many working days."""

    is_binary: ClassVar[bool] = True
    reads: ClassVar[tuple[str, ...]] = ("assessments", "cin_children")
    events: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    switches: ClassVar[Mapping[str, Switch]] = {"days": Words("Within {} working days", "another limit")}

    kind: Literal["assessment_within"]
    days: int = Field(
        45, ge=1, le=1000, description="The working days within which the assessment is to be authorised."
    )

    @property
    def window_days(self) -> int:
        """How many working days after the start are to be observed."""
        return self.days

    @property
    def label(self) -> str:
        """Says the limit."""
        return f"Assessments finished within {self.days} working days"

    @property
    def definition(self) -> str:
        """Says the limit and which assessments."""
        return f"Of assessments whose first {self.days} working days were observed: authorised within them."

    @property
    def entity(self) -> str:
        """Assessments."""
        return "assessments"

    @property
    def scale(self) -> ScaleName:
        """A share."""
        return "points"

    @property
    def greatest(self) -> float:
        """A share is at most 1."""
        return 1.0

    @property
    def limit(self) -> int:
        """The working days."""
        return self.days
