"""The release step: reads a run, clears what may leave and writes the pack and what its checker needs. No Spark."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from importlib.metadata import version
from typing import NoReturn

from sos_spark.config.disclosure import load_profile
from sos_spark.config.environment import Environment
from sos_spark.errors import InputError, StudyError
from sos_spark.machine.faults import faults_told
from sos_spark.places import Place, write_folder
from sos_spark.release.checker import Entry, checker_sections, entries, results_json
from sos_spark.release.ledger import Release, ledger_text, read_ledger
from sos_spark.release.pack import pack_files
from sos_spark.release.release import LEAVABLE, ClearedRun, clear_run
from sos_spark.report.page import render_document
from sos_spark.report.results import Results
from sos_spark.report.standing import is_published
from sos_spark.steps.context import Run
from sos_spark.steps.guarded_csv import guarded_csv
from sos_spark.steps.report import read_results
from sos_spark.steps.result_tables import read_table
from sos_spark.tables.results import CELLS, FLOW

PACK, CHECKER, LEDGER = "release", "checker", "ledger.jsonl"


@dataclass(frozen=True)
class Released:
    """What a release left: its folders, its outputs and what the person who ran it should know."""

    pack: Place
    checker: Place
    ledger: Place
    entries: tuple[Entry, ...]
    withheld: tuple[str, ...]
    warnings: tuple[str, ...]


def release(
    out: Place, *, profile: str | None = None, since: Place | None = None, left_out: Collection[str] = ()
) -> Released:
    """Writes out/release, which holds only what was cleared, and out/checker beside it.

    Args:
        out: The folder of a run's results.
        profile: The disclosure profile; the study's own where none is given.
        since: The ledger of what was released before.
        left_out: Tables of counts that are not to be released.

    Raises:
        InputError: The folder holds no run, or --since no ledger.
        StudyError: There is no such profile or table, or the study is of published tables.
        DisclosureError: Something hidden could be worked out; nothing is written, and an earlier pack stays.
    """
    unknown = sorted(set(left_out) - set(LEAVABLE))
    if unknown:
        raise StudyError(
            "There is no such table to leave out", expected=", ".join(sorted(LEAVABLE)), found=", ".join(unknown)
        )
    results = _results(out)
    if is_published(results.study):
        raise StudyError(
            "The study is of published tables: its results are open statistics and need no disclosure control",
            where=results.study.study_id,
            remedy="Publish report.html as it is, and name the source and its licence",
        )
    rules = load_profile(profile or results.study.disclosure.profile)
    earlier = () if since is None else read_ledger(since)
    cleared = clear_run(results, read_table(out, FLOW), rules, earlier, left_out=left_out)
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}"
    files = pack_files(cleared.items, guard=guarded_csv)
    listed = entries(cleared.items, files, rules)
    this = _ledger_entry(results, cleared, rules.name, now)
    beside = {
        **{f"counts/{table.name}.csv": guarded_csv(table.checks).encode() for table in cleared.tables},
        "results.json": results_json(
            listed, {table.name: table for table in cleared.tables}, rules, command="sos-spark release", now=now
        ).encode(),
        "index.html": render_document(
            f"For the output checker: {results.study.title}",
            f"What is to leave, by which rule, and what stands behind it. sos_spark {version('sos-spark')}, {now}.",
            checker_sections(listed, rules, cleared.notes, cleared.withheld),
            simulated=results.is_simulated,
        ).encode(),
        "config.json": (json.dumps(rules.model_dump(mode="json"), indent=1) + "\n").encode(),
        LEDGER: ledger_text([*earlier, this]).encode(),
    }
    # SACRO's viewer looks for the outputs beside results.json.
    beside |= {**files, **_checksums({**files, **beside})}
    for name, content in ((PACK, files), (CHECKER, beside)):
        with faults_told(str(out / name)):
            write_folder(out / name, content)
    warnings = [] if since else ["no --since: differencing against earlier releases was not tested"]
    return Released(out / PACK, out / CHECKER, out / CHECKER / LEDGER, tuple(listed), cleared.withheld, tuple(warnings))


def _results(out: Place) -> Results:
    if not out.is_dir():
        raise InputError("There is no such run", where=str(out), remedy="Give --run the --out of a run")
    results = read_results(Run("release", Environment(out=out), None, _no_session))
    return replace(results, cells=read_table(out, CELLS))  # sums of squares too, which the report does without


def _no_session() -> NoReturn:
    raise InputError("A release needs no Spark, and asked for it")


def _ledger_entry(results: Results, cleared: ClearedRun, profile: str, now: str) -> Release:
    said = f"{results.fingerprint} {now}".encode()
    study = results.study.study_id
    release_id = hashlib.sha256(said).hexdigest()[:16]
    return Release(release_id, study, results.fingerprint, profile, now, cleared.counts)


def _checksums(files: Mapping[str, bytes]) -> dict[str, bytes]:
    return {
        f"checksums/{path.replace('/', '_')}.txt": hashlib.sha256(content).hexdigest().encode()
        for path, content in files.items()
    }
