"""A study's whole fit: every outcome with all that was declared of it, the family's adjusted p, the evidence."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial

import numpy as np
import pandas as pd

from sos_spark.analysis.evidence import RULES, EvidenceInputs, no_drift
from sos_spark.analysis.families import adjusted_for_families
from sos_spark.analysis.outcome import TABLES, Inputs, OutcomeFit, fit_outcome
from sos_spark.analysis.secondary.rows import Source
from sos_spark.config.areas import names_of_panel
from sos_spark.config.characteristics import Trait
from sos_spark.config.study import Inference, Study
from sos_spark.errors import InputError
from sos_spark.fit.cells.arms import refuse_unknown_codes
from sos_spark.fit.cells.reading import outcomes_in, read_panel, units_in
from sos_spark.fit.errors import NotEstimableError
from sos_spark.fit.result import DidResult
from sos_spark.fit.thresholds import ALPHA
from sos_spark.machine.side_by_side import side_by_side
from sos_spark.tables.results import ESTIMATES, SENSITIVITY

MANY_CELLS = 10_000
"""Below it outcomes are fitted sooner than another process starts."""

FITTED = tuple(name for name in ESTIMATES.column_names if name != "is_simulated")
"""The columns of estimates.csv that a fit knows; where the data come from, its caller does."""


@dataclass(frozen=True)
class StudyFit:
    """A study's results and the frames of its files.

    `estimates` has one row per outcome and specification, main first; `sensitivity` the same rows as a curve. `tables`
    holds the further files by name, each with its columns even where it has no rows. `failures` are why outcomes could
    not be estimated, in the study's order.
    """

    results: tuple[DidResult, ...]
    estimates: pd.DataFrame
    sensitivity: pd.DataFrame
    tables: Mapping[str, pd.DataFrame]
    warnings: tuple[str, ...]
    failures: tuple[NotEstimableError, ...]

    @property
    def files(self) -> dict[str, pd.DataFrame]:
        """Every frame by the name of its file."""
        return {"estimates": self.estimates, "sensitivity": self.sensitivity, **self.tables}


def fit_study(
    panel: pd.DataFrame,
    study: Study,
    *,
    sources: Mapping[Trait, Source] | None = None,
    durations: pd.DataFrame | None = None,
    counted: Callable[[Sequence[str]], Iterable[str]] = iter,
    processes: int = 1,
) -> StudyFit:
    """Fits every outcome of the study that the panel has.

    An outcome that has nothing to compare gives a row of blanks with its reason; the others are fitted.

    Args:
        panel: Collapsed cells, also of declared alternatives.
        study: What is estimated.
        sources: Which traits of authorities a simulation made up; the study declared the others.
        durations: Counts by day of outcomes that are lengths, as durations.csv, where there are any.
        counted: Gives the outcomes one by one, and may tell how many are done.
        processes: How many processes share the outcomes where there are many cells; changes no number.

    Raises:
        InputError: The panel is faulty, or has none of the study's outcomes.
        StudyError: The study contradicts itself, or names authorities that neither its window nor the panel has.
    """
    panel = read_panel(panel)
    present = set(outcomes_in(panel))
    outcome_ids = [outcome_id for outcome_id in study.outcome_ids if outcome_id in present]
    if not outcome_ids:
        raise InputError(
            "The panel has none of the study's outcomes",
            expected=", ".join(study.outcome_ids),
            found=", ".join(sorted(present)[:8]) or "no outcome_id",
            remedy="Check outcome_id in the panel and in the study file",
        )
    refuse_unknown_codes(study, [names_of_panel(units_in(panel, outcome_id)) for outcome_id in outcome_ids])
    inputs = Inputs(panel, study, sources or {}, pd.DataFrame() if durations is None else durations)
    fit = partial(fit_outcome, inputs)
    processes = processes if len(panel) >= MANY_CELLS else 1
    with closing(
        side_by_side(fit, outcome_ids, processes=processes, there=partial(partial, fit_outcome, inputs))
    ) as made:
        fits = [next(made) for _ in counted(outcome_ids)]
    results = _with_evidence(_with_family(fits, study.inference), fits, study)
    estimates = _stacked([result.to_frame() for result in results], FITTED)
    absent = [outcome_id for outcome_id in study.outcome_ids if outcome_id not in present]
    return StudyFit(
        results=results,
        estimates=estimates,
        sensitivity=_curve(estimates),
        tables={
            table.name: _stacked(
                [fit.tables[table.name] for fit in fits if table.name in fit.tables], table.column_names
            )
            for table, _ in TABLES
        },
        warnings=_warnings(results, fits, absent),
        failures=tuple(fit.failure for fit in fits if fit.failure is not None),
    )


def _stacked(frames: Sequence[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(filled, ignore_index=True)[list(columns)]


def _curve(estimates: pd.DataFrame) -> pd.DataFrame:
    """Returns the estimates with their difference to their outcome's main one."""
    main = estimates[estimates["specification"] == "main"].set_index("outcome_id")["att"]
    curve = estimates.assign(difference=estimates["att"] - estimates["outcome_id"].map(main))
    return curve[list(SENSITIVITY.column_names)]


