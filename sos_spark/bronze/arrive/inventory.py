"""What lies in a source folder: returns by form and place, and what is none. Reads no file."""

from __future__ import annotations

import os
import re
import stat
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path, PurePath
from typing import Literal

from sos_spark.bronze.fields import CIN, COLLECTION_OF, FIELDS, PUBLISHED, Collection
from sos_spark.errors import InputError
from sos_spark.places import Place, RemotePlace, within
from sos_spark.places.stores import Entry

Form = Literal["xml", "csv", "table", "published"]
TABLE_SUFFIXES = (".csv", ".parquet")
PUBLISHED_FOLDER = "published"


@dataclass(frozen=True)
class SourceFile:
    """A file to be read. `path` is absolute, or a URI; `name` is relative to the source, as it is shown and recorded.

    `module` is None for XML, which holds all modules of its collection, and for published tables, which have none.
    `layout_year` and `layout_la` are what the file's place says, where it says anything. `fault`: why the file is not
    to be read.
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
        if self.form == "published":
            return PUBLISHED
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


def take_inventory(source: Place) -> Inventory:
    """Returns what a source folder holds under cin/, ssda903/ and tables/.

    Hidden files, _SUCCESS and checksums are passed over. Links that leave the folder, linked folders and what may not
    be read are listed with a fault; shared file systems are listed as a whole, and have no links.

    Raises:
        InputError: There is no such folder.
    """
    if not source.is_dir():
        raise InputError(
            "The source folder does not exist", where=str(source), remedy="Give the folder of returns with --source"
        )
    inventory = Inventory()
    for folder, found in _folders_of_returns(source, inventory):
        for one in found:
            _place(one, _LAYOUTS[folder.casefold()], inventory)
    inventory.files.sort(key=lambda file: file.name)
    return inventory


@dataclass(frozen=True)
class _Found:
    """A file, or a folder that is not read: its place, its path from the source, its size, why it is not read."""

    path: str
    name: PurePath
    n_bytes: int = 0
    fault: str | None = None
    is_folder: bool = False


def _folders_of_returns(source: Place, inventory: Inventory) -> Iterator[tuple[str, Iterable[_Found]]]:
    """Gives each folder of returns directly in a source with the files below it; notes what else is there."""
    root = source.resolve() if isinstance(source, Path) else source
    for entry in _entries(root):
        if _is_hidden(entry.name) or entry.name.casefold() == PUBLISHED_FOLDER:
            continue
        is_folder = _is_folder(entry)
        if entry.name.casefold() not in _LAYOUTS:
            if is_folder or entry.suffix.casefold() in (".xml", ".parquet"):
                inventory.unrecognised.append(_shown(entry.name) + "/" * is_folder)
        elif not is_folder:
            inventory.refused.append(Refusal(entry.name, "This is no folder that can be read"))
        elif isinstance(entry, RemotePlace):
            yield entry.name, _listed(entry, source)
        else:
            yield entry.name, _walk(entry.parent, entry)


def _listed(folder: RemotePlace, source: Place) -> Iterator[_Found]:
    """Gives the files of a shared file system at any depth below a folder, by one listing."""
    for entry in sorted(folder.entries(below=True), key=lambda entry: entry.path):
        found = _found(entry, folder, source)
        if not any(_is_hidden(part) for part in found.name.parts):
            yield found


def _found(entry: Entry, folder: RemotePlace, source: Place) -> _Found:
    place = RemotePlace(f"{folder.root}/{entry.path}")
    return _Found(str(place), PurePath(within(place, source)), entry.n_bytes)


def published_files(source: Place) -> list[SourceFile]:
    """Returns the CSV files of published/, else those directly in the source folder, in order of their names.

    What is called *.csv and is no regular file of the source, or may not be read, has a fault; so has the folder.
    """
    if isinstance(source, RemotePlace):
        return _published_listed(source)
    root = source.resolve()
    folder = root / PUBLISHED_FOLDER
    if not folder.is_symlink() and not folder.exists():
        folder = root
    elif folder.is_symlink() or not _is_folder(folder):
        return [SourceFile(str(folder), PUBLISHED_FOLDER, "published", 0, fault="This is no folder of the source")]
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        unread = f"The folder may not be read: found {type(error).__name__}"
        return [SourceFile(str(folder), PUBLISHED_FOLDER, "published", 0, fault=unread)]
    files = []
    for path in entries:
        if path.suffix.casefold() == ".csv" and not _is_hidden(path.name):
            name = path.relative_to(root).as_posix()
            fault = "This is a folder" if _is_folder(path) else _file_fault(root, path)
            n_bytes = 0 if fault else path.stat().st_size
            files.append(SourceFile(str(path), _shown(name), "published", n_bytes, fault=fault))
    return files


def _published_listed(source: RemotePlace) -> list[SourceFile]:
    folder = source / PUBLISHED_FOLDER
    found = folder.entry()
    if found is not None and not found.is_folder:
        return [SourceFile(str(folder), PUBLISHED_FOLDER, "published", 0, fault="This is no folder of the source")]
    listed = [
        (_found(entry, source, source), entry.is_folder)
        for entry in (folder if found is not None else source).entries()
    ]
    return [
        SourceFile(
            one.path, _shown(str(one.name)), "published", one.n_bytes, fault="This is a folder" if is_folder else None
        )
        for one, is_folder in sorted(listed, key=lambda pair: pair[0].path)
        if one.name.suffix.casefold() == ".csv" and not _is_hidden(one.name.name)
    ]


def _entries(root: Place) -> Sequence[Place]:
    try:
        return sorted(root.iterdir(), key=str)
    except OSError as error:
        raise InputError(
            "The source folder may not be read", where=str(root), found=type(error).__name__,
            remedy="Give yourself the right to list it",
        ) from None  # fmt: skip


def _walk(root: Path, folder: Path) -> Iterator[_Found]:
    """Gives every file below a folder, and every folder that is not read; with each why it is not, if it is not."""
    if folder.is_symlink():
        yield _unread(root, folder, "A linked folder is not followed")
        return
    try:
        entries = sorted(folder.iterdir())
    except OSError as error:
        yield _unread(root, folder, f"The folder may not be read: found {type(error).__name__}")
        return
    for entry in entries:
        if _is_hidden(entry.name):
            continue
        if _is_folder(entry):
            yield from _walk(root, entry)
        else:
            fault = _file_fault(root, entry)
            n_bytes = 0 if fault else entry.stat().st_size
            yield _Found(str(entry), entry.relative_to(root), n_bytes, fault)


def _unread(root: Path, folder: Path, fault: str) -> _Found:
    return _Found(str(folder), folder.relative_to(root), fault=fault, is_folder=_is_folder(folder))


def _is_folder(path: Place) -> bool:
    try:
        return path.is_dir()
    except OSError:
        return False


def _file_fault(root: Path, path: Path) -> str | None:
    """Returns why a file is not to be read, if it is not. Opens nothing: a pipe would never answer."""
    try:
        if not path.resolve().is_relative_to(root):
            return "The file is a link that leaves the source folder"
        if not path.exists():
            return "The file is a link to nothing"
        if not stat.S_ISREG(path.stat().st_mode):
            return "This is no regular file"
    except (OSError, RuntimeError) as error:
        # A link that leads to itself is a RuntimeError.
        return f"The file cannot be reached: found {type(error).__name__}"
    return None if os.access(path, os.R_OK) else "The file may not be read"


def _is_hidden(name: str) -> bool:
    return name.startswith((".", "_")) or name.casefold().endswith(".crc")


Layout = Callable[[tuple[str, ...], str], "_Placed | None"]


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
    """<module>.csv, or files at any depth below <module>/ or, as Spark writes them, <module>.csv/."""
    first = PurePath(parts[0])
    module = (first.stem if first.suffix.casefold() in TABLE_SUFFIXES else first.name).casefold()
    if module not in COLLECTION_OF or suffix not in TABLE_SUFFIXES:
        return None
    return _Placed("table", module)


_LAYOUTS: dict[str, Layout] = {"cin": _in_cin, "ssda903": _in_ssda903, "tables": _in_tables}


def _shown(name: str) -> str:
    """A name as it can be printed and stored."""
    safe = name.encode(errors="backslashreplace").decode()
    return "".join(char if char.isprintable() else f"\\x{ord(char):02x}" for char in safe)


def _name_fault(name: str, placed: _Placed) -> str | None:
    """Returns why a file cannot be read because of its name alone.

    Spark itself opens tables, and by a stricter rule.
    """
    if not name.isprintable():
        return "The file's name, or its folder's, is not in UTF-8 or has a control character: rename it"
    if placed.form == "table" and ":" in name:
        return "Spark reads no file whose name, or whose folder's, has a colon: rename it"
    return None


def table_constants(file: SourceFile) -> tuple[str, ...]:
    """Returns the names of a table's columns that stand in its folders' names only, as in census_year=2015/."""
    return tuple(part.partition("=")[0] for part in PurePath(file.name).parts[2:-1] if "=" in part)


def _place(found: _Found, layout: Layout, inventory: Inventory) -> None:
    name, parts, fault = found.name.as_posix(), found.name.parts[1:], found.fault
    # A folder of a table that is not read may hold rows of any LA-year, as a file of it may.
    lost_folder = fault is not None and layout is _in_tables and found.is_folder
    placed = layout(parts, ".csv" if lost_folder else found.name.suffix.casefold()) if parts else None
    if placed is not None and fault is None:
        fault = _name_fault(name, placed)
    name = _shown(name)
    if placed is not None:
        n_bytes = 0 if fault else found.n_bytes
        placed = replace(placed, fault=fault or placed.fault)
        inventory.files.append(SourceFile(found.path, name, n_bytes=n_bytes, **vars(placed)))
    elif fault is not None:
        inventory.refused.append(Refusal(name, fault))
    else:
        inventory.unrecognised.append(name)
