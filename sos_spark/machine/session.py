"""Spark sessions: one a run, with Delta, UTC, ANSI and no address but loopback unless a cluster says otherwise."""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sos_spark.config.shipped import conf_root
from sos_spark.errors import EnvironmentFaultError
from sos_spark.machine import class_archive
from sos_spark.machine.connect import is_connect
from sos_spark.machine.connectors import more_jars, s3_settings
from sos_spark.machine.jars import jar_lock, jars_folder, require_jars
from sos_spark.machine.java import java_environment
from sos_spark.machine.java_names import remember_functions
from sos_spark.machine.processes import java_process
from sos_spark.machine.scratch import Scratch
from sos_spark.machine.settings import DELTA, PINNED, PLATFORMS

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

FEW_BYTES, VERY_FEW_BYTES, MANY_BYTES = 4 << 20, 1 << 20, 32 << 20
"""Of Parquet, some 400,000, 100,000 and 3,000,000 records."""


def _java_options(*, times: int) -> str:
    """Returns what Java is started with.

    A step runs dozens of generated classes for seconds each. Some `times` Java's own thresholds leave to its second
    compiler what runs long enough to gain by it. That compiler goes over a method's loops up to 43 times: six save a
    sixth of its own time, and lose nothing. It copies methods of up to 325 bytes of code into their callers, fifteen
    deep: 150 and nine save a quarter to a third, for one hundredth more of what tasks take.
    """
    return (
        f"-XX:+UseParallelGC -Duser.timezone=UTC -XX:Tier4InvocationThreshold={5_000 * times} "
        f"-XX:Tier4MinInvocationThreshold={600 * times} -XX:Tier4CompileThreshold={15_000 * times} "
        f"-XX:Tier4BackEdgeThreshold={40_000 * times} -XX:+UnlockDiagnosticVMOptions -XX:LoopOptsCount=6 "
        "-XX:FreqInlineSize=150 -XX:InlineSmallCode=1000 -XX:MaxInlineLevel=9"
    )


_TIMES, _TIMES_FOR_LITTLE = 12, 40
"""The less there is to read, the less code runs long enough."""

DEFAULTS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.executor.extraJavaOptions": _java_options(times=_TIMES),
    # Few files a table: listing and snapshots with hundreds of tasks cost more than the work.
    "spark.databricks.delta.snapshotPartitions": "1",
    "spark.sql.sources.parallelPartitionDiscovery.parallelism": "8",
    # Where in our code each column was made, told to Java by several calls a column: no error of ours says it.
    "spark.python.sql.dataFrameDebugging.enabled": "false",
    # Each small table that a join broadcasts takes a page: of 64 MB as Spark would have it, 60 of them in one step.
    "spark.buffer.pageSize": "4m",
    # A table's files are listed one by one: below a thousand of them a job costs more than it saves.
    "spark.sql.sources.parallelPartitionDiscovery.threshold": "1000",
}
"""What only time and space depend on: spark-submit's settings go before these."""

PRIVATE = {"spark.hadoop.fs.permissions.umask-mode": "077"}
"""Hadoop has a file mask of its own: without this setting, tables, logs and checksums can be read by everyone."""

# Executors' logs quote the rows that they fail on. It needs no file on their machines; one that is named goes before.
_NO_LOG = "-Dlog4j2.level=OFF"

# Its room for compiled code would be a fifth of what Spark's generated code needs, and be cleared over and over.
_FIRST_COMPILER_ONLY = "-XX:TieredStopAtLevel=1 -XX:ReservedCodeCacheSize=240m"

_INTERPRETED = {"spark.sql.codegen.wholeStage": "false", "spark.sql.codegen.factoryMode": "NO_CODEGEN"}

_LOOPBACK = {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}


