"""The main numbers: one row for each outcome."""

from __future__ import annotations

import pandas as pd

from sos_spark.report.blocks import Code, DataTable, Section, Table, Text, section_of
from sos_spark.report.results import Results, rows_of, with_intervals
from sos_spark.report.words.cut import cut
from sos_spark.report.words.numbers import count, number, p_value


def section(results: Results) -> Section | None:
    """Returns the section; it is always there."""
    said = (
        "Shares are in per cent and their changes in percentage points. The interval is that of the restricted wild"
        ' cluster bootstrap. "Adjusted" allows for the number of outcomes of the same family (Romano-Wolf). All digits'
        " are in ",
        Code("estimates.csv"),
        f".{_rows(results)[1]}",
    )
    table = Table("Main estimate of each outcome", headline_table(results))
    return section_of("numbers", "The main numbers", [table, Text(said, quiet=True)])


def _rows(results: Results) -> tuple[pd.DataFrame, str]:
    """The main estimates with their intervals cut at what outcomes can be, and what to say of that."""
    main = results.main
    return cut(results, with_intervals(main), ("low", "high"), standing="own") if len(main) else (main, "")


def headline_table(results: Results) -> DataTable:
    """Returns the main estimates: what each outcome's row of estimates.csv says, in natural units."""
    rows = []
    for row in rows_of(_rows(results)[0]):
        scale = results.scales[row.outcome_id]
        rows.append(
            (
                f"{results.labels[row.outcome_id]}, {scale.long_unit}",
                "" if pd.isna(row.baseline_mean) else number(row.baseline_mean * scale.factor, scale.level_decimals),
                "none" if pd.isna(row.att) else scale.change(row.att),
                scale.interval(row.low, row.high),
                p_value(row.p_wcr),
                p_value(row.p_cr2),
                p_value(row.p_ri),
                p_value(row.p_adjusted),
                count(row.n_rows),
                f"{count(row.n_treated_clusters)} of {count(row.n_clusters)}",
            )
        )
    header = (
        "Outcome", "Pilots before", "Change", "95% interval", "p, boot\u00adstrap", "p, CR2", "p, random\u00adisation",
        "p, adjust\u00aded", "Rows", "Pilots of units",
    )  # fmt: skip
    return DataTable(header, tuple(rows))
