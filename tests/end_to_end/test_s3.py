"""The study with returns, lake and results in S3, as moto's server has it: the same numbers."""

from __future__ import annotations

import os
import time
import urllib.request
from collections.abc import Iterator

import pytest

from sos_spark.config.shipped import private_root
from sos_spark.machine.connectors import MORE_JARS
from sos_spark.places import RemotePlace, place_of
from sos_spark.places.stores import store_of
from tests.end_to_end.conftest import WholeRun, command
from tests.end_to_end.elsewhere import SAME, options, put_there
from tools.loopback import free_port, serving

pytestmark = [pytest.mark.slow, pytest.mark.long]

SERVER, JARS = private_root() / "moto" / "bin" / "moto_server", private_root() / "s3a"


@pytest.fixture(scope="module")
def shared(whole_run: WholeRun, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RemotePlace]:
    """A bucket that holds the returns of the whole run, and its key."""
    if not SERVER.exists() or not JARS.is_dir():
        pytest.skip("no S3 server: run make test-s3")
    port = free_port()
    uri = f"http://127.0.0.1:{port}"
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {
            "AWS_ENDPOINT_URL": uri, "AWS_ALLOW_HTTP": "true", "AWS_REGION": "us-east-1", "AWS_ACCESS_KEY_ID": "nobody",
            "AWS_SECRET_ACCESS_KEY": "nothing", MORE_JARS: str(JARS),
        }.items():  # fmt: skip
            patch.setenv(name, value)
        command = [str(SERVER), "-H", "127.0.0.1", "-p", str(port)]
        with serving(command, tmp_path_factory.mktemp("moto") / "log", os.environ):
            make_bucket(uri)
            root = place_of("s3a://bucket/study")
            assert isinstance(root, RemotePlace)
            put_there(whole_run, root)
            yield root
        store_of.cache_clear()


def make_bucket(uri: str) -> None:
    for _ in range(150):
        try:
            urllib.request.urlopen(urllib.request.Request(f"{uri}/bucket", method="PUT"), timeout=5).close()
            return
        except OSError:
            time.sleep(0.2)
    pytest.fail("moto's server does not answer")


@pytest.fixture(scope="module")
def out(whole_run: WholeRun, shared: RemotePlace) -> RemotePlace:
    """What a run there left."""
    done = command("run", *options(whole_run, shared), "--driver-memory", "2g")
    assert done.returncode == 0, done.stderr[-3000:]
    return shared / "out"


@pytest.mark.parametrize("name", SAME)
def test_the_numbers_are_those_of_a_local_run_to_the_last_digit(
    name: str, whole_run: WholeRun, out: RemotePlace
) -> None:
    assert (out / name).read_bytes() == (whole_run.out / name).read_bytes()


def test_a_secret_of_the_environment_is_nowhere_in_what_is_left(out: RemotePlace) -> None:
    assert os.environ["AWS_SECRET_ACCESS_KEY"] == "nothing"
    for place in out.rglob("*"):
        assert b'"nothing"' not in place.read_bytes(), place.name


def test_commands_without_spark_look_after_it(out: RemotePlace) -> None:
    lake = str(out.parent / "lake")
    assert command("lake", "verify", "--lake", lake).returncode == 0
    assert "which has no modes" in command("doctor", "--lake", lake).stdout