def start_session(
    *,
    app_name: str = "sos_spark",
    master: str | None = None,
    shuffle_partitions: int = 8,
    driver_memory: str = "2g",
    to_read: float | None = None,
    to_take: float | None = None,
    extra: dict[str, str] | None = None,
) -> SparkSession:
    """Returns the one Spark session of this process, made if there is none.

    One that is there, or that a platform gives, keeps its own Delta, catalog and jars.

    Args:
        app_name: The application's name.
        master: Spark's master; spark-submit's where not given.
        shuffle_partitions: Partitions after a shuffle.
        driver_memory: Heap of the driver, which in local mode is all of Spark; taken when Java starts.
        to_read: How many bytes are read, as Parquet; None where that is not known. Of few, Java does without its
            second compiler, and of very few Spark without code of its own for each plan: each costs a small run more
            than it saves.
        to_take: How many of these are new, or have to be made something of; all where that is not known. Unless they
            are many, Java's second compiler waits longer.
        extra: Further settings.

    Raises:
        EnvironmentFaultError: Java or Delta's jars are missing, or belong to another Spark.
    """
    from pyspark.sql import SparkSession

    offered = _offered()
    if offered is not None:
        return _pinned(offered)
    jars = (*require_jars(jars_folder()), *more_jars(os.environ))
    submitted = "PYSPARK_GATEWAY_PORT" in os.environ
    os.environ.setdefault("PYSPARK_PYTHON", sys.executable)
    if not submitted:
        os.environ.update(java_environment())
        if master is None or master.startswith("local"):
            os.environ.setdefault("SPARK_LOCAL_IP", "127.0.0.1")
    java_options = _java_options(times=times_of(to_read, to_take))
    with _private_files():
        given = _submitted_settings(jars) if submitted else {}
        is_local = (master or given.get("spark.master", "local")).startswith("local")
        scratch = _scratch(_scratch_parent(given)) if is_local else None
        settings = {
            **DEFAULTS,
            **s3_settings(os.environ),
            **(_LOOPBACK if is_local else {}),
            "spark.sql.shuffle.partitions": str(shuffle_partitions),
            "spark.driver.memory": driver_memory,
            "spark.driver.extraJavaOptions": f"{java_options} -Dlog4j2.configurationFile={_silent_log().as_uri()}",
            # On Java's own class path, where the archive reaches; spark-submit has started Java already.
            **(_INTERPRETED if is_below(VERY_FEW_BYTES, to_read) else {}),
            **({} if submitted else {"spark.driver.extraClassPath": os.pathsep.join(map(str, jars))}),
            **given,
            **_shared_secret(given),
            **(extra or {}),
            **PINNED,
            **PRIVATE,
            "spark.jars": _joined(given, jars),
        }
        if "-Dlog4j2." not in settings["spark.executor.extraJavaOptions"]:
            settings["spark.executor.extraJavaOptions"] += f" {_NO_LOG}"
        if scratch is not None:
            _spill_to(scratch, settings, submitted=submitted)
        if not submitted:
            options = (
                *class_archive.java_options(),
                *((_FIRST_COMPILER_ONLY,) if is_below(FEW_BYTES, to_read) else ()),
            )
            settings["spark.driver.extraJavaOptions"] += "".join(f" {one}" for one in options)
        builder = SparkSession.builder.appName(app_name)
        if master:
            builder = builder.master(master)
        for name, value in settings.items():
            builder = builder.config(name, value)
        session = builder.getOrCreate()
    if scratch is not None:
        scratch.note_java(java_process(session))
    _require_release(session)
    remember_functions(session)
    return session


def is_below(limit: int, to_read: float | None) -> bool:
    """Returns whether bytes that are read are known to be fewer than a limit."""
    return to_read is not None and to_read < limit


def times_of(to_read: float | None, to_take: float | None) -> int:
    """Returns how many times Java's own thresholds its second compiler waits for; arguments as of `start_session`."""
    return _TIMES_FOR_LITTLE if is_below(MANY_BYTES, to_read if to_take is None else to_take) else _TIMES


def starts_java() -> bool:
    """Returns whether a session would start Java: none is there, nor given by spark-submit or a platform."""
    context = sys.modules.get("pyspark.core.context")
    has_context = context is not None and context.SparkContext._active_spark_context is not None
    return not (has_context or "PYSPARK_GATEWAY_PORT" in os.environ or PLATFORMS & os.environ.keys())


def use_here(session: SparkSession) -> SparkSession:
    """Returns a session that another thread started, which is this thread's own from now on."""
    if not is_connect(session):
        of_java: Any = type(session)._get_j_spark_session_class(session._jvm)
        of_java.setActiveSession(session._jsparkSession)
    return session


def _offered() -> SparkSession | None:
    """A session that is there already, or that a platform gives whoever asks: Databricks', or Spark Connect's."""
    from pyspark.sql import SparkSession

    active = SparkSession.getActiveSession()
    if active is None and PLATFORMS & os.environ.keys():
        return SparkSession.builder.getOrCreate()
    return active


