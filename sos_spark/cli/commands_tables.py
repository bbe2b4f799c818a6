"""tables: those of a run's report, for a paper."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from sos_spark.cli import options as opt
from sos_spark.cli.commands_run import new_run
from sos_spark.config.environment import Environment


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("tables", help="Write the report's tables as HTML and LaTeX, for a paper. Needs no Spark.")(tables)


def tables(
    out: Annotated[opt.Given, opt.place_option("--out", "The folder of results.")],
    lake: opt.Lake = None,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Writes OUT/tables; with --lake those of its records too, as in `report`."""
    from sos_spark.steps.paper_tables import ALL, FOLDER, write_paper_tables

    written = write_paper_tables(new_run(Environment(lake=lake, out=out), None, (), "1g"))
    where = out / FOLDER
    if as_json:
        sys.stdout.write(json.dumps({"out": str(where), "tables": written}) + "\n")
    else:
        sys.stdout.write(f"{written} tables: {where}, all of them in {ALL}\n")
    return 0
