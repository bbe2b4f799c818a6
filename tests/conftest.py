"""One Spark session a test run; outside data where SOS_SPARK_REFERENCE_DATA says."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sos_spark.machine.session import start_session

ROOT = Path(__file__).resolve().parents[1]


def pytest_itemcollected(item: pytest.Item) -> None:
    """Marks what uses the Spark session, so that it can run beside all that does not."""
    if "spark" in getattr(item, "fixturenames", ()):
        item.add_marker(pytest.mark.spark)


@pytest.fixture(scope="session")
def spark() -> Iterator[SparkSession]:
    """A local session with two cores and two shuffle partitions."""
    session = start_session(app_name="tests", master="local[2]", shuffle_partitions=2, driver_memory="4g", to_read=0)
    session.sparkContext.setLogLevel("ERROR")
    yield session
    session.stop()


@pytest.fixture(autouse=True)
def nothing_stays_cached(request: pytest.FixtureRequest) -> Iterator[None]:
    """Frames that a test persisted go with it: kept, those of hundreds of tests fill the heap."""
    yield
    if "spark" in request.fixturenames:
        request.getfixturevalue("spark").catalog.clearCache()


@pytest.fixture(scope="session")
def reference_data() -> Path:
    """The folder of outside data; tests that need it skip without it, except where it is required."""
    folder = Path(os.environ.get("SOS_SPARK_REFERENCE_DATA") or ROOT.parent / "shared" / "data")
    if not folder.is_dir():
        if os.environ.get("SOS_SPARK_REQUIRE_REFERENCE") == "1":
            pytest.fail(f"outside data are required and not at {folder}")
        pytest.skip("outside data not found: set SOS_SPARK_REFERENCE_DATA")
    return folder
