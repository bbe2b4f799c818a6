"""A study's whole fit: every outcome's specifications, event study and leave-one-out, and the family's adjusted p.

Specifications: `main`; the same under the other weights (`la_equal`, or `child` where the study weighs LAs equally);
`unadjusted` where covariates were used; `twfe` where go-lives differ and `main` is the group-time average.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from sos_spark.config.study import Covariates, Design, Inference, Study
from sos_spark.errors import InputError
from sos_spark.fit.arms import arms_frame
from sos_spark.fit.design import TREATED
from sos_spark.fit.did import ALPHA, blank_result, fit_prepared
from sos_spark.fit.equivalence import equivalence_test
from sos_spark.fit.event_study import EVENT_STUDY_COLUMNS
from sos_spark.fit.evidence import RULES, EvidenceInputs
from sos_spark.fit.leave_out import LEAVE_ONE_OUT_COLUMNS, leave_one_out
from sos_spark.fit.matching import BALANCE_COLUMNS
from sos_spark.fit.multiplicity import family_test
from sos_spark.fit.panel import NotEstimableError, outcomes_in, read_panel
from sos_spark.fit.prepare import Prepared, prepare
from sos_spark.fit.result import ESTIMATE_COLUMNS, DidResult

ARMS_COLUMNS = ("outcome_id", "unit_id", "arm", "gtime")


@dataclass(frozen=True)
class StudyFit:
    """A study's results and the frames of its files.

    `estimates` has a row an outcome and specification; `event_study`, `leave_one_out`, `arms` are of `main`; `balance`
    has rows where comparators were matched. `failures` are why outcomes could not be estimated, in the study's order.
    """

    results: tuple[DidResult, ...]
    estimates: pd.DataFrame
    event_study: pd.DataFrame
    leave_one_out: pd.DataFrame
    balance: pd.DataFrame
    arms: pd.DataFrame
    warnings: tuple[str, ...]
    failures: tuple[NotEstimableError, ...]


@dataclass(frozen=True)
class _OutcomeFit:
    """One outcome's results, main first, and its frames."""

    results: tuple[DidResult, ...]
    event_study: pd.DataFrame
    leave_one_out: pd.DataFrame
    balance: pd.DataFrame
    arms: pd.DataFrame
    failure: NotEstimableError | None = None


