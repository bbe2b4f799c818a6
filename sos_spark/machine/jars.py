"""Delta's jars: fetched once by Spark's own resolver, checked against locked hashes, used from disk afterwards."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from sos_spark.config.shipped import conf_root, private_root
from sos_spark.errors import EnvironmentFaultError
from sos_spark.machine.java import java_environment
from sos_spark.places import here, place_of

# Delta's other dependencies are Spark's own, or serve catalogs and kernels that no table of ours uses.
_NOT_NEEDED = ("org.*:*", "com.*:*", "io.netty:*", "io.unitycatalog:*", "io.delta:delta-kernel*")
_PATIENCE_SECONDS = 900


@dataclass(frozen=True)
class Jar:
    """A locked jar."""

    group: str
    artifact: str
    version: str
    sha256: str

    @property
    def coordinates(self) -> str:
        """What a resolver calls it."""
        return f"{self.group}:{self.artifact}:{self.version}"

    @property
    def file_name(self) -> str:
        """Its file in the jars' folder."""
        return f"{self.artifact}-{self.version}.jar"

    def is_intact(self, folder: Path) -> bool:
        """Returns whether the folder holds exactly this jar."""
        try:
            return hashlib.sha256((folder / self.file_name).read_bytes()).hexdigest() == self.sha256
        except OSError:
            return False


@dataclass(frozen=True)
class JarLock:
    """The jars, the Spark release they are built for, and what is not fetched with them though they ask for it."""

    spark: str
    jars: tuple[Jar, ...]
    left_out: tuple[str, ...] = _NOT_NEEDED


@cache
def jar_lock() -> JarLock:
    """Returns the content of conf/locks/jars.toml: Delta's."""
    return read_lock("jars.toml")


def read_lock(name: str) -> JarLock:
    """Returns a lock of conf/locks."""
    content = tomllib.loads((conf_root() / "locks" / name).read_text(encoding="utf-8"))
    jars = tuple(Jar(**jar) for jar in content["jars"])
    return JarLock(content["spark"], jars, tuple(content.get("left_out", _NOT_NEEDED)))


def jars_folder() -> Path:
    """Returns where Delta's jars are: SOS_SPARK_JARS (a path or URI), else .sos/jars of a checkout."""
    given = os.environ.get("SOS_SPARK_JARS")
    return (here(place_of(given)) if given else private_root() / "jars").absolute()


def require_jars(folder: Path, lock: JarLock | None = None) -> tuple[Path, ...]:
    """Returns the locked jars in a folder: Delta's, unless another lock is given.

    Raises:
        EnvironmentFaultError: One is absent, or is not the file that was locked.
    """
    lock = lock or jar_lock()
    faulty = [jar for jar in lock.jars if not jar.is_intact(folder)]
    if faulty:
        absent = [jar.file_name for jar in faulty if not (folder / jar.file_name).exists()]
        altered = [jar.file_name for jar in faulty if (folder / jar.file_name).exists()]
        found = [f"absent: {', '.join(absent)}"] * bool(absent) + [f"altered: {', '.join(altered)}"] * bool(altered)
        raise EnvironmentFaultError(
            "Delta's jars are not in order",
            where=str(folder),
            expected="the files of conf/locks/jars.toml with the SHA-256 given there",
            found="; ".join(found),
            remedy="Run `make setup`, or copy the files from a machine that has them and set SOS_SPARK_JARS",
        )
    return tuple(folder / jar.file_name for jar in lock.jars)


def fetch_jars(folder: Path, lock: JarLock | None = None) -> tuple[Path, ...]:
    """Puts the locked jars into a folder, fetching them where they are not there already. Returns their paths.

    Spark's resolver reads the repositories, mirrors and proxies that this machine's Spark and Java are set up for.

    Raises:
        EnvironmentFaultError: They cannot be fetched, or what came is not what was locked.
    """
    lock = lock or jar_lock()
    if all(jar.is_intact(folder) for jar in lock.jars):
        return require_jars(folder, lock)
    folder.mkdir(parents=True, exist_ok=True)
    with TemporaryDirectory(prefix="sos_spark_jars_") as temporary:
        cache_folder = Path(temporary) / "ivy"
        code = _resolve(lock, Path(temporary), cache_folder)
        for jar in lock.jars:
            _keep(jar, cache_folder / "jars" / f"{jar.group}_{jar.file_name}", folder, code)
    return require_jars(folder, lock)


def _resolve(lock: JarLock, temporary: Path, cache_folder: Path) -> int:
    """Submits a script that does nothing, for what spark-submit does before it. Returns its exit code."""
    import pyspark

    script = temporary / "nothing.py"
    script.touch()
    command = [
        str(Path(pyspark.__path__[0]) / "bin" / "spark-submit"),
        *("--master", "local[1]"),
        *("--conf", f"spark.jars.ivy={cache_folder}"),
        *("--packages", ",".join(jar.coordinates for jar in lock.jars)),
        *("--exclude-packages", ",".join(lock.left_out)),
        str(script),
    ]
    environment = {**os.environ, **java_environment(), "PYSPARK_PYTHON": sys.executable}
    try:
        done = subprocess.run(command, env=environment, capture_output=True, timeout=_PATIENCE_SECONDS, check=False)
    except subprocess.TimeoutExpired:
        return 124
    return done.returncode


def _keep(jar: Jar, fetched: Path, folder: Path, code: int) -> None:
    """Moves a fetched jar into the folder whole, after its hash was checked."""
    if not fetched.exists():
        raise EnvironmentFaultError(
            "Delta's jars cannot be fetched",
            where=jar.coordinates,
            found=f"Spark's resolver ended with code {code} and no such file",
            remedy="Check this machine's way to its package repository (SPARK_SUBMIT_OPTS takes Java's proxy options), "
            "or copy the files of conf/locks/jars.toml from another machine and set SOS_SPARK_JARS",
        )
    if hashlib.sha256(fetched.read_bytes()).hexdigest() != jar.sha256:
        raise EnvironmentFaultError(
            "A fetched jar is not the one that was locked; it was thrown away",
            where=jar.coordinates,
            expected=f"SHA-256 {jar.sha256}",
            remedy="Find out what this machine's package repository serves before going on",
        )
    unfinished = folder / f".{jar.file_name}.{os.getpid()}"
    shutil.copyfile(fetched, unfinished)
    unfinished.replace(folder / jar.file_name)
