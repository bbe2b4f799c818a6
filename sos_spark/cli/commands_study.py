"""study new, check and freeze: study files without Spark."""

from __future__ import annotations

import sys
from datetime import UTC, datetime
from importlib.resources import files
from pathlib import Path
from typing import Annotated

import typer

from sos_spark.cli import options as opt
from sos_spark.cohort.units import study_units
from sos_spark.config.freeze import freeze as freeze_plan
from sos_spark.config.load import fingerprint, load_study
from sos_spark.config.reference import authorities, authority_changes
from sos_spark.config.study import Study
from sos_spark.errors import StudyError


def register(app: typer.Typer) -> None:
    """Adds the commands."""
    group = typer.Typer(help="Write, check and freeze study files. Needs no Spark.", no_args_is_help=True)
    group.command("new", help="Write a commented study file.")(new)
    group.command("check", help="Report every fault of a study file.")(check)
    group.command("freeze", help="Keep the plan as it stands, before the first fit.")(freeze)
    app.add_typer(group, name="study")


def new(
    path: Annotated[Path, typer.Argument(help="The file to write.", show_default=False)],
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Writes the template; never over a file that is there."""
    if path.exists():
        raise StudyError("The file exists", where=str(path), remedy="Name another, or remove it")
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(template(), encoding="utf-8")
    sys.stdout.write(f"{path}: edit it, then `sos-spark study check {path}`\n")
    return 0


def template() -> str:
    """Returns the commented study file."""
    return (files("sos_spark.config") / "templates" / "study.toml").read_text(encoding="utf-8")


def check(
    path: opt.RequiredStudy,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Raises with every fault; else says what the study would do."""
    study = _checked(path)
    pilots = f"{len(study.pilots)} pilot{'s' if len(study.pilots) > 1 else ''}"
    sys.stdout.write(
        f"{study.study_id}: {len(study.outcomes)} outcomes, {pilots}, comparators: {study.comparators.kind}\n"
        f"fingerprint {fingerprint(study)}\n"
    )
    return 0


def freeze(
    path: opt.RequiredStudy,
    debug: opt.Debug = False,  # noqa: ARG001 - read by the boundary
) -> int:
    """Keeps the plan; reports say whether it was frozen and what changed since."""
    study = _checked(path)
    kept = freeze_plan(path, now=f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}")
    sys.stdout.write(f"{kept}: frozen with fingerprint {fingerprint(study)}\n")
    return 0


def _checked(path: Path) -> Study:
    """Returns the study; raises with every fault of it, codes that map to no unit of the window among them."""
    study = load_study(path)
    study_units(study, authorities=authorities(), changes=authority_changes())
    return study
