"""What `sos-spark demo` shows, as conf/demo.toml declares it."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Literal

from sos_spark.config.model import Frozen
from sos_spark.config.shipped import conf_root
from sos_spark.errors import StudyError


class PublishedDemo(Frozen):
    """A study of published tables and the cells that ship for it; files by their place in conf/."""

    study: str
    cells: str


class RecordsDemo(Frozen):
    """A study of simulated returns, and what is simulated for it."""

    study: str
    effects: str
    scale: Literal["tiny", "small", "england"]
    years: str
    seed: int


class Demo(Frozen):
    """Both demonstrations."""

    published: PublishedDemo
    records: RecordsDemo


def demo() -> Demo:
    """Returns what the demonstrations are made of."""
    return Demo.model_validate(tomllib.loads((conf_root() / "demo.toml").read_text(encoding="utf-8")))


def shipped_studies() -> dict[str, Path]:
    """Returns the study files that ship with the package, by name without its ending."""
    return {path.stem: path for path in sorted((conf_root() / "studies").glob("*.toml"))}


def shipped_cells() -> Path:
    """Returns the file of cells of published tables that ships with the package."""
    return conf_root() / demo().published.cells


def study_named(name: str) -> Path:
    """Returns the study file of that path, or else the one of that name that ships with the package.

    Raises:
        StudyError: There is neither.
    """
    path = Path(name)
    if path.exists():
        return path
    shipped = shipped_studies()
    if name not in shipped:
        raise StudyError(
            "There is no such study",
            expected=f"a study file, or one that ships with the package: {', '.join(shipped)}",
            found=name,
        )
    return shipped[name]
