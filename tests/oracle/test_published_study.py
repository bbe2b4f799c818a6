"""The study of published tables, checked from the raw files on: cells, estimates and what suppressed counts can be."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyfixest
import pytest
from scipy import stats

from sos_spark.analysis.bounds import UNKNOWN_COLUMNS, bounds_frame
from sos_spark.bronze.read.published import REGION, PublishedValue, published_values, read_published
from sos_spark.cohort.units import study_units
from sos_spark.config.load import load_study
from sos_spark.config.outcomes.published import MeasureName
from sos_spark.config.reference import authorities, authority_changes, published_reference
from sos_spark.config.shipped import conf_root
from sos_spark.config.study import Study, Window
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.regression.design import TREATED, treatment_regression
from sos_spark.outcome.published import MEASURES, Component, published_cells
from sos_spark.outcome.published_bounds import ROUNDING, published_bounds
from tests.oracle import published_reading as raw
from tests.references import Reference
from tools.published_cells import shipped_files

PUBLISHED = Reference(
    "Study on published tables",
    "estimate and CR1 error",
    "pyfixest on a second reading of the raw files",
    "second implementation",
    1e-10,
)

pytestmark = pytest.mark.reference

STUDY = load_study(conf_root() / "studies" / "published_referrals.toml")
OUTCOMES: list[Any] = [outcome.outcome_id for outcome in STUDY.outcomes]
EVERY_YEAR = set(range(2013, 2021))


@pytest.fixture(scope="module")
def folder(reference_data: Path) -> Path:
    return reference_data / "dfe_open"


@pytest.fixture(scope="module")
def values(folder: Path) -> list[PublishedValue]:
    tables = (
        read_published(path.read_bytes(), reference=published_reference()) for path in sorted(folder.glob("*.csv"))
    )
    return published_values(table for table in tables if table is not None)


@cache
def components(study: Study = STUDY) -> dict[str, list[Component]]:
    units: dict[str, list[Component]] = {}
    for unit in study_units(study, authorities=authorities(), changes=authority_changes()):
        part = Component(unit.la_code, unit.first_census_year, unit.last_census_year)
        units.setdefault(unit.unit_id, []).append(part)
    return units


def project_cells(values: list[PublishedValue], measure: str) -> dict[tuple[str, int], tuple[int | None, int | None]]:
    cells = published_cells(values, measure=MEASURES[measure], units=components(), window=STUDY.window)
    return {(cell.unit_id, cell.census_year): (cell.n, cell.y_sum) for cell in cells}


def known(values: list[PublishedValue], measure: str) -> dict[tuple[str, int], tuple[int, int]]:
    cells = project_cells(values, measure)
    return {place: (n, y) for place, (n, y) in cells.items() if n is not None and y is not None}


def panel_cells(values: list[PublishedValue], measure: str) -> pd.DataFrame:
    rows = [
        (measure, unit, year - 2013, date(year - 1, 4, 1), n, y)
        for (unit, year), (n, y) in known(values, measure).items()
    ]
    return pd.DataFrame(rows, columns=["outcome_id", "unit_id", "period", "period_start", "n", "y_sum"])


@pytest.mark.parametrize("measure", OUTCOMES)
def test_every_cell_is_that_of_a_second_reading_of_the_raw_files(
    folder: Path, values: list[PublishedValue], measure: str
) -> None:
    theirs = raw.by_unit(folder, measure)
    expected = {
        (row["unit"], row["year"]): (int(row["n"]), int(row["y"])) for row in theirs.dropna().to_dict("records")
    }
    assert known(values, measure) == expected
    assert set(zip(theirs["unit"], theirs["year"], strict=True)) == set(project_cells(values, measure))


@pytest.mark.parametrize("measure", OUTCOMES)
def test_estimate_and_cr1_are_pyfixest_s_on_the_second_reading(
    folder: Path, values: list[PublishedValue], measure: str
) -> None:
    theirs = raw.study_panel(folder, measure)
    panel = prepare(panel_cells(values, measure), STUDY.design(measure)).panel
    fitted = Sandwich(treatment_regression(panel, weights="child").moments)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fit = pyfixest.feols(
            "share ~ treated | unit + year",
            theirs,
            vcov={"CRV1": "unit"},
            weights="n",
            weights_type="fweights",
            fixef_tol=1e-14,
            fixef_maxiter=100_000,
            fixef_rm="none",
        )

    assert panel.n_rows == theirs["n"].sum()
    assert set(panel.unit_ids) == set(theirs["unit"])
    assert fitted.estimate(TREATED) == PUBLISHED.equals(float(fit.coef()["treated"]))
    assert fitted.se(fitted.cr1, TREATED) == PUBLISHED.equals(float(fit.se()["treated"]))


def test_the_cells_that_ship_are_those_of_the_tables_as_downloaded(values: list[PublishedValue]) -> None:
    for name, text in shipped_files(STUDY, values).items():
        assert (conf_root() / "published" / name).read_text(encoding="utf-8") == text, name


def cr2_by_brute_force(cells: pd.DataFrame) -> tuple[float, float, float]:
    """Estimate, CR2 standard error and Satterthwaite df, every dummy spelled out, I - H in full.

    Rows of a cell share their regressors. In an orthonormal basis of the rows of each cell whose first vector is the
    constant one, only that one has regressors, sqrt(n) x, and residuals of the others are orthogonal to every score: so
    the regression of individual rows is that of sqrt(n) times the cell's mean.
    """
    unit, year = pd.factorize(cells["unit"])[0], pd.factorize(cells["year"], sort=True)[0]
    n_units, n_years = unit.max() + 1, year.max() + 1
    x = np.zeros((len(cells), n_units + n_years))
    x[:, 0] = cells["treated"]
    x[np.arange(len(cells)), 1 + unit] = 1
    later = np.flatnonzero(year > 0)
    x[later, n_units + year[later]] = 1
    root = np.sqrt(cells["n"].to_numpy())
    x, y = x * root[:, None], cells["share"].to_numpy() * root
    bread = np.linalg.inv(x.T @ x)
    left = np.eye(len(y)) - x @ bread @ x.T
    beta = bread @ (x.T @ y)
    residual, scores, directions = y - x @ beta, [], []
    for g in range(n_units):
        mine = np.flatnonzero(unit == g)
        freedom, vectors = np.linalg.eigh(left[np.ix_(mine, mine)])
        inverse = np.where(freedom > 1e-10, 1 / np.sqrt(np.where(freedom > 1e-10, freedom, 1)), 0)
        adjusted = (vectors * inverse) @ vectors.T @ x[mine] @ bread[0]
        scores.append(adjusted @ residual[mine])
        directions.append(left[:, mine] @ adjusted)
    p = np.array(directions) @ np.array(directions).T
    return float(beta[0]), float(np.sqrt(np.sum(np.square(scores)))), float(np.trace(p) ** 2 / np.sum(p**2))


@pytest.mark.parametrize("measure", ["rereferral_12m", "special_guardianship_share"])
def test_cr2_of_the_primary_estimates_is_that_of_brute_force(
    folder: Path, values: list[PublishedValue], measure: str
) -> None:
    panel = prepare(panel_cells(values, measure), STUDY.design(measure)).panel
    own = Sandwich(treatment_regression(panel, weights="child").moments).satterthwaite_of([TREATED])
    att, se, df = cr2_by_brute_force(raw.study_panel(folder, measure))
    assert own.estimate[0] == pytest.approx(att, rel=1e-9)
    assert own.se[0] == pytest.approx(se, rel=1e-9)
    assert own.df[0] == pytest.approx(df, rel=1e-8)


def test_the_study_compares_nine_pilots_with_62_neighbours_northamptonshire_among_them(
    folder: Path, values: list[PublishedValue]
) -> None:
    panel = raw.study_panel(folder, "rereferral_12m")
    assert panel.loc[panel["is_pilot"], "unit"].nunique() == 9
    assert panel.loc[~panel["is_pilot"], "unit"].nunique() == 62
    assert {"835+836+837+838+839", "928"} <= set(panel["unit"])
    arms = prepare(panel_cells(values, "rereferral_12m"), STUDY.design("rereferral_12m")).arms
    assert arms["928"] == "comparator"


def test_the_readme_quotes_the_study_as_a_second_reading_computes_it(folder: Path) -> None:
    """The README wraps its lines, so its text is compared with every space alike."""
    readme = " ".join((conf_root().parent / "README.md").read_text(encoding="utf-8").split())
    panel = raw.study_panel(folder, "rereferral_12m")
    att, se, df = cr2_by_brute_force(panel)
    n_neighbours = panel.loc[~panel["is_pilot"], "unit"].nunique()
    before = panel[panel["is_pilot"] & (panel["year"] < raw.FIRST_TREATED)]
    detectable = (stats.t.ppf(0.975, df) + stats.t.ppf(0.8, df)) * se
    guardianship = cr2_by_brute_force(raw.study_panel(folder, "special_guardianship_share"))[0]
    for said in (
        f"their {n_neighbours} statistical neighbours",
        f"rose by {100 * att:.1f} percentage points more in the pilots",
        f"CR2 p = {2 * stats.t.sf(abs(att / se), df):.2f}",
        f"from {100 * before['y'].sum() / before['n'].sum():.1f} % before",
        f"found four times out of five is {100 * detectable:.1f} points",
        f"{100 * guardianship:+.1f} points",
    ):
        assert said in readme, said


def share(values: list[PublishedValue], measure: str, unit: str, year: int) -> float:
    n, y = known(values, measure)[unit, year]
    return y / n


def test_pilots_whose_data_are_messy_are_read_as_they_are(values: list[PublishedValue]) -> None:
    assert share(values, "nfa_share", "384", 2015) == pytest.approx(0.64, abs=0.005)
    assert share(values, "rereferral_12m", "384", 2016) == pytest.approx(0.68, abs=0.005)
    assert share(values, "nfa_share", "855", 2017) == pytest.approx(0.48, abs=0.005)
    for year in (2018, 2019, 2020):
        assert share(values, "nfa_share", "938", year) == 0
    assert project_cells(values, "nfa_share")["926", 2013] == (None, None)
    assert project_cells(values, "rereferral_12m")["926", 2013] == (None, None)
    assert project_cells(values, "rereferral_12m")["926", 2014] == (None, None)
    assert known(values, "nfa_share")["926", 2014] == (9729, 508)


def test_every_measure_has_every_year_of_the_window_that_its_files_hold(values: list[PublishedValue]) -> None:
    for measure in OUTCOMES:
        years = {year for _, year in known(values, measure)}
        assert years == (EVERY_YEAR - {2013, 2014} if measure == "assessed_within_45" else EVERY_YEAR), measure
    longer = STUDY.model_copy(
        update={
            "window": Window(
                baseline=("2012-04-01", "2015-04-01"),
                follow_up=("2015-04-01", "2024-04-01"),
                period="year",
                data_ends="2024-03-31",
            )
        }
    )
    last = {"special_guardianship_share": 2022}
    for measure in OUTCOMES:
        cells = published_cells(values, measure=MEASURES[measure], units=components(longer), window=longer.window)
        first = 2015 if measure == "assessed_within_45" else 2013
        found = {cell.census_year for cell in cells if cell.reason is None}
        assert found == set(range(first, last.get(measure, 2024) + 1)), measure


def test_unknown_cells_are_few_but_for_guardianship_and_none_is_left_out_silently(
    values: list[PublishedValue],
) -> None:
    counts = {}
    for measure in OUTCOMES:
        cells = published_cells(values, measure=MEASURES[measure], units=components(), window=STUDY.window)
        assert len(cells) == len(components()) * 8
        reasons = pd.Series([cell.reason for cell in cells if cell.reason]).value_counts()
        counts[measure] = (int(reasons.get("suppressed", 0)), int(reasons.get("unavailable", 0)))
    assert counts == {
        "rereferral_12m": (7, 9),
        "nfa_share": (54, 3),
        "icpc_per_section47": (11, 1),
        "icpc_per_referral": (7, 3),
        "assessed_within_45": (66, 0),
        "looked_after_rate": (1, 12),
        "special_guardianship_share": (383, 5),
    }


# --- what suppressed counts can have been ----------------------------------------------------------------------------


def regional_rounding(values: list[PublishedValue]) -> Iterator[int]:
    """A region's total less the sum of its LAs, wherever all of them are known."""
    regions: dict[str, list[str]] = {}
    for code, authority in authorities().items():
        regions.setdefault(REGION + authority.region.casefold(), []).append(code)
    counts = {(v.census_year, v.quantity, v.la_code): v.value for v in values}
    for (year, quantity, place), total in counts.items():
        if place in regions and total is not None:
            existing = [code for code in regions[place] if authorities()[code].existed_in(year)]
            parts = [counts.get((year, quantity, code)) for code in existing]
            if None not in parts:
                yield total - sum(part for part in parts if part is not None)


