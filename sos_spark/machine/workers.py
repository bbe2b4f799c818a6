"""Work on files, shared out among processes of this machine, or Spark's executors on others.

Results do not depend on who works. Spark takes seconds to start, and to start Python in its executors: local mode does
without, and little is done at once.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from sos_spark.errors import SourceFaultError, source_fault
from sos_spark.machine.connect import tasks_at_once
from sos_spark.machine.side_by_side import as_it_is, side_by_side

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FEW_BYTES = 8 << 20
"""Of files as they are: this process needs no others to work on fewer."""

Session = Callable[[], "SparkSession"]
"""Gives the session, which is started if it was not."""
Result = dict[str, Any]
Worker = Callable[[Mapping[str, Any]], Iterator[Result]]
"""Does one entry. Entries and results are what JSON can hold."""


@dataclass(frozen=True)
class Workers:
    """Who works on files: as many processes of this machine, this one among them, or executors where that is None."""

    session: Session
    processes: int | None = None

    def at_once(self, n_bytes: int) -> int:
        """Returns how many at once work on so many bytes."""
        if n_bytes < FEW_BYTES:
            return 1
        return tasks_at_once(self.session()) if self.processes is None else self.processes

    def run(self, entries: Sequence[Mapping[str, Any]], worker: Worker, *, n_bytes: int) -> list[Result]:
        """Returns what a worker gives of each entry, which is a task of its own, in no order; none of it is a record.

        Args:
            entries: What each task gets.
            worker: Works on an entry; sent to other processes as it is.
            n_bytes: Of the files that the entries name.

        Raises:
            InputError: A worker raised SourceFaultError; in executors it is in Spark's error.
        """
        if not entries:
            return []
        if self.processes is None and n_bytes >= FEW_BYTES:
            return self._run_in_executors(entries, worker)
        work = partial(_all_results, worker)
        try:
            done = side_by_side(work, entries, processes=self.at_once(n_bytes), there=partial(as_it_is, work))
            return [result for results in done for result in results]
        except SourceFaultError as fault:
            raise source_fault(fault.name, fault.found) from None

    def _run_in_executors(self, entries: Sequence[Mapping[str, Any]], worker: Worker) -> list[Result]:
        rows = [(task, json.dumps(entry)) for task, entry in enumerate(entries)]
        tasks = self.session().createDataFrame(rows, "task INT, entry STRING").repartitionById(len(rows), "task")
        done = tasks.mapInArrow(partial(_in_executor, worker), "result STRING")
        return [json.loads(row["result"]) for row in done.collect()]


def _in_executor(worker: Worker, batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
    for batch in batches:
        for text in batch.column("entry").to_pylist():
            results = [json.dumps(result) for result in worker(json.loads(text))]
            yield pa.RecordBatch.from_pydict({"result": pa.array(results, pa.string())})


def _all_results(worker: Worker, entry: Mapping[str, Any]) -> list[Result]:
    return list(worker(entry))
