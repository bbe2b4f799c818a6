"""`sos-spark`: one command line, one function a step."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from importlib.metadata import version
from typing import Annotated

import typer

from sos_spark.cli import (
    commands_analysis,
    commands_compare,
    commands_config,
    commands_demo,
    commands_lake,
    commands_release,
    commands_run,
    commands_study,
    commands_tables,
)
from sos_spark.cli.boundary import within_boundary
from sos_spark.cli.guide import guided
from sos_spark.cli.progress import CLOCK

app = typer.Typer(
    name="sos-spark",
    help="Did a social-work programme change what happened to children? From statutory returns to estimates.",
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    rich_markup_mode=None,
)


def _say_version(wanted: bool) -> None:
    if wanted:
        sys.stdout.write(f"sos-spark {version('sos-spark')}\n")
        raise typer.Exit


@app.callback()
def _options(
    _version: Annotated[
        bool, typer.Option("--version", callback=_say_version, is_eager=True, help="Print the version and stop.")
    ] = False,
) -> None:
    """What holds for every command."""


commands_run.register(app)
commands_demo.register(app)
commands_study.register(app)
commands_config.register(app)
commands_lake.register(app)
commands_analysis.register(app)
commands_compare.register(app)
commands_tables.register(app)
commands_release.register(app)


def main(argv: Sequence[str] | None = None) -> int:
    """Runs the command line. Returns its exit code; every error passes the one boundary."""
    arguments = list(sys.argv[1:] if argv is None else argv) or ["--help"]
    CLOCK.restart()
    os.umask(0o077)
    # Fits are thousands of small matrices: threads only get in each other's way, and sums would depend on their number.
    os.environ.setdefault("OPENBLAS_NUM_THREADS", "1")
    command = guided(typer.main.get_command(app))
    return within_boundary(
        lambda: command.main(args=arguments, prog_name="sos-spark", standalone_mode=False),
        debug="--debug" in arguments,
        as_json="--json" in arguments,
    )


def job() -> None:
    """Runs the command line for a platform that calls a function and reads no exit code, as Databricks does.

    Raises:
        SystemExit: The command ended with another code than 0.
    """
    code = main()
    if code:
        raise SystemExit(code)


if __name__ == "__main__":
    sys.exit(main())
