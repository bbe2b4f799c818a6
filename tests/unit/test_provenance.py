"""Which code and data a step's result depends on: a changed line anywhere in it is another fingerprint."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from sos_spark.config.shipped import conf_root
from sos_spark.steps import ingest, provenance
from sos_spark.steps.pipeline import STEPS
from sos_spark.steps.provenance import code_sha256, dependencies

MODULES = {
    "ingest": ("steps.ingest", "bronze.arrive.cin_file", "lake.lake", "config.reference", "errors", "tables"),
    "validate": ("steps.validate", "silver.entities.referral_rules", "silver.conform", "config.reference", "lake.lake"),
    "cohort": ("steps.cohort", "cohort.units", "cohort.observed", "config.study", "lake.lake"),
    "outcome": ("steps.outcome", "outcome.care", "outcome.kinds.icpc", "config.periods", "config.variants"),
    "panel": ("steps.panel", "steps.published", "panel.collapse", "outcome.published", "steps.guarded_csv"),
    "fit": ("steps.fit", "fit.regression.covariance", "fit.inference.wild", "fit.cells.reading", "config.study"),
    "report": ("steps.report", "report.page", "report.words.labels", "config.study"),
}
UNRELATED = {
    "validate": "fit.did",
    "cohort": "outcome.kinds.icpc",
    "outcome": "report.page",
    "panel": "fit.did",
    "fit": "report.page",
}


@pytest.fixture(autouse=True)
def _forgetful() -> Iterator[None]:
    code_sha256.cache_clear()
    yield
    code_sha256.cache_clear()


def changed(monkeypatch: pytest.MonkeyPatch, module: str) -> None:
    """One more line in a module's source."""
    read = provenance.read_source
    more = {f"sos_spark.{module}": b"\n# one line more\n"}
    monkeypatch.setattr(provenance, "read_source", lambda name: read(name) + more.get(name, b""))
    code_sha256.cache_clear()


def of_step(name: str) -> str:
    return code_sha256(f"sos_spark.steps.{name}")


@pytest.mark.parametrize(("step", "module"), [(step, module) for step in STEPS for module in MODULES[step]])
def test_a_line_changed_in_any_package_a_step_uses_is_another_fingerprint(
    step: str, module: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = of_step(step)
    changed(monkeypatch, module)
    assert of_step(step) != before


@pytest.mark.parametrize(("step", "module"), UNRELATED.items())
def test_a_line_changed_elsewhere_runs_nothing_again(step: str, module: str, monkeypatch: pytest.MonkeyPatch) -> None:
    before = of_step(step)
    changed(monkeypatch, module)
    assert of_step(step) == before


@pytest.mark.parametrize(
    ("module", "reads_anew"),
    [
        ("bronze.record_batches", True),
        ("steps.ingest", True),
        ("bronze.read.published", False),
        ("config.study", False),
    ],
)
def test_returns_are_read_anew_only_where_the_code_that_reads_them_changed(
    module: str, reads_anew: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    def reading() -> str:
        return code_sha256("sos_spark.steps.ingest", without=ingest._READS_NOTHING)

    before = reading()
    changed(monkeypatch, module)
    assert (reading() != before) is reads_anew


@pytest.mark.parametrize(
    ("step", "name", "matters"),
    [
        ("ingest", "authorities.csv", True),
        ("validate", "code_sets.csv", True),
        ("validate", "bank_holidays.csv", True),
        ("cohort", "authority_changes.csv", True),
        ("cohort", "bank_holidays.csv", False),
        ("outcome", "bank_holidays.csv", True),
    ],
)
def test_reference_data_count_where_they_are_read(
    step: str, name: str, matters: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    conf = tmp_path / "conf"
    (conf / "reference").mkdir(parents=True)
    for path in (conf_root() / "reference").glob("*.csv"):
        (conf / "reference" / path.name).write_bytes(path.read_bytes())
    monkeypatch.setenv("SOS_SPARK_CONF", str(conf))
    before = of_step(step)
    with (conf / "reference" / name).open("a") as handle:
        handle.write("\n")
    code_sha256.cache_clear()
    assert (of_step(step) != before) is matters


def test_the_gate_depends_on_its_expectations(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "conf").symlink_to(conf_root())
    (tmp_path / "expectations").mkdir()
    monkeypatch.setenv("SOS_SPARK_CONF", str(tmp_path / "conf"))
    before = of_step("quality")
    (tmp_path / "expectations" / "bronze.files.json").write_text("{}")
    code_sha256.cache_clear()
    assert of_step("quality") != before


def test_every_form_of_import_is_followed_but_those_for_types(monkeypatch: pytest.MonkeyPatch) -> None:
    source = b"""
from typing import TYPE_CHECKING
import sos_spark.errors
from sos_spark.config import periods
from . import collapse
if TYPE_CHECKING:
    from sos_spark.fit import did
def later():
    from sos_spark.lake.slices import predicate
    return predicate
"""
    read = provenance.read_source
    own = "sos_spark.panel.table"
    monkeypatch.setattr(provenance, "read_source", lambda name: source if name == own else read(name))
    found = dependencies(own).modules
    assert {"sos_spark.errors", "sos_spark.config.periods", "sos_spark.panel.collapse", "sos_spark.lake.slices"} < found
    assert "sos_spark.fit.did" not in found


def test_what_reads_conf_is_known_to_the_fingerprint() -> None:
    """A step's module that opens files of conf/ by itself would be missed."""
    readers = {
        module
        for step in (*STEPS, "quality", "published")
        for module in dependencies(f"sos_spark.steps.{step}").modules
        if b"conf_root()" in provenance.read_source(module)
    }
    # The lock's name and the profiles of a release: neither makes a number.
    of_no_number = {"sos_spark.steps.manifest", "sos_spark.config.disclosure"}
    assert readers - of_no_number <= {provenance.REFERENCE, provenance.SHIPPED, "sos_spark.steps.provenance"}
