"""config show: a study as it would be fitted, and where each of its keys comes from. Needs no Spark."""

from __future__ import annotations

import json
import sys
from typing import Annotated

import typer

from sos_spark.cli import options as opt
from sos_spark.config.load import fingerprint, load_with_origins
from sos_spark.config.origins import leaves


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Show a study as it would be fitted. Needs no Spark.", no_args_is_help=True)
    group.callback()(lambda: None)  # keeps `show` a word of its own while it is the only command
    group.command("show", help="Print every key with its value.")(show)
    app.add_typer(group, name="config")


def show(
    path: opt.RequiredStudy,
    overrides: opt.Set = None,
    origin: Annotated[bool, typer.Option("--origin", help="Say where each value comes from.")] = False,
    as_json: opt.Json = False,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Prints the study as resolved: a line for each key, and with --origin whether it is a default."""
    loaded = load_with_origins(path, overrides=overrides or ())
    values = {key: value for key, _, value in leaves(loaded.study)}
    if as_json:
        keys = {key: {"value": value, "origin": loaded.origins[key]} for key, value in values.items()}
        shown = {"study_id": loaded.study.study_id, "fingerprint": fingerprint(loaded.study), "keys": keys}
        sys.stdout.write(json.dumps(shown, indent=2) + "\n")
        return 0
    texts = {key: f"{key} = {json.dumps(value, ensure_ascii=False)}" for key, value in values.items()}
    width = min(max(map(len, texts.values())), 64)
    for key, text in texts.items():
        sys.stdout.write((f"{text:<{width}}  # {loaded.origins[key]}" if origin else text) + "\n")
    return 0
