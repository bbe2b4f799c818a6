"""Other ways of judging chance that a study declares: the jackknife's t and bootstrap, and regions as clusters."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
import pandas as pd
from scipy import stats

from sos_spark.config.reference import authorities
from sos_spark.config.study import Inference, OtherInference
from sos_spark.fit.dominance import NEARLY_ONE, is_dominated
from sos_spark.fit.estimators import LinearEstimate
from sos_spark.fit.inference.jackknife import coarser, jackknife_bootstrap_test
from sos_spark.fit.inference.wild import wild_cluster_interval, wild_cluster_test
from sos_spark.fit.regression.covariance import Sandwich
from sos_spark.fit.result import DidResult
from sos_spark.fit.thresholds import ALPHA, FEW_TREATED
from sos_spark.tables.results import INFERENCE

Row = dict[str, object]


def other_inference_frame(
    main: DidResult, *, methods: tuple[OtherInference, ...], inference: Inference
) -> pd.DataFrame:
    """Returns main's effect judged in the declared ways: the columns of inference.csv, a row a method.

    With few treated LAs, or regions that hold any, numbers are blank and the note says why, as in the main row.
    """
    if main.fitted is None:
        return pd.DataFrame(columns=list(INFERENCE.column_names))
    rows = []
    for method in dict.fromkeys(methods):
        row = _METHODS[method](main.fitted, inference)
        rows.append({"outcome_id": main.outcome_id, "method": method, "att": main.att, "note": ""} | row)
    return pd.DataFrame(rows, columns=list(INFERENCE.column_names))


def _cr3_t(estimate: LinearEstimate, inference: Inference) -> Row:
    counts = _counts(estimate)
    if blank := _blank(estimate, inference, counts):
        return counts | blank
    sandwich = Sandwich(estimate.moments)
    att, se = sandwich.estimate(estimate.coefficient), sandwich.se(sandwich.cr3, estimate.coefficient)
    df = float(sandwich.satterthwaite_of([estimate.coefficient]).df[0])
    half = float(stats.t.ppf(1 - ALPHA / 2, df)) * se
    p = float(2 * stats.t.sf(abs(att / se), df))
    return counts | {"se": se, "df": df, "p": p, "ci_low": att - half, "ci_high": att + half}


def _wcr_33(estimate: LinearEstimate, inference: Inference) -> Row:
    counts = _counts(estimate)
    if blank := _blank(estimate, inference, counts):
        return counts | blank
    sandwich = Sandwich(estimate.moments)
    test = jackknife_bootstrap_test(
        estimate.moments, coefficient=estimate.coefficient, draws=inference.draws, seed=inference.seed
    )
    note = "the regression cannot be solved without some authority" if np.isnan(test.p) else ""
    return counts | {"se": sandwich.se(sandwich.cr3, estimate.coefficient), "p": test.p, "note": note}


def _region(estimate: LinearEstimate, inference: Inference) -> Row:
    regions = {unit: region_of(unit) for unit in estimate.moments.unit_ids}
    unknown = sorted(unit for unit, region in regions.items() if not region)
    if unknown:
        return _counts(estimate) | {"note": f"no region is known of {', '.join(unknown[:8])}"}
    pilots = dict(zip(estimate.panel.unit_ids, estimate.panel.is_treated_unit, strict=True))
    counts: Row = {
        "n_clusters": len(set(regions.values())),
        "n_treated_clusters": len({region for unit, region in regions.items() if pilots[unit]}),
    }
    if blank := _blank(estimate, inference, counts, "regions with a pilot"):
        return counts | blank
    moments = coarser(estimate.moments, regions)
    drawn = {"coefficient": estimate.coefficient, "draws": inference.draws, "seed": inference.seed}
    interval = wild_cluster_interval(moments, **drawn)  # type: ignore[arg-type]
    sandwich = Sandwich(moments)
    return counts | {
        "se": sandwich.se(sandwich.cr1, estimate.coefficient),
        "p": wild_cluster_test(moments, **drawn).p,  # type: ignore[arg-type]
        "ci_low": interval.low,
        "ci_high": interval.high,
    }


_METHODS: Mapping[OtherInference, Callable[[LinearEstimate, Inference], Row]] = {
    "cr3_t": _cr3_t,
    "wcr_33": _wcr_33,
    "region": _region,
}


def region_of(unit_id: str) -> str:
    """Returns the region of a unit, that of its first authority; blank where it is not known."""
    known = authorities().get(unit_id.split("+")[0])
    return "" if known is None else known.region


def _counts(estimate: LinearEstimate) -> Row:
    return {"n_clusters": estimate.moments.n_clusters, "n_treated_clusters": estimate.panel.n_treated_units}


def _blank(estimate: LinearEstimate, inference: Inference, counts: Row, of: str = "treated authorities") -> Row | None:
    """Returns why there are no numbers; None where there are."""
    if is_dominated(estimate.panel, inference.weights):
        return {"note": NEARLY_ONE}
    n = counts["n_treated_clusters"]
    if isinstance(n, int) and n <= FEW_TREATED:
        return {"note": f"{n} {of}: with {FEW_TREATED} or fewer it does not hold, and is left out"}
    return None
