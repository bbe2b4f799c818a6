"""A bucket in memory: a file system that is no folder of this machine, for tests of places."""

from __future__ import annotations

import pytest
from obstore.store import MemoryStore

from sos_spark.places import RemotePlace, remote
from sos_spark.places.stores import ObjectStore


def a_bucket(monkeypatch: pytest.MonkeyPatch) -> RemotePlace:
    """Returns the place of an empty bucket, which every place of this process then is in."""
    store = ObjectStore("s3a://bucket", MemoryStore())
    monkeypatch.setattr(remote, "store_of", lambda _: store)
    return RemotePlace("s3a://bucket")
