"""compare and reproduce: what parts two runs, and whether a run gives the same numbers again."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path
from typing import Annotated

import typer

from sos_spark.cli import options as opt
from sos_spark.cli.progress import progress_for
from sos_spark.cli.sessions import session_starter

PARTED = 1
"""The exit code of a run that does not give the same numbers again."""


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    app.command("compare", help="Say what changed between two runs, and why. Needs no Spark.")(compare)
    app.command("reproduce", help="Make a run again from the same table versions, and compare every file.")(reproduce)


def compare(
    before: Annotated[opt.Given, opt.place_argument("The --out of a run.")],
    after: Annotated[opt.Given, opt.place_argument("The --out of another.")],
    page: Annotated[opt.Given | None, opt.place_option("--page", "Write the comparison as a page (HTML) too.")] = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Prints what differs; exit 0 whether or not anything does."""
    from sos_spark.comparison.words import lines, record
    from sos_spark.steps.compare import compare as compare_runs
    from sos_spark.steps.compare import write_page

    found = compare_runs(before, after)
    if page is not None:
        write_page(found, page)
    if as_json:
        sys.stdout.write(json.dumps(record(found), indent=1) + "\n")
    else:
        sys.stdout.writelines(f"{line}\n" for line in lines(found))
        if page is not None:
            sys.stdout.write(f"page: {page}\n")
    return 0


def reproduce(
    run: Annotated[opt.Given, opt.place_argument("The --out of the run.")],
    lake: opt.Lake = None,
    master: opt.Master = None,
    driver_memory: opt.DriverMemory = "4g",
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Prints whether every file is the same to the last digit, or where they part (exit 1)."""
    from sos_spark.steps.reproduce import STEPS
    from sos_spark.steps.reproduce import reproduce as make_again

    progress = progress_for(list(STEPS), quiet=as_json)
    with tempfile.TemporaryDirectory(prefix="sos-spark-reproduce-") as scratch:
        made = make_again(
            run,
            lake=lake,
            scratch=Path(scratch),
            start_session=session_starter(master, driver_memory),
            while_step=progress.step,
        )
    if as_json:
        told = {"equal": made.is_equal, "same": made.same, "different": dict(made.different), "missing": made.missing,
                "steps": made.steps, "code_differs": made.code_differs}  # fmt: skip
        sys.stdout.write(json.dumps(told, indent=1) + "\n")
    else:
        if made.code_differs:
            sys.stdout.write("Another code made the run: see `sos-spark compare`.\n")
        sys.stdout.writelines(f"differs: {name}, {where}\n" for name, where in made.different.items())
        sys.stdout.writelines(f"missing in one of the two: {name}\n" for name in made.missing)
        sys.stdout.write(
            f"{len(made.same)} of {len(made.same) + len(made.different) + len(made.missing)} files are the same to the"
            f" last digit, made again by {', '.join(made.steps)}\n"
        )
    return 0 if made.is_equal else PARTED
