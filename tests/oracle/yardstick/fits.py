"""Every specification of a study that pyfixest can fit on individual rows: two-way fixed effects, clustered by unit."""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date

import duckdb
import numpy as np
import pandas as pd
import pyfixest

from tests.oracle.yardstick import reference
from tests.oracle.yardstick.outcomes import MONTHS
from tests.oracle.yardstick.study import Study, Variant, day


@dataclass(frozen=True)
class Specification:
    """What is fitted: the rows of an outcome, the go-live of each treated unit, who compares, and how rows weigh."""

    name: str
    base_id: str
    variant: Variant
    go_lives: dict[str, date]
    comparators: str
    weights: str
    covariates: tuple[str, ...]
    missing: str
    before: date | None = None


def specifications(study: Study) -> Iterator[Specification]:
    """Yields each outcome's, main first. With several go-lives two-way fixed effects are the row `twfe`, and all."""
    go_lives, own = study.go_lives, str(study.comparators["kind"])
    by_id = {variant.outcome_id: variant for variant in study.variants}
    for variant in study.variants:
        if variant.outcome_id != variant.base_id:
            continue
        main = Specification(
            "main", variant.base_id, variant, go_lives, own, study.weights, study.covariates, study.missing
        )
        if len(set(go_lives.values())) > 1:
            yield _but(main, name="twfe")
            continue
        yield main
        other = "child" if study.weights == "la_equal" else "la_equal"
        yield _but(main, name=other, weights=other)
        if study.covariates:
            yield _but(main, name="unadjusted", covariates=())
        for start in map(day, study.sensitivity.get("go_live", ())):
            if {start} != set(go_lives.values()):
                yield _but(main, name=f"go_live={start}", go_lives=dict.fromkeys(go_lives, start))
        for kind in study.sensitivity.get("comparators", ()):
            if kind != own:
                yield _but(main, name=f"comparators={kind}", comparators=kind)
        for name, switched in by_id.items():
            if switched.base_id == variant.outcome_id and name != variant.outcome_id:
                yield _but(main, name=name.removeprefix(f"{variant.outcome_id}~"), variant=switched)
        if study.covariates:
            missing = "indicator" if study.missing == "complete_case" else "complete_case"
            yield _but(main, name=f"missing={missing}", missing=missing)
        first = min(go_lives.values())
        for start in map(day, study.sensitivity.get("placebo_dates", ())):
            yield _but(main, name=f"placebo_date={start}", go_lives=dict.fromkeys(go_lives, start), before=first)


def _but(main: Specification, **changed: object) -> Specification:
    return Specification(**{**main.__dict__, **changed})


def fit_all(db: duckdb.DuckDBPyConnection, study: Study, rows_of: dict[str, str]) -> pd.DataFrame:
    """Returns outcome_id, specification, n_rows, att and se_cr1 of every specification that can be estimated.

    `rows_of` names the query of each variant's analysed rows: unit_id, period, period_start, y and the covariates.
    """
    found: list[tuple[object, ...]] = []
    held: dict[str, pd.DataFrame] = {}
    for specification in specifications(study):
        key = specification.variant.outcome_id
        if key not in held:
            # One outcome's rows at a time; its alternatives that are other rows come and go.
            held = {name: rows for name, rows in held.items() if name == specification.base_id}
            held[key] = db.execute(rows_of[key]).df()
        fitted = fit(held[key], study, specification)
        if fitted is not None:
            found.append((specification.base_id, specification.name, *fitted))
    return pd.DataFrame(found, columns=["outcome_id", "specification", "n_rows", "att", "se_cr1"])


