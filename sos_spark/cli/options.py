"""The options that commands share, declared once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Annotated

import typer

from sos_spark.errors import InputError, StudyError
from sos_spark.steps.pipeline import STEPS

Study = Annotated[Path | None, typer.Option("--study", help="The study file (TOML).", show_default=False)]
RequiredStudy = Annotated[Path, typer.Argument(help="The study file (TOML).", show_default=False)]
Source = Annotated[Path | None, typer.Option("--source", help="The folder of returns.", show_default=False)]
Lake = Annotated[Path | None, typer.Option("--lake", help="The folder of the Delta lake.", show_default=False)]
Out = Annotated[Path | None, typer.Option("--out", help="The folder of results.", show_default=False)]
Master = Annotated[
    str | None, typer.Option("--master", help="Spark master; local[*] where none is given.", show_default=False)
]
KeyFile = Annotated[
    Path | None,
    typer.Option("--key-file", help="The pseudonym key: a file of mode 0600.", show_default=False),
]
KeepIndexRows = Annotated[
    bool, typer.Option("--index-rows", help="Leave the index rows of every outcome in the lake, beside their sums.")
]
AllowRefused = Annotated[
    bool, typer.Option("--allow-refused", help="Go on although files were refused; their LA-years are missing.")
]
Set = Annotated[
    list[str] | None,
    typer.Option("--set", help="Override a key of the study file: --set inference.draws=999.", show_default=False),
]


def beginning_with(names: Callable[[], Iterable[str]]) -> Callable[[str], list[str]]:
    """Returns what a shell offers after an option: those of its names that begin with what was typed."""

    def offered(incomplete: str) -> list[str]:
        return [name for name in names() if name.startswith(incomplete)]

    return offered


_steps = beginning_with(lambda: STEPS)
First = Annotated[
    str | None, typer.Option("--from", help="The first step to run.", show_default=False, autocompletion=_steps)
]
Last = Annotated[
    str | None, typer.Option("--to", help="The last step to run.", show_default=False, autocompletion=_steps)
]
DriverMemory = Annotated[str, typer.Option("--driver-memory", help="Memory of the Spark driver in local mode.")]
Json = Annotated[bool, typer.Option("--json", help="Results, and errors, as JSON.")]
DryRun = Annotated[
    bool, typer.Option("--dry-run", help="Print the plan, and which required options it lacks, and do nothing.")
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the stack's frames with an error.")]


def given_lake(lake: Path | None) -> Path:
    """Returns the lake's folder.

    Raises:
        StudyError: None is given.
        InputError: There is none.
    """
    if lake is None:
        raise StudyError("The command lacks options", expected="--lake", remedy="Give it; see --help")
    if not lake.is_dir():
        raise InputError("There is no lake", where=str(lake), remedy="Name the folder that `ingest` wrote")
    return lake
