"""Who may see a report: what its banner, title and last line say of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from sos_spark.config.study import Study
from sos_spark.report.results import Results


@dataclass(frozen=True)
class Standing:
    """What a page says of itself.

    `look`: the banner's class. `mark` stands in the margin of paper, `last` at the page's end; `in_title` follows the
    page's title.
    """

    look: Literal["cleared", "open", "not-cleared"]
    mark: str
    title: str
    words: str
    last: str
    in_title: str = ""


NOT_CLEARED = Standing(
    "not-cleared",
    "Not cleared for release",
    "Not cleared for release: contains unchecked small numbers",
    "Keep it in the secure environment: no disclosure control has been applied.",
    "Not cleared for release: contains unchecked small numbers.",
    " - not cleared for release",
)
OPEN_STATISTICS = Standing(
    "open",
    "Open statistics",
    "Open statistics",
    "Made from tables that the Department for Education and the Office for National Statistics publish; no child's"
    " record was read. Open Government Licence v3.0.",
    "Contains public sector information licensed under the Open Government Licence v3.0.",
)


def cleared(profile: str) -> Standing:
    """Returns the standing of a page whose every number a disclosure profile cleared."""
    return Standing(
        "cleared",
        "After disclosure control",
        "After disclosure control",
        f"By the profile {profile}. What it hides is marked [c], or left out.",
        f"After disclosure control by the profile {profile}.",
    )


def standing_of(results: Results) -> Standing:
    """Returns the standing of a run's own report: open where nothing on it comes from a record."""
    reads_records = not (results.lake.rule_counts.empty and results.lake.ledger.empty)
    return OPEN_STATISTICS if is_published(results.study) and not reads_records else NOT_CLEARED


def mark_of(results: Results, standing: Standing) -> str:
    """Returns what stands in a margin, or on a card: who may see it, and whether the data are made up."""
    return f"{standing.mark} - simulated data" if is_simulated(results) else standing.mark


def is_simulated(results: Results) -> bool:
    """Returns whether a run's records were made up."""
    return results.is_simulated or results.truth is not None


def is_published(study: Study) -> bool:
    """Returns whether a study's outcomes are all measures of published tables, which need no disclosure control."""
    return not any(outcome.is_from_records for outcome in study.outcomes)
