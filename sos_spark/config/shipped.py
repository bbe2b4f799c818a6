"""The folders that ship with the package: conf/ and expectations/.

They stand beside the package in a checkout, where people review them, and inside it in a wheel.
"""

from __future__ import annotations

import os
from pathlib import Path

from sos_spark.errors import EnvironmentFaultError
from sos_spark.places import here, place_of

_PACKAGE = Path(__file__).resolve().parents[1]


def conf_root() -> Path:
    """Returns the folder conf/: SOS_SPARK_CONF where it is set (a path or URI), else the package's own.

    Raises:
        EnvironmentFaultError: There is no such folder, or it holds no reference data.
    """
    given = os.environ.get("SOS_SPARK_CONF")
    root = here(place_of(given)) if given else _shipped("conf")
    if not (root / "reference").is_dir():
        raise EnvironmentFaultError(
            "The folder conf/ is not where it should be",
            where=str(root),
            expected="a folder with reference/, studies/ and disclosure/",
            remedy="Unset SOS_SPARK_CONF, or set it to the conf/ folder of a checkout",
        )
    return root


def expectations_root() -> Path:
    """Returns the folder expectations/: beside conf/ where SOS_SPARK_CONF is set, else that of the package."""
    given = os.environ.get("SOS_SPARK_CONF")
    return here(place_of(given).parent / "expectations") if given else _shipped("expectations")


def checkout_root() -> Path | None:
    """Returns the checkout the package runs from; None where it was installed from a wheel."""
    root = _PACKAGE.parent
    return root if (root / "pyproject.toml").is_file() and (root / "conf").is_dir() else None


def private_root() -> Path:
    """Returns where what is fetched once is kept: .sos of a checkout, else ~/.sos_spark."""
    root = checkout_root()
    return root / ".sos" if root else Path.home() / ".sos_spark"


def _shipped(name: str) -> Path:
    inside = _PACKAGE / name
    return inside if inside.is_dir() else _PACKAGE.parent / name
