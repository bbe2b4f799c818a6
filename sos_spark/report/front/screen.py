"""The first screen, put together."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from sos_spark.report.blocks import Section
from sos_spark.report.front.checks import Check, checks_of
from sos_spark.report.front.finding import headline, lede
from sos_spark.report.front.picture import Panel, panels_of
from sos_spark.report.results import Results
from sos_spark.report.words.natural import counted


@dataclass(frozen=True)
class Front:
    """What a reader sees first. `has_*`: whether some row shows the mark, so that the key explains it."""

    title: str
    headline: str
    lede: str
    panels: tuple[Panel, ...]
    checks: tuple[Check, ...]
    checks_in_words: str
    has_matters: bool
    has_seen: bool
    has_planted: bool


def front_of(results: Results, sections: Iterable[Section]) -> Front:
    """Returns the first screen of a report with these sections; a check whose section is not there leads nowhere."""
    panels, there = panels_of(results), set(_anchors(sections))
    rows = [row for panel in panels for row in panel.rows]
    checks = tuple(check if check.anchor in there else replace(check, anchor="") for check in checks_of(results))
    return Front(
        results.study.title,
        headline(results),
        lede(results),
        panels,
        checks,
        _in_words(checks),
        has_matters=any(row.matters for row in rows),
        has_seen=any(row.seen for row in rows),
        has_planted=any(row.planted is not None for row in rows),
    )


def _anchors(sections: Iterable[Section]) -> Iterator[str]:
    for section in sections:
        yield section.anchor
        yield from (f"figure-{picture.name}" for picture in section.pictures)


def _in_words(checks: tuple[Check, ...]) -> str:
    """How many checks hold: 'Three of nine checks hold, six call for caution'."""
    n, held = len(checks), sum(check.holds for check in checks)
    if held == n:
        return f"All {counted(n)} checks hold" if n > 1 else "The one check made holds"
    some = f"{counted(held).capitalize() if held else 'None'} of {counted(n)} checks {'holds' if held < 2 else 'hold'}"
    return f"{some}, {counted(n - held)} {'calls' if n - held == 1 else 'call'} for caution"
