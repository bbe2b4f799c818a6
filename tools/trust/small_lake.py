"""A small simulated England, or a demo's, a study of it, and commands on it in processes of their own."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

STUDY_OF_DEMO = Path(__file__).resolve().parents[2] / "conf" / "studies" / "signs_of_safety.toml"
AUTHORITIES, YEARS, PILOTS = 9, "2014-2017", 5

STUDY = """
schema_version = 1
study_id = "small"
title = "A study that is killed and run again"
[window]
baseline = ["2014-04-01", "2015-04-01"]
follow_up = ["2015-04-01", "2017-04-01"]
period = "year"
data_ends = "2017-03-31"
[population]
incomplete_units = "drop"
{pilots}
[comparators]
kind = "all"
[[outcomes]]
outcome_id = "icpc"
kind = "icpc"
[[outcomes]]
outcome_id = "kinship_placement"
kind = "kinship_placement"
[inference]
draws = 199
permutations = 99
"""
INTERPRETED = """\
spark.sql.codegen.wholeStage false
spark.sql.codegen.factoryMode NO_CODEGEN
"""
"""Compiling a plan takes seconds, running it on a few rows none."""


@dataclass(frozen=True)
class SmallLake:
    """Where the returns and the key are, below `root`, and the study; each run has a lake and results of its own.

    `memory`: of Spark's driver. `is_interpreted`: whether the rows are so few that plans are not compiled.
    """

    root: Path
    study: Path
    memory: str = "1g"
    is_interpreted: bool = True

    @property
    def returns(self) -> Path:
        """The simulated returns."""
        return self.root / "returns"

    @property
    def environment(self) -> dict[str, str]:
        """This process's environment, with Spark set up for few rows, where they are few, and for nothing else."""
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK", "SPARK"))}
        if not self.is_interpreted:
            return kept
        return kept | {"SPARK_CONF_DIR": str(self.root / "conf"), "JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}

    def command(self, name: str, *, lake: str, out: str, more: Sequence[str] = ()) -> list[str]:
        """Returns the command line of `run` or of a step."""
        places = {
            "--study": self.study,
            "--source": self.returns,
            "--lake": self.root / lake,
            "--out": self.root / out,
            "--key-file": self.root / "key",
        }
        options = [text for option, path in places.items() for text in (option, str(path))]
        return sos_spark(name, *options, "--master", "local[2]", "--driver-memory", self.memory, *more)

    def done(self, command: Sequence[str], *, package: Path | None = None) -> str:
        """Runs a command to its end, with another copy of the package where one is given; returns what it printed.

        Raises:
            SystemExit: It failed; says what it said.
        """
        jars = os.environ.get("SOS_SPARK_JARS", str(Path(__file__).resolve().parents[2] / ".sos" / "jars"))
        environment = self.environment | ({"PYTHONPATH": str(package), "SOS_SPARK_JARS": jars} if package else {})
        ended = subprocess.run(command, env=environment, cwd=package, capture_output=True, text=True, check=False)
        if ended.returncode:
            sys.exit(f"{' '.join(command)}\n{ended.stdout[-2000:]}{ended.stderr[-4000:]}")
        return ended.stdout


def sos_spark(*arguments: str) -> list[str]:
    """Returns a command line of sos-spark in this environment."""
    return [sys.executable, "-m", "sos_spark.cli.main", *arguments]


def make_small_lake(root: Path) -> SmallLake:
    """Simulates the returns and writes key, study and Spark's settings, where they are not there yet."""
    small = SmallLake(root, root / "study.toml")
    (root / "conf").mkdir(parents=True, exist_ok=True)
    (root / "conf" / "spark-defaults.conf").write_text(INTERPRETED, encoding="utf-8")
    if not small.returns.is_dir():
        small.done(sos_spark("simulate", "--scale", "tiny", "--years", YEARS, "--las", str(AUTHORITIES), "--seed", "7",
                             "--out", str(small.returns), "--driver-memory", "1g"))  # fmt: skip
    key = root / "key"
    key.touch(mode=0o600)
    key.write_text("k" * 40)
    codes = sorted({path.stem for path in small.returns.glob("cin/2015/*.xml")})[:PILOTS]
    pilots = "\n".join(f'[[pilots]]\nla_code = "{code}"\ngo_live = 2015-04-01' for code in codes)
    small.study.write_text(STUDY.format(pilots=pilots), encoding="utf-8")
    return small


def lake_of_demo(root: Path, demo: Path) -> SmallLake:
    """Copies a demo's returns and key, for runs of the study that the demo is of."""
    root.mkdir(mode=0o700, parents=True)
    shutil.copytree(demo / "returns", root / "returns")
    shutil.copy(demo / "key", root / "key")
    return SmallLake(root, STUDY_OF_DEMO, memory="4g", is_interpreted=False)
