"""Writes the tables of a run's report one by one, for a paper. Needs no Spark."""

from __future__ import annotations

from sos_spark.report.contents import sections_of
from sos_spark.report.export.tables import all_in_one, as_html, as_latex, tables_of
from sos_spark.report.front.screen import front_of
from sos_spark.report.standing import mark_of, standing_of
from sos_spark.report.words.notes import in_plain_words
from sos_spark.steps.context import Run
from sos_spark.steps.report import read_results
from sos_spark.steps.results import write_result

FOLDER = "tables"
ALL = "all.tex"


def write_paper_tables(run: Run) -> int:
    """Writes tables/*.html and *.tex beside the run's report, and all.tex, which shows all of them; returns how many.

    Reads what the step report reads; errors as there.
    """
    results = in_plain_words(read_results(run))
    sections = sections_of(results)
    front, mark = front_of(results, sections), mark_of(results, standing_of(results))
    tables, folder = list(tables_of(front, sections)), run.out / FOLDER
    for table in run.counted(tables):
        write_result(folder / f"{table.name}.html", as_html(table, mark))
        write_result(folder / f"{table.name}.tex", as_latex(table, mark))
    write_result(folder / ALL, all_in_one([table.name for table in tables]))
    return len(tables)
