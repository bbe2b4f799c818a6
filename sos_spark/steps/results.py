"""Files of a run's results: whole or absent, for their owner only, and named where they cannot be written."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO

from sos_spark.machine.faults import faults_told
from sos_spark.places import Place, open_whole


def write_result(path: Place, content: str | bytes) -> None:
    """Writes a file of results, with the folders it lies in.

    Raises:
        EnvironmentFaultError: It cannot be written; an earlier one is then as it was.
    """
    with result_file(path) as handle:
        handle.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def result_file(path: Place) -> Iterator[IO[bytes]]:
    """Gives a handle to write a file of results to, little by little; errors as `write_result`."""
    with faults_told(str(path)), open_whole(path) as handle:
        yield handle
