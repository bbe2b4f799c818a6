"""Records on their way from a reader to the lake: one form for all modules, in Arrow batches.

Grain: one row per record of a module. `values` are the module's fields in the order of its table.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import pyarrow as pa

RECORD_SCHEMA = pa.schema(
    [
        ("module", pa.string()),
        ("la_code", pa.string()),
        ("census_year", pa.int32()),
        ("file_id", pa.int64()),
        ("record_position", pa.int64()),
        ("record_fault", pa.string()),
        ("values", pa.list_(pa.string())),
    ]
)
RECORD_DDL = (
    "module STRING, la_code STRING, census_year INT, file_id BIGINT, record_position BIGINT, record_fault STRING,"
    " values ARRAY<STRING>"
)
WHITE_SPACE = " \t\n\r\f\v\u00a0\ufeff"
"""What is taken off both ends of a text; the same in every form of a return."""
ROWS_A_BATCH = 20_000


def file_id_of(sha256: str) -> int:
    """Returns the first 8 bytes of a SHA-256 as a signed integer."""
    return int.from_bytes(bytes.fromhex(sha256[:16]), "big", signed=True)


class RecordBatches:
    """Collects the records of one file, module by module; takes them out as Arrow batches of one module each."""

    def __init__(self, *, la_code: str, census_year: int, file_id: int) -> None:
        self._provenance = (la_code, census_year, file_id)
        self._positions: dict[str, list[int]] = {}
        self._faults: dict[str, list[str | None]] = {}
        self._values: dict[str, list[str | None]] = {}
        self._n_pending = 0

    def add(self, module: str, position: int, values: Sequence[str | None], fault: str | None = None) -> None:
        """Takes one record; `fault` is one of RECORD_FAULTS."""
        if module not in self._positions:
            self._positions[module], self._faults[module], self._values[module] = [], [], []
        self._positions[module].append(position)
        self._faults[module].append(fault)
        self._values[module].extend(values)
        self._n_pending += 1

    @property
    def is_full(self) -> bool:
        """Returns whether enough records wait for a batch."""
        return self._n_pending >= ROWS_A_BATCH

    def take(self) -> Iterator[pa.RecordBatch]:
        """Gives what was collected, and forgets it."""
        la_code, census_year, file_id = self._provenance
        for module, positions in self._positions.items():
            n, values = len(positions), pa.array(self._values[module], pa.string())
            width = len(values) // n
            yield pa.RecordBatch.from_arrays(
                [
                    pa.repeat(pa.scalar(module), n),
                    pa.repeat(pa.scalar(la_code), n),
                    pa.repeat(pa.scalar(census_year, pa.int32()), n),
                    pa.repeat(pa.scalar(file_id, pa.int64()), n),
                    pa.array(positions, pa.int64()),
                    pa.array(self._faults[module], pa.string()),
                    pa.ListArray.from_arrays(pa.array(range(0, n * width + 1, width), pa.int32()), values),
                ],
                schema=RECORD_SCHEMA,
            )
        self._positions, self._faults, self._values, self._n_pending = {}, {}, {}, 0
