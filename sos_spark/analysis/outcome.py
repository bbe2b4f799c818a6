"""Everything that is fitted of one outcome: its specifications, and the tables that stand beside the main one.

Each table is a file of a run. What cannot be computed of an outcome whose main effect was estimated is left out of its
table with a warning, and the run goes on.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from sos_spark.analysis.casemix import casemix_frame, casemix_levels_frame, casemix_trend_frame
from sos_spark.analysis.contamination import contamination_frame
from sos_spark.analysis.declared import main_specification
from sos_spark.analysis.durations import Lengths, duration_days_frame, duration_effects_frame, lengths_of
from sos_spark.analysis.honest import honest_frame
from sos_spark.analysis.leave_one_out import leave_one_out
from sos_spark.analysis.other_inference import other_inference_frame
from sos_spark.analysis.pilots import EachPilot, each_pilot, pilots_frame, pooled_frame
from sos_spark.analysis.placebo import (
    PlaceboPilots,
    placebo_frame,
    placebo_pilots,
    placebo_summary,
)
from sos_spark.analysis.power import power_frame
from sos_spark.analysis.pretrend import pretrend_frame
from sos_spark.analysis.secondary.analyses import secondary_frame
from sos_spark.analysis.secondary.rows import Source
from sos_spark.analysis.specification import fit_beside_main, fit_specification
from sos_spark.analysis.staggered_tables import (
    aggregates_frame,
    group_time_frame,
)
from sos_spark.analysis.synthetic_checks import synthetic_checks_frame
from sos_spark.config.characteristics import Trait
from sos_spark.config.simulated import SIMULATED_TRAITS
from sos_spark.config.study import Design, Study
from sos_spark.errors import SosError
from sos_spark.fit.cells.arms import arms_frame
from sos_spark.fit.cells.prepare import Prepared, prepare
from sos_spark.fit.did import blank_result
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.estimators import shares_one_go_live
from sos_spark.fit.result import DidResult
from sos_spark.fit.staggered.goodman_bacon import goodman_bacon_frame
from sos_spark.fit.synthetic import synthetic_did
from sos_spark.fit.welch import welch_as_it_holds
from sos_spark.tables import results
from sos_spark.tables.results import ResultTable


@dataclass(frozen=True)
class Inputs:
    """What every outcome is fitted from.

    `panel` holds the cells of all outcomes; `sources` says which traits of authorities a simulation made up;
    `durations` is durations.csv, without rows where there is none.
    """

    panel: pd.DataFrame
    study: Study
    sources: Mapping[Trait, Source] = field(default_factory=dict)
    durations: pd.DataFrame = field(default_factory=pd.DataFrame)


@dataclass(frozen=True)
class OutcomeFit:
    """One outcome's results, main first, and its tables by name; warnings; why main could not be estimated, if so."""

    results: tuple[DidResult, ...]
    tables: Mapping[str, pd.DataFrame] = field(default_factory=dict)
    warnings: tuple[str, ...] = ()
    failure: NotEstimableError | None = None


@dataclass(frozen=True)
class _Fitted:
    """An outcome whose main effect was estimated."""

    inputs: Inputs
    prepared: Prepared
    main: DidResult

    @property
    def study(self) -> Study:
        return self.inputs.study

    @cached_property
    def design(self) -> Design:
        return self.study.design(self.main.outcome_id)

    @property
    def smallest_effect(self) -> float | None:
        return self.design.smallest_effect_of_interest

    @property
    def shares_one_go_live(self) -> bool:
        """Whether the event study says all that tables of staggered adoption would."""
        return shares_one_go_live(self.prepared.panel)

    @cached_property
    def pilots(self) -> EachPilot:
        return each_pilot(self.prepared.panel, weights=self.study.inference.weights)

    @cached_property
    def lengths(self) -> Lengths | None:
        return lengths_of(self.prepared.panel, self.inputs.durations, inference=self.study.inference)

    @cached_property
    def placebos(self) -> list[PlaceboPilots]:
        draws, inference = self.study.sensitivity.placebo_pilots, self.study.inference
        return [placebo_pilots(self.inputs.panel, self.design, inference=inference, draws=draws)] if draws else []


