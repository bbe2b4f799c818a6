"""What the run's steps warned of, and the notes of its estimates."""

from __future__ import annotations

from sos_spark.report.blocks import Bullets, Section, Text, section_of
from sos_spark.report.results import Results, rows_of
from sos_spark.report.words.specifications import spoken


def section(results: Results) -> Section | None:
    """Returns the section; it is always there."""
    said = notes(results)
    return section_of("notes", "Warnings and notes", [Bullets(said) if said else Text("None.")], always=True)


def notes(results: Results) -> list[str]:
    """Returns the warnings of the run's steps, then the notes of estimates, each once."""
    said = list(results.warnings)
    said += [
        f"{results.labels[row.outcome_id]}, {spoken(row.specification).lower()}: {row.note}"
        for row in rows_of(results.estimates)
        if row.note and row.outcome_id in results.labels
    ]
    return list(dict.fromkeys(said))
