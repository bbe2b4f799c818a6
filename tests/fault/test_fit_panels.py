"""Faulty panels: each is refused with a reason and exit code 4, or is warned of."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sos_spark.config.study import Comparators, Covariates, Pilot, Population
from sos_spark.errors import InputError
from sos_spark.fit.cells.prepare import Prepared, prepare
from sos_spark.fit.cells.reading import read_panel
from sos_spark.fit.errors import NotEstimableError
from tests.fit_panels import a_design, a_window, some_cells

Change = Callable[[pd.DataFrame], pd.DataFrame]


def at(row: int, column: str, value: object) -> Change:
    """Puts one value in one cell."""

    def change(cells: pd.DataFrame) -> pd.DataFrame:
        changed = cells.astype({column: object})
        changed.loc[row, column] = value
        return changed

    return change


def with_sex(cells: pd.DataFrame, **lone: str) -> pd.DataFrame:
    """Two cells for every one: male and female; `lone` gives a unit's own name of the second."""
    other = pd.Series([lone.get(f"u{unit}", "female") for unit in cells["unit_id"]], index=cells.index)
    return pd.concat([cells.assign(sex="male"), cells.assign(sex=other)], ignore_index=True)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        pytest.param(lambda c: c.drop(columns="n"), "lacks columns", id="column missing"),
        pytest.param(lambda c: c.iloc[:0], "no rows", id="no rows"),
        pytest.param(lambda c: c.assign(outcome_id="other"), "no rows of the outcome", id="another outcome"),
        pytest.param(at(3, "y_sum", "many"), "Text stands where a number belongs, in y_sum", id="text for a sum"),
        pytest.param(at(3, "n", "1,200"), "Text stands where a number belongs, in n", id="thousands separator"),
        pytest.param(at(3, "n", ""), "missing or infinite in n", id="blank count"),
        pytest.param(at(3, "y_sum", "nan"), "Text stands where a number belongs", id="nan as text"),
        pytest.param(at(3, "y_sum", float("inf")), "where a number belongs", id="infinity"),
        pytest.param(at(3, "n", -4), "n is negative or no whole number", id="negative count"),
        pytest.param(at(3, "n", 12.5), "n is negative or no whole number", id="fractional count"),
        pytest.param(at(3, "period", 0.5), "period is negative or no whole number", id="fractional period"),
        pytest.param(at(3, "unit_id", ""), "lack their unit_id", id="no unit"),
        pytest.param(at(3, "n", 0), "no rows have a y_sum", id="sum without rows"),
        pytest.param(at(3, "y_sumsq", 0), "y_sumsq is less than it can be", id="impossible sum of squares"),
        pytest.param(at(3, "y_sum", 2**53), "too large to be exact", id="beyond exact doubles"),
        pytest.param(lambda c: pd.concat([c, c.iloc[[5]]]), "a cell twice", id="duplicate cell"),
        pytest.param(at(3, "period_start", "spring"), "period_start is no date", id="no date"),
        pytest.param(at(3, "period_start", "2013-07-01"), "disagree in order or spacing", id="two starts of a period"),
        pytest.param(lambda c: c.assign(period=c["period"] * 2), "disagree in order or spacing", id="spacing"),
        pytest.param(lambda c: c.assign(period=7 - c["period"]), "disagree in order or spacing", id="order"),
    ],
)
def test_a_faulty_panel_is_refused(change: Change, said: str) -> None:
    with pytest.raises(InputError, match=said) as caught:
        prepare(change(some_cells()), a_design())
    assert caught.value.exit_code == 4


def test_more_keys_than_a_number_holds_tell_cells_apart_still() -> None:
    cells = some_cells()
    many = cells.assign(**{f"key_{k:02d}": np.arange(len(cells)).astype(str) for k in range(12)})
    ours, theirs = (prepare(source.sample(frac=1, random_state=3), a_design()).panel for source in (many, cells))
    assert (ours.rows == theirs.rows).all()
    assert ours.n_cells == len(cells)
    with pytest.raises(InputError, match="a cell twice"):
        prepare(pd.concat([many, many.iloc[[9]].assign(study_id="other")]), a_design())


def test_an_error_never_quotes_a_cell() -> None:
    with pytest.raises(InputError) as caught:
        prepare(at(3, "y_sum", "Jane Doe")(some_cells()), a_design())
    assert "Jane" not in str(caught.value)
    assert "1 of 112 rows" in str(caught.value)


@pytest.mark.parametrize(
    ("pilots", "said"),
    [
        ({"330": 3}, "no treated unit"),
        ({"201": 0}, "No treated unit has rows before go-live"),
        ({"201": 20}, "No treated unit has rows from go-live on"),
    ],
)
def test_nothing_to_compare(pilots: dict[str, int], said: str) -> None:
    with pytest.raises(NotEstimableError, match=said) as caught:
        prepare(some_cells(), a_design(pilots=pilots))
    assert caught.value.exit_code == 4


def test_no_comparator_is_left() -> None:
    design = a_design(comparators=Comparators(kind="listed", la_codes=("330",)))
    with pytest.raises(NotEstimableError, match="No unit of the panel can compare"):
        prepare(some_cells(), design)


