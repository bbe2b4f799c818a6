"""What is shown of an interval ends where the outcome can go no further, says so, and decides nothing."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pandas as pd
import pytest

from sos_spark.report.blocks import Picture, Section, Text
from sos_spark.report.results import Results
from sos_spark.report.sections import drift, estimates, placebo, planted, robustness, secondary, staggered, unknown
from sos_spark.report.sections.event_study import event_study_picture
from sos_spark.report.sections.leave_one_out import leave_one_out_picture
from sos_spark.report.sections.outcomes import forest_picture
from sos_spark.report.words.cut import cut, interval_of
from tests.unit import report_example as example
from tests.unit import report_example_analyses as analyses

KINSHIP = "kinship_placement"  # a share that stood at 14.1% before go-live
SAID = "end where the outcome can go no further: it lies between 0.0% and 100.0%."
SEVERAL = "end where an outcome can go no further"


def of_kinship(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["outcome_id"] == KINSHIP]


def reaching(size: float) -> Callable[[pd.DataFrame], pd.DataFrame]:
    """Gives a frame's rows of one outcome intervals that reach so far to either side."""

    def of(frame: pd.DataFrame) -> pd.DataFrame:
        own = of_kinship(frame).copy()
        for column in own.columns:
            if column.startswith(("ci_low", "band_low", "set_low", "att_low")):
                own[column] = own[column].mask(own[column].notna(), -size)
            elif column.startswith(("ci_high", "band_high", "set_high", "att_high")):
                own[column] = own[column].mask(own[column].notna(), size)
        return own

    return of


def results_of(size: float) -> Results:
    change = reaching(size)
    frames: dict[str, Any] = {name: change(frame) for name, frame in analyses.frames().items() if len(frame)}
    left_out = of_kinship(example.leave_one_out())
    return Results(
        study=example.a_study(),
        fingerprint="f",
        estimates=change(example.estimates()),
        event_study=change(example.event_study()),
        leave_one_out=left_out.assign(se_cr2=size / 4),
        arms=example.staggered_arms(),
        **frames,
    )


NARROW, WIDE = results_of(0.05), results_of(3.0)
FIGURES = {
    "forest": lambda results: forest_picture(results),
    "event study": lambda results: event_study_picture(results, KINSHIP),
    "honest bounds": lambda results: drift.honest_picture(results, KINSHIP),
    "pilots left out": lambda results: leave_one_out_picture(results, KINSHIP),
    "specifications": lambda results: robustness.specification_curve(results, KINSHIP),
    "estimators": lambda results: staggered.by_estimator_picture(results, KINSHIP),
    "unknown values": lambda results: unknown.bounds_picture(results),
}
STOOD_ELSEWHERE = ("unknown values", "event study", "estimators")


def cells_of(picture: Picture) -> str:
    return " ".join(cell for row in picture.table.rows for cell in row)


@pytest.mark.parametrize("name", FIGURES)
def test_a_figure_and_its_table_end_where_the_outcome_does_and_its_caption_says_so(name: str) -> None:
    picture, narrow = FIGURES[name](WIDE), FIGURES[name](NARROW)

    assert picture is not None
    assert narrow is not None
    assert SAID in picture.caption
    assert "no further" not in narrow.caption
    ends = "-100.0 to 100.0" if name in STOOD_ELSEWHERE else "-14.1 to 85.9"
    assert ends in cells_of(picture)
    assert "300.0" not in cells_of(picture) + picture.alt


def test_texts_that_stand_in_for_figures_are_cut() -> None:
    forest, honest = forest_picture(WIDE), drift.honest_picture(WIDE, KINSHIP)

    assert forest is not None
    assert honest is not None
    assert "95% interval -14.1 to 85.9" in forest.alt
    assert "95% interval -14.1 to 85.9 without a violation" in honest.alt


def words_below(section: Section | None) -> str:
    assert section is not None
    return " ".join(str(block.words) for block in section.blocks if isinstance(block, Text))


@pytest.mark.parametrize("module", [estimates, robustness, placebo, staggered], ids=lambda module: module.__name__)
def test_tables_are_cut_and_a_line_below_says_so(module: object) -> None:
    assert "no further" in words_below(module.section(WIDE))  # type: ignore[attr-defined]
    assert "no further" not in words_below(module.section(NARROW))  # type: ignore[attr-defined]


def test_planted_effects_stand_beside_an_interval_that_is_cut_and_are_judged_by_the_whole_one() -> None:
    from sos_spark.report.results import PlantedEffect

    results = replace(WIDE, truth=(PlantedEffect(KINSHIP, -0.2, 10),))

    assert planted.recovered(results)[0][4:] == ("-14.1 to 85.9", "yes")
    assert "no further" in words_below(planted.section(results))


def test_what_an_effect_in_another_direction_would_be_is_cut_in_the_sentence() -> None:
    honest = of_kinship(analyses.honest()).assign(ci_low=0.3, ci_high=3.0)

    said = drift.survival_in_words(replace(NARROW, honest=honest), KINSHIP)

    assert "30.0 to 85.9 percentage points, as far as the outcome can go" in said


def test_a_slope_is_not_cut_and_an_effect_is() -> None:
    section = secondary.section(WIDE)

    assert section is not None
    cells = [row for picture in section.pictures for row in picture.table.rows]
    interval = {row[1]: row[3] for row in cells}
    assert interval["Per unit of embeddedness"] == "-300.0 to 300.0"
    assert interval["Effect at mean embeddedness"] == "-100.0 to 100.0"


def test_rows_keep_their_own_standing_order_and_blanks() -> None:
    rows = pd.DataFrame({
        "outcome_id": [KINSHIP] * 3, "low": [-3.0, math.nan, -0.01], "high": [3.0, math.nan, 0.01],
        "baseline_mean": [0.5, 0.5, math.nan],
    })  # fmt: skip

    shown, said = cut(NARROW, rows, ("low", "high"), standing="own")

    assert shown[["low", "high"]].iloc[[0, 2]].to_numpy().tolist() == [[-0.5, 0.5], [-0.01, 0.01]]
    assert shown[["low", "high"]].iloc[1].isna().all()
    assert said
    assert rows["low"].iloc[0] == -3.0


def test_several_outcomes_are_said_of_together() -> None:
    results = Results(study=example.a_study(), fingerprint="f", estimates=example.estimates())
    rows = example.estimates().query("specification == 'main'").assign(low=-math.inf, high=math.inf)

    shown, said = cut(results, rows, ("low", "high"), standing="own")

    assert SEVERAL in said
    length = shown[shown["outcome_id"] == "assessment_duration"].iloc[0]
    assert (length["low"], length["high"]) == (-length["baseline_mean"], math.inf)
    assert interval_of(results, "assessment_duration", -99.0, 99.0) == (-31.4, 99.0)
