"""The options that commands share, declared once."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from sos_spark.errors import InputError, StudyError
from sos_spark.places import Place, place_of, require_local, require_plain
from sos_spark.steps.pipeline import STEPS

Study = Annotated[Path | None, typer.Option("--study", help="The study file (TOML).", show_default=False)]
RequiredStudy = Annotated[Path, typer.Argument(help="The study file (TOML).", show_default=False)]
# What `place_of` makes of a text is a Place; typer knows no union of types, and asks no more than what to call.
if TYPE_CHECKING:
    Given = Place
else:
    Given = Path


PLACE = "PLACE"
"""What help calls a path or a URI."""


def place_option(name: str, told: str) -> Any:
    """Returns an option that takes a path or a URI."""
    return typer.Option(name, help=told, show_default=False, parser=place_of, metavar=PLACE)


def place_argument(told: str) -> Any:
    """Returns an argument that takes a path or a URI."""
    return typer.Argument(help=told, show_default=False, parser=place_of, metavar=PLACE)


Source = Annotated[Given | None, place_option("--source", "The folder of returns.")]
Lake = Annotated[Given | None, place_option("--lake", "The folder of the Delta lake.")]
Out = Annotated[Given | None, place_option("--out", "The folder of results.")]
Master = Annotated[
    str | None, typer.Option("--master", help="Spark master; local[*] where none is given.", show_default=False)
]
KeyFile = Annotated[Given | None, place_option("--key-file", "The pseudonym key: a file of mode 0600.")]
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
    bool,
    typer.Option(
        "--dry-run",
        help="Print the plan, what of it would be made again and why, and which required options it lacks; do nothing.",
    ),
]
Debug = Annotated[bool, typer.Option("--debug", help="Show the stack's frames with an error.")]


def local(given: str | Path) -> Path:
    """Returns a path that a person wrote; a URI of another machine's file system is refused, and makes no folder."""
    return require_local(place_of(given), what="What this command writes")


def given_lake(lake: Place | None) -> Place:
    """Returns the lake's folder.

    Raises:
        StudyError: None is given.
        InputError: There is none.
    """
    if lake is None:
        raise StudyError("The command lacks options", expected="--lake", remedy="Give it; see --help")
    require_plain(lake)
    if not lake.is_dir():
        raise InputError("There is no lake", where=str(lake), remedy="Name the folder that `ingest` wrote")
    return lake
