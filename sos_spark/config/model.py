"""What the parts of a study file share: models that refuse unknown keys, days, codes, and names for a reader."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Frozen(BaseModel):
    """A part of a study file or a profile: immutable, and unknown keys are faults."""

    model_config = ConfigDict(frozen=True, extra="forbid")


def _as_date(value: Any) -> Any:
    """A TOML date or an ISO string; a date-time is no date."""
    if isinstance(value, str):
        return date.fromisoformat(value)
    return value


Day = Annotated[date, BeforeValidator(_as_date)]
Code = Annotated[str, Field(min_length=1, max_length=40)]


@dataclass(frozen=True)
class Words:
    """One way of doing the sums for a reader: a short name, and what it does in half a sentence."""

    name: str
    meaning: str
