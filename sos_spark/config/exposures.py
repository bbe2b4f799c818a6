"""Who among the comparators may have had some of the programme: neighbours, shared staff, a similar model."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import ConfigDict, Field, model_validator

from sos_spark.config.model import Code, Day, Frozen

ExposureKind = Literal["similar_model", "neighbour", "shared_staff"]


class Exposure(Frozen):
    """Authorities without a pilot that had some of the programme from a day on: how much, and what is not known of it.

    Shares of what a pilot has, 0 to 1: `intensity` is the best guess, and it may be anything from `least` to `most`,
    which are the intensity itself where they are not given.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    kind: ExposureKind
    la_codes: Annotated[tuple[Code, ...], Field(min_length=1)]
    from_: Day = Field(alias="from")
    intensity: float = Field(ge=0, le=1)
    least: float | None = Field(None, ge=0, le=1)
    most: float | None = Field(None, ge=0, le=1)

    @model_validator(mode="after")
    def _in_order(self) -> Exposure:
        if not self.range[0] <= self.intensity <= self.range[1]:
            raise ValueError("intensity must not be below least or above most")
        return self

    @property
    def range(self) -> tuple[float, float]:
        """The least and the greatest intensity."""
        return (
            self.intensity if self.least is None else self.least,
            self.intensity if self.most is None else self.most,
        )
