"""How long assessments take: days from start to authorisation."""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import ClassVar, Literal

from pydantic import Field, model_validator

from sos_spark.config.model import Words
from sos_spark.config.outcomes.base import Outcome, ScaleName, Switch

_FOLLOW_UP_DAYS = 90


class AssessmentDuration(Outcome):
    """Days from the start of an assessment to its authorisation.

    `mean`: of completed lengths, or the restricted mean, in which no assessment counts more than follow_up_days.
    """

    is_binary: ClassVar[bool] = False
    reads: ClassVar[tuple[str, ...]] = ("assessments", "cin_children")
    events: ClassVar[Mapping[str, tuple[str, ...]]] = {}
    switches: ClassVar[Mapping[str, Switch]] = {
        "days": {
            "working": Words("Working days", "weekends and bank holidays are left out"),
            "calendar": Words("Calendar days", "weekends and bank holidays count"),
        },
        "follow_up_days": Words("Followed for {} days", "another length of follow-up of an assessment"),
        "mean": {
            "completed": Words("Completed assessments only", "those still open are left out"),
            "restricted": Words("Restricted mean", "no assessment counts more than the days of follow-up, open or not"),
        },
    }

    kind: Literal["assessment_duration"]
    days: Literal["working", "calendar"] = Field(
        "working", description="Whether working days or calendar days are counted."
    )
    follow_up_days: int = Field(
        _FOLLOW_UP_DAYS,
        ge=0,
        le=1000,
        description="Rows whose window of so many days was not fully observed are unknown;"
        " 0 keeps every completed one.",
    )
    mean: Literal["completed", "restricted"] = Field(
        "completed",
        description="Of completed lengths, or restricted: none counts more than follow_up_days,"
        " and open ones count so many.",
    )

    @model_validator(mode="after")
    def _restricted_to_something(self) -> AssessmentDuration:
        if self.mean == "restricted" and not self.follow_up_days:
            raise ValueError('mean = "restricted" needs follow_up_days above 0')
        return self

    @property
    def window_days(self) -> int:
        """How many working days after the start are to be observed."""
        return self.follow_up_days

    @property
    def label(self) -> str:
        """The same for all switches."""
        return "Length of assessments"

    @property
    def definition(self) -> str:
        """Says which days and which assessments."""
        window = (
            f"assessments whose {self.follow_up_days} working days after the start were all observed"
            if self.follow_up_days
            else "all completed assessments"
        )
        return f"{self.days.capitalize()} days from start to authorisation, of {window}."

    @property
    def entity(self) -> str:
        """Assessments."""
        return "assessments"

    @property
    def scale(self) -> ScaleName:
        """Working or calendar days."""
        return "working_days" if self.days == "working" else "calendar_days"

    @property
    def greatest(self) -> float:
        """A restricted mean is at most the follow-up."""
        return float(self.follow_up_days) if self.mean == "restricted" else math.inf

    @property
    def counted_days(self) -> int:
        """The days of follow-up, or as many as are usual without one."""
        return self.follow_up_days or _FOLLOW_UP_DAYS
