"""Profiles of disclosure control: what must be hidden, as data. One TOML file each, in conf/disclosure or a site's own.

A site keeps profiles of its own in the folder that SOS_SPARK_DISCLOSURE names; they stand beside the shipped ones, and
none may take a shipped one's name.
"""

from __future__ import annotations

import difflib
import os
import re
import tomllib
from pathlib import Path
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, ValidationError, model_validator

from sos_spark.config.model import Frozen
from sos_spark.config.shipped import conf_root
from sos_spark.errors import InputError, StudyError

SITE_FOLDER = "SOS_SPARK_DISCLOSURE"
_NAME = re.compile(r"[a-z][a-z0-9-]{0,40}")


class Counts(Frozen):
    """What holds for a number of children, or of what happened to them.

    Attributes:
        hide_up_to: Counts from 1 to this are hidden.
        hide_zero: Zero is hidden too.
        hide_all_or_none: A count of events is hidden where everyone or no one in the group had one.
        width: The feasible interval of a hidden count, from all that is published, spans at least this.
        round_to: Published counts are multiples of this; 1: as they are.
    """

    hide_up_to: int = Field(ge=1, le=1000)
    hide_zero: bool = False
    hide_all_or_none: bool = False
    width: int = Field(ge=1, le=1000)
    round_to: int = Field(1, ge=1, le=100)

    @model_validator(mode="after")
    def _rounding_hides_no_more_than_the_threshold(self) -> Counts:
        if self.round_to > self.hide_up_to + 1:
            raise ValueError("round_to must not be above hide_up_to + 1: a shown count could become zero")
        return self

    def is_sensitive(self, count: int) -> bool:
        """Returns whether a count, for what it is alone, must be hidden."""
        return 1 <= count <= self.hide_up_to or (count == 0 and self.hide_zero)


class Magnitudes(Frozen):
    """What holds for a mean of amounts.

    Attributes:
        largest_two_share: The two largest contributions make at most this share of the sum.
        p_percent: The rest of the sum is at least this percentage of the largest contribution.
    """

    largest_two_share: float = Field(gt=0, le=1)
    p_percent: float = Field(ge=0, le=100)


class Estimates(Frozen):
    """What holds for regressions: fewest residual degrees of freedom, and how many digits are given."""

    residual_df: int = Field(ge=1)
    significant_digits: int = Field(ge=2, le=8)


class Profile(Frozen):
    """A profile. `name` is its file's; `source` says whose rule it is and where it is written."""

    name: str
    schema_version: Literal[1]
    title: str = Field(min_length=1, max_length=120)
    source: str = Field(min_length=1, max_length=400)
    counts: Counts
    magnitudes: Magnitudes
    estimates: Estimates


def profile_files() -> dict[str, Path]:
    """Returns the file of each profile by name: the shipped ones, and a site's own.

    Raises:
        StudyError: A site's profile takes a shipped one's name.
    """
    shipped = _named(conf_root() / "disclosure")
    folder = os.environ.get(SITE_FOLDER)
    own = _named(Path(folder)) if folder else {}
    twice = sorted(set(shipped) & set(own))
    if twice:
        raise StudyError(
            "A profile of the site takes the name of one that ships with the package",
            where=str(folder),
            found=", ".join(twice),
            remedy="Give it a name of its own: which rule a result went out by must be plain from the name",
        )
    return {**shipped, **own}


def _named(folder: Path) -> dict[str, Path]:
    return {path.stem: path for path in sorted(folder.glob("*.toml")) if _NAME.fullmatch(path.stem)}


def _known(name: str) -> str:
    known = profile_files()
    if name not in known:
        near = difflib.get_close_matches(name, known, n=1)
        hint = f"; did you mean {near[0]}?" if near else f": the profiles are {', '.join(sorted(known))}"
        raise ValueError(f"no such profile{hint}")
    return name


ProfileName = Annotated[str, AfterValidator(_known)]
"""The name of a profile that is there, as a study file gives it."""


def load_profile(name: str) -> Profile:
    """Returns the profile of that name.

    Raises:
        StudyError: There is none, or its file has faults; every one is listed.
        InputError: Its file cannot be read.
    """
    files = profile_files()
    if name not in files:
        raise StudyError(
            "There is no such disclosure profile",
            expected=", ".join(sorted(files)),
            found=name,
            remedy=f"Name one of these, or put a file of your own into the folder that {SITE_FOLDER} names",
        )
    path = files[name]
    try:
        content = tomllib.loads(path.read_text(encoding="utf-8"))
        return Profile.model_validate({**content, "name": name})
    except tomllib.TOMLDecodeError as error:
        raise StudyError("The disclosure profile is not valid TOML", where=str(path), found=str(error)) from None
    except ValidationError as error:
        faults = tuple(f"{'.'.join(map(str, item['loc']))}: {item['msg']}" for item in error.errors(include_url=False))
        raise StudyError("The disclosure profile has faults", where=str(path), faults=faults) from None
    except (OSError, UnicodeDecodeError) as error:
        raise InputError("The disclosure profile cannot be read", where=str(path), found=type(error).__name__) from None