def _pinned(session: SparkSession) -> SparkSession:
    """Sets what numbers depend on in a session that was there before, as a notebook's or a platform's.

    Raises:
        EnvironmentFaultError: The platform does not let them be set.
    """
    from pyspark.errors import PySparkException

    for name, value in PINNED.items():
        if name not in DELTA:
            try:
                session.conf.set(name, value)
            except PySparkException as error:
                raise EnvironmentFaultError(
                    "The platform's Spark does not take a setting that numbers depend on",
                    where=name,
                    expected=value,
                    found=error.getCondition() or type(error).__name__,
                    remedy="Use a cluster of the platform that takes settings, as Databricks' job clusters do",
                ) from None
    return session


@cache
def _scratch(parent: Path) -> Scratch:
    """The process's private folder: Java takes its own when it starts, and keeps it for all sessions."""
    return Scratch(parent)


def _scratch_parent(given: Mapping[str, str]) -> Path:
    """Where Spark would spill: as it was told, else in the system's folder of temporary files."""
    named = os.environ.get("SPARK_LOCAL_DIRS") or given.get("spark.local.dir") or tempfile.gettempdir()
    return Path(named.split(",")[0])


def _spill_to(scratch: Scratch, settings: dict[str, str], *, submitted: bool) -> None:
    """Sends what Spark and Java write beside the tables to the private folder."""
    folder = str(scratch.folder)
    settings["spark.local.dir"] = folder
    # Where Hadoop's connectors keep what they are about to send.
    settings["spark.hadoop.hadoop.tmp.dir"] = folder
    option = f'"-Djava.io.tmpdir={folder}"'
    settings["spark.executor.extraJavaOptions"] += f" {option}"
    if not submitted:
        # This variable goes before the setting. Under spark-submit Java runs already.
        os.environ.pop("SPARK_LOCAL_DIRS", None)
        settings["spark.driver.extraJavaOptions"] += f" {option}"


@contextmanager
def _private_files() -> Iterator[None]:
    """Java takes its file mask from the process that starts it: what Spark spills holds children's records."""
    before = os.umask(0o077)
    try:
        yield
    finally:
        os.umask(before)


def _submitted_settings(jars: Sequence[Path]) -> dict[str, str]:
    """Returns the settings of spark-submit, which has started Java already, and shows Java Delta's jars.

    Spark hands the jars of a session to the executors; the driver's own class path is made before, by spark-submit.
    """
    from pyspark import SparkConf, SparkContext

    SparkContext._ensure_initialized()
    given = dict(SparkConf().getAll())
    jvm: Any = SparkContext._jvm
    loader = jvm.java.lang.Thread.currentThread().getContextClassLoader()
    known = {Path(name).name for name in given.get("spark.jars", "").split(",")}
    for jar in jars:
        if jar.name not in known:
            loader.addURL(jvm.java.io.File(str(jar)).toURI().toURL())
    return given


def _shared_secret(given: Mapping[str, str]) -> dict[str, str]:
    """The secret of a standalone cluster: its servers take it from the environment, a driver from its settings only."""
    secret = os.environ.get("_SPARK_AUTH_SECRET")
    is_asked = given.get("spark.authenticate") == "true" and given.get("spark.master", "").startswith("spark://")
    return {"spark.authenticate.secret": secret} if secret and is_asked else {}


def _silent_log() -> Path:
    """Spark's log settings: from the first line on, since its errors quote rows."""
    return (conf_root() / "spark" / "log4j2.properties").absolute()


def _joined(given: Mapping[str, str], jars: Sequence[Path]) -> str:
    """Delta's jars after those of spark-submit, each once.

    A standalone cluster's driver is started from the packed environment, which has a jar's name there; it goes as an
    archive.
    """
    archives = {Path(name.partition("#")[0]).stem for name in given.get("spark.archives", "").split(",")}
    names = [name for name in given.get("spark.jars", "").split(",") if name.endswith(".jar")]
    of_submit = [name for name in names if Path(name).stem not in archives]
    known = {Path(name).name for name in of_submit}
    return ",".join([*of_submit, *(str(jar) for jar in jars if jar.name not in known)])


def _require_release(session: SparkSession) -> None:
    """Delta is tied to Spark's patch release; another one fails in the middle of a write."""
    expected = jar_lock().spark
    if session.version != expected:
        session.stop()
        raise EnvironmentFaultError(
            "Delta's jars are built for another Spark",
            expected=f"Spark {expected}",
            found=f"Spark {session.version}",
            remedy="Unset SPARK_HOME, or use a cluster of that release",
        )
