"""What lies in a source folder: returns by form and place, and what is none. Reads no file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Literal

from sos_spark.bronze.modules import CIN, COLLECTION_OF, FIELDS, Collection
from sos_spark.errors import InputError

Form = Literal["xml", "csv", "table"]
TABLE_SUFFIXES = (".csv", ".parquet")
_NOT_OURS = frozenset({"published"})
"""Folders of a source that other readers take."""


@dataclass(frozen=True)
class SourceFile:
    """A file to be read. `path` is absolute; `name` is relative to the source, as it is shown and recorded.

    `module` is None for XML, which holds all modules of its collection. `layout_year` and `layout_la` are what the
    file's place says, where it says anything. `fault`: why the file is not to be read.
    """

    path: str
    name: str
    form: Form
    n_bytes: int
    module: str | None = None
    layout_year: str | None = None
    layout_la: str | None = None
    fault: str | None = None

    @property
    def collection(self) -> Collection:
        """The collection the file belongs to."""
        return CIN if self.module is None else COLLECTION_OF[self.module]


@dataclass(frozen=True)
class Refusal:
    """A file that is not read, or a return that is not taken, and why."""

    name: str
    reason: str


@dataclass
class Inventory:
    """The files of a source folder, in order of their names; refused places; what was not recognised."""

    files: list[SourceFile] = field(default_factory=list)
    refused: list[Refusal] = field(default_factory=list)
    unrecognised: list[str] = field(default_factory=list)


def take_inventory(source: Path) -> Inventory:
    """Returns what a source folder holds under cin/, ssda903/ and tables/.

    Hidden files, _SUCCESS and checksums are passed over. Links that leave the folder, linked folders and what may not
    be read are listed with a fault.

    Raises:
        InputError: There is no such folder.
    """
    if not source.is_dir():
        raise InputError(
            "The source folder does not exist", where=str(source), remedy="Give the folder of returns with --source"
        )
    root = source.resolve()
    inventory = Inventory()
    for entry in sorted(root.iterdir()):
        if _is_hidden(entry.name) or entry.name.casefold() in _NOT_OURS:
            continue
        place = _PLACES.get(entry.name.casefold())
        if place is None or not entry.is_dir():
            if entry.is_dir() or entry.suffix.casefold() in (".xml", ".parquet"):
                inventory.unrecognised.append(entry.name + "/" * entry.is_dir())
            continue
        for path, fault in _walk(root, entry):
            _place(path, path.relative_to(root), fault, place, inventory)
    inventory.files.sort(key=lambda file: file.name)
    return inventory


def _walk(root: Path, folder: Path) -> Iterator[tuple[Path, str | None]]:
    """Gives every file below a folder, and why it is not to be read, if it is not."""
    if folder.is_symlink():
        yield folder, "A linked folder is not followed"
        return
    for entry in sorted(folder.iterdir()):
        if _is_hidden(entry.name):
            continue
        if entry.is_dir():
            yield from _walk(root, entry)
        elif not entry.resolve().is_relative_to(root):
            yield entry, "The file is a link that leaves the source folder"
        elif not entry.exists() or not stat.S_ISREG(entry.stat().st_mode):
            yield entry, "This is no regular file"
        elif not os.access(entry, os.R_OK):
            yield entry, "The file may not be read"
        else:
            yield entry, None


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_")) or name.casefold().endswith(".crc")


Place = Callable[[tuple[str, ...], str], "_Placed | None"]


@dataclass(frozen=True)
class _Placed:
    """What a file's place says of it."""

    form: Form
    module: str | None = None
    layout_year: str | None = None
    layout_la: str | None = None
    fault: str | None = None


def _in_cin(parts: tuple[str, ...], suffix: str) -> _Placed | None:
    """Any name at any depth; a folder of four digits names the year, and below it a file of three digits the LA."""
    if suffix != ".xml":
        return None
    years = {part for part in parts[:-1] if re.fullmatch(r"\d{4}", part)}
    if not years:
        return _Placed("xml")
    if len(years) > 1:
        return _Placed("xml", fault="The folders it lies in name more than one census year")
    stem = PurePath(parts[-1]).stem
    return _Placed("xml", layout_year=years.pop(), layout_la=stem if re.fullmatch(r"\d{3}", stem) else None)


def _in_ssda903(parts: tuple[str, ...], suffix: str) -> _Placed | None:
    """<census_year>/<la>/<module>.csv."""
    module = f"lac_{PurePath(parts[-1]).stem.casefold()}"
    if len(parts) != 3 or suffix != ".csv" or module not in FIELDS:
        return None
    return _Placed("csv", module, parts[0], parts[1])


def _in_tables(parts: tuple[str, ...], suffix: str) -> _Placed | None:
    """<module>.csv, or files at any depth below <module>/."""
    module = (PurePath(parts[0]).stem if len(parts) == 1 else parts[0]).casefold()
    if module not in COLLECTION_OF or suffix not in TABLE_SUFFIXES:
        return None
    return _Placed("table", module)


_PLACES: dict[str, Place] = {"cin": _in_cin, "ssda903": _in_ssda903, "tables": _in_tables}


def table_constants(file: SourceFile) -> tuple[str, ...]:
    """Returns the names of a table's columns that stand in its folders' names only, as in census_year=2015/."""
    return tuple(part.partition("=")[0] for part in PurePath(file.name).parts[2:-1] if "=" in part)


def _place(path: Path, relative: Path, fault: str | None, place: Place, inventory: Inventory) -> None:
    name, parts = relative.as_posix(), relative.parts[1:]
    linked_module = fault is not None and path.is_dir() and place is _in_tables
    placed = place(parts, ".csv" if linked_module else path.suffix.casefold()) if parts else None
    if placed is not None:
        n_bytes = 0 if fault else path.stat().st_size
        placed = replace(placed, fault=fault or placed.fault)
        inventory.files.append(SourceFile(str(path), name, n_bytes=n_bytes, **vars(placed)))
    elif fault is not None:
        inventory.refused.append(Refusal(name, fault))
    else:
        inventory.unrecognised.append(name)
