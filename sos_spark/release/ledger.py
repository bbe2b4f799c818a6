"""The ledger: what was released before, as sets of children and what was said of them. It holds nothing hidden.

A line is a release (JSON): its study and day, and for each outcome the counts it published, with the window that their
form allows, and the sets it hid. Sets of authorities, months and sides are written once and named.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sos_spark.errors import InputError
from sos_spark.places import Place
from sos_spark.release.linked import Box

_TOLD = ("release_id", "study_id", "fingerprint", "profile", "released_at")


@dataclass(frozen=True)
class Released:
    """A count of an earlier release, published (low to high) or hidden (both None)."""

    key: str
    universe: str
    entity: str
    event: str
    boxes: tuple[Box, ...]
    low: int | None
    high: int | None

    @property
    def hidden(self) -> bool:
        """Whether it was hidden."""
        return self.low is None or self.high is None


@dataclass(frozen=True)
class Release:
    """A release: which, of which study and run, when, and its counts."""

    release_id: str
    study_id: str
    fingerprint: str
    profile: str
    released_at: str
    counts: tuple[Released, ...]


def read_ledger(path: Place) -> tuple[Release, ...]:
    """Returns the releases of a ledger, the earliest first.

    Raises:
        InputError: It is not there, or no ledger.
    """
    try:
        lines = path.read_text(encoding="utf-8").splitlines()
        return tuple(_release(json.loads(line)) for line in lines if line.strip())
    except (OSError, UnicodeDecodeError, ValueError, KeyError, TypeError, IndexError) as error:
        raise InputError(
            "The ledger of releases cannot be read",
            where=str(path),
            expected="checker/ledger.jsonl of an earlier release",
            found=type(error).__name__,
            remedy="Give --since the ledger of the release before this one; without one nothing earlier is looked at",
        ) from None


def _release(line: dict[str, Any]) -> Release:
    sets = [frozenset(map(str, one)) for one in line["sets"]]
    counts = tuple(
        Released(
            str(one["key"]),
            str(one["universe"]),
            str(one["entity"]),
            str(one["event"]),
            tuple(Box(*(sets[place] for place in box)) for box in one["boxes"]),
            None if one["low"] is None else int(one["low"]),
            None if one["high"] is None else int(one["high"]),
        )
        for one in line["counts"]
    )
    return Release(**{name: str(line[name]) for name in _TOLD}, counts=counts)


def ledger_text(releases: Iterable[Release]) -> str:
    """Returns a ledger as text: a line for each release."""
    return "".join(json.dumps(_line(release), separators=(",", ":")) + "\n" for release in releases)


def _line(release: Release) -> dict[str, Any]:
    places: dict[frozenset[str], int] = {}
    counts = [
        {
            "key": one.key,
            "universe": one.universe,
            "entity": one.entity,
            "event": one.event,
            "boxes": [_named(box, places) for box in one.boxes],
            "low": one.low,
            "high": one.high,
        }
        for one in release.counts
    ]
    told = {
        name: getattr(release, name) for name in ("release_id", "study_id", "fingerprint", "profile", "released_at")
    }
    return {**told, "sets": [sorted(one) for one in places], "counts": counts}


def _named(box: Box, places: dict[frozenset[str], int]) -> list[int]:
    return [places.setdefault(one, len(places)) for one in (box.units, box.months, box.sides)]


def of_entity(releases: Sequence[Release], entity: str) -> tuple[Released, ...]:
    """Returns the counts of an entity over all releases, equal ones once."""
    return tuple(dict.fromkeys(one for release in releases for one in release.counts if one.entity == entity))
