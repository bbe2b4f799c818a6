"""Files of a run's results: whole or absent, for their owner only, and named where they cannot be written."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from sos_spark.machine.faults import faults_told


def write_result(path: Path, content: str | bytes) -> None:
    """Writes a file of results, with the folders it lies in.

    Raises:
        EnvironmentFaultError: It cannot be written; an earlier one is then as it was.
    """
    with result_file(path) as handle:
        handle.write(content.encode() if isinstance(content, str) else content)


@contextmanager
def result_file(path: Path) -> Iterator[IO[bytes]]:
    """Gives a handle to write a file of results to, little by little; errors as `write_result`."""
    draft = path.with_name(f".{path.name}.part")
    with faults_told(str(path)):
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        try:
            with os.fdopen(os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as handle:
                yield handle
            draft.replace(path)
        except BaseException:
            draft.unlink(missing_ok=True)
            raise
