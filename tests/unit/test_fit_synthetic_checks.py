"""Synthetic controls by whole years, and augmented by a ridge regression: what must hold."""

from __future__ import annotations

from dataclasses import replace

import pytest

from sos_spark.analysis.synthetic_checks import synthetic_checks_frame
from sos_spark.fit.augmented import augmented_control
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.cells.years import in_years
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.synthetic import synthetic_did
from sos_spark.tables.results import SYNTHETIC_CHECKS
from tests.fit_panels import QUICK, a_design, some_cells

STARTS = {"201": 12, "202": 12}


def panel_of(starts: dict[str, int] | None = None, *, n_periods: int = 20) -> PreparedPanel:
    cells = some_cells(n_periods=n_periods)
    return prepare(cells, a_design(pilots=starts or STARTS)).panel


def test_years_begin_at_the_go_live_and_only_whole_ones_count() -> None:
    panel = panel_of({"201": 10, "202": 10}, n_periods=21)
    years = in_years(panel)
    # Quarters 2 to 5, 6 to 9, then from go-live 10 to 13, 14 to 17; quarters 0, 1 and 18 to 20 make no whole year.
    assert years.periods.tolist() == [0, 1, 2, 3]
    assert set(years.gtime.tolist()) == {-1, 2}
    assert years.period_starts[0] == panel.period_starts[2]
    assert (years.rows[:, 2] == panel.rows[:, 10:14].sum(axis=1)).all()
    assert years.y_sum.sum() == panel.y_sum[:, 2:18].sum()


def test_several_go_lives_have_no_years_in_common() -> None:
    with pytest.raises(NotEstimableError, match="Several go-lives"):
        in_years(panel_of({"201": 8, "202": 12}))


def test_an_effect_added_to_treated_rows_adds_itself() -> None:
    panel = panel_of()
    moved = replace(panel, y_sum=panel.y_sum + panel.rows * panel.treated * 0.1)
    augmented = [augmented_control(each, refits=0, seed=1).att for each in (panel, moved)]
    annual = [synthetic_did(in_years(each), refits=0, seed=1).att for each in (panel, moved)]
    for without, with_effect in (augmented, annual):
        assert with_effect - without == pytest.approx(0.1, abs=1e-9)


def test_a_path_that_the_weights_reach_needs_no_regression() -> None:
    panel = panel_of()
    means = panel.y_sum / panel.rows
    means[panel.is_treated_unit] = means[5] + 0.05
    fitted = augmented_control(replace(panel, y_sum=panel.rows * means), refits=0, seed=1)
    assert fitted.distance == pytest.approx(0, abs=1e-6)
    assert fitted.att == pytest.approx(0, abs=1e-5)
    assert fitted.plain == pytest.approx(fitted.att, abs=1e-5)


def test_each_outcome_has_a_row_of_each_check_or_the_reason_why_not() -> None:
    frame = synthetic_checks_frame(panel_of(), inference=QUICK).set_index("method")
    assert list(frame.columns) == [name for name in SYNTHETIC_CHECKS.column_names if name != "method"]
    assert frame.loc["annual", ["n_pilots", "n_comparators", "n_before"]].tolist() == [2, 12, 3]
    assert frame.loc["augmented", "n_before"] == 12
    assert frame[["att", "se_placebo", "p"]].notna().all(axis=None)
    staggered = synthetic_checks_frame(panel_of({"201": 8, "202": 12}), inference=QUICK)
    assert staggered["att"].isna().all()
    assert staggered["note"].ne("").all()
    alone = synthetic_checks_frame(panel_of({"201": 12}), inference=QUICK)
    assert alone["p"].isna().all()
