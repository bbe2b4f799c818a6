"""What this machine has and lacks, with a remedy for each fault. On request, what only a running Spark shows."""

from __future__ import annotations

import os
import platform
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import version
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING
from uuid import uuid4

from sos_spark.errors import SosError
from sos_spark.machine.connect import WITHOUT_JAVA, is_connect, silence, tasks_at_once
from sos_spark.machine.jars import jar_lock, jars_folder, require_jars
from sos_spark.machine.java import SUPPORTED, candidates, find_java
from sos_spark.machine.java_errors import names_of
from sos_spark.machine.settings import PLATFORMS
from sos_spark.places import Place, RemotePlace, has_modes, mode_of, place_of, remove_tree, require_plain

if TYPE_CHECKING:
    import pyarrow as pa
    from pyspark.sql import SparkSession

MIN_MEMORY_GB = 4.0
MIN_KEY_BYTES = 32
PATIENCE_SECONDS = 60.0
"""How long a cluster may take to give an executor."""


@dataclass(frozen=True)
class Examined:
    """One thing looked at. `remedy` is one sentence, empty where nothing is wrong."""

    name: str
    ok: bool
    found: str
    remedy: str = ""


def examine(
    *, spark: bool = False, master: str | None = None, lake: Place | None = None, key_file: Place | None = None
) -> tuple[Examined, ...]:
    """Returns what was found, in a fixed order. Writes nothing but, with Spark, a temporary table.

    Args:
        spark: Start Spark and try it, which takes some ten seconds.
        master: The master to try; spark-submit's, else local mode, where not given.
        lake: The lake's folder, whose permissions are looked at. Spark is tried beside it where it is on a shared file
            system or Spark on a cluster.
        key_file: The pseudonym key; SOS_SPARK_KEY_FILE or SOS_SPARK_KEY where not given.
    """
    return tuple(_findings(spark, master, lake, key_file))


def _findings(spark: bool, master: str | None, lake: Place | None, key_file: Place | None) -> Iterator[Examined]:
    yield Examined("sos_spark", True, f"{version('sos-spark')} on Python {platform.python_version()}")
    if _has_spark() or spark:
        yield from _of_spark(spark, master, lake)
    else:
        yield Examined("Spark", True, "not installed, and a fit needs none; pip install 'sos-spark[spark]' brings it")
    yield _memory()
    yield _time_zone()
    yield _key(key_file)
    yield _lake(lake)


def _of_spark(start: bool, master: str | None, lake: Place | None) -> Iterator[Examined]:
    if not _has_spark():
        yield Examined("Spark", False, "not installed", "Run pip install 'sos-spark[spark]'.")
        return
    offered = PLATFORMS & os.environ.keys()
    base = (_of_platform(min(offered)),) if offered else (_java(), _spark(), _delta_jars(), _delta_build())
    yield from base
    if not start:
        yield Examined("Session", True, "not tried; --spark starts Spark and tries it")
    else:
        yield from _session(master, lake) if all(finding.ok for finding in base) else _no_session()


def _has_spark() -> bool:
    return find_spec("pyspark") is not None and find_spec("delta") is not None


def _of_platform(variable: str) -> Examined:
    """A platform has a Java, a Spark and a Delta that fit each other; ours are not used there."""
    import pyspark

    return Examined("Spark", True, f"pyspark {pyspark.__version__}; {variable} names a platform, with its own Delta")


def _java() -> Examined:
    java = find_java()
    if java is not None:
        return Examined("Java", True, f"Java {java.major} ({java.origin}: {java.home})")
    seen = ", ".join(f"Java {other.major} at {other.home}" for other in candidates())
    return Examined(
        "Java",
        False,
        seen or "none",
        f"Install Java {SUPPORTED[0]} (apt-get install openjdk-17-jre-headless), name one in JAVA_HOME, or run `make "
        "setup`, which brings one.",
    )