def fit_outcome(inputs: Inputs, outcome_id: str) -> OutcomeFit:
    """Fits one outcome. An outcome with nothing to compare is a row of blanks with its reason.

    Raises:
        InputError: The cells are faulty.
        StudyError: The study contradicts itself.
    """
    study, specification = inputs.study, main_specification(inputs.study, outcome_id)
    try:
        prepared = prepare(inputs.panel, specification.design)
        main = fit_specification(inputs.panel, specification, prepared=prepared)
    except NotEstimableError as error:
        blank = blank_result(specification.design, inference=study.inference, note=error.what)
        return OutcomeFit((replace(blank, analysis=specification.analysis),), failure=error)
    fitted = _Fitted(inputs, prepared, main)
    others = fit_beside_main(inputs.panel, study, outcome_id, prepared=prepared)
    tables, warnings = {}, []
    for table, rows_of in TABLES:
        try:
            tables[table.name] = rows_of(fitted)
        except SosError as error:
            warnings.append(f"{outcome_id}: {table.name} left out: {error.what}")
    return OutcomeFit((_with_pretrend(main), *others), tables, tuple(warnings))


def _with_pretrend(main: DidResult) -> DidResult:
    """Returns the main result with its pre-trend test."""
    if main.event_study_result is None:
        return main
    return replace(main, p_pretrend=main.event_study_result.p_pretrend)


def _event_study(fitted: _Fitted) -> pd.DataFrame:
    return fitted.main.event_study()


def _pretrend(fitted: _Fitted) -> pd.DataFrame:
    return pretrend_frame(fitted.main, smallest_effect=fitted.smallest_effect)


def _honest(fitted: _Fitted) -> pd.DataFrame:
    return honest_frame(fitted.main)


def _leave_one_out(fitted: _Fitted) -> pd.DataFrame:
    if not fitted.study.sensitivity.leave_one_out or fitted.main.fitted is None:
        return pd.DataFrame()
    return leave_one_out(fitted.main.fitted, smallest_effect=fitted.smallest_effect)


def _pilots(fitted: _Fitted) -> pd.DataFrame:
    return pilots_frame(fitted.main.outcome_id, fitted.pilots)


def _pilots_pooled(fitted: _Fitted) -> pd.DataFrame:
    return pooled_frame(fitted.main.outcome_id, fitted.pilots)


def _balance(fitted: _Fitted) -> pd.DataFrame:
    return fitted.prepared.balance


def _casemix(fitted: _Fitted) -> pd.DataFrame:
    return casemix_frame(fitted.prepared.panel, inference=fitted.study.inference)


def _casemix_trend(fitted: _Fitted) -> pd.DataFrame:
    return casemix_trend_frame(fitted.prepared.panel)


def _casemix_levels(fitted: _Fitted) -> pd.DataFrame:
    return casemix_levels_frame(fitted.prepared.panel)


def _duration_effects(fitted: _Fitted) -> pd.DataFrame:
    return duration_effects_frame(fitted.lengths)


def _duration_days(fitted: _Fitted) -> pd.DataFrame:
    return duration_days_frame(fitted.lengths)


def _arms(fitted: _Fitted) -> pd.DataFrame:
    return arms_frame(fitted.main.outcome_id, fitted.prepared.arms, fitted.prepared.gtimes)


def _welch(fitted: _Fitted) -> pd.DataFrame:
    test = welch_as_it_holds(fitted.prepared.panel)
    low, high = test.interval()
    row = (fitted.main.outcome_id, test.difference, test.se, test.df, test.p, low, high, test.se_pooled, test.p_pooled,
           *test.pooled_interval(), test.n_treated, test.n_comparators, test.note)  # fmt: skip
    return pd.DataFrame([row], columns=list(results.WELCH.column_names))


