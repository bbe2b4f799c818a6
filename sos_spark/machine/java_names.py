"""Java's names of Spark's functions, asked for once: py4j asks Java twice for every function that a plan names.

A step's plans name thousands, col and lit most of all; each asking takes Java a search through its classes or a copy of
all methods of one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

_NAMES = {
    "functions": "org.apache.spark.sql.functions",
    "org.apache.spark.sql.functions": "org.apache.spark.sql.functions",
    "PythonUtils": "org.apache.spark.api.python.PythonUtils",
}
"""The names that PySpark asks for, and the classes they are."""


def remember_functions(session: SparkSession) -> None:
    """Lets a session's Java be asked only once for each of Spark's functions; changes nothing else."""
    from py4j.java_gateway import JavaClass

    class Remembered(JavaClass):  # type: ignore[misc]
        """A class that keeps what it was asked for: static methods, which stay what they are."""

        def __getattr__(self, name: str) -> Any:
            member = super().__getattr__(name)
            self.__dict__[name] = member
            return member

    view: Any = session.sparkContext._jvm
    for name, full_name in _NAMES.items():
        view.__dict__[name] = Remembered(full_name, view._gateway_client)
