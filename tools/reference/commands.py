"""Every command with its options and an example, from the command line's own declarations."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, Literal, get_args, get_origin

import typer

from sos_spark.cli.guide import EXAMPLES, guided, leaves
from sos_spark.cli.main import app
from sos_spark.cli.options import PLACE
from tools.reference.dictionary import safe


def page() -> str:
    """Returns the page."""
    head = "# Commands\n\nMade from `sos_spark/cli` by `python -m tools.reference`; do not edit.\n"
    commands = dict(leaves(guided(typer.main.get_command(app))))
    return "\n".join([head, *(line for words in commands for line in _section(words, commands[words]))]).rstrip() + "\n"


def _section(words: str, command: Any) -> Iterator[str]:
    yield from (f"## {words}", "", command.help or "", "", "```sh", EXAMPLES[words], "```", "")
    yield from ("| option | takes | meaning |", "|---|---|---|")
    for parameter in command.params:
        if "--help" not in parameter.opts:
            yield f"| {_name(parameter)} | {_takes(parameter)} | {_meaning(parameter)} |"
    yield ""


def _name(parameter: Any) -> str:
    return ", ".join(f"`{name}`" for name in parameter.opts)


def _takes(parameter: Any) -> str:
    """What an option takes, in words, from the type it is declared with."""
    if getattr(parameter, "is_flag", False):
        return ""
    if parameter.metavar == PLACE:
        return "a path or a URI"
    declared = {parameter.type_descriptor.annotation, *get_args(parameter.type_descriptor.annotation)}
    literal = next((one for one in declared if get_origin(one) is Literal), None)
    choices = get_args(literal) if literal else tuple(one for one in declared if isinstance(one, str))
    if choices:
        return " or ".join(f"`{choice}`" for choice in sorted(choices))
    if any(get_origin(one) is list for one in declared):
        return "text, repeatable"
    return next((words for kind, words in _IN_WORDS.items() if kind in declared), "text")


_IN_WORDS = {Path: "a path", int: "a whole number", float: "a number"}


def _meaning(parameter: Any) -> str:
    said = getattr(parameter, "help", None) or ""
    required = " [required]" if parameter.required and "[required]" not in said else ""
    return safe(said + required)
