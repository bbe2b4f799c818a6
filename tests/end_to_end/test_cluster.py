"""A step by spark-submit on executors of their own, with the package shipped as a zip."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from sos_spark.config.shipped import conf_root
from sos_spark.lake.arrow import read_arrow
from sos_spark.machine.jars import jars_folder
from sos_spark.tables import CIN_MODULES
from tests.modes import open_to_others

ROOT = conf_root().parent
RETURN = """<?xml version="1.0" encoding="utf-8"?>
<Message>
  <Header>
    <CollectionDetails><Collection>CIN</Collection><Year>2016</Year><ReferenceDate>2016-03-31</ReferenceDate>
    </CollectionDetails>
    <Source><SourceLevel>L</SourceLevel><LEA>926</LEA><DateTime>2016-06-01T10:00:00</DateTime></Source>
  </Header>
  <Children>
    {children}
  </Children>
</Message>
"""
CHILD = """<Child>
      <ChildIdentifiers><LAchildID>{id}</LAchildID><PersonBirthDate>2010-05-01</PersonBirthDate>
        <GenderCurrent>1</GenderCurrent></ChildIdentifiers>
      <ChildCharacteristics><Ethnicity>WBRI</Ethnicity></ChildCharacteristics>
      <CINdetails><CINreferralDate>2015-06-0{id}</CINreferralDate><ReferralSource>1A</ReferralSource>
        <PrimaryNeedCode>N1</PrimaryNeedCode><ReferralNFA>0</ReferralNFA></CINdetails>
    </Child>"""
WHERE_FROM = """
import sys
from sos_spark.machine.session import start_session
session = start_session()
numbers = session.sparkContext.parallelize(range(4), 4)
print("imported from", sorted(set(numbers.map(lambda _: __import__("sos_spark").__file__).collect())))
print("written", session.range(3).count())
print("executors with", session.sparkContext.getConf().get("spark.executor.extraJavaOptions"))
"""


def submit(*words: str | Path) -> subprocess.CompletedProcess[str]:
    """Runs spark-submit, or the script that calls it, without this process's own settings of Spark."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("PYSPARK", "SPARK"))}
    environment |= {"PYSPARK_PYTHON": sys.executable, "PYSPARK_DRIVER_PYTHON": sys.executable}
    environment |= {"SPARK_LOCAL_IP": "127.0.0.1", "SOS_SPARK_CONF": str(conf_root())}
    environment |= {"SOS_SPARK_JARS": str(jars_folder())}
    return subprocess.run(
        [str(word) for word in words],
        env=environment,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def a_source(folder: Path) -> Path:
    """A source of one return with three children."""
    (folder / "cin" / "2016").mkdir(parents=True)
    children = "\n    ".join(CHILD.format(id=number) for number in (1, 2, 3))
    (folder / "cin" / "2016" / "926.xml").write_text(RETURN.format(children=children))
    return folder


@pytest.mark.long
@pytest.mark.slow
def test_a_step_runs_on_two_executors(tmp_path: Path) -> None:
    done = submit(
        ROOT / "tools" / "submit.sh",
        "ingest",
        *("--master", "local-cluster[2,1,1024]"),
        *("--conf", "spark.executor.memory=1g", "--conf", "spark.driver.memory=1g"),
        "--",
        *("--source", a_source(tmp_path / "source"), "--lake", tmp_path / "lake", "--json"),
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    rows = read_arrow(tmp_path / "lake", CIN_MODULES["cin_details"])
    assert sorted(rows["LAchildID"].to_pylist()) == ["1", "2", "3"]
    assert set(rows["la_code"].to_pylist()) == {"926"}
    assert open_to_others(tmp_path / "lake") == []


@pytest.mark.slow
def test_a_job_needs_no_options_of_spark_submit(tmp_path: Path) -> None:
    """Local mode where no master is given: the session itself shows the driver Delta's jars."""
    done = submit(
        Path(sys.executable).parent / "spark-submit",
        *("--conf", "spark.driver.memory=1g", ROOT / "jobs" / "ingest.py"),
        *("--source", a_source(tmp_path / "source"), "--lake", tmp_path / "lake"),
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert read_arrow(tmp_path / "lake", CIN_MODULES["cin_details"]).num_rows == 3
    assert open_to_others(tmp_path / "lake") == [], "whatever the mask that spark-submit was started with"


@pytest.mark.slow
def test_workers_import_the_package_from_the_zip(tmp_path: Path) -> None:
    archive = submit(ROOT / "tools" / "package.sh").stdout.strip()
    job = tmp_path / "where_from.py"
    job.write_text(WHERE_FROM)
    done = submit(
        Path(sys.executable).parent / "spark-submit",
        *("--master", "local-cluster[1,1,1024]"),
        *("--conf", "spark.executor.memory=1g", "--conf", "spark.driver.memory=1g"),
        *("--py-files", ROOT / archive, job),
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-3000:]
    assert "sos_spark.zip/sos_spark/__init__.py" in done.stdout
    assert "written 3" in done.stdout
    assert "-Dlog4j2.level=OFF" in done.stdout, "their logs quote the rows that they fail on"
