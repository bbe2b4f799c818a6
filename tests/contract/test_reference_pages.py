"""The pages of reference are what the declarations make, and a change of a declaration makes them stale."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path

import pytest

from sos_spark.config.load import load_study
from sos_spark.config.shipped import conf_root
from sos_spark.errors import SosError
from sos_spark.tables import TABLES
from sos_spark.tables.results import RESULT_TABLES
from tools.reference import data_contract, dictionary, study_file
from tools.reference.pages import PAGES, README, is_stale


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_every_page_is_what_its_declarations_make(path: Path) -> None:
    assert not is_stale(path), "run: .venv/bin/python -m tools.reference"


def test_a_changed_meaning_makes_the_dictionary_and_the_contract_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    table = TABLES["silver.referrals"]
    first, *others = table.columns
    changed = replace(table, columns=(replace(first, meaning="Another meaning"), *others))
    for module in (dictionary, data_contract):
        monkeypatch.setattr(module, "TABLES", TABLES | {table.name: changed})
    assert {path.name for path in PAGES if is_stale(path)} == {"data_dictionary.md", "lake.odcs.yaml"}


def test_a_changed_file_of_results_makes_the_dictionary_stale(monkeypatch: pytest.MonkeyPatch) -> None:
    table = RESULT_TABLES["arms"]
    monkeypatch.setattr(dictionary, "RESULT_TABLES", RESULT_TABLES | {"arms": replace(table, grain="another grain")})
    assert {path.name for path in PAGES if is_stale(path)} == {"data_dictionary.md"}


def test_the_contract_is_yaml_that_holds_every_table() -> None:
    yaml = pytest.importorskip("yaml")
    content = yaml.safe_load(data_contract.contract())
    assert (content["kind"], content["apiVersion"]) == ("DataContract", "v3.0.1")
    found = {one["name"]: [column["name"] for column in one["properties"]] for one in content["schema"]}
    assert found == {table.name: table.column_names for table in TABLES.values()}
    cells = next(one for one in content["schema"] if one["name"] == "panel.cells")
    bands = next(column for column in cells["properties"] if column["name"] == "age_band")["customProperties"][0]
    assert list(bands["value"]) == ["0", "1-4", "5-9", "10-15", "16-17", "18+"]
    assert [check["name"] for check in cells["quality"]] == ["n_positive", "sumsq_possible"]


def test_the_schema_of_a_study_file_takes_every_study_that_ships() -> None:
    jsonschema = pytest.importorskip("jsonschema")
    schema = json.loads(study_file.json_schema())
    for path in sorted((conf_root() / "studies").glob("*.toml")):
        jsonschema.validate(load_study(path).model_dump(mode="json", by_alias=True), schema)


def test_a_key_that_nothing_describes_is_refused(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    meanings = tmp_path / "keys.toml"
    text = study_file.MEANINGS.read_text(encoding="utf-8")
    meanings.write_text(text.replace("go_live =", "gone_live =", 1), encoding="utf-8")
    monkeypatch.setattr(study_file, "MEANINGS", meanings)
    with pytest.raises(study_file.UndescribedKeyError, match=r"Pilot\.go_live.*gone_live"):
        study_file.described_schema()


def test_the_readme_names_every_exit_code() -> None:
    told = re.findall(
        r"^\| (\d+) \|", README.read_text(encoding="utf-8").partition("| exit code |")[2], flags=re.MULTILINE
    )
    classes = [SosError]
    for one in classes:
        classes += one.__subclasses__()
    codes = {one.exit_code for one in classes if one.exit_code != SosError.exit_code}
    first_table = told[: told.index("130") + 1]
    assert {int(code) for code in first_table} == {0, *codes, 130}
