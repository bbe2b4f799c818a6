"""The pseudonym key: where it is read from, and why it may be refused."""

from __future__ import annotations

from pathlib import Path

import pytest

from sos_spark.config.environment import Environment
from sos_spark.errors import EnvironmentFaultError
from sos_spark.steps.pseudonym_key import read_key


@pytest.fixture(autouse=True)
def _no_key_around(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("SOS_SPARK_KEY", raising=False)
    monkeypatch.delenv("SOS_SPARK_KEY_FILE", raising=False)


def key_file(folder: Path, content: bytes = b"k" * 32, mode: int = 0o600) -> Path:
    path = folder / "key"
    path.write_bytes(content)
    path.chmod(mode)
    return path


def test_the_environments_file_comes_before_the_variables(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SOS_SPARK_KEY", "v" * 32)

    assert read_key(Environment(key_file=key_file(tmp_path, b"f" * 32 + b"\n"))) == b"f" * 32
    assert read_key(Environment()) == b"v" * 32
    monkeypatch.setenv("SOS_SPARK_KEY_FILE", str(key_file(tmp_path, b"g" * 40)))
    assert read_key(Environment()) == b"g" * 40


def test_without_a_key_the_remedy_is_told() -> None:
    with pytest.raises(EnvironmentFaultError, match="no pseudonym key") as caught:
        read_key(Environment())

    assert caught.value.exit_code == 7
    assert "SOS_SPARK_KEY_FILE" in caught.value.remedy


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o700])
def test_a_file_that_others_may_use_is_refused(tmp_path: Path, mode: int) -> None:
    with pytest.raises(EnvironmentFaultError, match="chmod 600"):
        read_key(Environment(key_file=key_file(tmp_path, mode=mode)))


def test_a_short_key_is_refused_and_not_shown(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFaultError, match="at least 32 bytes") as caught:
        read_key(Environment(key_file=key_file(tmp_path, b"secret" * 5 + b"\n\n")))

    assert "secret" not in str(caught.value)


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(EnvironmentFaultError, match="nowhere"):
        read_key(Environment(key_file=tmp_path / "nowhere"))
