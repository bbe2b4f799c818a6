"""Placebo pilots on DfE's published tables: what nine authorities that did nothing 'achieve'."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from sos_spark.analysis.placebo import placebo_pilots
from sos_spark.analysis.specification import fit_beside_main
from sos_spark.bronze.read.published import published_values, read_published
from sos_spark.cohort.units import study_units
from sos_spark.config.load import load_study
from sos_spark.config.periods import periods_between
from sos_spark.config.reference import authorities, authority_changes, published_reference
from sos_spark.config.shipped import conf_root
from sos_spark.config.study import Study
from sos_spark.outcome.published import MEASURES, Component, published_cells

pytestmark = pytest.mark.reference

OUTCOME = "rereferral_12m"


@pytest.fixture(scope="module")
def study() -> Study:
    return load_study(conf_root() / "studies" / "published_referrals.toml")


@pytest.fixture(scope="module")
def cells(reference_data: Path, study: Study) -> pd.DataFrame:
    """The re-referral cells of every LA and year, as the step makes them."""
    files = sorted((reference_data / "dfe_open").glob("*.csv"))
    tables = [table for path in files if (table := read_published(path.read_bytes(), reference=published_reference()))]
    units: dict[str, list[Component]] = {}
    for unit in study_units(study, authorities=authorities(), changes=authority_changes()):
        part = Component(unit.la_code, unit.first_census_year, unit.last_census_year)
        units.setdefault(unit.unit_id, []).append(part)
    known = published_cells(published_values(tables), measure=MEASURES[OUTCOME], units=units, window=study.window)
    starts = {cell: date(cell.census_year - 1, 4, 1) for cell in known if not cell.reason}
    first = study.window.baseline[0]
    return pd.DataFrame(
        [
            (OUTCOME, cell.unit_id, periods_between(first, start, "year"), start, cell.n, cell.y_sum, cell.y_sum)
            for cell, start in starts.items()
        ],
        columns=["outcome_id", "unit_id", "period", "period_start", "n", "y_sum", "y_sumsq"],
    )


@pytest.mark.parametrize("weights", ["child", "la_equal"])
def test_nine_pseudo_pilots_spread_by_two_points(cells: pd.DataFrame, study: Study, weights: str) -> None:
    inference = study.inference.model_copy(update={"weights": weights})
    placebo = placebo_pilots(cells, study.design(OUTCOME), inference=inference, draws=2_000)
    assert (len(placebo.att), placebo.n_pilots, placebo.enumerated) == (2_000, 9, False)
    assert placebo.n_candidates > 130
    assert placebo.n_undefined == 0
    assert 0.016 <= placebo.sd <= 0.024
    assert abs(placebo.real_att) < 2 * placebo.sd


def test_every_declared_specification_has_an_estimate(cells: pd.DataFrame, study: Study) -> None:
    quick = study.model_copy(update={"inference": study.inference.model_copy(update={"draws": 999})})
    rows = {result.specification: result for result in fit_beside_main(cells, quick, OUTCOME)}
    assert set(rows) == {"la_equal", "logit", "synthetic_did", "comparators=all", "comparators=matched"}
    assert all(abs(result.att) < 0.06 for result in rows.values())
    wide = placebo_pilots(cells, study.design(OUTCOME), inference=study.inference, draws=99)
    assert rows["comparators=all"].att == pytest.approx(wide.real_att, rel=1e-10)
    # Norfolk's 2013 return is missing, so it has no place in the balanced panel.
    assert "pilots among them: 1" in rows["synthetic_did"].note
    assert rows["synthetic_did"].n_treated_clusters == 8
