"""The lake: Delta tables as `sos_spark.tables` declares them, written so that a repeated run changes nothing.

A write names a fingerprint, which says what its rows were made from (inputs, rules, study). It becomes the commit's
user metadata, and a write whose fingerprint is already the table's is not made. Each write is one commit: a reader, or
the run after a kill, sees the rows before it or the rows after it.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from types import MappingProxyType
from typing import TYPE_CHECKING

from sos_spark.errors import EnvironmentFaultError, InputError
from sos_spark.lake import versions
from sos_spark.lake.checksum import write_checksum_of_declaration
from sos_spark.lake.commits import (
    HeldFile,
    WrittenFile,
    commit_files,
    held_files,
    in_partitions,
    move_into_place,
    moved_into_place,
)
from sos_spark.lake.constraints import held_to
from sos_spark.lake.drafts import Drafts, drafts
from sos_spark.lake.faults import SchemaMismatchError, conflict, told_safely
from sos_spark.lake.forms import MADE_BY, our_version
from sos_spark.lake.frames import empty, read_version
from sos_spark.lake.leases import Lease
from sos_spark.lake.left_over import is_few_bytes, write_left_over
from sos_spark.lake.locks import locked, records_held
from sos_spark.lake.simulated import PROPERTY, can_be_simulated, holds_simulated, mark
from sos_spark.lake.slices import predicate
from sos_spark.machine.processes import java_process
from sos_spark.places import Place, make_folder, make_private, make_private_below, require_plain
from sos_spark.tables import FILES, Table

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import DataFrame, SparkSession

NO_PARTS: Mapping[str, str] = MappingProxyType({})
_MADE_BY = {"bronze": "ingest", "silver": "validate", "quarantine": "validate", "dq": "validate"}


class Lake:
    """The Delta tables under one folder, at `<root>/<layer>/<short name>`.

    Writers of one table take turns: a second waits `patience_seconds`, then is told of the conflict (ConflictError).
    Reading needs no lock.
    """

    def __init__(self, root: Place, *, patience_seconds: float = 60.0) -> None:
        require_plain(root)
        self.root: Place = root.absolute()
        self._patience_seconds = patience_seconds
        self._simulated: bool | None = None
        self._looked_at: tuple[int | None, bool] | None = None
        self._records: Lease | None = None

    @property
    def is_simulated(self) -> bool:
        """Whether the lake's returns are simulated; tables that are written from now on are marked accordingly."""
        if self._simulated is not None:
            return self._simulated
        version = self.version(FILES)
        if self._looked_at is None or self._looked_at[0] != version:
            self._looked_at = (version, holds_simulated(self.root))
        return self._looked_at[1]

    def take_as_simulated(self, simulated: bool) -> None:
        """Takes returns that are being written for simulated or not, before bronze.files knows them."""
        self._simulated = simulated

    def path(self, table: Table) -> Place:
        """Returns the table's folder."""
        return versions.table_path(self.root, table)

    def exists(self, table: Table) -> bool:
        """Returns whether the table has content, be it no rows. Needs no Spark."""
        return self.version(table) is not None

    def version(self, table: Table) -> int | None:
        """Returns the newest version, None where the table does not exist. Needs no Spark."""
        return versions.version_of(self.root, table)

    def fingerprint(self, table: Table) -> str | None:
        """Returns what the table's content was made from; None where it does not exist or did not say."""
        commit = versions.content_commit(self.root, table)
        return None if commit is None else commit.fingerprint

    def parts(self, table: Table) -> Mapping[str, str]:
        """Returns what each part of the table's content was made from; nothing where its writer did not say."""
        commit = versions.content_commit(self.root, table)
        return {} if commit is None else commit.parts

    def history(self, table: Table) -> tuple[versions.Commit, ...]:
        """Returns the table's commits, newest first. Needs no Spark."""
        return versions.history(self.root, table)

    @contextmanager
    def hold_records(self, *, to_write: bool) -> Iterator[None]:
        """Holds bronze, silver, quarantine and dq for a run: for itself to write, or with other readers.

        Raises:
            ConflictError: Another live run holds them the other way.
        """
        if not to_write and not self.root.is_dir():
            yield
            return
        self._require_root()
        with records_held(self.root, to_write=to_write, patience_seconds=self._patience_seconds) as self._records:
            try:
                yield
            finally:
                self._records = None

    def read(self, spark: SparkSession, table: Table, *, version: int | None = None) -> DataFrame:
        """Returns the table, at a version where one is given.

        Raises:
            InputError: There is no such table, or no such version (names the step that makes it), or another version of
                the tables made it.
        """
        newest = self.version(table)
        if newest is None or (version is not None and not 0 < version <= newest):
            step = _MADE_BY.get(table.layer, table.layer)
            raise InputError(
                "The lake lacks a table" if newest is None else "The lake lacks a version of a table",
                where=str(self.path(table)),
                expected=table.name + (f" at version {version}" if version is not None else ""),
                found="" if newest is None else f"versions 1 to {newest}",
                remedy=f"Run the step that makes it first: sos-spark {step}",
            )
        if version is None:
            versions.require_form(self.root, table)
        return read_version(spark, self.root, table, newest if version is None else version)

    def read_or_empty(self, spark: SparkSession, table: Table) -> DataFrame:
        """Returns the table, or no rows with its columns where it does not exist."""
        return self.read(spark, table) if self.exists(table) else empty(spark, table)

    def arrow(self, table: Table, *, where: Mapping[str, str] | None = None) -> pa.Table:
        """Returns a collapsed table's rows without Spark, in no order; `where` and errors as `arrow.read_arrow`."""
        from sos_spark.lake.arrow import read_arrow

        return read_arrow(self.root, table, where=where)

    def overwrite(self, df: DataFrame, table: Table, *, fingerprint: str, parts: Mapping[str, str] = NO_PARTS) -> int:
        """Replaces the whole table by the frame. Returns the version that holds it.

        `parts`: what each part of the table is made from, by a name of the writer's choice, for a later writer that
        makes only what has changed (`Lake.parts`).

        Raises:
            SchemaMismatchError: The frame's columns are not the table's, in its order.
            ConstraintViolationError: A row breaks a NOT NULL or CHECK constraint.
            ConflictError: Another writer holds the table, or committed meanwhile.
        """
        _require_columns(df, table)
        with self._writing(table, fingerprint, java_process=java_process(df.sparkSession)) as base:
            if base is not None:
                with drafts(self.root) as drafted:
                    drafted.write(held_to(df, table), table.name, part_by=table.partition_by)
                    self._move_and_commit(drafted, table, base, versions.metadata_of(fingerprint, parts), replaced=None)
                self._committed(table, fingerprint)
        return self.version(table) or 0

    def adopt(
        self,
        drafted: Drafts,
        name: str,
        table: Table,
        *,
        fingerprint: str,
        parts: Mapping[str, str] = NO_PARTS,
    ) -> int:
        """Replaces the whole table by a draft's files, which are moved: its rows are held to the table's constraints.

        `name`: the draft, or a folder of it. Returns and errors as `overwrite`.
        """
        with self._writing(table, fingerprint, java_process=None) as base:
            if base is not None:
                metadata = versions.metadata_of(fingerprint, parts)
                self._move_and_commit(drafted, table, base, metadata, replaced=None, name=name)
                self._committed(table, fingerprint)
        return self.version(table) or 0

    def take_files(
        self,
        files: Sequence[WrittenFile],
        table: Table,
        *,
        fingerprint: str,
        parts: Mapping[str, str] = NO_PARTS,
        slices: Sequence[Mapping[str, object]] | None = None,
    ) -> int:
        """Replaces the whole table by files that lie in its folder already; with `slices` the rows of these, if any.

        Whoever wrote them has held their rows to the table's constraints. Slices, returns and errors as `replace`, for
        what `replaces_without_spark`.
        """
        with self._writing(table, fingerprint, java_process=None) as base:
            if base is not None:
                metadata = versions.metadata_of(fingerprint, parts)
                with drafts(self.root) as drafted:
                    gone = None if slices is None else self._gone(drafted, table, slices)
                    self._move_and_commit(drafted, table, base, metadata, replaced=gone, in_place=files)
                self._committed(table, fingerprint)
        return self.version(table) or 0

    def move_in(self, files: Sequence[WrittenFile], table: Table, *, folder: Place) -> None:
        """Moves files of a folder that is laid out as the table's into the table's, for `take_files`."""
        for file in files:
            move_into_place(file, self.root, table, folder=folder)

    def replaces_without_spark(self, table: Table, slices: Sequence[Mapping[str, object]]) -> bool:
        """Returns whether what a replacement of slices leaves of the table's files is little enough for the driver."""
        return _are_partitions(table, slices) or is_few_bytes(self.root, table, slices)

    def put(
        self,
        rows: pa.Table,
        table: Table,
        *,
        fingerprint: str,
        parts: Mapping[str, str] = NO_PARTS,
        beside: bool = False,
    ) -> int:
        """Replaces the whole table by rows in memory; with `beside`, adds them to it. Needs no Spark.

        Of a table without CHECK constraints and partitions. Returns and errors as `overwrite`.
        """
        from sos_spark.lake.arrow import conforming

        held = conforming(rows, table)
        with self._writing(table, fingerprint, java_process=None) as base:
            if base is not None:
                with drafts(self.root) as drafted:
                    drafted.write_arrow(held, table.name)
                    self._move_and_commit(
                        drafted, table, base, versions.metadata_of(fingerprint, parts), replaced=() if beside else None
                    )
                self._committed(table, fingerprint)
        return self.version(table) or 0

    def replace(
        self,
        df: DataFrame,
        table: Table,
        *,
        slices: Sequence[Mapping[str, object]],
        fingerprint: str,
        parts: Mapping[str, str] = NO_PARTS,
    ) -> int:
        """Replaces the rows of some slices by the frame, which must hold none of any other slice.

        A slice is the rows whose columns equal its values, as in {"la_code": "926", "census_year": 2015}; every slice
        names the same columns. A slice the frame has no rows of becomes empty. `parts`: of the whole table, not of the
        slices alone. Returns and errors as `overwrite`.
        """
        _require_columns(df, table)
        slices_only = predicate(table, slices)
        with self._writing(table, fingerprint, java_process=java_process(df.sparkSession)) as base:
            if base is None:
                return self.version(table) or 0
            metadata = versions.metadata_of(fingerprint, parts)
            if not self.replaces_without_spark(table, slices):
                self._replace_rows(df, table, base, metadata, where=slices_only)
                return self._committed(table, fingerprint)
            with drafts(self.root) as drafted:
                drafted.write(held_to(df, table, slices=slices_only), table.name, part_by=table.partition_by)
                gone = self._gone(drafted, table, slices)
                self._move_and_commit(drafted, table, base, metadata, replaced=gone)
            return self._committed(table, fingerprint)

    def _gone(self, drafted: Drafts, table: Table, slices: Sequence[Mapping[str, object]]) -> list[HeldFile]:
        """Returns the files that hold rows of slices; their other rows are in the table's draft then."""
        if _are_partitions(table, slices):
            return in_partitions(held_files(self.root, table), slices)
        return write_left_over(self.root, table, slices, to=drafted.folder / table.name)

    def _replace_rows(self, df: DataFrame, table: Table, base: int, metadata: str, *, where: str) -> None:
        """Replaces rows that lie in large files with others: executors read these and write them anew."""
        (
            df.write.format("delta")
            .mode("overwrite")
            .option("replaceWhere", where)
            .option("mergeSchema", "false")
            .option("userMetadata", metadata)
            # Of two writers that saw the same version (possible only where locks do not reach, as on two machines)
            # Delta lets one through: both would be the transaction after `base`.
            .option("txnAppId", table.name)
            .option("txnVersion", base + 1)
            .save(str(self.path(table)))
        )

    def _move_and_commit(
        self,
        drafted: Drafts,
        table: Table,
        base: int,
        metadata: str,
        *,
        replaced: Sequence[HeldFile] | None,
        name: str | None = None,
        in_place: Sequence[WrittenFile] = (),
    ) -> None:
        """Makes a draft's files the table's, and those that lie in its folder already.

        The draft has the table's name if no other is given.
        """
        name = name or table.name
        moved = moved_into_place(drafted.files(name), self.root, table, folder=drafted.folder / name)
        commit_files(self.root, table, [*in_place, *moved], base=base, metadata=metadata, replaced=replaced)

    @contextmanager
    def _writing(self, table: Table, fingerprint: str, *, java_process: int | None) -> Iterator[int | None]:
        """Holds the table for one commit. Gives the version before it, or None where there is nothing to write."""
        self._require_root()
        if self._records is not None:
            self._records.require_held()
        with (
            told_safely(table),
            locked(
                self.root,
                table,
                java_process=java_process,
                patience_seconds=self._patience_seconds,
            ),
        ):
            if self.fingerprint(table) == fingerprint:
                yield None
                return
            if not versions.is_declared(self.root, table):
                declare(self.root, table, simulated=can_be_simulated(table) and self.is_simulated)
            else:
                versions.require_form(self.root, table)
            yield self.version(table) or 0

    def _committed(self, table: Table, fingerprint: str) -> int:
        """Returns the version just written. A write that Delta passed over was overtaken by another."""
        version = self.version(table)
        if version is None or self.fingerprint(table) != fingerprint:
            raise conflict(table.name, found="another writer committed to it while this one worked")
        mark(self.root, table, simulated=can_be_simulated(table) and self.is_simulated)
        return version

    def _require_root(self) -> None:
        """Makes the lake's folder, or takes from others the right to enter it: it holds children's records."""
        try:
            make_folder(self.root)
            make_private(self.root)
        except OSError as error:
            raise EnvironmentFaultError(
                "The lake's folder cannot be made private",
                where=str(self.root),
                expected="a folder of ours with mode 0700",
                found=type(error).__name__,
                remedy="Give a folder that you own and may write to",
            ) from None


