"""Whether comparators had some of the programme too, and what the effect is once that is allowed for."""

from __future__ import annotations

import math
from typing import Any

from sos_spark.report.blocks import DataTable, Picture, Section, Text, section_of
from sos_spark.report.figures.forest import Bar, Forest, bar_in_words, draw_forest
from sos_spark.report.figures.style import INK, PILOT, QUIET
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.words.cut import cut
from sos_spark.report.words.numbers import count, number

_PARTS = {
    "as estimated": "As estimated",
    "without": "Without exposed comparators",
    "dose": "Allowing for their share, as declared",
    "bounds": "Allowing for any share it may be",
}
_KINDS = {
    "all": "",
    "similar_model": "a similar model",
    "neighbour": "neighbours of pilots",
    "shared_staff": "shared staff",
}


def section(results: Results) -> Section | None:
    """Returns the section; None where no comparator is exposed."""
    return section_of(
        "contamination",
        "Had the comparators some of it too?",
        [_lead(results) if len(results.contamination) else None, contamination_picture(results)],
    )


def contamination_picture(results: Results) -> Picture | None:
    """Draws the effect under the declared exposures, a panel an outcome; None where the run left none."""
    rows = results.contamination
    rows = rows[rows["outcome_id"].isin(list(results.labels))] if len(rows) else rows
    if rows.empty:
        return None
    shown, said = cut(results, rows, ("ci_low", "ci_high"), standing="unknown")
    whole = shown[shown["kind"] == "all"]
    panels = {
        key: tuple(_bar(row) for row in rows_of(of_outcome(whole, key)))
        for key in results.labels
        if len(of_outcome(whole, key))
    }
    return draw_forest(
        "contamination",
        [Forest(results.scales[key], bars, results.labels[key]) for key, bars in panels.items()],
        title="The effect once exposed comparators are allowed for",
        caption="Points are estimates, lines their 95% intervals by the headline method. The last line holds the"
        " intervals at every share from the least to the most that the study file thinks possible; the pale part holds"
        f" the estimates.{said}",
        alt="Forest plot. "
        + " ".join(
            f"{results.labels[key]}. {' '.join(bar_in_words(bar, results.scales[key]) for bar in bars)}"
            for key, bars in panels.items()
        ),
        table=_table(results, rows_of(shown)),
    )


def _lead(results: Results) -> Text:
    n = int(results.contamination["n_exposed"].max())
    return Text(
        f"{n} comparator{'s' if n > 1 else ''} had some of what the pilots have: a similar model, staff in common, or a"
        " pilot next door. If that changed their outcomes too, the main estimate is too small: it is the pilots' effect"
        " less a part of itself. Shown are the effect without those comparators, and the effect of the whole programme"
        " if they had the share of it that the study file declares, and any share that it thinks possible. This takes"
        " for granted that a part of the programme has that part of its effect."
    )


def _bar(row: Any) -> Bar:
    ends = row.att_low, row.att_high
    inner = ends if row.part == "bounds" and not any(map(math.isnan, ends)) else None
    colour = {"as estimated": PILOT, "bounds": INK}.get(row.part, QUIET)
    return Bar(_PARTS[row.part], row.att, row.ci_low, row.ci_high, colour, inner=inner, main=row.part == "as estimated")


def _table(results: Results, rows: list[Any]) -> DataTable:
    told = []
    for row in rows:
        scale, of_kind = results.scales[row.outcome_id], _KINDS.get(row.kind)
        estimate = "" if math.isnan(row.att) else scale.change(row.att)
        if row.part == "bounds":
            estimate = scale.interval(row.att_low, row.att_high)
        told.append(
            (
                results.labels[row.outcome_id],
                f"{_PARTS[row.part]} ({of_kind})" if of_kind else _PARTS[row.part],
                f"{estimate} {scale.change_unit}" if estimate else "",
                scale.interval(row.ci_low, row.ci_high),
                count(row.n_exposed),
                "" if math.isnan(row.divisor) else f"{number(100 * row.divisor, 0)}%",
                str(row.note or ""),
            )
        )
    header = (
        "Outcome", "What is allowed for", "Estimate", "95% interval", "Exposed", "Contrast left", "Note",
    )  # fmt: skip
    return DataTable(header, tuple(told), 2, 1).trimmed()
