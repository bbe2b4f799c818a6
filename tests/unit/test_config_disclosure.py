"""Profiles of disclosure control: the shipped ones say what they promise, a site may add its own, a fault is told."""

from __future__ import annotations

from pathlib import Path

import pytest

from sos_spark.config.disclosure import SITE_FOLDER, load_profile, profile_files
from sos_spark.config.load import parse_study
from sos_spark.config.shipped import conf_root
from sos_spark.errors import StudyError
from tests.unit.test_config_study import MINIMAL

SITE = (conf_root() / "disclosure" / "dfe-cin.toml").read_text(encoding="utf-8")


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv(SITE_FOLDER, str(tmp_path))
    return tmp_path


@pytest.mark.parametrize(
    ("name", "hidden", "shown", "multiple"),
    [("dfe-cin", {1, 5}, {0, 6}, 1), ("ons-srs", {1, 9}, {0, 10}, 1), ("opensafely", {1, 7}, {0, 8}, 5)],
)
def test_shipped_profiles_hide_what_their_names_promise(
    name: str, hidden: set[int], shown: set[int], multiple: int
) -> None:
    counts = load_profile(name).counts
    assert all(map(counts.is_sensitive, hidden))
    assert not any(map(counts.is_sensitive, shown))
    assert counts.round_to == multiple


def test_an_unknown_profile_is_a_fault_of_the_study_file_beside_its_others() -> None:
    text = MINIMAL.replace('title = "t"', "") + '[disclosure]\nprofile = "dfe-cni"\n'
    with pytest.raises(StudyError) as caught:
        parse_study(text)
    assert "disclosure.profile: no such profile; did you mean dfe-cin?" in caught.value.faults
    assert len(caught.value.faults) == 2


def test_a_site_s_own_profile_is_one_a_study_may_name(site: Path) -> None:
    (site / "our-county.toml").write_text(SITE.replace("hide_up_to = 5", "hide_up_to = 11"))
    assert load_profile("our-county").counts.hide_up_to == 11
    assert parse_study(MINIMAL + '[disclosure]\nprofile = "our-county"\n').disclosure.profile == "our-county"


def test_a_site_cannot_weaken_a_shipped_profile_under_its_name(site: Path) -> None:
    (site / "dfe-cin.toml").write_text(SITE.replace("hide_up_to = 5", "hide_up_to = 1"))
    with pytest.raises(StudyError, match="takes the name"):
        profile_files()


def test_every_fault_of_a_profile_is_told(site: Path) -> None:
    (site / "ours.toml").write_text(SITE.replace("width = 5", "widht = 5").replace("residual_df = 10", ""))
    with pytest.raises(StudyError) as caught:
        load_profile("ours")
    told = "\n".join(caught.value.faults)
    assert "counts.width" in told
    assert "counts.widht" in told
    assert "estimates.residual_df" in told


def test_rounding_cannot_turn_a_shown_count_into_zero(site: Path) -> None:
    (site / "ours.toml").write_text(SITE.replace("round_to = 1", "round_to = 10"))
    with pytest.raises(StudyError, match="round_to must not be above"):
        load_profile("ours")