def declare(root: Place, table: Table, *, simulated: bool = False) -> None:
    """Writes version 0 of a table: columns, NOT NULL and CHECK constraints, partitioning, mark. Needs no Spark.

    No column statistics (they cost as much as the write), no deletion vectors (other readers cannot read them).
    """
    from deltalake import DeltaTable, Schema

    path = versions.table_path(root, table)
    make_folder(path.parent)
    DeltaTable.create(
        str(path),
        Schema.from_json(table.schema().json()),
        name=table.name,
        description=table.grain,
        partition_by=list(table.partition_by) or None,
        configuration={
            "delta.dataSkippingNumIndexedCols": "0",
            "delta.enableDeletionVectors": "false",
            "delta.minReaderVersion": "1",
            "delta.minWriterVersion": "3",
            **{f"delta.constraints.{name}": check for name, check in table.checks.items()},
            MADE_BY: our_version(),
            **({PROPERTY: "true"} if simulated else {}),
        },
        raise_if_key_not_exists=False,
    )
    write_checksum_of_declaration(path)
    make_private_below(path)


def _are_partitions(table: Table, slices: Sequence[Mapping[str, object]]) -> bool:
    """Whether each slice is all rows of some of the table's partitions."""
    return bool(slices) and set(slices[0]) <= set(table.partition_by)


def _require_columns(df: DataFrame, table: Table) -> None:
    """Names, order and types; what may be null is for the table's constraints to say."""
    expected = [f"{field.name} {field.dataType.simpleString()}" for field in table.schema().fields]
    found = [f"{field.name} {field.dataType.simpleString()}" for field in df.schema.fields]
    if found != expected:
        missing = [column for column in expected if column not in found]
        surplus = [column for column in found if column not in expected]
        raise SchemaMismatchError(
            "A frame does not have its table's columns",
            where=table.name,
            expected=f"also {', '.join(missing)}" if missing else ", ".join(expected),
            found=f"{', '.join(surplus)}" if surplus else "another order" if not missing else "",
            remedy="Select the table's columns, in its order, at the end of the function that makes the frame",
        )