def fit(rows: pd.DataFrame, study: Study, specification: Specification) -> tuple[int, float, float] | None:
    """Returns the number of rows, the effect and its clustered standard error; None where nothing can be compared."""
    empty = rows[list(specification.covariates)].isna()
    if specification.missing == "complete_case":
        rows = rows[~empty.any(axis=1)]
    elif empty.any(axis=None):
        rows = rows.fillna(dict.fromkeys(specification.covariates, "missing"))
    if specification.before is not None:
        ends = rows["period_start"] + pd.DateOffset(months=MONTHS[study.period])
        rows = rows[ends <= pd.Timestamp(specification.before)]
    units = set(rows["unit_id"].unique())
    go_lives = {unit: start for unit, start in specification.go_lives.items() if unit in units}
    chosen = comparators(rows, study, specification, go_lives)
    rows = rows[rows["unit_id"].isin([*go_lives, *chosen])]
    start = pd.to_datetime(rows["unit_id"].map(go_lives).astype(object))
    if study.transition == "drop":
        ends = rows["period_start"] + pd.DateOffset(months=MONTHS[study.period])
        kept = ~((rows["period_start"] < start) & (ends > start))
        rows, start = rows[kept], start[kept]
    rows = rows.assign(treated=(rows["period_start"] >= start).astype(float))
    sides = rows[start.notna()].groupby("unit_id", observed=True)["treated"].nunique()
    lacking = set(go_lives) - set(sides[sides == 2].index)
    if lacking == set(go_lives) or (lacking and study.incomplete_units == "refuse"):
        return None
    rows = rows[~rows["unit_id"].isin(lacking)]
    rows = _without_lone_levels(rows, study, specification)
    formula = " + ".join(["y ~ treated", *(f"C({name})" for name in specification.covariates)]) + " | unit_id + period"
    weights = None
    if specification.weights == "la_equal":
        rows = rows.assign(weight=1.0 / rows.groupby("unit_id", observed=True)["y"].transform("size"))
        weights = "weight"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        fitted = pyfixest.feols(
            formula, rows, vcov={"CRV1": "unit_id"}, weights=weights, fixef_tol=1e-13, fixef_maxiter=100_000,
            fixef_rm="none", copy_data=False, store_data=False,
        )  # fmt: skip
    return len(rows), float(fitted.coef()["treated"]), float(fitted.se()["treated"])


def comparators(rows: pd.DataFrame, study: Study, specification: Specification, go_lives: dict[str, date]) -> set[str]:
    """The units that compare: those without a pilot that are not excluded, or the chosen among them."""
    unit_of = {code: unit for unit in rows["unit_id"].unique() for code in unit.split("+")}
    declared = study.comparators
    excluded = {unit for code in declared["exclude"] for unit in reference.units_named(code, unit_of)}
    able = {unit for unit in rows["unit_id"].unique() if unit not in go_lives and unit not in excluded}
    if specification.comparators == "all":
        return able
    if specification.comparators == "matched":
        return _matched(rows, able, go_lives, k=declared["k"], on=declared["on"])
    codes = declared["la_codes"]
    if specification.comparators == "neighbours":
        lists = reference.neighbours(declared["n"])
        codes = [near for pilot in study.pilots for one in _lists_of(pilot, lists) for near in lists[one]]
    return {unit for code in codes for unit in reference.units_named(code, unit_of)} & able


def _lists_of(pilot: str, lists: dict[str, list[str]]) -> set[str]:
    return reference.units_named(pilot, {code: code for code in lists})


def _matched(rows: pd.DataFrame, able: set[str], go_lives: dict[str, date], *, k: int, on: list[str]) -> set[str]:
    """The k nearest to each treated unit by standardised level and trend before its go-live."""
    chosen: set[str] = set()
    for pilot, start in go_lives.items():
        early = rows[rows["unit_id"].isin([pilot, *able]) & (rows["period_start"] < pd.Timestamp(start))]
        traits = pd.DataFrame({unit: _level_and_trend(own) for unit, own in early.groupby("unit_id", observed=True)}).T
        traits = traits[list(on)].dropna()
        if pilot not in traits.index:
            continue
        spread = traits.std(ddof=1)
        scaled = traits / spread.where(spread > 0, 1.0)
        distance = np.sqrt(((scaled - scaled.loc[pilot]) ** 2).sum(axis=1)).drop(pilot)
        ranked = sorted(distance.items(), key=lambda one: (one[1], one[0]))
        chosen |= {str(unit) for unit, _ in ranked[:k]}
    return chosen


def _level_and_trend(own: pd.DataFrame) -> dict[str, float]:
    """A unit's mean, and the least-squares slope of its rows on time."""
    time = own["period"].astype(float)
    about = time - time.mean()
    trend = (about * own["y"]).sum() / (about**2).sum() if own["period"].nunique() > 1 else np.nan
    return {"level": own["y"].mean(), "trend": trend}


def _without_lone_levels(rows: pd.DataFrame, study: Study, specification: Specification) -> pd.DataFrame:
    """Merges a level that stands in one unit only into the commonest, or drops its rows, as the study says."""
    while True:
        lone = {
            name: set(units.index[units == 1])
            for name in specification.covariates
            if (units := rows.groupby(name)["unit_id"].nunique()).eq(1).any()
        }
        if not lone:
            return rows
        if study.lone_levels == "refuse":
            raise ValueError(f"a level stands in one unit only: {lone}")
        for name, levels in lone.items():
            is_lone = rows[name].isin(levels)
            if study.lone_levels == "drop":
                rows = rows[~is_lone]
            else:
                rows = rows.assign(**{name: rows[name].mask(is_lone, rows.loc[~is_lone, name].value_counts().idxmax())})
