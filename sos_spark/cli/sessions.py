"""How a command gets its Spark session: made when first needed, never twice."""

from __future__ import annotations

import os
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyspark.sql import SparkSession


def session_starter(master: str | None, driver_memory: str) -> Callable[[], SparkSession]:
    """Returns a function that starts the session. Under spark-submit the master is spark-submit's."""

    def start() -> SparkSession:
        from sos_spark.machine.session import start_session

        submitted = "PYSPARK_GATEWAY_PORT" in os.environ
        session = start_session(
            master=master or (None if submitted else "local[*]"),
            driver_memory=driver_memory,
        )
        # The executors' own error messages quote values; what failed is told by the command's boundary.
        session.sparkContext.setLogLevel("OFF")
        return session

    return start
