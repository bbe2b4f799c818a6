"""A tiny England in the returns' real formats, with canaries planted in it: run once, looked at by many tests."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

import pytest
from pyspark.sql import SparkSession

from sos_spark.machine.workers import Workers
from sos_spark.simulate import load_effects, simulate
from tools.benchmark.event_log import settings
from tools.trust.canaries import plant_canaries, plant_in_every_field

CONF = Path(__file__).resolve().parents[2] / "conf"
YEARS = (2014, 2015, 2016, 2017)

STUDY = """
schema_version = 1
study_id = "tiny"
title = "Everything, in little"
[window]
baseline = ["2014-04-01", "2015-04-01"]
follow_up = ["2015-04-01", "2017-04-01"]
period = "year"
data_ends = "2017-03-31"
[population]
incomplete_units = "drop"
PILOTS
[comparators]
kind = "all"
[[outcomes]]
outcome_id = "assessment_duration"
kind = "assessment_duration"
[[outcomes]]
outcome_id = "rereferral_nfa_6m"
kind = "rereferral_nfa"
[[outcomes]]
outcome_id = "rereferral_escalated"
kind = "rereferral_escalated"
[[outcomes]]
outcome_id = "kinship_placement"
kind = "kinship_placement"
[[outcomes]]
outcome_id = "icpc"
kind = "icpc"
[inference]
draws = 999
permutations = 99
[sensitivity]
outcome_switches = [{ outcome_id = "kinship_placement", denominator = "foster" }]
"""


@dataclass(frozen=True)
class WholeRun:
    """Where everything is, and what the run said."""

    returns: Path
    lake: Path
    out: Path
    key: Path
    study: Path
    exit_code: int
    said: str
    events: Path
    temporary: Path

    def arguments(self) -> list[str]:
        """The options of the run."""
        places = {"--study": self.study, "--source": self.returns, "--lake": self.lake, "--out": self.out,
                  "--key-file": self.key}  # fmt: skip
        return [text for option, path in places.items() for text in (option, str(path))]


@pytest.fixture(scope="session")
def key_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A pseudonym key of mode 0600."""
    path = tmp_path_factory.mktemp("secret") / "key"
    path.touch(mode=0o600)
    path.write_text("k" * 40)
    return path


@pytest.fixture(scope="session")
def whole_run(spark: SparkSession, key_file: Path, tmp_path_factory: pytest.TempPathFactory) -> WholeRun:
    """Simulates, plants canaries and runs every step by the command line, in a process of its own with its own Java."""
    folder = tmp_path_factory.mktemp("whole")
    returns = folder / "returns"
    effects = load_effects(CONF / "effects" / "default.toml")
    simulate(
        Workers(lambda: spark, 1),
        out=returns,
        scale="tiny",
        census_years=YEARS,
        n_authorities=None,
        seed=5,
        form="returns",
        effects=effects,
    )
    plant_canaries(returns)
    plant_in_every_field(returns, but_of=set(pilot_codes(CONF)))
    study = folder / "tiny.toml"
    pilots = "".join(f'[[pilots]]\nla_code = "{code}"\ngo_live = 2015-04-01\n' for code in pilot_codes(CONF))
    study.write_text(STUDY.replace("PILOTS", pilots))
    for name in ("events", "temporary", "conf"):
        (folder / name).mkdir()
    (folder / "conf" / "spark-defaults.conf").write_text(settings(folder / "events"))
    places = {"events": folder / "events", "temporary": folder / "temporary"}
    paths = WholeRun(returns, folder / "lake", folder / "out", key_file, study, -1, "", **places)
    beside = {"SPARK_CONF_DIR": str(folder / "conf"), "TMPDIR": str(folder / "temporary")}
    beside |= {"JDK_JAVA_OPTIONS": "-XX:TieredStopAtLevel=1"}  # as the tests' own session
    done = command("run", *paths.arguments(), "--driver-memory", "2g", "--debug", beside=beside)
    return replace(paths, exit_code=done.returncode, said=done.stdout + done.stderr)


def command(*arguments: str, beside: Mapping[str, str] | None = None) -> subprocess.CompletedProcess[str]:
    """Runs `sos-spark` and keeps all it says, Java's log included. `beside`: further variables of its environment."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK", "SPARK"))}
    environment |= beside or {}
    return subprocess.run(
        [sys.executable, "-m", "sos_spark.cli.main", *arguments],
        env=environment, capture_output=True, text=True, timeout=900, check=False,
    )  # fmt: skip


def pilot_codes(conf: Path) -> list[str]:
    """The default study's pilots."""
    return re.findall(r'la_code = "(\d+)"', (conf / "studies" / "signs_of_safety.toml").read_text())