def fit_study(panel: pd.DataFrame, study: Study) -> StudyFit:
    """Fits every outcome of the study that the panel has.

    An outcome that has nothing to compare gives a row of blanks with its reason; the others are fitted.

    Raises:
        InputError: The panel is faulty, or has none of the study's outcomes.
        StudyError: The study contradicts itself.
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
    fits = [_fit_outcome(panel, study.design(outcome_id), study) for outcome_id in outcome_ids]
    results = _with_evidence(_with_family(fits, study.inference), fits, study)
    absent = [outcome_id for outcome_id in study.outcome_ids if outcome_id not in present]
    warnings = [f"the panel has no rows of {', '.join(absent)}"] if absent else []
    for result in results:
        reasons = (*result.warnings, *(part for part in result.note.split("; ") if part))
        warnings += [f"{result.outcome_id}: {reason}" for reason in reasons if result.specification == "main"]
    return StudyFit(
        results=results,
        estimates=_stacked([result.to_frame() for result in results], ESTIMATE_COLUMNS),
        event_study=_stacked([fit.event_study for fit in fits], EVENT_STUDY_COLUMNS),
        leave_one_out=_stacked([fit.leave_one_out for fit in fits], LEAVE_ONE_OUT_COLUMNS),
        balance=_stacked([fit.balance for fit in fits], BALANCE_COLUMNS),
        arms=_stacked([fit.arms for fit in fits], ARMS_COLUMNS),
        warnings=tuple(dict.fromkeys(warnings)),
        failures=tuple(fit.failure for fit in fits if fit.failure is not None),
    )


def _stacked(frames: list[pd.DataFrame], columns: tuple[str, ...]) -> pd.DataFrame:
    filled = [frame for frame in frames if len(frame)]
    if not filled:
        return pd.DataFrame(columns=list(columns))
    return pd.concat(filled, ignore_index=True)[list(columns)]


def _fit_outcome(panel: pd.DataFrame, design: Design, study: Study) -> _OutcomeFit:
    inference = study.inference
    nothing = pd.DataFrame()
    try:
        prepared = prepare(panel, design)
        main = fit_prepared(prepared, design=design, inference=inference)
    except NotEstimableError as error:
        blank = blank_result(design, inference=inference, note=error.what)
        return _OutcomeFit((blank,), nothing, nothing, nothing, nothing, error)
    event_study = main.event_study()
    if main.event_study_result is not None:
        main = replace(main, p_pretrend=main.event_study_result.p_pretrend)
    return _OutcomeFit(
        results=(main, *_companions(panel, prepared, main, design, inference)),
        event_study=event_study,
        leave_one_out=leave_one_out(main.fitted) if study.sensitivity.leave_one_out and main.fitted else nothing,
        balance=prepared.balance if design.comparators.kind == "matched" else nothing,
        arms=arms_frame(design.outcome_id, prepared.arms, prepared.gtimes),
    )


def _companions(
    panel: pd.DataFrame, prepared: Prepared, main: DidResult, design: Design, inference: Inference
) -> list[DidResult]:
    """Returns the specifications that always stand beside the main one."""
    other = "la_equal" if inference.weights == "child" else "child"
    weighed = inference.model_copy(update={"weights": other})
    results = [fit_prepared(prepared, design=design, inference=weighed, specification=other)]
    if prepared.panel.covariates:
        bare = design.model_copy(update={"covariates": Covariates()})
        results.append(fit_prepared(prepare(panel, bare), design=bare, inference=inference, specification="unadjusted"))
    if main.estimator != "twfe":
        try:
            row = fit_prepared(prepared, design=design, inference=inference, specification="twfe", estimator="twfe")
        except NotEstimableError as error:
            row = blank_result(design, inference=inference, specification="twfe", note=error.what)
        results.append(row)
    return results


def _with_family(fits: list[_OutcomeFit], inference: Inference) -> list[DidResult]:
    """Returns all results, the main ones of the primary family with adjusted p-values.

    An outcome whose bootstrap is not shown, because few LAs are treated, takes no part in the family.
    """
    family = {
        main.outcome_id: main.fitted.moments
        for main in (fit.results[0] for fit in fits)
        if main.family == "primary" and main.fitted is not None and not np.isnan(main.p_wcr)
    }
    adjusted: dict[str, tuple[float, float]] = {}
    if family:
        test = family_test(family, coefficient=TREATED, draws=inference.draws, seed=inference.seed)
        adjusted = {
            outcome_id: (float(p), float(holm))
            for outcome_id, p, holm in zip(test.outcome_ids, test.p_adjusted, test.p_holm, strict=True)
        }
    results = []
    for fit in fits:
        main, *others = fit.results
        if main.outcome_id in adjusted:
            p_adjusted, p_holm = adjusted[main.outcome_id]
            main = replace(main, p_adjusted=p_adjusted, p_holm=p_holm)
        results += [main, *others]
    return results


def _with_evidence(results: list[DidResult], fits: list[_OutcomeFit], study: Study) -> tuple[DidResult, ...]:
    """Returns the results, the main ones with the strength of evidence by the study's own rule."""
    left_out = {fit.results[0].outcome_id: fit.leave_one_out for fit in fits}
    rated = []
    for result in results:
        if result.specification != "main":
            rated.append(result)
            continue
        inputs = evidence_inputs(result, study.outcome(result.outcome_id).smallest_effect_of_interest, left_out)
        rated.append(replace(result, evidence=str(RULES[study.evidence.rule](inputs, alpha=ALPHA))))
    return tuple(rated)


def evidence_inputs(
    result: DidResult, smallest_effect: float | None, left_out: dict[str, pd.DataFrame]
) -> EvidenceInputs:
    """Returns what the rule for the strength of evidence reads of a result."""
    frame = left_out.get(result.outcome_id, pd.DataFrame())
    pilots = frame[(frame["arm"] == "pilot") & frame["att"].notna()] if len(frame) else frame
    p_values = {"wcr": result.p_wcr, "cr2": result.p_cr2, "ri": result.p_ri}
    equivalence = (
        equivalence_test(att=result.att, se=result.se_cr2, df=result.df_satterthwaite, bound=smallest_effect).p
        if smallest_effect is not None
        else None
    )
    return EvidenceInputs(
        att=_known(result.att),
        significant=result.significant,
        p_adjusted=_known(result.p_adjusted),
        p_values={name: p for name, p in p_values.items() if _known(p) is not None},
        p_pretrend=_known(result.p_pretrend),
        leave_one_out=tuple(zip(pilots["att"], pilots["p_cr2"], strict=True)) if len(pilots) else (),
        p_equivalence=None if equivalence is None else _known(equivalence),
    )


def _known(value: float) -> float | None:
    return None if np.isnan(value) else value
