"""Public data sets whose answers are published: fixest, clubSandwich, R's did, Wooldridge."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sos_spark.config.study import Design, Inference, Pilot, Window
from sos_spark.fit import fit_did
from sos_spark.fit.cells.prepare import prepare
from sos_spark.fit.regression.covariance import Convention, Sandwich
from sos_spark.fit.regression.design import PreparedPanel, regression
from tests.references import Reference

CLUBSANDWICH = Reference(
    "CR2 with Satterthwaite df",
    "estimates and errors",
    "clubSandwich (R), deaths in motor vehicles, as printed",
    "published",
    6e-4,
    absolute=True,
)
FIXEST = Reference(
    "Two-way fixed effects",
    "estimates and CR1 errors",
    "fixest (R), base_did, as printed",
    "published",
    6e-7,
    absolute=True,
)
INCINERATOR = Reference(
    "Two-way fixed effects",
    "estimate and iid error",
    "Wooldridge, house prices near an incinerator, as printed",
    "published",
    6e-3,
    absolute=True,
)
MINIMUM_WAGES = Reference(
    "Callaway and Sant'Anna",
    "aggregate effect",
    "did (R), minimum wages and teen employment",
    "published",
    1e-9,
)

pytestmark = pytest.mark.reference


def yearly(frame: pd.DataFrame, *, unit: str, year: str, y: str) -> pd.DataFrame:
    """Cells of one row each, a period a year."""
    first = frame[year].min()
    value = frame[y].astype(float)
    return pd.DataFrame(
        {
            "outcome_id": "o",
            "unit_id": frame[unit].astype(str),
            "period": frame[year] - first,
            "period_start": [f"{2000 + number}-04-01" for number in frame[year] - first],
            "n": 1,
            "y_sum": value,
            "y_sumsq": value**2,
        }
    )


def yearly_design(pilots: dict[str, int]) -> Design:
    """Pilots by unit, with the number of the year they go live in."""
    return Design(
        outcome_id="o",
        window=Window(
            baseline=("2000-04-01", "2001-04-01"),
            follow_up=("2001-04-01", "2030-04-01"),
            period="year",
            data_ends="2030-03-31",
        ),
        pilots=tuple(Pilot(la_code=unit, go_live=f"{2000 + number}-04-01") for unit, number in pilots.items()),
    )


def by_unit_and_year(panel: PreparedPanel, frame: pd.DataFrame, *, unit: str, year: str, column: str) -> np.ndarray:
    """A column that varies by unit and year only, (G, T)."""
    table = frame.assign(unit=frame[unit].astype(str)).pivot(index="unit", columns=year, values=column)
    return table.loc[list(panel.unit_ids)].to_numpy(dtype=float)


def test_clubsandwich_s_motor_vehicle_deaths(reference_data: Path) -> None:
    deaths = pd.read_csv(reference_data / "did" / "mortality_mv.csv")
    states = sorted(deaths["state"].astype(str).unique())
    panel = prepare(yearly(deaths, unit="state", year="year", y="mrate"), yearly_design({states[0]: 1})).panel
    effects = {
        name: by_unit_and_year(panel, deaths, unit="state", year="year", column=name) for name in ("legal", "beertaxa")
    }
    fitted = Sandwich(regression(panel, effects, weights="child").moments, convention=Convention.CLUBSANDWICH)

    own = fitted.satterthwaite_of(["legal", "beertaxa"])

    assert own.estimate == CLUBSANDWICH.equals([7.588, 3.819])
    assert own.se == CLUBSANDWICH.equals([2.513, 5.265])
    assert own.df == pytest.approx([24.58, 5.77], abs=6e-3)
    assert fitted.se(fitted.cr1, "legal") == CLUBSANDWICH.equals(2.441)


def test_fixest_s_base_did(reference_data: Path) -> None:
    base = pd.read_csv(reference_data / "did" / "base_did.csv")
    treated = base[base["treat"] == 1]["id"].astype(str).unique()
    panel = prepare(yearly(base, unit="id", year="period", y="y"), yearly_design(dict.fromkeys(treated, 5))).panel
    mine = panel.is_treated_unit[:, None]
    effects = {"x1": by_unit_and_year(panel, base, unit="id", year="period", column="x1")}
    effects |= {f"p{k + 1}": ((panel.periods == k) & mine).astype(float) for k in range(10) if k != 4}

    fitted = Sandwich(regression(panel, effects, weights="child").moments)

    for name, (estimate, se) in {
        "x1": (0.973490, 0.045678),
        "p6": (0.784452, 1.028388),
        "p7": (3.598897, 1.101563),
        "p10": (6.606229, 1.120494),
    }.items():
        assert fitted.estimate(name) == FIXEST.equals(estimate)
        assert fitted.se(fitted.cr1, name) == FIXEST.equals(se)


def test_base_did_s_event_study(reference_data: Path) -> None:
    base = pd.read_csv(reference_data / "did" / "base_did.csv")
    treated = base[base["treat"] == 1]["id"].astype(str).unique()
    cells, design = yearly(base, unit="id", year="period", y="y"), yearly_design(dict.fromkeys(treated, 5))

    result = fit_did(cells, design=design, inference=Inference(draws=199, permutations=99))

    events = result.event_study().set_index("event_time")
    groups = base.assign(event_time=base["period"] - 6).pivot_table(index="event_time", columns="treat", values="y")
    gap = groups[1.0] - groups[0.0]
    assert events["att"].to_numpy() == pytest.approx((gap - gap[-1]).to_numpy(), rel=1e-9)
    assert result.att == pytest.approx(gap[gap.index >= 0].mean() - gap[gap.index < 0].mean(), rel=1e-9)


def test_wooldridge_s_incinerator(reference_data: Path) -> None:
    houses = pd.read_csv(reference_data / "did" / "kielmc.csv")
    cells = (
        houses.assign(squared=houses["rprice"] ** 2)
        .groupby(["nearinc", "y81"])
        .agg(n=("rprice", "size"), y_sum=("rprice", "sum"), y_sumsq=("squared", "sum"))
        .reset_index()
        .assign(outcome_id="o", unit_id=lambda c: "u" + c["nearinc"].astype(str), period=lambda c: c["y81"])
    )
    cells["period_start"] = [f"{2000 + number}-04-01" for number in cells["period"]]

    result = fit_did(cells, design=yearly_design({"u1": 1}), inference=Inference(draws=99, permutations=99))

    assert result.n_rows == 321
    assert result.att == INCINERATOR.equals(-11_863.90)
    assert result.se_iid == INCINERATOR.equals(7_456.65)


def test_callaway_and_santanna_s_minimum_wages(reference_data: Path) -> None:
    counties = pd.read_csv(reference_data / "did" / "mpdta.csv")
    treated = counties[counties["first.treat"] > 0].drop_duplicates("countyreal")
    pilots = {
        str(unit): int(year) - 2003 for unit, year in zip(treated["countyreal"], treated["first.treat"], strict=True)
    }

    result = fit_did(
        yearly(counties, unit="countyreal", year="year", y="lemp"),
        design=yearly_design(pilots),
        inference=Inference(draws=99, permutations=99, staggered="cs_simple"),
    )

    assert result.estimator == "cs_simple"
    assert result.att == MINIMUM_WAGES.equals(-0.0399512751551763)
    events = result.event_study().set_index("event_time")["att"]
    assert events[[0, 1, 2, 3]].to_numpy() == pytest.approx([-0.0199, -0.0510, -0.1373, -0.1008], abs=6e-5)
    assert events[-1] == 0


def test_a_varying_base_is_r_s_did(reference_data: Path) -> None:
    counties = pd.read_csv(reference_data / "did" / "mpdta.csv")
    treated = counties[counties["first.treat"] > 0].drop_duplicates("countyreal")
    pilots = {
        str(unit): int(year) - 2003 for unit, year in zip(treated["countyreal"], treated["first.treat"], strict=True)
    }

    events = fit_did(
        yearly(counties, unit="countyreal", year="year", y="lemp"),
        design=yearly_design(pilots),
        inference=Inference(draws=99, permutations=99, base="varying"),
    ).event_study()

    assert events["event_time"].tolist() == [-3, -2, -1, 0, 1, 2, 3]
    assert events["att"].to_numpy() == pytest.approx(
        [0.0305, -0.0006, -0.0245, -0.0199, -0.0510, -0.1373, -0.1008], abs=6e-5
    )
