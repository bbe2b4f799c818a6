"""A Hadoop file system on loopback, a name node and a data node: `python -m tools.hdfs FOLDER`, until interrupted.

Hadoop's own servers, from the jar of its mini cluster (conf/locks/hdfs.toml) and the client jars that Spark ships. The
folder must be empty; what is written to the file system lies there, and is for tests only.
"""

from __future__ import annotations

import argparse
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pyspark

from sos_spark.config.shipped import private_root
from sos_spark.machine.jars import fetch_jars, read_lock
from sos_spark.machine.java import java_environment
from tools.loopback import empty_folder, free_port, java_command, run_until_interrupted, serving

PORT = 8020
"""The port of a name node that is tried by hand, as Hadoop has it."""
_SERVERS = "org.apache.hadoop.hdfs.server"
_PATIENCE_SECONDS = 60.0
_HEAP = "-Xmx256m"


def hdfs_jars() -> tuple[Path, ...]:
    """Returns the jars of the servers, fetched once into .sos/hdfs."""
    return fetch_jars(private_root() / "hdfs", read_lock("hdfs.toml"))


@contextmanager
def hdfs(folder: Path, *, port: int = 0) -> Iterator[str]:
    """Gives the URI of an empty Hadoop file system whose servers live as long as the context.

    Args:
        folder: An empty folder, or one that is not there yet.
        port: Of the name node; any free one where not given.

    Raises:
        TimeoutError: The servers do not answer; their logs are in the folder.
    """
    folder = folder.absolute()
    for name in ("conf", "data"):
        (folder / name).mkdir(mode=0o700, parents=True)
    uri = f"hdfs://127.0.0.1:{port or free_port()}"
    _write_settings(folder, uri)
    spark_jars = Path(pyspark.__path__[0]) / "jars"
    classes = os.pathsep.join([str(folder / "conf"), *map(str, hdfs_jars()), f"{spark_jars}/*"])
    environment = {**os.environ, **java_environment()}
    java = [java_command(environment), _HEAP, "-cp", classes]
    name_node = [*java, f"{_SERVERS}.namenode.NameNode"]
    subprocess.run([*name_node, "-format", "-nonInteractive"], env=environment, check=True, capture_output=True)
    with ExitStack() as until:
        until.enter_context(serving(name_node, folder / "name_node.log", environment))
        until.enter_context(serving([*java, f"{_SERVERS}.datanode.DataNode"], folder / "data_node.log", environment))
        _wait(uri)
        yield uri


def _write_settings(folder: Path, uri: str) -> None:
    anywhere = "127.0.0.1:0"
    settings = {
        "fs.defaultFS": uri,
        "dfs.namenode.name.dir": (folder / "name").as_uri(),
        "dfs.datanode.data.dir": (folder / "data").as_uri(),
        "dfs.replication": "1",
        "dfs.namenode.http-address": anywhere,
        "dfs.datanode.address": anywhere,
        "dfs.datanode.http.address": anywhere,
        "dfs.datanode.ipc.address": anywhere,
    }
    rows = "".join(
        f"<property><name>{name}</name><value>{value}</value></property>" for name, value in settings.items()
    )
    for name in ("core-site.xml", "hdfs-site.xml"):
        (folder / "conf" / name).write_text(f"<configuration>{rows}</configuration>\n", encoding="utf-8")


def _wait(uri: str) -> None:
    """Waits until a file can be written, which takes both servers."""
    from sos_spark.places import place_of, write_whole

    host, _, port = uri.removeprefix("hdfs://").partition(":")
    deadline = time.monotonic() + _PATIENCE_SECONDS
    while True:
        try:
            socket.create_connection((host, int(port)), timeout=1).close()
            write_whole(place_of(f"{uri}/ready"), b"ready")
            return
        except OSError as error:
            if time.monotonic() >= deadline:
                raise TimeoutError("the servers do not answer; see their logs") from error
            time.sleep(0.2)


def main() -> int:
    """Runs the file system until it is interrupted."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=empty_folder)
    parser.add_argument("--port", type=int, default=PORT)
    given = parser.parse_args()
    run_until_interrupted(hdfs(given.folder, port=given.port))
    return 0


if __name__ == "__main__":
    sys.exit(main())
