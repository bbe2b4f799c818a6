"""What a fit found, on the terminal: one line per outcome in natural units."""

from __future__ import annotations

import io
import shutil
import sys
from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from sos_spark.config.environment import Environment
from sos_spark.places import Place
from sos_spark.steps.context import Run

if TYPE_CHECKING:
    from sos_spark.report.brief import Finding

PIPED_WIDTH = 140
"""Characters in a line where stdout is no terminal."""


def findings_in(run: Run) -> list[Finding]:
    """Returns what the estimates in a run's folder say, outcome by outcome. Reads the folder and nothing else."""
    from sos_spark.report.brief import findings
    from sos_spark.steps.report import read_results

    return list(findings(read_results(Run(run.run_id, Environment(out=run.out), None, run.start_session))))


def say_findings(found: Sequence[Finding], *, estimates: Place) -> None:
    """Prints the findings as a table and names the file of every estimate."""
    table = Table(box=None, pad_edge=False, header_style="bold")
    for name, justify in (("Outcome", "left"), ("Before", "left"), ("Change", "left"), ("95% interval", "left"),
                          ("p", "right"), ("Answer", "left")):  # fmt: skip
        table.add_column(name, justify="right" if justify == "right" else "left", overflow="fold")
    for one in found:
        table.add_row(one.outcome, one.before, one.change, one.interval, one.p, one.answer)
    sys.stdout.write(_text(table) + "\n")
    for note in dict.fromkeys(one.note for one in found if one.note and not one.change):
        sys.stdout.write(f"note: {note}\n")
    tests = sorted({one.test for one in found if one.test})
    sys.stdout.write(f"p: {' or '.join(tests)}; every specification: {estimates}\n" if tests else f"{estimates}\n")


def _text(table: Table) -> str:
    """The table as text, in colour on a terminal; NO_COLOR is heeded."""
    is_terminal = sys.stdout.isatty()
    width = shutil.get_terminal_size().columns if is_terminal else PIPED_WIDTH
    text = io.StringIO()
    Console(file=text, width=width, force_terminal=is_terminal).print(table)
    return "\n".join(line.rstrip() for line in text.getvalue().splitlines())
