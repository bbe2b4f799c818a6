"""What made the numbers: the study, its seed, the program and the versions of everything it read."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sos_spark.report.blocks import Block, Code, DataTable, Section, Table, Text, section_of
from sos_spark.report.results import Results


def section(results: Results) -> Section | None:
    """Returns the section; it is always there."""
    study = results.study
    blocks: list[Block | None] = [
        Text(
            ("Study ", Code(study.study_id), ", fingerprint ", Code(results.fingerprint),
             f", seed {study.inference.seed}.")
        )
    ]  # fmt: skip
    rows = made_by(results.manifest)
    if rows:
        table = DataTable(("What", "Which"), tuple(rows), numeric=99)
        summary = "Program, packages and table versions"
        blocks.append(Table("What made these numbers", table, folded=True, summary=summary))
    blocks.append(
        Text(
            ("The same inputs, program and study file give these numbers again; ", Code("manifest.json"),
             " beside this page holds the hashes to check it with.")
        )
    )  # fmt: skip
    return section_of("made", "What made these numbers", blocks, always=True)


def made_by(manifest: Mapping[str, Any]) -> list[tuple[str, str]]:
    """Returns what made the numbers, of the manifest: no run's name or time, so that equal inputs give equal pages."""
    if not manifest:
        return []
    code = manifest.get("code") or {}
    rows = [
        ("Program", f"sos_spark {code.get('version') or ''}"),
        ("Commit", str(code.get("commit") or "not a checkout")),
    ]
    rows.append(("Lock of packages (SHA-256)", str(manifest.get("lock_sha256") or "none")))
    rows.append(("Python", str(manifest.get("python") or "")))
    rows += [(str(name), str(version)) for name, version in (manifest.get("packages") or {}).items() if version]
    rows += [(f"Table {name}", f"version {version}") for name, version in (manifest.get("tables") or {}).items()]
    return rows