def test_regions_are_their_authorities_rounded_to_10(values: list[PublishedValue]) -> None:
    off = list(regional_rounding(values))
    assert len(off) > 1500
    assert max(map(abs, off)) <= ROUNDING


def test_bounds_hold_counts_that_are_withheld_for_a_test(values: list[PublishedValue]) -> None:
    random = np.random.default_rng(8)
    numerators = {"rereferrals", "nfa", "icpc", "looked_after", "ceased_guardianship", "ceased_guardianship_carers",
                  "Same_day", "1-10_days", "61+_days", "ceased_because:Adopted", "ceased_because:CEA_Died"}  # fmt: skip
    withheld = [
        replace(v, value=None, status="suppressed")
        if v.quantity in numerators and v.value is not None and v.la_code.isdigit() and random.random() < 0.2
        else v
        for v in values
    ]
    n_checked = 0
    for measure in OUTCOMES:
        truth = known(values, measure)
        for bound in published_bounds(
            withheld, measure=measure, units=components(), window=STUDY.window, authorities=authorities()
        ):
            place = bound.unit_id, bound.census_year
            if bound.reason != "suppressed" or place not in truth:
                continue
            n, y = truth[place]
            assert bound.n is not None
            assert bound.y_low is not None
            assert bound.y_low <= y <= (np.inf if bound.y_high is None else bound.y_high), (measure, place)
            assert bound.n >= n
            n_checked += 1
    assert n_checked > 1000


