"""Packs what the steps need beside Java, Spark and Python into one file: `python -m tools.environment FILE.zip`.

The file holds the package with conf/ and expectations/, the Python packages that it runs on as they are installed here
(those of the lock, but for pyspark, which a cluster has), and Delta's jars. Executors take it by `--archives
FILE.zip#environment` and `spark.pyspark.python=./environment/bin/python`; it finds the machine's own Python of this
version. Python runs the file too, as it runs any zip with a `__main__.py`: it unpacks itself into the working folder
and runs a command of sos-spark. The same sources and packages make the same bytes.
"""

from __future__ import annotations

import re
import sys
import tomllib
import zipfile
from collections.abc import Iterator
from importlib.metadata import Distribution, PackageNotFoundError, distribution
from pathlib import Path

from packaging.requirements import Requirement

from sos_spark.machine.jars import jars_folder, require_jars

ROOT = Path(__file__).resolve().parents[1]
EXTRAS = ("spark", "stores", "lineage")
"""Of the package: what a step on a cluster may use."""
WITH_SPARK = frozenset({"pyspark", "py4j"})
"""What a cluster's Spark brings itself."""
FOLDERS = (("sos_spark", "sos_spark"), ("conf", "sos_spark/conf"), ("expectations", "sos_spark/expectations"))
"""Folders of the checkout, and where the wheel has them too."""
VERSION = f"{sys.version_info.major}.{sys.version_info.minor}"

_PYTHON = f"""#!/bin/sh
# The machine's own Python {VERSION}, with the packages that came with this file.
here=$(cd "$(dirname "$0")/.." && pwd)
export PYTHONPATH="$here/packages${{PYTHONPATH:+:$PYTHONPATH}}"
export SOS_SPARK_JARS="${{SOS_SPARK_JARS:-$here/jars}}"
exec python{VERSION} "$@"
"""
_MAIN = """\
# Unpacks this file into the working folder and runs a command of sos-spark: python FILE.zip COMMAND [OPTIONS]
import os
import sys
import zipfile

os.umask(0o077)
with zipfile.ZipFile(sys.argv[0]) as packed:
    packed.extractall("environment")
python = os.path.join("environment", "bin", "python")
os.chmod(python, 0o700)
# Executors unpack it under the same name, each in its own working folder.
os.environ["PYSPARK_PYTHON"] = "./" + python
os.execv(python, [python, "-m", "sos_spark.cli.main", *sys.argv[1:]])
"""
_FIRST_DAY_OF_ZIP = (1980, 1, 1, 0, 0, 0)
_QUICKLY = 1


def pack(file: Path) -> int:
    """Writes the file; returns its size in bytes.

    Raises:
        EnvironmentFaultError: Delta's jars are not there, or not those that were locked.
        PackageNotFoundError: A package is not installed.
    """
    unfinished = file.with_name(f".{file.name}")
    with zipfile.ZipFile(unfinished, "w", zipfile.ZIP_DEFLATED, compresslevel=_QUICKLY) as archive:
        for name, content, mode in _members():
            info = zipfile.ZipInfo(name, _FIRST_DAY_OF_ZIP)
            info.external_attr = (0o100000 | mode) << 16
            archive.writestr(info, content, zipfile.ZIP_DEFLATED, _QUICKLY)
    unfinished.replace(file)
    return file.stat().st_size


def is_older_than_sources(file: Path) -> bool:
    """Returns whether there is no such file, or the package has changed since it was packed."""
    sources = (path for folder, _ in FOLDERS for path in (ROOT / folder).rglob("*") if "__pycache__" not in path.parts)
    return not file.exists() or max(path.stat().st_mtime for path in sources) > file.stat().st_mtime


def _members() -> Iterator[tuple[str, bytes, int]]:
    """Every file with its content and mode, in a fixed order."""
    yield "__main__.py", _MAIN.encode(), 0o600
    yield "bin/python", _PYTHON.encode(), 0o700
    for jar in require_jars(jars_folder()):
        yield f"jars/{jar.name}", jar.read_bytes(), 0o600
    for folder, at in FOLDERS:
        for path in sorted((ROOT / folder).rglob("*")):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"packages/{at}/{path.relative_to(ROOT / folder).as_posix()}", path.read_bytes(), 0o600
    for packed in needed():
        yield from _files_of(packed)


def needed() -> list[Distribution]:
    """Returns the package and what it asks for with its extras, and what that asks for, in order of their names."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    optional = project["optional-dependencies"]
    extras_of: dict[str, set[str]] = {}
    to_do = [
        Requirement(line) for line in (*project["dependencies"], *(one for extra in EXTRAS for one in optional[extra]))
    ]
    while to_do:
        asked = to_do.pop()
        name = re.sub(r"[-_.]+", "-", asked.name).lower()
        if name in extras_of and asked.extras <= extras_of[name]:
            continue
        known = extras_of.setdefault(name, set())
        known |= asked.extras
        if name in WITH_SPARK:
            continue
        to_do += [further for further in map(Requirement, distribution(name).requires or ()) if _holds(further, known)]
    return [distribution(name) for name in ("sos-spark", *sorted(extras_of))]


def _holds(asked: Requirement, extras: set[str]) -> bool:
    return asked.marker is None or any(asked.marker.evaluate({"extra": extra}) for extra in {"", *extras})


def _files_of(packed: Distribution) -> Iterator[tuple[str, bytes, int]]:
    """The files of a package in the folder of packages, without its tests; of our own what names it."""
    if packed.files is None:
        raise PackageNotFoundError(packed.metadata["Name"])
    # Of what comes otherwise, the version; an editable package's files name this machine's folders.
    is_only_named = packed.metadata["Name"] in {"sos-spark", *WITH_SPARK}
    for file in sorted(packed.files):
        is_wanted = not is_only_named or file.name == "METADATA"
        if is_wanted and ".." not in file.parts and not {"tests", "__pycache__"} & set(file.parts):
            path = Path(str(file.locate()))
            if path.is_file():
                yield f"packages/{file.as_posix()}", path.read_bytes(), 0o600


if __name__ == "__main__":
    target = Path(sys.argv[1])
    target.parent.mkdir(parents=True, exist_ok=True)
    sys.stdout.write(f"{target}: {pack(target) / 1e6:.0f} MB\n")
