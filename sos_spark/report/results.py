"""What a run left for its report: collapsed tables only, each a frame that is empty where the run has none of it."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Literal

import pandas as pd

from sos_spark.config.freeze import FrozenPlan
from sos_spark.config.periods import label as period_label
from sos_spark.config.reference import unit_name
from sos_spark.config.study import Study
from sos_spark.report.words.labels import outcome_labels
from sos_spark.report.words.numbers import SCALES, Scale

Arm = Literal["pilot", "comparator", "unused"]
ARMS: tuple[Arm, ...] = ("pilot", "comparator", "unused")
ARM_NAMES: dict[str, str] = {
    "pilot": "Pilots",
    "comparator": "Comparators",
    "unused": "Other authorities",
    "all": "All authorities",
}


def _nothing() -> pd.DataFrame:
    return pd.DataFrame()


def rows_of(frame: pd.DataFrame) -> list[Any]:
    """Returns a frame's rows, each with its columns as attributes."""
    return list(frame.itertuples())


def of_outcome(frame: pd.DataFrame, outcome_id: str) -> pd.DataFrame:
    """Returns a frame's rows of an outcome, in their order; the frame itself where it is empty."""
    return frame if frame.empty else frame[frame["outcome_id"] == outcome_id]


def with_intervals(rows: pd.DataFrame) -> pd.DataFrame:
    """Adds low, high, by and p to rows of estimates or the secondary analyses, as `Results.specifications` says."""
    by_ri = rows["headline"] == "p_ri"
    cr2 = rows["ci_low_cr2"].notna() & rows["ci_low_wcr"].isna() & ~by_ri
    # The secondary analyses have no interval of a randomisation test.
    low_ri, high_ri = (rows.get(name, pd.Series(math.nan, rows.index)) for name in ("ci_low_ri", "ci_high_ri"))
    inverted = by_ri & low_ri.notna() & rows["ci_low_wcr"].isna()
    by = pd.Series("", index=rows.index).mask(cr2, "CR2").mask(rows["ci_low_wcr"].notna(), "bootstrap")
    return rows.assign(
        low=rows["ci_low_wcr"].mask(cr2, rows["ci_low_cr2"]).mask(inverted, low_ri),
        high=rows["ci_high_wcr"].mask(cr2, rows["ci_high_cr2"]).mask(inverted, high_ri),
        by=by.mask(inverted, "randomisation"),
        p=rows["p_wcr"].fillna(rows["p_cr2"]).fillna(rows["p_ri"]).mask(by_ri, rows["p_ri"]),
    )


@dataclass(frozen=True)
class LakeTables:
    """Counts from the lake, columns as `sos_spark.tables` declares them. Without a lake all are empty."""

    units: pd.DataFrame = field(default_factory=_nothing)
    flow: pd.DataFrame = field(default_factory=_nothing)
    files: pd.DataFrame = field(default_factory=_nothing)
    ledger: pd.DataFrame = field(default_factory=_nothing)
    rule_counts: pd.DataFrame = field(default_factory=_nothing)
    expectations: pd.DataFrame = field(default_factory=_nothing)
    link_rates: pd.DataFrame = field(default_factory=_nothing)
    unobserved: pd.DataFrame = field(default_factory=_nothing)


@dataclass(frozen=True)
class PlantedEffect:
    """An effect the simulation really injected, in the outcome's own unit, over `n_treated_rows` treated index rows."""

    outcome_id: str
    effect: float
    n_treated_rows: int


