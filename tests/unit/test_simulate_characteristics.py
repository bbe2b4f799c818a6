"""Simulated characteristics: of streams of their own, spread as told, and filled in only where a study has none."""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from sos_spark.config.characteristics import with_simulated
from sos_spark.config.load import fingerprint, load_study
from sos_spark.config.ratings import OFSTED_RATINGS
from sos_spark.config.reference import authorities, authority_changes
from sos_spark.config.shipped import conf_root
from sos_spark.config.study import PracticeModel, Study
from sos_spark.errors import InputError
from sos_spark.simulate import Effects, load_effects, run
from sos_spark.simulate.areas import units_of
from sos_spark.simulate.characteristics import characteristics_of
from tests.simulated import simulated_records

YEARS = range(2013, 2021)
RECORDS_BEFORE = "93f7f10c0d7c2e2a7333b80ba0ececafb566f0a61ed21ae1f9b2f2d6485dfb3f"


def characteristics(*, seed: int = 1, n: int | None = None) -> list[dict[str, Any]]:
    effects = load_effects(conf_root() / "effects" / "default.toml")
    units = units_of(authorities(), authority_changes(), effects, census_years=YEARS, n_authorities=n, seed=seed)
    return characteristics_of(units, effects, census_years=YEARS, seed=seed)


def the_study(name: str = "signs_of_safety") -> Study:
    return load_study(conf_root() / "studies" / f"{name}.toml")


def test_every_authority_has_a_rating_and_an_embeddedness() -> None:
    entries = characteristics()
    assert len(entries) == 152
    assert set(Counter(entry["ofsted_before"] for entry in entries).values()) == {38}
    assert {entry["ofsted_before"] for entry in entries} == set(OFSTED_RATINGS)
    dose = [entry["embeddedness"] for entry in entries]
    assert 0 < min(dose) < 0.01
    assert 0.99 < max(dose) < 1
    assert sum(dose) / len(dose) == pytest.approx(0.5, abs=0.001)


def test_two_thirds_of_authorities_without_an_effect_use_a_model_and_no_pilot_does() -> None:
    pilots = {pilot.la_code for pilot in the_study().pilots}
    shares = []
    for seed in range(10):
        entries = characteristics(seed=seed)
        assert all(entry["practice_model_from"] is None for entry in entries if entry["la_code"] in pilots)
        using = [entry for entry in entries if entry["practice_model_from"] is not None]
        assert all(0.25 <= entry["practice_model_intensity"] <= 1 for entry in using)
        assert {entry["practice_model_from"] for entry in using} <= {f"{year}-04-01" for year in range(2009, 2020)}
        shares.append(len(using) / (152 - len(pilots)))
    assert sum(shares) / 10 == pytest.approx(2 / 3, abs=0.03)


def test_an_authority_s_characteristics_depend_on_seed_and_authority_alone() -> None:
    everywhere = {entry["la_code"]: entry for entry in characteristics()}
    few = characteristics(n=12)
    assert len(few) == 12
    assert all(everywhere[entry["la_code"]] == entry for entry in few)
    assert characteristics(seed=2) != characteristics()


def test_records_are_those_of_before_there_were_characteristics() -> None:
    """The digest was taken before practice models were drawn: the same seed gives the same records."""
    tables, _ = simulated_records(Effects(), la_codes=["926"], scale=1 / 150, seed=7)
    digest = hashlib.sha256()
    for module in sorted(tables):
        digest.update(repr((module, tables[module].to_pydict())).encode())
    assert digest.hexdigest() == RECORDS_BEFORE


@pytest.mark.parametrize("path", sorted((conf_root() / "studies").glob("*.toml")), ids=lambda path: path.stem)
def test_shipped_studies_declare_no_characteristics_and_take_simulated_ones(path: Path) -> None:
    study = load_study(path)
    assert not study.practice_models
    assert not study.ratings
    assert all(pilot.ofsted_before is None and pilot.embeddedness is None for pilot in study.pilots)
    filled = with_simulated(study, characteristics())
    assert set(filled.sources) == {"ofsted", "embeddedness", "practice_models"}
    assert set(filled.sources.values()) == {"simulated"}
    assert all(line.startswith("simulated ") for line in filled.filled)
    bare = {"pilots": study.pilots, "ratings": (), "practice_models": ()}
    assert filled.study.model_copy(update=bare) == study


def test_pilots_take_their_own_values_and_comparators_theirs() -> None:
    study = with_simulated(the_study(), characteristics()).study
    own = {entry["la_code"]: entry for entry in characteristics()}
    for pilot in study.pilots:
        assert pilot.ofsted_before == own[pilot.la_code]["ofsted_before"]
        assert pilot.embeddedness == own[pilot.la_code]["embeddedness"]
    assert {rating.la_code for rating in study.ratings} == own.keys() - {pilot.la_code for pilot in study.pilots}
    for model in study.practice_models:
        assert model.from_.isoformat() == own[model.la_code]["practice_model_from"]
        assert model.intensity == own[model.la_code]["practice_model_intensity"]


def test_what_a_study_declares_stays_and_is_not_mixed_with_simulated_values() -> None:
    study = the_study()
    first, *others = study.pilots
    model = PracticeModel.model_validate({"la_code": "330", "model": "m", "from": "2014-04-01", "intensity": 0.5})
    declared = study.model_copy(
        update={
            "pilots": (first.model_copy(update={"ofsted_before": "good"}), *others),
            "practice_models": (model,),
        }
    )
    filled = with_simulated(declared, characteristics())
    assert dict(filled.sources) == {"embeddedness": "simulated"}
    assert [pilot.ofsted_before for pilot in filled.study.pilots] == ["good", *[None] * len(others)]
    assert filled.study.ratings == ()
    assert filled.study.practice_models == (model,)


def test_authorities_that_were_not_simulated_stay_without_values() -> None:
    study = the_study()
    nothing = with_simulated(study, [])
    assert nothing.study is study
    assert nothing.filled == ()
    one = next(entry for entry in characteristics() if entry["la_code"] == study.pilots[0].la_code)
    filled = with_simulated(study, [one]).study
    assert filled.pilots[0].embeddedness == one["embeddedness"]
    assert all(pilot.embeddedness is None for pilot in filled.pilots[1:])
    assert fingerprint(filled) != fingerprint(study)


def test_entries_without_a_key_are_refused() -> None:
    with pytest.raises(InputError, match="practice_model_from"):
        with_simulated(the_study(), [{"la_code": "926", "ofsted_before": "good", "embeddedness": 0.5}])


def test_the_truth_names_every_authority_and_says_that_nothing_depends_on_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(run, "_write_parts", lambda *_, **_more: [])
    report = run.simulate(
        None,  # type: ignore[arg-type]
        out=tmp_path,
        scale="tiny",
        census_years=YEARS,
        n_authorities=None,
        seed=1,
        form="tables",
        effects=Effects(),
    )
    written = json.loads((tmp_path / "truth.json").read_text())
    assert written == report.truth
    assert len(written["authorities"]) == 12
    keys = {"la_code", "ofsted_before", "embeddedness", "practice_model_from", "practice_model_intensity"}
    assert all(keys < entry.keys() for entry in written["authorities"])
    assert "no outcome depends on them" in written["authorities_note"]
    assert with_simulated(the_study(), written["authorities"]).sources["practice_models"] == "simulated"
