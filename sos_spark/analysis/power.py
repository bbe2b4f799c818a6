"""The chance of finding an effect: by the formula of the estimate's own t test, and beside it by simulated studies."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
from scipy import stats

from sos_spark.analysis.simulated_studies import simulate_power
from sos_spark.analysis.variance_components import VarianceComponents, variance_components
from sos_spark.config.study import Inference
from sos_spark.fit.inference.equivalence import minimum_detectable_effect
from sos_spark.fit.lone_pilot import LonePilot
from sos_spark.fit.regression.design import PreparedPanel
from sos_spark.fit.result import DidResult
from sos_spark.fit.thresholds import ALPHA, FEW_TREATED
from sos_spark.tables.results import POWER

MULTIPLES = (0.0, 0.5, 1.0, 1.5, 2.0)
"""The default effects, in multiples of the smallest effect of interest, or of the MDE where the study names none."""

FEW_NOTE = f"{FEW_TREATED} or fewer treated authorities: power and MDE by the randomisation distribution"
ALONE_NOTE = "one treated authority: power and MDE by its own scatter beside comparators taken for pilots"
_NAN = float("nan")
_CLIPPED = 0.01


def analytic_power(effect: float, *, se: float, df: float, alpha: float = ALPHA) -> float:
    """Returns the chance that a two-sided t test finds an effect, by the noncentral t distribution.

    Source: Cohen (1988, Statistical Power Analysis), here with the Satterthwaite df of the CR2 standard error.
    """
    if not se > 0 or not df > 0:
        return _NAN
    critical = float(stats.t.ppf(1 - alpha / 2, df))
    # Far out scipy's series gives nothing for the lower tail, which is then nothing.
    tails = np.array([stats.nct.sf(critical, df, abs(effect) / se), stats.nct.cdf(-critical, df, abs(effect) / se)])
    return float(np.clip(np.nansum(tails), 0.0, 1.0))


def power_frame(result: DidResult, *, smallest_effect: float | None) -> pd.DataFrame:
    """Returns the analytic power of a fit: at the smallest effect of interest, where given, and at its MDE.

    Returns:
        One row per effect, the columns of power.csv. Without an estimate or its standard error, one row of blanks with
        the reason.
    """
    if result.fitted is None or np.isnan(result.mde):
        return blank_power(result.outcome_id, note=result.note or "no standard error")
    components = variance_components(result.fitted.panel)
    effects = [effect for effect in (smallest_effect, result.mde) if effect is not None]
    return analytic_rows(result, components, effects)


def blank_power(outcome_id: str, *, note: str) -> pd.DataFrame:
    """Returns the row of an outcome whose power cannot be told, and why."""
    counts = {"replications": 0, "n_clusters": 0, "n_treated_clusters": 0}
    return _frame([{"outcome_id": outcome_id, "source": "analytic", "note": note} | counts])


def analytic_rows(result: DidResult, components: VarianceComponents, effects: Sequence[float]) -> pd.DataFrame:
    """Returns the analytic power of a fit at some effects: the columns of power.csv.

    By the CR2 standard error and its df; with 4 or fewer treated LAs by the randomisation distribution, and the note
    says so.
    """
    few = result.n_treated_clusters <= FEW_TREATED
    common = _scatter(components) | {
        "outcome_id": result.outcome_id,
        "source": "analytic",
        "replications": 0,
        "se_cr2": result.se_cr2,
        "df": result.df_satterthwaite,
        "mde": result.mde,
        "n_clusters": result.n_clusters,
        "n_treated_clusters": result.n_treated_clusters,
    }
    if few and result.permuted is not None:
        how = ALONE_NOTE if isinstance(result.permuted, LonePilot) else FEW_NOTE
        common["note"] = "; ".join(part for part in (components.note, how) if part)
        return _frame([common | {"effect": effect, "power": result.permuted.power(effect)} for effect in effects])
    return _frame([common | _by_formula(effect, result.se_cr2, result.df_satterthwaite) for effect in effects])


def simulated_rows(
    panel: PreparedPanel,
    components: VarianceComponents,
    effects: Sequence[float],
    *,
    inference: Inference,
    replications: int,
    pilots: int | None = None,
) -> pd.DataFrame:
    """Returns the power that simulated studies have at some effects: the columns of power.csv.

    Arguments as `simulate_power`.

    `se_cr2`, `df` and `mde` are the simulated studies'; the last is blank with 4 or fewer treated LAs, all three with
    one. With `pilots`, whose number no fit of the panel has, analytic rows from these stand first.
    """
    found = simulate_power(
        panel,
        components,
        effects,
        weights=inference.weights,
        staggered=inference.staggered,
        seed=inference.seed,
        replications=replications,
        pilots=pilots,
    )
    notes = [components.note] if components.note else []
    if pilots is not None:
        notes.append(f"{pilots} pilots drawn at random in each simulated study, all with one go-live")
    if found.clipped > _CLIPPED:
        notes.append(f"up to {found.clipped:.0%} of treated shares were held within 0 and 1, so effects are smaller")
    few = found.n_treated_clusters <= FEW_TREATED
    if few:
        notes.append(f"{FEW_TREATED} or fewer treated authorities: no power by formula; simulated studies use p_ri")
    common = _scatter(components) | {
        "outcome_id": panel.outcome_id,
        "se_cr2": _NAN if found.n_treated_clusters == 1 else found.se_cr2,
        "df": _NAN if found.n_treated_clusters == 1 else found.df,
        "mde": _NAN if few else minimum_detectable_effect(se=found.se_cr2, df=found.df),
        "n_clusters": len(panel.unit_ids),
        "n_treated_clusters": found.n_treated_clusters,
        "note": "; ".join(notes),
    }
    analytic = common | {"source": "analytic", "replications": 0}
    simulated = common | {"source": "simulated", "replications": replications}
    return _frame(
        [analytic | _by_formula(effect, found.se_cr2, found.df) for effect in effects if pilots is not None and not few]
        + [
            simulated | {"effect": effect, "power": float(share), "mc_se": float(error)}
            for effect, share, error in zip(effects, found.rejected, found.mc_se, strict=True)
        ]
    )


def default_effects(*, smallest_effect: float | None, mde: float) -> tuple[float, ...]:
    """Returns the effects that power is computed at where none are named."""
    unit = mde if smallest_effect is None else smallest_effect
    return tuple(multiple * unit for multiple in MULTIPLES)


def _by_formula(effect: float, se: float, df: float) -> dict[str, Any]:
    return {"effect": effect, "power": analytic_power(effect, se=se, df=df)}


def _scatter(components: VarianceComponents) -> dict[str, Any]:
    return {
        "sd_la": components.sd_la,
        "sd_shock": components.sd_shock,
        "autocorrelation": components.autocorrelation,
        "note": components.note,
    }


def _frame(rows: Sequence[dict[str, Any]]) -> pd.DataFrame:
    frame = pd.DataFrame(rows, columns=list(POWER.column_names))
    return frame.assign(note=frame["note"].fillna(""))
