"""From files to returns: what makes an LA-year of a collection, and which files cannot be one."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from sos_spark.bronze.arrive.inspection import Inspection
from sos_spark.bronze.fault import SourceError, require_authority
from sos_spark.bronze.fields import COLLECTION_OF, CORE_MODULES, LA_YEAR, SSDA903, Collection
from sos_spark.config.reference import Authority


@dataclass(frozen=True)
class Slice:
    """A collection of an LA and a census year: what a return is about, and what replaces another as a whole.

    Where a refused file does not say, or not credibly, LA or year are None.
    """

    collection: Collection
    la_code: str | None
    census_year: int | None

    def __str__(self) -> str:
        return f"{self.collection} of LA {self.la_code or 'unknown'}, census year {self.census_year or 'unknown'}"


@dataclass(frozen=True)
class Part:
    """A file's share in a return."""

    file: Inspection
    rows_by_module: Mapping[str, int]


@dataclass(frozen=True)
class Return:
    """What a source says of a slice: an XML file, a folder of CSVs, or the slice's rows in flat tables."""

    slice: Slice
    name: str
    parts: tuple[Part, ...]
    returned_at: str | None = None

    @property
    def content(self) -> frozenset[str]:
        """The hashes of its files: two returns with the same are the same."""
        return frozenset(str(part.file.sha256) for part in self.parts)

    @property
    def rows_by_module(self) -> dict[str, int]:
        """Records by module, over its files."""
        rows: dict[str, int] = defaultdict(int)
        for part in self.parts:
            for module, n_rows in part.rows_by_module.items():
                rows[module] += n_rows
        return dict(rows)


@dataclass(frozen=True)
class RefusedReturn:
    """A return, or a file of none, that is not taken. `name` is what the user is told."""

    slice: Slice
    name: str
    reason: str
    parts: tuple[Part, ...]


@dataclass
class Gathered:
    """The returns of a source and what is refused of it before they are compared."""

    returns: list[Return]
    refused: list[RefusedReturn]
    warnings: list[str] = field(default_factory=list)


@dataclass(frozen=True)
class TableCount:
    """The rows of a table file in an LA-year. LA or year None: they cannot be read from the rows.

    `n_broken` rows have another number of columns than the header; `n_off_midnight` counts timestamps, not rows.
    """

    file: Inspection
    la_code: str | None
    census_year: int | None
    n_rows: int
    n_broken: int
    n_off_midnight: int = 0

    @property
    def collection(self) -> Collection:
        """The collection of the file's module."""
        return self.file.file.collection

    def may_belong_to(self, where: Slice) -> bool:
        """Returns whether the rows may be of an LA-year, given as much as they say of theirs."""
        return (
            self.collection == where.collection
            and self.la_code in (None, where.la_code)
            and self.census_year in (None, where.census_year)
        )


def gather_cin_files(files: Iterable[Inspection]) -> Gathered:
    """Returns the returns that XML files are; the same content under a second name is the first."""
    gathered, seen_content = Gathered([], []), set()
    for file in files:
        part = Part(file, file.rows_by_module)
        where = Slice("cin", file.la_code, file.census_year)
        if file.reason is not None:
            gathered.refused.append(RefusedReturn(where, file.file.name, file.reason, (part,)))
        elif file.sha256 not in seen_content:
            seen_content.add(file.sha256)
            gathered.returns.append(Return(where, file.file.name, (part,), file.returned_at))
    return gathered


def gather_lac_folders(files: Iterable[Inspection]) -> Gathered:
    """Returns the returns that SSDA903 folders are.

    A folder without a sound header.csv and episodes.csv, or with a module twice, is refused as a whole; another file
    that is not sound is left out of it.
    """
    folders: dict[str, list[Inspection]] = defaultdict(list)
    for file in files:
        folders[file.file.name.rpartition("/")[0]].append(file)
    gathered = Gathered([], [])
    for folder, members in folders.items():
        where = Slice(SSDA903, members[0].la_code, members[0].census_year)
        parts = tuple(Part(file, file.rows_by_module) for file in members)
        reason = _folder_fault(members)
        if reason is not None:
            gathered.refused.append(RefusedReturn(where, f"{folder}/", reason, parts))
            continue
        for part in parts:
            if part.file.reason is not None:
                gathered.refused.append(RefusedReturn(where, part.file.file.name, part.file.reason, (part,)))
        sound = tuple(part for part in parts if part.file.reason is None)
        gathered.returns.append(Return(where, f"{folder}/", sound))
    return gathered


