"""The effects planted in simulated data, beside what was estimated of them."""

from __future__ import annotations

import math

from sos_spark.report.blocks import DataTable, Section, Table, Text, section_of
from sos_spark.report.results import Results, with_intervals
from sos_spark.report.words.cut import cut, interval_of, note_on
from sos_spark.report.words.verdicts import known, quoted_interval


def section(results: Results) -> Section | None:
    """Returns the section; None where no effect is known to have been planted."""
    rows = recovered(results)
    if not rows:
        return None
    header = ("Outcome", "Unit", "Planted", "Estimate", "95% interval", "Interval holds it")
    return section_of(
        "planted",
        "Planted effects",
        [
            Text(
                "The data are simulated, so the truth is known. This table sets the effect really injected beside the"
                " estimate; of many such runs about 19 in 20 intervals should hold it."
            ),
            Table("Planted effect and estimate", DataTable(header, tuple(rows), numeric=2)),
            note_on(cut(results, with_intervals(results.main), ("low", "high"))[1]),
        ],
    )


def recovered(results: Results) -> list[tuple[str, ...]]:
    """Returns outcome, planted effect, estimate, interval, and whether the interval holds the effect planted."""
    rows: list[tuple[str, ...]] = []
    for outcome_id, label in results.labels.items():
        planted, row = results.planted(outcome_id), results.main_row(outcome_id)
        if planted is None or row is None:
            continue
        scale = results.scales[outcome_id]
        att, (low, high) = known(row, "att"), quoted_interval(row)
        inside = "" if math.isnan(low) else "yes" if low <= planted <= high else "no"
        rows.append(
            (
                label,
                scale.long_unit,
                scale.change(planted),
                "" if att is None else scale.change(att),
                scale.interval(*interval_of(results, outcome_id, low, high)),
                inside,
            )
        )
    return rows