def _group_time(fitted: _Fitted) -> pd.DataFrame:
    if fitted.shares_one_go_live:
        return pd.DataFrame()
    return group_time_frame(fitted.prepared.panel, inference=fitted.study.inference)


def _aggregates(fitted: _Fitted) -> pd.DataFrame:
    if fitted.shares_one_go_live:
        return pd.DataFrame()
    return aggregates_frame(fitted.prepared.panel, inference=fitted.study.inference)


def _goodman_bacon(fitted: _Fitted) -> pd.DataFrame:
    if fitted.shares_one_go_live:
        return pd.DataFrame()
    return goodman_bacon_frame(fitted.prepared.panel)


def _placebo_pilots(fitted: _Fitted) -> pd.DataFrame:
    return placebo_frame(fitted.placebos)


def _placebo_summary(fitted: _Fitted) -> pd.DataFrame:
    return placebo_summary(fitted.placebos)


def _secondary(fitted: _Fitted) -> pd.DataFrame:
    return secondary_frame(
        fitted.prepared,
        design=fitted.design,
        study=fitted.study,
        inference=fitted.study.inference,
        source=fitted.inputs.sources,
    )


def _contamination(fitted: _Fitted) -> pd.DataFrame:
    made_up = fitted.inputs.sources.get("practice_models") == "simulated"
    note = SIMULATED_TRAITS if made_up else ""
    return contamination_frame(fitted.main, fitted.prepared, study=fitted.study, note=note)


def _synthetic(fitted: _Fitted) -> pd.DataFrame:
    arms = fitted.prepared.arms
    units = synthetic_did(fitted.prepared.panel, refits=0, seed=fitted.study.inference.seed).units()
    rows = [(fitted.main.outcome_id, one.unit_id, arms[one.unit_id], one.weight, one.left_out) for one in units]
    return pd.DataFrame(rows, columns=list(results.SYNTHETIC.column_names))


def _synthetic_checks(fitted: _Fitted) -> pd.DataFrame:
    return synthetic_checks_frame(fitted.prepared.panel, inference=fitted.study.inference)


def _inference(fitted: _Fitted) -> pd.DataFrame:
    methods = fitted.study.sensitivity.inference
    return other_inference_frame(fitted.main, methods=methods, inference=fitted.study.inference)


def _power(fitted: _Fitted) -> pd.DataFrame:
    return power_frame(fitted.main, smallest_effect=fitted.smallest_effect)


TABLES: tuple[tuple[ResultTable, Callable[[_Fitted], pd.DataFrame]], ...] = (
    (results.EVENT_STUDY, _event_study),
    (results.PRETREND, _pretrend),
    (results.HONEST, _honest),
    (results.LEAVE_ONE_OUT, _leave_one_out),
    (results.PILOTS, _pilots),
    (results.PILOTS_POOLED, _pilots_pooled),
    (results.BALANCE, _balance),
    (results.CASEMIX, _casemix),
    (results.CASEMIX_TREND, _casemix_trend),
    (results.CASEMIX_LEVELS, _casemix_levels),
    (results.DURATION_EFFECTS, _duration_effects),
    (results.DURATION_DAYS, _duration_days),
    (results.ARMS, _arms),
    (results.WELCH, _welch),
    (results.GROUP_TIME, _group_time),
    (results.AGGREGATES, _aggregates),
    (results.GOODMAN_BACON, _goodman_bacon),
    (results.PLACEBO_PILOTS, _placebo_pilots),
    (results.PLACEBO_SUMMARY, _placebo_summary),
    (results.INFERENCE, _inference),
    (results.SYNTHETIC, _synthetic),
    (results.SYNTHETIC_CHECKS, _synthetic_checks),
    (results.SECONDARY, _secondary),
    (results.CONTAMINATION, _contamination),
    (results.POWER, _power),
)
"""Each file that stands beside the estimates, and what makes its rows of one outcome."""
