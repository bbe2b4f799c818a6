"""Effects files: what they may say, and every fault named."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from sos_spark.config.load import load_study
from sos_spark.config.reference import authorities
from sos_spark.config.shipped import conf_root
from sos_spark.config.study import Study
from sos_spark.errors import InputError, StudyError
from sos_spark.simulate import Effects, load_effects
from sos_spark.simulate.planting import planned_effects


def written(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "effects.toml"
    path.write_text(text)
    return path


def the_study() -> Study:
    return load_study(conf_root() / "studies" / "signs_of_safety.toml")


def test_the_default_plants_six_points_in_the_default_pilots_and_nothing_else() -> None:
    effects = load_effects(conf_root() / "effects" / "default.toml")
    (effect,) = effects.effects
    assert (effect.outcome_id, effect.size, effect.from_day) == ("kinship_placement", -0.06, date(2015, 4, 1))
    assert set(effect.la_codes) == {pilot.la_code for pilot in the_study().pilots}
    assert {authorities()[code].name for code in effect.la_codes} == {
        "Brent",
        "Bristol, City of",
        "Leicestershire",
        "Lincolnshire",
        "Norfolk",
        "Suffolk",
        "Wakefield",
        "West Sussex",
        "Wokingham",
    }


def test_the_study_finding_raises_the_baseline_of_the_same_authorities() -> None:
    effects = load_effects(conf_root() / "effects" / "study_finding.toml")
    assert effects.effects[0].size == -0.13
    assert effects.baselines[0].level == 0.30
    assert set(effects.baselines[0].la_codes) == set(effects.effects[0].la_codes)


def test_the_demo_plants_that_finding_in_pilots_made_larger() -> None:
    effects, finding = (load_effects(conf_root() / "effects" / f"{name}.toml") for name in ("demo", "study_finding"))
    assert (effects.effects, effects.baselines) == (finding.effects, finding.baselines)
    assert effects.sizes[0].times > 1
    assert set(effects.sizes[0].la_codes) == {pilot.la_code for pilot in the_study().pilots}


def test_every_fault_is_named_at_once(tmp_path: Path) -> None:
    text = """
        [[effects]]
        outcome_id = "kinship"
        la_codes = []
        from = "2015-04-01"
        sise = 0.1
    """
    with pytest.raises(StudyError) as refused:
        load_effects(written(tmp_path, text))
    faults = "\n".join(refused.value.faults)
    for word in ("outcome_id", "la_codes", "sise", "size"):
        assert word in faults


def test_one_outcome_has_one_effect_in_an_authority(tmp_path: Path) -> None:
    entry = '[[effects]]\noutcome_id = "icpc"\nla_codes = ["926"]\nfrom = 2015-04-01\nsize = 0.01\n'
    with pytest.raises(StudyError, match="icpc has more than one effect in 926"):
        load_effects(written(tmp_path, entry * 2))
    with pytest.raises(StudyError, match="more than one size of 926"):
        load_effects(written(tmp_path, '[[sizes]]\nla_codes = ["926", "926"]\ntimes = 2\n'))


def test_a_missing_file_is_an_input_error_and_no_toml_a_study_error(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        load_effects(tmp_path / "none.toml")
    with pytest.raises(StudyError, match="not valid TOML"):
        load_effects(written(tmp_path, "= 1"))


def test_an_effect_on_one_view_of_an_assessment_is_tallied_for_the_other_too() -> None:
    effects = Effects.model_validate(
        {
            "effects": [
                {"outcome_id": "assessment_duration", "la_codes": ["926"], "from": "2015-04-01", "size": 2.0},
                {"outcome_id": "icpc", "la_codes": ["926"], "from": "2015-04-01", "size": 0.01},
            ]
        }
    )
    planned = [(effect.outcome_id, effect.size) for effect in planned_effects(effects)]
    assert planned == [("assessment_duration", 2.0), ("icpc", 0.01), ("assessment_within_45", 0.0)]