def _spark() -> Examined:
    import pyspark

    expected, found = jar_lock().spark, pyspark.__version__
    home = os.environ.get("SPARK_HOME")
    told = f"pyspark {found}" + (f", SPARK_HOME {home}" if home else "")
    remedy = f"Run `make setup`, which installs pyspark {expected}, and leave SPARK_HOME unset."
    return Examined("Spark", found == expected, told, "" if found == expected else remedy)


def _delta_jars() -> Examined:
    try:
        jars = require_jars(jars_folder())
    except SosError as error:
        return Examined("Delta jars", False, error.found, f"{error.remedy}.")
    return Examined("Delta jars", True, f"{len(jars)} files with the locked SHA-256 in {jars_folder()}")


def _delta_build() -> Examined:
    """The jar's name tells the Spark and the Delta it was built for: delta-spark_<Spark>_<Scala>."""
    lock = jar_lock()
    jar = lock.jars[0]
    spark, package = jar.artifact.split("_")[1], version("delta-spark")
    ok = lock.spark.startswith(f"{spark}.") and jar.version == package
    found = f"{jar.artifact} {jar.version} for Spark {lock.spark}, Python package {package}"
    return Examined(
        "Delta build", ok, found, "" if ok else "Lock the jar and delta-spark of one release, with tools/lock.sh."
    )


def _session(master: str | None, lake: Place | None) -> Iterator[Examined]:
    """What only a running Spark shows: that Delta works in it, and which Python its executors take."""
    from pyspark.sql import SparkSession

    from sos_spark.machine.session import start_session

    own = SparkSession.getActiveSession() is None and not PLATFORMS & os.environ.keys()
    try:
        session = start_session(
            app_name="doctor", master=master or (None if _is_submitted() else "local[1]"), driver_memory="1g"
        )
    except Exception as error:
        told = error.paragraph() if isinstance(error, SosError) else _innermost(error)
        asked = f" --master {master}" if master else ""
        remedy = f"See that what it names runs and is reached from here; pyspark{asked} shows all that Spark says."
        yield Examined("Session", False, told, remedy)
        return
    try:
        if own:
            silence(session)
        if is_connect(session):
            yield Examined("Spark Connect", True, WITHOUT_JAVA)
        if _is_on_cluster(session):
            executors = _tried("Executors", lambda: _executors(session), _NO_EXECUTOR)
            yield executors
            if not executors.ok:
                return
        yield _tried("Session", lambda: _delta_works(session, lake), _NO_TABLE)
        yield _tried("Python", lambda: _same_python(session), _OTHER_PYTHON)
        zone = session.conf.get("spark.sql.session.timeZone")
        yield Examined(
            "Session zone", zone == "UTC", str(zone), "" if zone == "UTC" else "Use start_session, which sets it."
        )
    finally:
        if own:
            session.stop()


def _no_session() -> Iterator[Examined]:
    yield Examined("Session", False, "not tried", "Mend what is named above first.")


def _tried(name: str, attempt: Callable[[], str], remedy: str) -> Examined:
    try:
        return Examined(name, True, attempt())
    except _WrongError as wrong:
        return Examined(name, False, wrong.found, wrong.remedy or remedy)
    except Exception as error:
        return Examined(name, False, _innermost(error), remedy)


def _innermost(error: Exception) -> str:
    """What lies behind an error, by its kind: messages of Spark may quote what it read."""
    return list(names_of(error))[-1].rpartition(".")[2]


_NO_EXECUTOR = (
    "See on the master's page or in its log whether the cluster has workers, with as many cores and as much memory left"
    " as spark.executor.cores and spark.executor.memory ask for."
)
_NO_TABLE = (
    "Of one machine, run `make setup` anew: Spark and the jars do not fit. On a cluster, see that every machine reaches"
    " the lake by the same path or URI, and may write there."
)
_CONNECTOR = (
    "Put the connector's jars into a folder and name it in SOS_SPARK_MORE_JARS; `python -m tools.s3 FOLDER` of the"
    " repository fetches those for S3."
)
_OTHER_PYTHON = (
    "Name a Python with the driver's packages that every machine has in PYSPARK_PYTHON, or bring them along:"
    " SOS_SPARK_ENVIRONMENT=FILE tools/submit.sh doctor --master URL -- --spark --lake LAKE."
)


