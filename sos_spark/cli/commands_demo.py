"""demo: a study one can look at in minutes, of published tables without Spark, or of simulated returns with it."""

from __future__ import annotations

import os
import secrets
import sys
from base64 import b64encode
from pathlib import Path
from typing import Annotated

import typer

from sos_spark.cli import commands_run
from sos_spark.cli import options as opt
from sos_spark.cli.sessions import Ahead, session_starter
from sos_spark.config.demo import Demo, demo, shipped_cells, shipped_studies, study_named
from sos_spark.config.environment import Environment
from sos_spark.config.shipped import conf_root
from sos_spark.config.simulated import TRUTH_FILE
from sos_spark.steps.pipeline import plan

KEY_BYTES = 32
DEFAULT_OUT = Path("sos-spark-demo")


def register(app: typer.Typer) -> None:
    """Adds the command."""
    app.command("demo", help="Run a whole study to look at: published tables, or simulated returns.")(run_demo)


def run_demo(
    published: Annotated[
        bool,
        typer.Option("--published", help="DfE's open tables, of which the cells ship: no Spark, no Java."),
    ] = False,
    study: Annotated[
        str | None,
        typer.Option(
            "--study",
            help="With --published, another study of the same tables: a file, or one of conf/studies by name.",
            autocompletion=opt.beginning_with(shipped_studies),
            show_default=False,
        ),
    ] = None,
    out: Annotated[
        Path, typer.Option("--out", help="The folder to write to.", parser=opt.local, metavar="PATH")
    ] = DEFAULT_OUT,
    overrides: opt.Set = None,
    driver_memory: opt.DriverMemory = "4g",
    as_json: opt.Json = False,
    debug: opt.Debug = False,
) -> int:
    """Leaves a report in OUT, or in OUT/results beside the returns and lake that were made for it."""
    shown = demo()
    if published:
        path = study_named(study) if study else conf_root() / shown.published.study
        cells = shipped_cells()
        if not as_json:
            sys.stderr.write(f"Contains public sector information: {cells.with_name('SOURCES.md')}\n")
        return commands_run.fit(path, cells, out=out, overrides=overrides, as_json=as_json, debug=debug)
    if study:
        raise typer.BadParameter("it goes with --published", param_hint="--study")
    return _records(shown, out, overrides, driver_memory, as_json=as_json)


def _records(shown: Demo, out: Path, overrides: list[str] | None, driver_memory: str, *, as_json: bool) -> int:
    """Simulates returns where the folder has none yet, and runs the study on them."""
    from sos_spark.simulate import BYTES

    made, returns = shown.records, out / "returns"
    start = session_starter(None, driver_memory, text_bytes=BYTES[made.scale])
    session = Ahead(commands_run.with_imports_ahead(start))
    if not (returns / TRUTH_FILE).exists():
        session.begin()
        commands_run.simulate(returns, made.scale, made.years, None, made.seed, "returns", conf_root() / made.effects,
                              driver_memory=driver_memory)  # fmt: skip
    environment = Environment(returns, out / "lake", out / "results", key_file=_key(out))
    run = commands_run.new_run(environment, conf_root() / made.study, overrides or (), driver_memory)
    if session.has_begun:
        run.start_session = session
    return commands_run.execute(run, plan(None, None), as_json=as_json)


def _key(out: Path) -> Path:
    """A key of the demo's own: whoever has it can link pseudonyms to ids, so it is made here and never shared."""
    path = out / "key"
    if not path.exists():
        out.mkdir(mode=0o700, parents=True, exist_ok=True)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as handle:
            handle.write(b64encode(secrets.token_bytes(KEY_BYTES)) + b"\n")
    return path