def _folder_fault(members: Sequence[Inspection]) -> str | None:
    modules = [file.file.module for file in members]
    if len(set(modules)) < len(modules):
        return "The folder has a module in two files"
    by_module = {file.file.module: file for file in members}
    faults = []
    for module in CORE_MODULES[SSDA903]:
        name = f"{module.removeprefix('lac_')}.csv"
        if module not in by_module:
            faults.append(f"{name} is missing")
        elif by_module[module].reason is not None:
            faults.append(f"{name}: {by_module[module].reason}")
    if not faults:
        return None
    shared = {file.reason for file in members}
    if len(shared) == 1 and len(members) > 1:
        return next(iter(shared))
    return f"An LA-year is all or nothing, and {'; '.join(faults)}"


def gather_tables(
    files: Sequence[Inspection], counts: Iterable[TableCount], authorities: Mapping[str, Authority]
) -> Gathered:
    """Returns the returns that the LA-years of flat tables are.

    A file that is not sound may have held rows of any LA-year. So one of a CIN table, or of an SSDA903 table that
    outcomes need, leaves no LA-year of its collection whole, and all are refused; another is left out. In the same way
    rows that do not say their LA, or their year, leave none whole that they may belong to.
    """
    counts = list(counts)
    broken = {count.file.file.name for count in counts if count.n_broken}
    files = [_broken(file) if file.file.name in broken else file for file in files]
    gathered, lost = Gathered([], []), set()
    for file in files:
        if file.reason is not None:
            collection = file.file.collection
            where = Slice(collection, None, None)
            gathered.refused.append(RefusedReturn(where, file.file.name, file.reason, (Part(file, {}),)))
            if _is_needed(file):
                lost.add(collection)
    astray: list[TableCount] = []
    slices: dict[Slice, dict[str, Part]] = defaultdict(dict)
    for count in counts:
        if count.file.file.name not in broken:
            if (count.la_code is None or count.census_year is None) and _is_needed(count.file):
                astray.append(count)
            module = count.file.file.module or ""
            where = Slice(COLLECTION_OF[module], count.la_code, count.census_year)
            slices[where][count.file.file.name] = Part(count.file, {module: count.n_rows})
    for where, parts_by_name in slices.items():
        parts = tuple(parts_by_name.values())
        name = f"tables/ ({where})"
        reason = _slice_fault(where, parts, lost, authorities) or _astray_fault(where, astray)
        if reason is None:
            gathered.returns.append(Return(where, name, parts))
        else:
            gathered.refused.append(RefusedReturn(where, name, reason, parts))
    return gathered


def _is_needed(file: Inspection) -> bool:
    """Returns whether an LA-year without the file's rows is not whole."""
    return file.file.collection != SSDA903 or file.file.module in CORE_MODULES[SSDA903]


def _astray_fault(where: Slice, astray: Iterable[TableCount]) -> str | None:
    """Returns which rows without an LA or a year may belong to an LA-year."""
    rows: dict[str, int] = defaultdict(int)
    for count in astray:
        if count.may_belong_to(where):
            rows[count.file.file.name] += count.n_rows
    if not rows:
        return None
    told = ", ".join(f"{n_rows} of {name}" for name, n_rows in sorted(rows.items()))
    return f"Rows without a credible {' or '.join(LA_YEAR)} may belong to this LA-year: found {told}"


def _broken(file: Inspection) -> Inspection:
    return replace(file, reason="Rows have another number of columns than the header, or the file is cut off")


def _slice_fault(
    where: Slice, parts: Sequence[Part], lost: set[Collection], authorities: Mapping[str, Authority]
) -> str | None:
    if where.collection in lost:
        return "Another file of this collection's tables is refused, and it may have held rows of this LA-year"
    if where.la_code is None or where.census_year is None:
        unknown = [
            name for name, value in (("la_code", where.la_code), ("census_year", where.census_year)) if not value
        ]
        names = ", ".join(sorted(part.file.file.name for part in parts))
        return f"Rows without a credible {' and '.join(unknown)}: found in {names}"
    try:
        require_authority(where.la_code, where.census_year, authorities)
    except SourceError as fault:
        return str(fault)
    core = CORE_MODULES[where.collection]
    if not any(module in part.rows_by_module for part in parts for module in core):
        return f"Rows of other modules, but none of {' or '.join(core)}"
    return None


def off_midnight(counts: Iterable[TableCount]) -> Iterator[str]:
    """Gives a warning for each file with timestamps that are another moment than a midnight."""
    moments: dict[str, int] = defaultdict(int)
    for count in counts:
        moments[count.file.file.name] += count.n_off_midnight
    for name, n_moments in sorted(moments.items()):
        if n_moments:
            yield (
                f"{name}: timestamps that are not midnight, taken as the day they are on (in Europe/London where they "
                f"are adjusted to UTC): {n_moments}"
            )