class _WrongError(Exception):
    """What was found is not what should be; holds what was found, and a remedy where there is a better one."""

    def __init__(self, found: str, remedy: str = "") -> None:
        super().__init__(found)
        self.found, self.remedy = found, remedy


def _is_on_cluster(session: SparkSession) -> bool:
    return not is_connect(session) and not str(session.sparkContext.master).startswith("local")


def _executors(session: SparkSession) -> str:
    """Waits for the first: without one, Spark itself waits for ever."""
    status = session.sparkContext._jsc.sc().getExecutorMemoryStatus
    deadline = time.monotonic() + PATIENCE_SECONDS
    # The driver is one of them.
    while (n_executors := status().size() - 1) < 1:
        if time.monotonic() >= deadline:
            raise _WrongError(f"none within {PATIENCE_SECONDS:.0f} seconds on {session.sparkContext.master}")
        time.sleep(0.2)
    return f"{n_executors} so far, {tasks_at_once(session)} tasks at once"


def _delta_works(session: SparkSession, lake: Place | None) -> str:
    if lake is None and _is_on_cluster(session):
        return f"Spark {session.version} on {session.sparkContext.master}; no table tried: name the lake"
    with _folder_to_try(lake, is_shared=isinstance(lake, RemotePlace) or _is_on_cluster(session)) as folder:
        path = str(folder / "table")
        try:
            session.range(2).write.format("delta").save(path)
        except Exception as error:
            if isinstance(lake, RemotePlace) and _innermost(error) == "ClassNotFoundException":
                raise _WrongError(f"Spark has no connector for {lake.root}", _CONNECTOR) from None
            raise
        n_rows = session.read.format("delta").load(path).count()
    if n_rows != 2:
        raise _WrongError(f"a Delta table of 2 rows read back with {n_rows}")
    where = _where(lake, session)
    there = "a Spark Connect server" if is_connect(session) else session.sparkContext.master
    return f"Spark {session.version} on {there} writes and reads Delta{where}"


def _where(lake: Place | None, session: SparkSession) -> str:
    if isinstance(lake, RemotePlace):
        return f" in {lake.root}"
    return f" in {lake.parent}" if lake is not None and _is_on_cluster(session) else ""


@contextmanager
def _folder_to_try(lake: Place | None, *, is_shared: bool) -> Iterator[Place]:
    """A folder that goes again: beside the lake where machines share that, else of this machine."""
    if lake is not None and is_shared:
        if isinstance(lake, Path) and not lake.parent.is_dir():
            raise _WrongError(f"{lake.parent} is no folder of this machine")
        folder = lake.with_name(f"{lake.name}.doctor-{uuid4().hex[:8]}")
        try:
            yield folder
        finally:
            remove_tree(folder)
    else:
        with TemporaryDirectory(prefix="sos_spark_doctor_") as local:
            yield Path(local)