class TestIncompleteUnits:
    """A treated unit without rows on one side of its go-live."""

    cells = some_cells()
    late = cells[~((cells["unit_id"] == "202") & (cells["period"] < 3))]

    def test_refused_with_its_code(self) -> None:
        with pytest.raises(InputError, match="202"):
            prepare(self.late, a_design())

    def test_a_pilot_not_in_the_panel_at_all_is_refused_too(self) -> None:
        with pytest.raises(InputError, match="330"):
            prepare(self.cells, a_design(pilots={"201": 3, "330": 3}))

    def test_dropped_with_a_warning(self) -> None:
        prepared = prepare(self.late, a_design(population=Population(incomplete_units="drop")))
        assert "202" not in prepared.panel.unit_ids
        assert prepared.arms["202"] == "unused"
        assert any("202" in warning for warning in prepared.panel.warnings)

    def test_a_comparator_stays_with_a_warning(self) -> None:
        one_sided = self.cells[~((self.cells["unit_id"] == "214") & (self.cells["period"] >= 3))]
        prepared = prepare(one_sided, a_design())
        assert prepared.arms["214"] == "comparator"
        assert any("214" in warning for warning in prepared.panel.warnings)


class TestLoneLevels:
    """A covariate level that one unit alone has."""

    cells = with_sex(some_cells(), u210="unknown")

    def prepared(self, rule: str) -> Prepared:
        covariates = Covariates.model_validate({"categorical": ["sex"], "lone_levels": rule})
        return prepare(self.cells, a_design(covariates=covariates))

    def test_refused_with_its_name(self) -> None:
        with pytest.raises(InputError, match="sex: unknown"):
            self.prepared("refuse")

    def test_merged_into_the_commonest(self) -> None:
        panel = self.prepared("merge").panel
        assert panel.covariates == ("sex=female",)
        assert panel.n_rows == 2 * some_cells()["n"].sum()

    def test_dropped(self) -> None:
        panel = self.prepared("drop").panel
        lost = some_cells().query("unit_id == '210'")["n"].sum()
        assert panel.n_rows == 2 * some_cells()["n"].sum() - lost


class TestMissingCovariates:
    """Blank covariates."""

    cells = with_sex(some_cells())
    cells.loc[[0, 20], "sex"] = None

    def test_complete_case_drops_the_cells_and_counts_them_by_arm(self) -> None:
        prepared = prepare(self.cells, a_design(covariates=Covariates(categorical=("sex",))))
        lost = self.cells.loc[[0, 20], "n"].sum()
        assert prepared.panel.n_rows == self.cells["n"].sum() - lost
        assert any(f"{lost} of" in warning and "pilots" in warning for warning in prepared.panel.warnings)

    def test_indicator_makes_them_a_level(self) -> None:
        design = a_design(covariates=Covariates(categorical=("sex",), missing="indicator"))
        assert "sex=missing" in prepare(self.cells, design).panel.covariates

    def test_a_covariate_the_panel_lacks_is_a_warning(self) -> None:
        prepared = prepare(some_cells(), a_design(covariates=Covariates(categorical=("sex",))))
        assert any("sex" in warning for warning in prepared.panel.warnings)


def test_a_period_absent_everywhere_is_a_warning() -> None:
    cells = some_cells()
    prepared = prepare(cells[cells["period"] != 5], a_design())
    assert any("period 5" in warning for warning in prepared.panel.warnings)


def test_without_sums_of_squares_there_is_a_warning() -> None:
    prepared = prepare(some_cells().drop(columns="y_sumsq"), a_design())
    assert prepared.panel.y_sumsq is None
    assert any("y_sumsq" in warning for warning in prepared.panel.warnings)


def test_a_go_live_inside_a_period_is_warned_of_and_may_be_dropped() -> None:
    inside = tuple(Pilot(la_code=code, go_live=date(2013, 12, 1)) for code in ("201", "202", "203"))
    kept = prepare(some_cells(), a_design().model_copy(update={"pilots": inside}))
    assert set(kept.gtimes.values()) == {3}
    assert any("contains the go-live" in warning for warning in kept.panel.warnings)
    design = a_design(window=a_window(transition="drop")).model_copy(update={"pilots": inside})
    dropped = prepare(some_cells(), design).panel
    assert (dropped.rows[dropped.is_treated_unit, 2] == 0).all()
    assert (dropped.rows[~dropped.is_treated_unit, 2] > 0).all()


class TestFiles:
    """CSV files as they come."""

    def write(self, folder: Path, text: str) -> Path:
        path = folder / "cells.csv"
        path.write_bytes(text.encode("utf-8"))
        return path

    def test_leading_zeros_and_a_byte_order_mark_are_read(self, tmp_path: Path) -> None:
        cells = some_cells().replace({"unit_id": {"214": "014"}})
        path = self.write(tmp_path, "\ufeff" + cells.to_csv(index=False))
        assert "014" in prepare(read_panel(path), a_design()).panel.unit_ids

    def test_a_file_gives_what_its_frame_gives(self, tmp_path: Path) -> None:
        path = self.write(tmp_path, some_cells().to_csv(index=False))
        ours, theirs = (prepare(source, a_design()).panel for source in (read_panel(path), some_cells()))
        assert (ours.rows == theirs.rows).all()
        assert (ours.y_sum == theirs.y_sum).all()

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("", "is empty"),
            ("outcome_id,unit_id,period,period_start,n,y_sum\n", "no rows"),
            ("outcome_id,unit_id,unit_id\n", "a column twice"),
            ("outcome_id,unit_id,period,period_start,n,y_sum\no,201,0\n", "another length"),
            ("just some text\nwith lines\n", "lacks columns"),
        ],
    )
    def test_a_broken_file_is_refused(self, tmp_path: Path, text: str, said: str) -> None:
        with pytest.raises(InputError, match=said):
            read_panel(self.write(tmp_path, text))

    def test_a_missing_or_binary_file_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(InputError, match="cannot be read"):
            read_panel(tmp_path / "nothing.csv")
        path = tmp_path / "cells.csv"
        path.write_bytes(b"\xff\xfe\x00\x01")
        with pytest.raises(InputError, match="cannot be read"):
            read_panel(path)
