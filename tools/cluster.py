"""Spark's own (standalone) cluster on loopback: `python -m tools.cluster FOLDER [--workers N]`, until interrupted.

A master and its workers, each with a folder of its own for what it runs and spills. The workers find Java, Spark and a
bare Python, and nothing else of this environment. The folder must be empty, and is for tests only.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pyspark

from sos_spark.machine.java import java_environment
from tools.loopback import empty_folder, free_port, kill, run_until_interrupted, start

PORT = 7077
"""The port of a master that is tried by hand, as Spark's own scripts have it."""
SYSTEM_PATH = "/usr/local/bin:/usr/bin:/bin"
_PATIENCE_SECONDS = 60.0
_HOST = "127.0.0.1"


@dataclass
class Cluster:
    """A running cluster: where its master listens, and its servers."""

    folder: Path
    master: str
    environment: Mapping[str, str]
    cores: int
    memory: str
    workers: dict[int, subprocess.Popen[bytes]] = field(default_factory=dict)

    def add_worker(self) -> int:
        """Starts a worker and waits until the master knows it; returns its number."""
        number = len(list(self.folder.glob("worker_*.log"))) + 1
        log = self.folder / f"worker_{number}.log"
        places = {"SPARK_WORKER_DIR": "work", "SPARK_LOCAL_DIRS": "spilled", "TMPDIR": "temporary"}
        own = {name: str(self.folder / f"worker_{number}" / folder) for name, folder in places.items()}
        (self.folder / f"worker_{number}").mkdir(mode=0o700)
        for folder in own.values():
            Path(folder).mkdir(mode=0o700)
        command = _server("worker.Worker", "--cores", str(self.cores), "--memory", self.memory, self.master)
        self.workers[number] = start(command, log, {**self.environment, **own})
        _wait(log, "Successfully registered with master")
        return number

    def kill_worker(self, number: int) -> None:
        """Kills a worker with its executors, as a machine that fails does."""
        kill(self.workers.pop(number))


def left_in(folder: Path) -> list[Path]:
    """Returns every file that a cluster's servers and what they started left, but those of the packages shipped."""
    files = (Path(at) / name for at, _, names in os.walk(folder) if "packages" not in Path(at).parts for name in names)
    return [path for path in files if path.is_file() and not path.is_symlink()]


@contextmanager
def standalone(
    folder: Path,
    *,
    workers: int = 2,
    cores: int = 1,
    memory: str = "2g",
    port: int = 0,
    settings: Mapping[str, str] | None = None,
    secret: str = "",
) -> Iterator[Cluster]:
    """Gives a cluster that lives as long as the context.

    Args:
        folder: An empty folder, or one that is not there yet.
        workers: How many at first.
        cores: Of each worker.
        memory: Of each worker, for its executors.
        port: Of the master; any free one where not given.
        settings: Spark's settings of master and workers themselves.
        secret: By which they know each other, where the settings ask for one.

    Raises:
        TimeoutError: A server does not answer; its log is in the folder.
    """
    folder = folder.absolute()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    (folder / "conf").mkdir(mode=0o700)
    (folder / "bin").mkdir(mode=0o700)
    lines = "".join(f"{name} {value}\n" for name, value in (settings or {}).items())
    (folder / "conf" / "spark-defaults.conf").touch(mode=0o600)
    (folder / "conf" / "spark-defaults.conf").write_text(lines, encoding="utf-8")
    environment = _bare(folder) | ({"_SPARK_AUTH_SECRET": secret} if secret else {})
    log = folder / "master.log"
    master = start(_server("master.Master", port=port or free_port()), log, environment)
    cluster = Cluster(folder, "", environment, cores, memory)
    try:
        _wait(log, "I have been elected leader")
        cluster.master = _address(log.read_text(encoding="utf-8"))
        for _ in range(workers):
            cluster.add_worker()
        yield cluster
    finally:
        for server in (*cluster.workers.values(), master):
            kill(server)


def _server(name: str, *options: str, port: int = 0) -> list[str]:
    command = [str(Path(pyspark.__path__[0]) / "bin" / "spark-class"), f"org.apache.spark.deploy.{name}"]
    return [*command, "--host", _HOST, "--port", str(port), "--webui-port", "0", *options]


def _bare(folder: Path) -> dict[str, str]:
    """An environment that leads to Java, Spark and Python, and to none of the packages of this one."""
    python = f"python{sys.version_info.major}.{sys.version_info.minor}"
    if shutil.which(python, path=SYSTEM_PATH) is None:
        (folder / "bin" / python).symlink_to(Path(sys.base_prefix) / "bin" / python)
    java = {**os.environ, **java_environment()}.get("JAVA_HOME")
    return {
        "PATH": f"{folder / 'bin'}:{SYSTEM_PATH}",
        "HOME": str(folder),
        "SPARK_HOME": pyspark.__path__[0],
        "SPARK_CONF_DIR": str(folder / "conf"),
        "SPARK_LOCAL_IP": _HOST,
        "SPARK_DAEMON_MEMORY": "256m",
        **({"JAVA_HOME": java} if java else {}),
    }


def _address(said: str) -> str:
    """Where a master listens by its log: where its port is taken by then, that is the next one."""
    return str(re.findall(r"Starting Spark master at (spark://\S+)", said)[-1])


def _wait(log: Path, words: str) -> None:
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while words not in log.read_text(encoding="utf-8", errors="replace"):
        if time.monotonic() >= deadline:
            raise TimeoutError(f"a server does not answer; see {log}")
        time.sleep(0.1)


def main() -> int:
    """Runs the cluster until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=empty_folder)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--cores", type=int, default=1)
    parser.add_argument("--memory", default="2g")
    parser.add_argument("--port", type=int, default=PORT)
    given = parser.parse_args()
    served = standalone(given.folder, workers=given.workers, cores=given.cores, memory=given.memory, port=given.port)
    run_until_interrupted(served, where=lambda cluster: cluster.master)
    return 0


if __name__ == "__main__":
    sys.exit(main())
