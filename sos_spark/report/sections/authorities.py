"""Which authorities are compared: pilots with their go-live, and the comparators."""

from __future__ import annotations

from sos_spark.report.blocks import Bullets, DataTable, Heading, Section, Table, Text, section_of
from sos_spark.report.results import Results
from sos_spark.report.words.labels import comparators_in_words


def section(results: Results) -> Section | None:
    """Returns the section; it is always there."""
    table = DataTable(("Authority", "Code", "Go-live"), tuple(pilots(results)), numeric=99)
    return section_of(
        "authorities",
        "Pilots and comparators",
        [
            Table("Pilots", table),
            Heading("Comparators"),
            Text(f"Chosen: {comparators_in_words(results.study)}."),
            Bullets(comparators(results), look="columns"),
            Text(
                "Comparators may have used similar practice in part. Where they did, the contrast, and so the estimate,"
                " is smaller than the programme's full effect."
            ),
        ],
    )


def pilots(results: Results) -> list[tuple[str, ...]]:
    """Returns pilot, LA code, go-live; a row per pilot of the study."""
    return [
        (results.name_of(pilot.la_code), pilot.la_code, f"{pilot.go_live.day} {pilot.go_live:%B %Y}")
        for pilot in results.study.pilots
    ]


def comparators(results: Results) -> list[str]:
    """Returns the names of the units that compare in any outcome, in order."""
    arms = results.arms
    if arms.empty:
        return []
    return sorted(results.name_of(unit) for unit in set(arms.loc[arms["arm"] == "comparator", "unit_id"]))
