"""Connectors for shared file systems: their jars, and what the environment says of S3."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sos_spark.config.shipped import conf_root, expectations_root
from sos_spark.errors import EnvironmentFaultError
from sos_spark.machine.connectors import MORE_JARS, more_jars, s3_settings
from sos_spark.machine.doctor import _lake
from sos_spark.machine.jars import jars_folder
from sos_spark.places import RemotePlace, remote, write_whole
from tests.modes import open_to_others
from tests.stores import a_bucket


def test_jars_are_those_of_the_folders_named(tmp_path: Path) -> None:
    for name in ("one/b.jar", "one/a.jar", "one/readme.txt", "two/c.jar"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    named = os.pathsep.join([str(tmp_path / "one"), str(tmp_path / "two")])
    assert [jar.name for jar in more_jars({MORE_JARS: named})] == ["a.jar", "b.jar", "c.jar"]
    assert more_jars({}) == ()
    with pytest.raises(EnvironmentFaultError, match=MORE_JARS):
        more_jars({MORE_JARS: str(tmp_path)})


def test_jars_and_conf_may_be_elsewhere(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """They are copied here once, for their owner only."""
    bucket = a_bucket(monkeypatch)
    for name in ("jars/a.jar", "conf/reference/authorities.csv", "expectations/a.json"):
        write_whole(bucket / "apps" / name, name.encode())
    (tmp_path / "b.jar").touch()
    jars = more_jars({MORE_JARS: f"{bucket / 'apps' / 'jars'}{os.pathsep}{tmp_path}"})
    assert [jar.name for jar in jars] == ["a.jar", "b.jar"]
    assert jars[0].read_text() == "jars/a.jar"
    monkeypatch.setenv("SOS_SPARK_JARS", str(bucket / "apps" / "jars"))
    assert jars_folder() == jars[0].parent
    monkeypatch.setenv("SOS_SPARK_CONF", str(bucket / "apps" / "conf"))
    assert (conf_root() / "reference" / "authorities.csv").is_file()
    assert [path.name for path in expectations_root().iterdir()] == ["a.json"]
    assert open_to_others(jars_folder(), conf_root()) == []


def test_hadoop_is_told_of_s3_what_the_environment_says_and_no_secret() -> None:
    told = s3_settings(
        {"AWS_ENDPOINT_URL": "http://127.0.0.1:9", "AWS_REGION": "eu-west-2", "AWS_SECRET_ACCESS_KEY": "k"}
    )
    assert told == {
        "spark.hadoop.fs.s3a.endpoint": "http://127.0.0.1:9",
        "spark.hadoop.fs.s3a.path.style.access": "true",
        "spark.hadoop.fs.s3a.endpoint.region": "eu-west-2",
    }
    assert s3_settings({}) == {}


def test_doctor_looks_at_a_lake_that_is_elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    bucket = a_bucket(monkeypatch)
    assert "does not exist yet" in _lake(bucket / "lake").found
    write_whole(bucket / "lake" / "x", b"1")
    assert _lake(bucket / "lake").ok
    assert "its store's policy" in _lake(bucket / "lake").found
    assert not _lake(bucket / "my lake").ok


def test_doctor_tells_what_cannot_be_reached(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: str) -> None:
        raise PermissionError

    monkeypatch.setattr(remote, "store_of", refuse)
    assert "PermissionError" in _lake(RemotePlace("s3a://bucket/lake")).found
    assert _lake(RemotePlace("s3a://bucket/lake")).remedy
