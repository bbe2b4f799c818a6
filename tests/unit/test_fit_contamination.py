"""Comparators that had some of the programme: without them, as a dose, and bounded over what is not known."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from sos_spark.analysis.contamination import contamination_frame
from sos_spark.config.exposures import Exposure
from sos_spark.config.study import Study
from sos_spark.fit.cells.prepare import Prepared, prepare
from sos_spark.fit.did import fit_prepared
from sos_spark.fit.result import DidResult
from tests.fit_panels import QUICK, a_design, quarter, some_cells

PILOTS = dict.fromkeys(("201", "202", "203", "204", "205", "206"), 3)
EFFECT = 0.2
FEW = QUICK.model_copy(update={"permutations": 99})


def an_exposure(**changed: Any) -> Exposure:
    given = {"kind": "neighbour", "la_codes": ["210", "211"], "from": quarter(3), "intensity": 0.5}
    return Exposure.model_validate(given | changed)


def a_study(*exposures: Exposure, pilots: dict[str, int] = PILOTS) -> Study:
    design = a_design(pilots=pilots)
    return Study.model_validate(
        {
            "schema_version": 1,
            "study_id": "s",
            "title": "t",
            "window": design.window.model_dump(),
            "pilots": [{"la_code": code, "go_live": quarter(g)} for code, g in pilots.items()],
            "outcomes": [{"outcome_id": "o", "kind": "icpc", "index": "referral"}],
            "exposures": [one.model_dump(by_alias=True) for one in exposures],
        }
    )


def fitted(cells: pd.DataFrame, pilots: dict[str, int] = PILOTS) -> tuple[DidResult, Prepared]:
    design = a_design(pilots=pilots)
    prepared = prepare(cells, design)
    return fit_prepared(prepared, design=design, inference=FEW), prepared


def parts(cells: pd.DataFrame, *exposures: Exposure, pilots: dict[str, int] = PILOTS) -> pd.DataFrame:
    main, prepared = fitted(cells, pilots)
    frame = contamination_frame(main, prepared, study=a_study(*exposures, pilots=pilots))
    return frame.set_index(["kind", "part"])


def planted(dose: float, pilots: dict[str, int] = PILOTS) -> pd.DataFrame:
    """The effect in pilots from go-live on, and the dose of it in 210 and 211 from quarter 3 on; nothing else."""
    cells = some_cells().drop(columns="y_sumsq")
    on = (cells["period"] >= cells["unit_id"].map(pilots).fillna(99)).astype(float)
    on += dose * (cells["unit_id"].isin(["210", "211"]) & (cells["period"] >= 3))
    return cells.assign(y_sum=cells["n"] * (0.3 + EFFECT * on))


@pytest.mark.parametrize("pilots", [PILOTS, PILOTS | {"201": 2, "202": 5}])
def test_an_effect_that_comparators_share_is_found_whole_under_one_go_live_and_several(pilots: dict[str, int]) -> None:
    found = parts(planted(0.5, pilots), an_exposure(), pilots=pilots)["att"].loc["all"]
    assert found["as estimated"] < EFFECT - 0.01
    assert found["dose"] == pytest.approx(EFFECT)
    assert found["without"] == pytest.approx(EFFECT)


def test_bounds_hold_the_effect_at_every_intensity_and_reach_it_at_their_ends() -> None:
    cells = some_cells(seed=3)
    wide = parts(cells, an_exposure(least=0.1, most=0.9)).loc[("all", "bounds")]
    at = [parts(cells, an_exposure(intensity=x)).loc[("all", "dose")] for x in (0.1, 0.5, 0.9)]
    assert (wide["att_low"], wide["att_high"]) == pytest.approx((min(a["att"] for a in at), max(a["att"] for a in at)))
    assert wide["ci_low"] == pytest.approx(min(a["ci_low"] for a in at))
    assert wide["ci_high"] == pytest.approx(max(a["ci_high"] for a in at))
    assert np.isnan(wide["att"])
    main, _ = fitted(cells)
    assert at[1]["ci_low"] == pytest.approx(main.ci_low_wcr / at[1]["divisor"])


def test_a_known_dose_beside_an_unknown_one_moves_the_bounds_as_a_whole() -> None:
    cells, known = some_cells(seed=3), an_exposure(la_codes=["213"], intensity=0.4)
    also = parts(cells, an_exposure(least=0.1, most=0.9), known).loc[("all", "bounds")]
    doses = [parts(cells, an_exposure(intensity=x), known).loc[("all", "dose")] for x in (0.1, 0.9)]
    ends = sorted(float(dose["att"]) for dose in doses)
    assert (also["att_low"], also["att_high"]) == pytest.approx((ends[0], ends[1]))


def test_kinds_stand_apart_and_the_greatest_intensity_of_an_authority_counts() -> None:
    twice = an_exposure(kind="shared_staff", la_codes=["211", "212"], intensity=0.3)
    found = parts(some_cells(), an_exposure(), twice)
    assert found["n_exposed"].groupby(level="kind").first().to_dict() == {"all": 3, "neighbour": 2, "shared_staff": 2}
    together = parts(some_cells(), an_exposure(), an_exposure(la_codes=["212"], intensity=0.3))
    assert found.loc[("all", "dose"), "att"] == pytest.approx(together.loc[("all", "dose"), "att"])


def test_where_nearly_all_comparators_are_exposed_nothing_is_told_and_why() -> None:
    everyone = an_exposure(la_codes=[str(code) for code in range(207, 215)], intensity=1.0)
    found = parts(some_cells(), everyone).loc["all"]
    assert found.loc[["without", "dose", "bounds"], "att"].isna().all()
    assert "cannot be told" in found.loc["dose", "note"]
    assert found.loc["without", "note"]


def test_without_an_exposed_comparator_there_are_no_rows() -> None:
    assert parts(some_cells()).empty
    assert parts(some_cells(), an_exposure(**{"from": quarter(30)})).empty


def test_a_practice_model_is_an_exposure_whose_intensity_is_known() -> None:
    main, prepared = fitted(some_cells())
    model = {"la_code": "210", "model": "similar", "from": quarter(3), "intensity": 0.5}
    study = a_study().model_copy(update={"practice_models": a_study().practice_models})
    study = Study.model_validate(study.model_dump(by_alias=True) | {"practice_models": [model]})
    of_model = contamination_frame(main, prepared, study=study)
    declared = a_study(an_exposure(kind="similar_model", la_codes=["210"]))
    as_exposure = contamination_frame(main, prepared, study=declared)
    pd.testing.assert_frame_equal(of_model, as_exposure)


def test_declared_exposures_are_checked() -> None:
    with pytest.raises(ValueError, match="below least or above most"):
        an_exposure(least=0.6)
    with pytest.raises(ValueError, match="pilots, which have the programme itself: 201"):
        a_study(an_exposure(la_codes=["201", "210"]))
    assert "exposures" not in a_study().plan()
