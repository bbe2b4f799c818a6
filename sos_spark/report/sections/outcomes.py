"""All outcomes side by side: the main estimates as a forest plot."""

from __future__ import annotations

from sos_spark.report.blocks import DataTable, Picture, Section, section_of
from sos_spark.report.figures.forest import Bar, bar_in_words, by_scale, draw_forest
from sos_spark.report.results import Results, rows_of, with_intervals
from sos_spark.report.words.cut import cut
from sos_spark.report.words.numbers import Scale


def section(results: Results) -> Section | None:
    """Returns the section; None where no outcome has an estimate."""
    return section_of("forest", "All outcomes side by side", [forest_picture(results)])


def forest_picture(results: Results) -> Picture | None:
    """Draws the main estimate of every outcome with its headline interval, a panel for each unit."""
    main = results.main
    if main.empty or main["att"].isna().all():
        return None
    groups: dict[Scale, list[Bar]] = {}
    rows = []
    shown, said = cut(results, with_intervals(main), ("low", "high"), standing="own")
    for row in rows_of(shown):
        scale, label = results.scales[row.outcome_id], results.labels[row.outcome_id]
        planted = results.planted(row.outcome_id)
        groups.setdefault(scale, []).append(
            Bar(label, row.att, row.low, row.high, planted=planted)
        )  # fmt: skip
        rows.append(
            (
                label,
                scale.long_unit,
                scale.change(row.att),
                scale.interval(row.low, row.high),
                *(() if results.truth is None else ("" if planted is None else scale.change(planted),)),
            )
        )

    planted_header = () if results.truth is None else ("Planted effect",)
    return draw_forest(
        "forest",
        by_scale(groups),
        title="All outcomes side by side",
        caption="Points are main estimates, lines their 95% intervals (restricted wild cluster bootstrap;"
        " with four or fewer pilots, the inverted randomisation test). An interval that crosses the upright at zero is"
        f" compatible with no change.{said}"
        + (" The open diamond is the effect planted in the simulated data." if results.truth else ""),
        alt="Forest plot. " + " ".join(bar_in_words(bar, scale) for scale, bars in groups.items() for bar in bars),
        table=DataTable(("Outcome", "Unit", "Estimate", "95% interval", *planted_header), tuple(rows), numeric=2),
    )
