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

from sos_spark.simulate import load_effects, simulate
from tools.benchmark.event_log import settings

CONF = Path(__file__).resolve().parents[2] / "conf"
CANARY = "CANARY"
FIELD_CANARY = "WELLENSITTICH"
"""What stands in every field of one child's records, codes and dates among them; the lake alone may hold it."""
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
        spark,
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


def plant_canaries(returns: Path) -> None:
    """Makes the first child of every file unmistakable in every field that is somebody's own."""
    for path in sorted(returns.glob("cin/*/*.xml")):
        text = path.read_text()
        for tag in ("LAchildID", "UPN"):
            text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{CANARY}{tag}</{tag}>", text, count=1)
        path.write_text(text)
    for path in sorted(returns.glob("ssda903/*/*/*.csv")):
        header, *rows = path.read_text().splitlines()
        if rows:
            cells = rows[0].split(",")
            cells[0] = f"{CANARY}CHILD"
            for name in ("UPN", "HOME_POST", "PL_POST", "MOTHER"):
                if name in header.split(","):
                    cells[header.split(",").index(name)] = f"{CANARY}{name}"
            rows[0] = ",".join(cells)
        path.write_text("\n".join([header, *rows]) + "\n")


def plant_in_every_field(returns: Path, *, but_of: set[str]) -> None:
    """Makes one child's every field unmistakable, codes and dates too, in each return of one large authority."""
    files = [path for path in returns.glob("cin/*/*.xml") if path.stem not in but_of]
    la_code = max(files, key=lambda path: path.stat().st_size).stem
    for path in returns.glob(f"cin/*/{la_code}.xml"):
        second = re.split(r"(?=<Child>)", path.read_text())[2]
        marked = re.sub(r"<(\w+)>[^<>]+</\1>", rf"<\1>{FIELD_CANARY}\1</\1>", second)
        assert marked.count(FIELD_CANARY) > 5
        path.write_text(path.read_text().replace(second, marked, 1))
    for path in returns.glob(f"ssda903/*/{la_code}/*.csv"):
        header, *rows = path.read_text().splitlines()
        if len(rows) > 1:
            rows[1] = ",".join(f"{FIELD_CANARY}{name}" for name in header.split(","))
            path.write_text("\n".join([header, *rows]) + "\n")
