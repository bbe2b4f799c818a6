"""Effects files: which effect to plant where, from when, and how large (TOML)."""

from __future__ import annotations

import tomllib
from datetime import date
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from sos_spark.errors import InputError, StudyError

OUTCOMES = ("assessment_duration", "rereferral_nfa_6m", "rereferral_escalated", "kinship_placement", "icpc")
COMPANION = "assessment_within_45"

OutcomeId = Literal[
    "assessment_duration",
    "rereferral_nfa_6m",
    "rereferral_escalated",
    "kinship_placement",
    "icpc",
    "assessment_within_45",
]


class _Entry(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    la_codes: tuple[str, ...] = Field(min_length=1)


class Effect(_Entry):
    """An effect on an outcome's index rows of some authorities from a day on, in the outcome's own unit."""

    outcome_id: OutcomeId
    from_day: date = Field(alias="from")
    size: float


class Baseline(_Entry):
    """The long-run level of a probability in some authorities, in place of the drawn one."""

    outcome_id: Literal["kinship_placement", "rereferral_nfa_6m", "icpc"]
    level: float = Field(gt=0, lt=1)


class Size(_Entry):
    """How many times as large some authorities are as the simulation's scale would make them."""

    times: float = Field(gt=0, le=40)


class MissingReturns(_Entry):
    """Census years in which some authorities made no return of either collection."""

    census_years: tuple[int, ...] = Field(min_length=1)


class Effects(BaseModel):
    """What an effects file says. Nothing at all is a simulation without effects."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    effects: tuple[Effect, ...] = ()
    baselines: tuple[Baseline, ...] = ()
    sizes: tuple[Size, ...] = ()
    missing_returns: tuple[MissingReturns, ...] = ()

    @model_validator(mode="after")
    def _once_each(self) -> Effects:
        for what, entries in (("effect", self.effects), ("baseline", self.baselines)):
            named = [(entry.outcome_id, code) for entry in entries for code in entry.la_codes]
            for outcome_id, code in sorted({pair for pair in named if named.count(pair) > 1}):
                raise ValueError(f"{outcome_id} has more than one {what} in {code}")
        sized = [code for entry in self.sizes for code in entry.la_codes]
        for code in sorted({code for code in sized if sized.count(code) > 1}):
            raise ValueError(f"there is more than one size of {code}")
        return self

    @property
    def la_codes(self) -> frozenset[str]:
        """Every authority the file names."""
        entries: tuple[_Entry, ...] = (*self.effects, *self.baselines, *self.sizes, *self.missing_returns)
        return frozenset(code for entry in entries for code in entry.la_codes)


def load_effects(path: str | Path) -> Effects:
    """Returns the effects of a TOML file.

    Raises:
        InputError: There is no such file, or it is no text.
        StudyError: It is no TOML, or no valid effects file; lists every fault.
    """
    path = Path(path)
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "The effects file cannot be read", where=str(path), found=type(error).__name__, remedy="Name a TOML file"
        ) from None
    except tomllib.TOMLDecodeError as error:
        raise StudyError("The effects file is not valid TOML", where=str(path), found=str(error)) from None
    try:
        return Effects.model_validate(content)
    except ValidationError as error:
        faults = [
            ".".join(str(part + 1 if isinstance(part, int) else part) for part in item["loc"]) + ": " + item["msg"]
            for item in error.errors(include_url=False)
        ]
        raise StudyError(
            "The effects file has faults",
            where=str(path),
            expected="[[effects]] outcome_id, la_codes, from, size; [[baselines]] outcome_id, la_codes, level;"
            " [[sizes]] la_codes, times; [[missing_returns]] la_codes, census_years",
            faults=faults,
        ) from None
