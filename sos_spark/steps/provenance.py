"""What a table's rows are made from, as one hash: a step that is run again on the same writes nothing."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from sos_spark.tables import Table

if TYPE_CHECKING:
    from sos_spark.lake.lake import Lake


def made_from(lake: Lake, tables: Iterable[Table], *, packages: Iterable[str], settings: Mapping[str, Any]) -> str:
    """Returns the SHA-256 of the input tables' versions, the source of the packages that make the rows, and settings.

    `packages` are names below sos_spark; `settings` must be JSON but for dates.
    """
    content = {
        "tables": {table.name: lake.version(table) for table in tables},
        "source": {name: source_sha256(name) for name in sorted(packages)},
        "settings": settings,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


@cache
def source_sha256(package: str) -> str:
    """Returns the SHA-256 of the Python source of a package below sos_spark, wherever it was imported from."""
    digest = hashlib.sha256()
    for item in _sources(files("sos_spark").joinpath(package)):
        digest.update(item.name.encode() + b"\0" + item.read_bytes() + b"\0")
    return digest.hexdigest()


def _sources(folder: Traversable) -> list[Traversable]:
    return sorted((item for item in folder.iterdir() if item.name.endswith(".py")), key=lambda item: item.name)