@dataclass(frozen=True)
class Results:
    """A run's results. The frames' columns are those of the files of the same name.

    `is_simulated`: the data are not real, whether or not the `truth` of the simulation is at hand. `warnings`: what the
    run's steps warned of. `overrides`: the values of --set with which the study was fitted.
    """

    study: Study
    fingerprint: str
    estimates: pd.DataFrame
    event_study: pd.DataFrame = field(default_factory=_nothing)
    leave_one_out: pd.DataFrame = field(default_factory=_nothing)
    pilots: pd.DataFrame = field(default_factory=_nothing)
    pilots_pooled: pd.DataFrame = field(default_factory=_nothing)
    calibration: pd.DataFrame = field(default_factory=_nothing)
    calibration_switches: pd.DataFrame = field(default_factory=_nothing)
    arms: pd.DataFrame = field(default_factory=_nothing)
    cells: pd.DataFrame = field(default_factory=_nothing)
    balance: pd.DataFrame = field(default_factory=_nothing)
    inference: pd.DataFrame = field(default_factory=_nothing)
    synthetic: pd.DataFrame = field(default_factory=_nothing)
    synthetic_checks: pd.DataFrame = field(default_factory=_nothing)
    contamination: pd.DataFrame = field(default_factory=_nothing)
    casemix: pd.DataFrame = field(default_factory=_nothing)
    casemix_trend: pd.DataFrame = field(default_factory=_nothing)
    casemix_levels: pd.DataFrame = field(default_factory=_nothing)
    duration_effects: pd.DataFrame = field(default_factory=_nothing)
    duration_days: pd.DataFrame = field(default_factory=_nothing)
    pretrend: pd.DataFrame = field(default_factory=_nothing)
    honest: pd.DataFrame = field(default_factory=_nothing)
    group_time: pd.DataFrame = field(default_factory=_nothing)
    aggregates: pd.DataFrame = field(default_factory=_nothing)
    goodman_bacon: pd.DataFrame = field(default_factory=_nothing)
    placebo_pilots: pd.DataFrame = field(default_factory=_nothing)
    placebo_summary: pd.DataFrame = field(default_factory=_nothing)
    secondary: pd.DataFrame = field(default_factory=_nothing)
    bounds: pd.DataFrame = field(default_factory=_nothing)
    power: pd.DataFrame = field(default_factory=_nothing)
    welch: pd.DataFrame = field(default_factory=_nothing)
    lake: LakeTables = field(default_factory=LakeTables)
    truth: tuple[PlantedEffect, ...] | None = None
    is_simulated: bool = False
    frozen: FrozenPlan | None = None
    overrides: tuple[str, ...] = ()
    manifest: Mapping[str, Any] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    refused: tuple[str, ...] = ()

    @cached_property
    def labels(self) -> dict[str, str]:
        """A readable name by outcome id, in the study's order."""
        return outcome_labels(self.study)

    @cached_property
    def scales(self) -> dict[str, Scale]:
        """How each outcome is shown, by outcome id."""
        return {outcome.outcome_id: SCALES[outcome.scale] for outcome in self.study.outcomes}

    @cached_property
    def main(self) -> pd.DataFrame:
        """The main estimates, a row per outcome of the study that has one, in the study's order."""
        if self.estimates.empty:
            return self.estimates
        rows = self.estimates[self.estimates["specification"] == "main"].drop_duplicates("outcome_id")
        rows = rows.set_index("outcome_id", drop=False)
        return rows.loc[[key for key in self.labels if key in rows.index]]

    def main_row(self, outcome_id: str) -> dict[str, Any] | None:
        """Returns the main estimate of an outcome by column; None where the run left none."""
        if outcome_id not in self.main.index:
            return None
        return {str(name): self.main.at[outcome_id, name] for name in self.main.columns}

    def specifications(self, outcome_id: str) -> pd.DataFrame:
        """Returns every estimate of an outcome except placebos, each specification once, in the file's order.

        The columns of estimates, and low, high (the WCR interval; where there is none the CR2 interval, unless few
        pilots rule an interval out), by (bootstrap, CR2 or blank) and p (WCR, else CR2, else RI).
        """
        if self.estimates.empty:
            return self.estimates
        rows = of_outcome(self.estimates, outcome_id)
        rows = with_intervals(rows[rows["analysis"] != "placebo"].drop_duplicates("specification"))
        return rows.reset_index(drop=True)

    @property
    def placebo_outcomes(self) -> tuple[str, ...]:
        """The outcomes that the study says the programme cannot have moved."""
        return self.study.sensitivity.placebo_outcomes

    @cached_property
    def staggered(self) -> bool:
        """Whether pilots have different first treated periods, in any outcome."""
        if self.arms.empty:
            return len({pilot.go_live for pilot in self.study.pilots}) > 1
        starts = self.arms[self.arms["arm"] == "pilot"].groupby("outcome_id")["gtime"].nunique()
        return bool((starts > 1).any())

    @cached_property
    def _names(self) -> dict[str, str]:
        units = self.lake.units
        return {} if units.empty else dict(zip(units["unit_id"], units["unit_name"], strict=True))

    @cached_property
    def _period_names(self) -> dict[int, str]:
        """Each period's name by its number, where the lake's flow or the cells say when it starts."""
        named = [f for f in (self.lake.flow, self.cells) if {"period", "period_start"} <= set(f.columns)]
        starts = pd.concat([f[["period", "period_start"]].dropna().drop_duplicates() for f in named] or [_nothing()])
        return {
            int(period): period_label(pd.Timestamp(start).date(), self.study.window.period)
            for period, start in starts.itertuples(index=False)
        }

    def period_name(self, period: Any) -> str:
        """Returns a period's name; of a number that no cell has, the number."""
        return self._period_names.get(int(period), str(int(period)))

    def name_of(self, unit_id: str) -> str:
        """Returns a unit's name."""
        return self._names.get(unit_id) or unit_name(unit_id)

    @cached_property
    def unit_of(self) -> dict[str, str]:
        """The harmonised unit of each LA code of the lake's cohort."""
        units = self.lake.units
        return {} if units.empty else dict(zip(units["la_code"], units["unit_id"], strict=True))

    def arm_of(self, outcome_id: str | None = None) -> dict[str, str]:
        """Returns each unit's arm in an outcome; over all outcomes, the most involved arm, where none is given."""
        arms = self.arms
        if arms.empty:
            return dict.fromkeys(self._pilot_units(), "pilot")
        if outcome_id is not None:
            own = arms[arms["outcome_id"] == outcome_id]
            if not own.empty:
                return dict(zip(own["unit_id"], own["arm"], strict=True))
        rank = {arm: place for place, arm in enumerate(ARMS)}
        ordered = arms.sort_values("arm", key=lambda arm: -arm.map(rank), kind="stable")
        return dict(zip(ordered["unit_id"], ordered["arm"], strict=True))

    def _pilot_units(self) -> list[str]:
        units = self.lake.units
        if not units.empty:
            return sorted(set(units.loc[units["is_pilot"].astype(bool), "unit_id"]))
        return [pilot.la_code for pilot in self.study.pilots]

    def planted(self, outcome_id: str) -> float | None:
        """Returns the effect planted in an outcome, averaged over treated rows; None where none was."""
        own = [effect for effect in self.truth or () if effect.outcome_id == outcome_id]
        rows = sum(effect.n_treated_rows for effect in own)
        return sum(effect.effect * effect.n_treated_rows for effect in own) / rows if rows else None
