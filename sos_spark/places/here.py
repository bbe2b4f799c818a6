"""Folders that must be on this machine, wherever they are named: what Java or a reader of many small files takes."""

from __future__ import annotations

import atexit
import shutil
import tempfile
from functools import cache
from pathlib import Path

from sos_spark.places.remote import Place, RemotePlace
from sos_spark.places.uris import within

_PREFIX = "sos_spark_copy_"


def here(folder: Place) -> Path:
    """Returns a folder of this machine as it is; of one elsewhere a private copy for the process.

    A folder that is not there gives one that is not there, or is empty.
    """
    return _copied(folder.uri) if isinstance(folder, RemotePlace) else folder


@cache
def _copied(uri: str) -> Path:
    folder = RemotePlace(uri)
    copy = Path(tempfile.mkdtemp(prefix=_PREFIX))
    atexit.register(shutil.rmtree, copy, ignore_errors=True)
    for file in folder.rglob("*"):
        target = copy / within(file, folder)
        target.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        target.touch(mode=0o600)
        target.write_bytes(file.read_bytes())
    return copy