def test_what_norfolk_s_re_referrals_of_2014_can_have_been(values: list[PublishedValue]) -> None:
    bounds = published_bounds(
        values, measure="rereferral_12m", units=components(), window=STUDY.window, authorities=authorities()
    )
    by_place = {(bound.unit_id, bound.census_year): bound for bound in bounds}
    # 9,729 referrals of 8,352 children, 1,848 of whom were re-referred.
    norfolk = by_place["926", 2014]
    assert (norfolk.n, norfolk.y_low, norfolk.y_high) == (9729, 1848, 9729 - (8352 - 1848))
    assert (by_place["926", 2013].n, by_place["926", 2013].reason) == (None, "unavailable")


@pytest.mark.parametrize("measure", OUTCOMES)
def test_the_study_s_bounds(values: list[PublishedValue], measure: MeasureName) -> None:
    found = published_bounds(
        values, measure=measure, units=components(), window=STUDY.window, authorities=authorities()
    )
    unknown = pd.DataFrame(
        [(measure, b.unit_id, b.census_year - 2013, date(b.census_year - 1, 4, 1), b.n, b.y_low, b.y_high, b.reason)
         for b in found],
        columns=list(UNKNOWN_COLUMNS),
    )  # fmt: skip
    row = bounds_frame(
        panel_cells(values, measure), unknown, design=STUDY.design(measure), inference=STUDY.inference
    ).iloc[0]
    assert row["ci_low"] < row["att_low"] <= row["att_high"] < row["ci_high"]
    if measure == "rereferral_12m":
        assert row["n_cells_unknown"] == 4
    if measure == "special_guardianship_share":
        assert row["att_low"] < 0 < row["att_high"]