def _same_python(session: SparkSession) -> str:
    import pyarrow as pa

    def of_task(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        for _ in batches:
            yield pa.RecordBatch.from_pydict({"python": [platform.python_version()]})

    n_tasks = tasks_at_once(session)
    asked = session.range(0, n_tasks, 1, n_tasks)
    on_executors = {row.python for row in asked.mapInArrow(of_task, "python STRING").distinct().collect()}
    driver = platform.python_version()
    if {_release(found) for found in on_executors} != {_release(driver)}:
        raise _WrongError(f"driver {driver}, executors {', '.join(sorted(on_executors))}")
    return f"{driver} on driver, {', '.join(sorted(on_executors))} on executors"


def _release(version_of_python: str) -> str:
    """What Spark wants to be the same: 3.11 of 3.11.7."""
    return version_of_python.rpartition(".")[0]


def _is_submitted() -> bool:
    return "PYSPARK_GATEWAY_PORT" in os.environ


def _memory() -> Examined:
    gigabytes = _memory_bytes() / 2**30
    ok = gigabytes >= MIN_MEMORY_GB
    remedy = f"Use a machine with {MIN_MEMORY_GB:.0f} GB or more; with less, try --driver-memory 1g on small data."
    return Examined("Memory", ok, f"{gigabytes:.1f} GB", "" if ok else remedy)


def _memory_bytes() -> int:
    """The machine's memory, or a container's share of it."""
    total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    try:
        limit = Path("/sys/fs/cgroup/memory.max").read_text(encoding="ascii").strip()
    except OSError:
        return total
    return min(total, int(limit)) if limit.isdigit() else total


def _time_zone() -> Examined:
    """The machine's own zone changes nothing: sessions are in UTC, dates have no zone."""
    return Examined("Time zone", True, f"{time.tzname[0]} on this machine; sessions use UTC")


def _key(key_file: Place | None) -> Examined:
    given = os.environ.get("SOS_SPARK_KEY_FILE")
    named = key_file or (place_of(given) if given else None)
    if named is None:
        key = os.environ.get("SOS_SPARK_KEY")
        if key is None:
            return Examined(
                "Key", True, "none named; validate needs one: --key-file, SOS_SPARK_KEY_FILE or SOS_SPARK_KEY"
            )
        ok = len(key.encode()) >= MIN_KEY_BYTES
        return Examined(
            "Key",
            ok,
            "in SOS_SPARK_KEY" + ("" if ok else f", shorter than {MIN_KEY_BYTES} bytes"),
            "" if ok else _NEW_KEY,
        )
    try:
        mode, length = mode_of(named), len(named.read_bytes().strip())
    except OSError as error:
        return Examined("Key", False, f"{named} cannot be read ({type(error).__name__})", _NEW_KEY)
    if mode is not None and mode & 0o077:
        return Examined("Key", False, f"{named} has mode {mode:04o}", f"Run chmod 600 {named}.")
    if length < MIN_KEY_BYTES:
        return Examined("Key", False, f"{named} is shorter than {MIN_KEY_BYTES} bytes", _NEW_KEY)
    return Examined("Key", True, _with_mode(named, mode))


_NEW_KEY = "Make one: (umask 077; head -c 32 /dev/urandom | base64 > KEYFILE), and keep it as long as the lake."


def _lake(lake: Place | None) -> Examined:
    if lake is None:
        return Examined("Lake", True, "none named; --lake FOLDER has its permissions looked at")
    try:
        return _lake_that_is_reached(lake)
    except SosError as error:
        return Examined(
            "Lake", False, f"{lake}: {error.what}{f' ({error.found})' if error.found else ''}", error.remedy
        )
    except OSError as error:
        remedy = "See that its store is reached from here, and that you may read there."
        return Examined("Lake", False, f"{lake} cannot be looked at ({type(error).__name__})", remedy)


def _lake_that_is_reached(lake: Place) -> Examined:
    require_plain(lake)
    if not lake.exists():
        made = (
            "it will be made with mode 0700"
            if has_modes(lake)
            else "its store has no modes, but a policy on who may read"
        )
        return Examined("Lake", True, f"{lake} does not exist yet; {made}")
    if not lake.is_dir():
        return Examined("Lake", False, f"{lake} is no folder", "Name a folder.")
    mode = mode_of(lake)
    if isinstance(lake, Path) and lake.stat().st_uid != os.getuid():
        return Examined("Lake", False, f"{lake} belongs to another user", "Give a folder that you own.")
    if mode is not None and mode & 0o077:
        return Examined("Lake", False, f"{lake} has mode {mode:04o}: others may enter", f"Run chmod 700 {lake}.")
    return Examined("Lake", True, _with_mode(lake, mode))


def _with_mode(place: Place, mode: int | None) -> str:
    return (
        f"{place}, which has no modes: its store's policy says who may read"
        if mode is None
        else f"{place}, mode {mode:04o}"
    )
