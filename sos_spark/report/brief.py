"""What was found in one line per outcome, in the words and numbers of the report's answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from sos_spark.report.results import Results
from sos_spark.report.words.cut import interval_of
from sos_spark.report.words.natural import change, level, whole_span
from sos_spark.report.words.numbers import p_value
from sos_spark.report.words.verdicts import Verdict, known, quoted_interval, verdicts

_HEADLINES = {"p_ri": "randomisation", "p_cr2": "CR2", "p_wcr": "bootstrap"}


@dataclass(frozen=True)
class Finding:
    """An outcome's main estimate in a reader's units; what is not known is blank.

    `before` is the pilots' level before go-live, `test` the test that `p` and the answer go by.
    """

    outcome: str
    family: str
    before: str
    change: str
    interval: str
    p: str
    test: str
    answer: str
    note: str


def findings(results: Results) -> Iterator[Finding]:
    """Yields a finding per outcome, in the study's order."""
    for verdict in verdicts(results):
        yield _finding(results, verdict)


def _finding(results: Results, verdict: Verdict) -> Finding:
    scale, row = results.scales[verdict.outcome_id], results.main_row(verdict.outcome_id) or {}
    att, before = known(row, "att"), known(row, "baseline_mean")
    if att is None:
        blank = ("",) * 5
        return Finding(verdict.label, verdict.family, *blank, answer=verdict.answer, note=verdict.note)
    headline = str(row.get("headline") or "p_wcr")
    p = known(row, headline)
    return Finding(
        outcome=verdict.label,
        family=verdict.family,
        before="" if before is None else level(scale, before),
        change=change(scale, att),
        interval=whole_span(scale, *interval_of(results, verdict.outcome_id, *quoted_interval(row))),
        p="" if p is None else p_value(p),
        test=_HEADLINES.get(headline, ""),
        answer=verdict.answer,
        note=verdict.note,
    )