def _warnings(results: Sequence[DidResult], fits: Sequence[OutcomeFit], absent: Sequence[str]) -> tuple[str, ...]:
    warnings = [f"the panel has no rows of {', '.join(absent)}"] if absent else []
    for result in results:
        reasons = (*result.warnings, *(part for part in result.note.split("; ") if part))
        warnings += [f"{result.outcome_id}: {reason}" for reason in reasons if result.specification == "main"]
    warnings += [warning for fit in fits for warning in fit.warnings]
    return tuple(dict.fromkeys(warnings))


def _with_family(fits: Sequence[OutcomeFit], inference: Inference) -> list[DidResult]:
    """Returns all results, the main ones with p-values adjusted for their families."""
    mains = [fit.results[0] for fit in fits]
    adjusted = adjusted_for_families([main for main in mains if main.analysis == "main"], inference=inference)
    results = []
    for fit in fits:
        main, *others = fit.results
        if main.outcome_id in adjusted:
            p_adjusted, p_holm = adjusted[main.outcome_id]
            main = replace(main, p_adjusted=p_adjusted, p_holm=p_holm)
        results += [main, *others]
    return results


def _with_evidence(results: Sequence[DidResult], fits: Sequence[OutcomeFit], study: Study) -> tuple[DidResult, ...]:
    """Returns the results, the main ones with the strength of evidence by the study's own rule."""
    tables = {fit.results[0].outcome_id: fit.tables for fit in fits}
    rated = []
    for result in results:
        if result.specification != "main":
            rated.append(result)
            continue
        own = tables[result.outcome_id]
        left_out, drift = (own.get(name, pd.DataFrame()) for name in ("leave_one_out", "pretrend"))
        inputs = evidence_inputs(result, left_out, drift)
        rated.append(replace(result, evidence=str(RULES[study.evidence.rule](inputs, alpha=ALPHA))))
    return tuple(rated)


def evidence_inputs(result: DidResult, left_out: pd.DataFrame, drift: pd.DataFrame) -> EvidenceInputs:
    """Returns what the rule for the strength of evidence reads: the result, and two files of its outcome.

    They are leave_one_out.csv and pretrend.csv.
    """
    pilots = left_out[(left_out["arm"] == "pilot") & left_out["att"].notna()] if len(left_out) else left_out
    p_values = {"wcr": result.p_wcr, "cr2": result.p_cr2, "ri": result.p_ri}
    return EvidenceInputs(
        att=_known(result.att),
        significant=result.significant,
        p_adjusted=_known(result.p_adjusted),
        p_values={name: p for name, p in p_values.items() if _known(p) is not None},
        no_drift=_no_drift(drift),
        keeps_answer=tuple(pilots["keeps_answer"]) if len(pilots) else (),
        p_equivalence=_known(result.p_equivalence),
    )


def _no_drift(drift: pd.DataFrame) -> bool | None:
    """Returns what an outcome's pretrend.csv says of a drift; None where it has no row."""
    if drift.empty:
        return None
    row = drift.iloc[0]
    return no_drift(row["p_equivalence"], (row["ci_low"], row["ci_high"]))


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
