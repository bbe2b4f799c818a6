"""Records on their way from a return's file to the lake: collected by module, given as bronze has them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

from sos_spark.bronze.fields import FIELDS

WHITE_SPACE = " \t\n\r\f\v\u00a0\ufeff"
"""What is taken off both ends of a text; the same in every form of a return."""
_ROWS_A_BATCH = 20_000


def file_id_of(sha256: str) -> int:
    """Returns the first 8 bytes of a SHA-256 as a signed integer."""
    return int.from_bytes(bytes.fromhex(sha256[:16]), "big", signed=True)


def file_schema(module: str) -> pa.Schema:
    """Returns the columns of a file of the module's bronze table: all but that of the partition, census_year."""
    fields = [pa.field(name, pa.string()) for name in FIELDS[module]]
    return pa.schema([("la_code", pa.string()), ("file_id", pa.int64()), ("record_position", pa.int64()),
                      ("record_fault", pa.string()), *fields])  # fmt: skip


class RecordBatches:
    """The records of one file, module by module; of whose they are is told at the end, when the file has said it.

    With `keeps` false they are counted only.
    """

    def __init__(self, *, keeps: bool = True) -> None:
        self._keeps = keeps
        self._pending: dict[str, _Pending] = {}
        self._batches: dict[str, list[list[pa.Array]]] = {}
        self._n_rows: dict[str, int] = {}

    def add(self, module: str, position: int, values: Sequence[str | None], fault: str | None = None) -> None:
        """Takes one record: the module's fields in the order of its table; `fault` is one of RECORD_FAULTS."""
        self._n_rows[module] = self._n_rows.get(module, 0) + 1
        if not self._keeps:
            return
        pending = self._pending.get(module)
        if pending is None:
            pending = self._pending[module] = _Pending(len(values))
        pending.add(position, values, fault)
        if len(pending.positions) >= _ROWS_A_BATCH:
            self._end_batch(module)

    def count_of(self, module: str) -> int:
        """Returns how many records of a module the file has."""
        return self._n_rows.get(module, 0)

    def give(self, *, la_code: str, file_id: int) -> Iterator[tuple[str, pa.RecordBatch]]:
        """Gives the modules that have records, with batches of `file_schema`; forgets them."""
        for module in list(self._pending):
            self._end_batch(module)
        for module, batches in self._batches.items():
            for positions, faults, *values in batches:
                n = len(positions)
                whose = [pa.repeat(pa.scalar(la_code), n), pa.repeat(pa.scalar(file_id, pa.int64()), n)]
                yield (
                    module,
                    pa.RecordBatch.from_arrays([*whose, positions, faults, *values], schema=file_schema(module)),
                )
        self._batches = {}

    def _end_batch(self, module: str) -> None:
        self._batches.setdefault(module, []).append(self._pending.pop(module).columns())


class _Pending:
    """Records that are no Arrow columns yet, their values one after the other."""

    def __init__(self, width: int) -> None:
        self._width = width
        self.positions: list[int] = []
        self._faults: list[str | None] = []
        self._values: list[str | None] = []

    def add(self, position: int, values: Sequence[str | None], fault: str | None) -> None:
        self.positions.append(position)
        self._faults.append(fault)
        self._values.extend(values)

    def columns(self) -> list[pa.Array]:
        """Returns positions, faults and each field's values."""
        fields = (pa.array(self._values[at :: self._width], pa.string()) for at in range(self._width))
        return [pa.array(self.positions, pa.int64()), pa.array(self._faults, pa.string()), *fields]
