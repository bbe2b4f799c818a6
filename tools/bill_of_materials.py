"""The bill of materials (SBOM) of what runs, as CycloneDX 1.6: every locked package and jar with its hashes.

`python -m tools.bill_of_materials FILE.json`. The same locks make the same bytes: it holds no time.
"""

from __future__ import annotations

import json
import re
import sys
import tomllib
from pathlib import Path
from uuid import NAMESPACE_URL, uuid5

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from packageurl import PackageURL

ROOT = Path(__file__).resolve().parents[1]
LOCKS = ROOT / "conf" / "locks"
RUNS = ("fit.txt", "python.txt", "java.txt")
"""Locks of what a machine that runs studies may have. Those of the validators and of the build are not among them."""

_PINNED = re.compile(r"^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;\\]+)")
_HASH = re.compile(r"--hash=sha256:([0-9a-f]{64})")


def bill() -> str:
    """Returns the bill as JSON.

    Raises:
        ValueError: A lock holds a package without a hash, or the bill is not what CycloneDX's schema asks for.
    """
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    components = [*_packages(), *_jars()]
    named = Component(
        name=project["name"],
        version=project["version"],
        type=ComponentType.APPLICATION,
        bom_ref=project["name"],
        purl=PackageURL("pypi", None, project["name"], project["version"]),
    )
    whole = Bom(components=components)
    whole.metadata.component = named
    whole.register_dependency(named, components)
    # What it is made of names it: the same locks, the same bill.
    whole.serial_number = uuid5(NAMESPACE_URL, " ".join(sorted(str(one.purl) for one in components)))
    text = _without_time(JsonV1Dot6(whole).output_as_string())
    fault = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    if fault is not None:
        raise ValueError(f"the bill of materials is not valid: {fault}")
    return text + "\n"


def _packages() -> list[Component]:
    """A component for each package, with the lock that asks for it first and the hash of each of its files."""
    found: dict[tuple[str, str], Component] = {}
    for lock in RUNS:
        for entry in re.split(r"\n(?=[A-Za-z0-9])", (LOCKS / lock).read_text(encoding="utf-8")):
            pinned = _PINNED.match(entry)
            if pinned is None:
                continue
            name, version = re.sub(r"[-_.]+", "-", pinned[1]).lower(), pinned[2]
            hashes = _HASH.findall(entry)
            if not hashes:
                raise ValueError(f"{lock}: {name} has no hash")
            found.setdefault((name, version), _component(PackageURL("pypi", None, name, version), hashes, lock))
    return list(found.values())


def _jars() -> list[Component]:
    lock = tomllib.loads((LOCKS / "jars.toml").read_text(encoding="utf-8"))
    return [
        _component(PackageURL("maven", jar["group"], jar["artifact"], jar["version"]), [jar["sha256"]], "jars.toml")
        for jar in lock["jars"]
    ]


def _component(purl: PackageURL, hashes: list[str], lock: str) -> Component:
    return Component(
        name=purl.name,
        group=purl.namespace,
        version=purl.version,
        type=ComponentType.LIBRARY,
        bom_ref=str(purl),
        purl=purl,
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=one) for one in hashes],
        properties=[Property(name="sos_spark:lock", value=f"conf/locks/{lock}")],
    )


def _without_time(text: str) -> str:
    content = json.loads(text)
    del content["metadata"]["timestamp"]
    return json.dumps(content, indent=1, sort_keys=True)


if __name__ == "__main__":
    Path(sys.argv[1]).write_text(bill(), encoding="utf-8")
