"""The example's further analyses, a frame a file: made-up numbers around the effects of `report_example`."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import pandas as pd

EFFECTS = {
    "assessment_duration": (-0.85, 2.1),
    "rereferral_nfa_6m": (-0.0123, 0.031),
    "kinship_placement": (-0.062, 0.041),
}
"""Outcome: effect, half width of its interval."""
STARTS = ("2015-04-01", "2016-04-01", "2017-04-01")


def frames() -> dict[str, Any]:
    """Returns the frames by the names of their files."""
    return {
        "pretrend": pretrend(),
        "honest": honest(),
        "group_time": group_time(),
        "aggregates": aggregates(),
        "goodman_bacon": goodman_bacon(),
        "placebo_pilots": placebo_pilots(),
        "placebo_summary": placebo_summary(),
        "secondary": secondary(),
        "bounds": bounds(),
        "power": power(),
        "pilots": pilots(),
        "pilots_pooled": pilots_pooled(),
        "calibration": calibration(),
        "calibration_switches": calibration_switches(),
        "welch": welch(),
        "contamination": contamination(),
        "synthetic": synthetic(),
        "synthetic_checks": synthetic_checks(),
        "inference": inference(),
        "duration_effects": duration_effects(),
        "duration_days": duration_days(),
        "casemix": casemix(),
        "casemix_trend": casemix_trend(),
        "casemix_levels": casemix_levels(),
    }


def pilots() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"outcome_id": name, "unit_id": unit, "gtime": 2, "n_rows": 900, "att": att + half * place / 2,
             "se_placebo": half, "ci_low": att + half * (place / 2 - 2), "ci_high": att + half * (place / 2 + 2),
             "p_placebo": 0.4, "n_placebos": 30, "shrunken": att, "shrunken_low": att - half, "note": "",
             "shrunken_high": att + half}
            for name, (att, half) in EFFECTS.items()
            for place, unit in enumerate(("926", "873", "919"))
        ]
    )  # fmt: skip


def pilots_pooled() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"outcome_id": name, "n_pilots": 3, "mean": att, "se_mean": half / 2, "ci_low": att - half,
             "ci_high": att + half, "prediction_low": att - 3 * half, "prediction_high": att + 3 * half,
             "sd_between": half, "sd_low": 0.0, "sd_high": 2 * half, "q": 4.0, "note": ""}
            for name, (att, half) in EFFECTS.items()
        ]
    )  # fmt: skip


def inference() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"outcome_id": name, "method": method, "n_clusters": 70, "n_treated_clusters": 9, "att": att,
             "se": half / 2, "df": 69.0, "p": 0.3, "ci_low": att - half, "ci_high": att + half, "note": ""}
            for name, (att, half) in EFFECTS.items()
            for method in ("cr3_t", "wcr_33", "region")
        ]
    )  # fmt: skip


def synthetic() -> pd.DataFrame:
    units = [
        ("926", "pilot", 0.5, ""), ("873", "pilot", 0.5, ""), ("919", "pilot", 0.0, "not observed in every period"),
        ("330", "comparator", 0.7, ""), ("331", "comparator", 0.3, ""), ("332", "comparator", 0.0, ""),
    ]  # fmt: skip
    return pd.DataFrame(
        [
            {"outcome_id": name, "unit_id": unit, "arm": arm, "weight": weight, "note": note}
            for name in EFFECTS
            for unit, arm, weight, note in units
        ]
    )


def contamination() -> pd.DataFrame:
    scale = {"as estimated": 1.0, "without": 1.1, "dose": 1.25, "bounds": math.nan}
    return pd.DataFrame(
        [
            {"outcome_id": name, "kind": "all", "part": part, "n_exposed": 2, "att": att * by,
             "att_low": att * 1.4 if part == "bounds" else math.nan, "ci_low": att - half * 1.4,
             "att_high": att * 1.1 if part == "bounds" else math.nan, "ci_high": att + half * 1.4,
             "divisor": 0.8, "note": ""}
            for name, (att, half) in EFFECTS.items()
            for part, by in scale.items()
        ]
    )  # fmt: skip


def synthetic_checks() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"outcome_id": name, "method": method, "att": att, "plain": att, "se_placebo": half / 2, "p": 0.3,
             "se_jackknife": half / 2, "n_pilots": 3, "n_comparators": 30, "n_before": 4, "note": ""}
            for name, (att, half) in EFFECTS.items()
            for method in ("annual", "augmented")
        ]
    )  # fmt: skip


def duration_effects() -> pd.DataFrame:
    blank = dict.fromkeys(("to", "band_low", "band_high", "bound_low", "bound_high"), math.nan)
    common = blank | {"outcome_id": "assessment_duration", "se": 0.01, "p": 0.02, "note": ""}
    share = {"observed": 0.8, "without": 0.77, "att": 0.03, "ci_low": 0.01, "ci_high": 0.05}
    days = {"observed": 28.0, "without": 29.0, "att": -1.0, "ci_low": -2.0, "ci_high": math.nan, "p": math.nan}
    mean = {"observed": 30.2, "without": 31.1, "att": -0.9, "ci_low": -1.9, "ci_high": 0.1}
    nothing = dict.fromkeys(share, math.nan)
    rows: list[dict[str, Any]] = [{"method": "distribution", "measure": "any", "at": math.nan, **nothing, "p": 0.03}]
    for method in ("distribution", "changes_in_changes"):
        rows += [
            {"method": method, "measure": "share_within", "at": day, **share, "band_low": -0.01, "band_high": 0.07}
            for day in (15.0, 20.0, 30.0, 45.0)
        ]
        rows.append({"method": method, "measure": "quantile", "at": 0.5, **days})
        ends = {"bound_low": -1.1, "bound_high": -0.7} if method == "changes_in_changes" else {}
        rows.append({"method": method, "measure": "restricted_mean", "at": 90.0, **mean, **ends})
    rows.append({"method": "hazard", "measure": "daily_hazard", "at": 41.0, "to": 45.0, **share, "observed": 0.2})
    return pd.DataFrame([common | row for row in rows])


def duration_days() -> pd.DataFrame:
    hazard = {10: 0.02, 44: 0.2, 60: 0.01}
    return pd.DataFrame(
        [
            {"outcome_id": "assessment_duration", "arm": arm, "side": side, "day": day, "at_risk": 1000 - day,
             "ended": int(chance * (1000 - day)), "hazard": chance, "within": 0.5}
            for arm in ("pilot", "comparator")
            for side in ("before", "after")
            for day, chance in hazard.items()
        ]
    )  # fmt: skip


def casemix() -> pd.DataFrame:
    parts = {"unadjusted": 1.0, "casemix": 0.25, "rate": 0.75, "standardised": 0.8}
    return pd.DataFrame(
        [
            {"outcome_id": name, "by": by, "part": part, "att": att * share, "se_cr2": half / 2, "n_strata": 10,
             "df_satterthwaite": 7.0, "p": 0.4, "ci_low": att * share - half, "ci_high": att * share + half,
             "share_in_strata": 0.93 if part == "standardised" else math.nan, "note": ""}
            for name, (att, half) in EFFECTS.items()
            for by in ("all", "age_band")
            for part, share in parts.items()
            if by == "all" or part in ("casemix", "standardised")
        ]
    )  # fmt: skip


def casemix_trend() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"outcome_id": name, "arm": arm, "period_start": f"201{3 + period}-04-01", "n_rows": 900,
             "mean": 0.2 + att * (period >= 2), "expected": 0.2}
            for name, (att, _) in EFFECTS.items()
            for arm in ("comparator", "pilot")
            for period in range(4)
        ]
    )  # fmt: skip


def casemix_levels() -> pd.DataFrame:
    """In pilots the share of the youngest goes from 30 to 40 %, in comparators from 25 to 27 %."""
    share = {"pilot": (0.3, 0.4), "comparator": (0.25, 0.27)}
    return pd.DataFrame(
        [
            {"outcome_id": name, "covariate": "age_band", "level": level, "arm": arm, "period": period,
             "period_start": f"201{3 + period}-04-01", "n_rows": round(1_000 * part), "share": part}
            for name in EFFECTS
            for arm, shares in share.items()
            for period in range(4)
            for level, part in (("1-4", shares[period >= 2]), ("5-9", 1 - shares[period >= 2]))
        ]
    )  # fmt: skip


def calibration() -> pd.DataFrame:
    rows = [
        ("size", 0.0, 0.046, True), ("coverage", 0.0, 0.953, True), ("power", 0.02, 0.38, None),
        ("coverage", 0.02, 0.951, True),
    ]  # fmt: skip
    return pd.DataFrame(
        [
            {"outcome_id": name, "measure": measure, "method": method, "effect": effect, "share": share, "mc_se": 0.009,
             "replications": 500, "holds": holds, "n_clusters": 70, "n_treated_clusters": 9, "treated_weight_max": 0.3,
             "leverage_max": 0.2, "effective_clusters": 7.4, "note": ""}
            for name in EFFECTS
            for measure, effect, share, holds in rows
            for method in ("cr2", "wcr", "ri", "headline")
        ]
    )  # fmt: skip


def calibration_switches() -> pd.DataFrame:
    """Two ways of kinship at a fall of 13 points, one of which cannot be worked; the others as the study has them."""
    worked = {"n_clusters": 70, "n_treated_clusters": 9, "treated_weight_max": 0.3, "effective_clusters": 7.4}
    rows = [
        {"outcome_id": name, "specification": "main", "effect": effect, "reported": reported, "mde": 0.04,
         "replications": 300, "note": ""} | worked
        for name in EFFECTS
        for effect, reported in ((0.0, 0.03), (-0.13 if name == "kinship_placement" else 0.02, 0.96))
    ]  # fmt: skip
    other = [row | {"specification": "la_equal", "reported": row["reported"] + 0.01, "mde": 0.05}
             for row in rows if row["outcome_id"] == "kinship_placement"]  # fmt: skip
    nothing = {"outcome_id": "kinship_placement", "specification": "go_live=2011-04-01", "note": "no period before it"}
    return pd.DataFrame([*rows, *other, nothing])


def pretrend() -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for name, (_, half) in EFFECTS.items():
        bound = {"assessment_duration": 0.31, "rereferral_nfa_6m": 0.0031}.get(name, math.nan)
        rows.append({
            "outcome_id": name, "specification": "main", "n_pre": 8, "p_joint": 0.34, "slope": half / 60,
            "se_cr2": half / 50, "df": 9.1, "p_cr2": 0.41, "ci_low": half / 60 - half / 22,
            "ci_high": half / 60 + half / 22, "slope_bound": bound,
            "p_equivalence": math.nan if math.isnan(bound) else 0.02 if name == "assessment_duration" else 0.31,
            "detectable_slope": half / 16, "detectable_violation": half / 2,
            "note": "coefficients of <covariates> held" if name == "kinship_placement" else "",
        })  # fmt: skip
    return pd.DataFrame(rows)


def honest() -> pd.DataFrame:
    """Kinship survives up to 0.6 times the largest violation and a bend of 0.8 points; the others not even none."""
    rows = []
    for name, (att, half) in EFFECTS.items():
        kinship = name == "kinship_placement"
        for restriction, grid, survives in (
            ("relative_magnitudes", (0.0, 0.5, 1.0, 1.5, 2.0), 0.62),
            ("smoothness", tuple(half * m for m in (0.0, 0.05, 0.12, 0.25, 0.5)), 0.008),
        ):
            for target in ("average", "first"):
                for place, m in enumerate(grid):
                    wide = half * (1 + 0.28 * place)
                    rows.append({
                        "outcome_id": name, "restriction": restriction, "m": m, "target": target, "estimate": att,
                        "ci_low": att - wide, "ci_high": att + wide, "set_low": att - wide + half,
                        "set_high": att + wide - half, "n_pre": 2, "n_post": 3, "df": 8.2, "label": "interval",
                        "breakdown": survives if kinship else math.nan, "note": "",
                    })  # fmt: skip
    blank: dict[str, Any] = dict.fromkeys(rows[0], math.nan)
    text = {
        "outcome_id": "icpc",
        "restriction": "",
        "target": "",
        "label": "",
        "note": "4 or <fewer> pilots: no bounds",
    }
    return pd.DataFrame([*rows, blank | text])


def group_time() -> pd.DataFrame:
    rows = []
    for name, (att, half) in EFFECTS.items():
        for start, group in enumerate(STARTS):
            for period in range(-2, 3):
                effect = att if period >= 0 else 0.0
                rows.append({
                    "outcome_id": name, "control": "never", "group_start": group,
                    "period_start": f"{2015 + start + period}-04-01", "event_time": 4 * period, "att": effect,
                    "se_cr2": half / 2, "df": 4.4, "ci_low": effect - half, "ci_high": effect + half, "n_rows": 800,
                })  # fmt: skip
    return pd.DataFrame(rows)


def aggregates() -> pd.DataFrame:
    rng = np.random.default_rng(11)
    rows = []
    for name, (att, half) in EFFECTS.items():
        for estimator in ("cs_never", "cs_not_yet", "imputation", "sun_abraham"):
            levels = [("simple", "overall", att), ("group", STARTS[0], att), ("group", STARTS[1], 0.8 * att)]
            levels += [("calendar", "2016-04-01", 0.9 * att)]
            levels += [(aggregate, "overall", 0.9 * att) for aggregate in ("group", "calendar", "event")]
            levels += [("event", str(time), att if time >= 0 else 0.0) for time in range(-6, 10)]
            for aggregate, level, effect in levels:
                value = effect + rng.normal(0, half / 12)
                rows.append({
                    "outcome_id": name, "estimator": estimator, "aggregate": aggregate, "level": level, "att": value,
                    "se_cr2": half / 2.2, "df": 7.5, "p_cr2": 0.11, "ci_low": value - half, "ci_high": value + half,
                    "note": "",
                })  # fmt: skip
    return pd.DataFrame(rows)


def goodman_bacon() -> pd.DataFrame:
    rows = []
    for name, (att, half) in EFFECTS.items():
        for comparison, treated, control, weight, shift in (
            ("treated_vs_never", STARTS[0], "never", 0.42, 0.0),
            ("treated_vs_never", STARTS[1], "never", 0.30, 0.1),
            ("earlier_vs_later", STARTS[0], STARTS[1], 0.12, 0.2),
            ("later_vs_earlier", STARTS[1], STARTS[0], 0.16, 0.9),
        ):
            rows.append((name, comparison, treated, control, weight, att + shift * half))
    columns = ["outcome_id", "comparison", "treated_start", "control_start", "weight", "estimate"]
    return pd.DataFrame(rows, columns=columns)


def placebo_pilots(draws: int = 500) -> pd.DataFrame:
    rng = np.random.default_rng(13)
    pieces = [
        pd.DataFrame({
            "outcome_id": name, "draw": np.arange(1, draws + 1), "att": rng.normal(0, half / 2.2, draws),
            "t": rng.normal(0, 1, draws),
        })
        for name, (_, half) in EFFECTS.items()
    ]  # fmt: skip
    return pd.concat(pieces, ignore_index=True)


def placebo_summary() -> pd.DataFrame:
    share = {"assessment_duration": 0.41, "rereferral_nfa_6m": 0.46, "kinship_placement": 0.006}
    return pd.DataFrame([
        {"outcome_id": name, "n_draws": 500, "n_undefined": 0, "n_pilots": 9, "n_candidates": 120, "att": att,
         "t": -1.1, "sd": half / 2.2, "p2_5": -0.9 * half, "p97_5": 0.9 * half, "share_beyond": share[name]}
        for name, (att, half) in EFFECTS.items()
    ])  # fmt: skip


def secondary(source: str = "simulated") -> pd.DataFrame:
    rows = []
    for name, (att, half) in EFFECTS.items():
        for analysis, term, effect, few in (
            ("ofsted", "effect in requires_improvement or inadequate", 1.2 * att, False),
            ("ofsted", "effect in good or outstanding", 0.7 * att, True),
            ("ofsted", "difference", -0.5 * att, True),
            ("embeddedness", "effect at mean embeddedness", att, False),
            ("embeddedness", "per unit of embeddedness", 0.2 * att, False),
        ):
            rows.append({
                "outcome_id": name, "analysis": analysis, "term": term, "estimand": "ATT, each index row counts once",
                "n_rows": 48210, "n_treated_clusters": 4 if few else 5, "att": effect, "se_cr2": half / 2,
                "df_satterthwaite": 3.9, "p_cr2": 0.3, "ci_low_cr2": effect - 1.3 * half,
                "ci_high_cr2": effect + 1.3 * half, "p_wcr": math.nan if few else 0.3,
                "ci_low_wcr": math.nan if few else effect - 1.2 * half,
                "ci_high_wcr": math.nan if few else effect + 1.2 * half, "p_ri": 0.28,
                "headline": "p_ri" if few else "p_wcr", "source": source,
                "note": "rests on 4 treated authorities" if few else "",
            })  # fmt: skip
        blank: dict[str, Any] = {key: math.nan for key, value in rows[0].items() if isinstance(value, float)}
        rows.append({**rows[0], **blank, "outcome_id": name, "analysis": "practice_models", "term": "", "estimand": "",
                     "headline": "", "note": "left out: no <practice> model of comparators is known"})  # fmt: skip
    return pd.DataFrame(rows)


def bounds() -> pd.DataFrame:
    rows: list[dict[str, Any]] = []
    for name, (att, half) in EFFECTS.items():
        for what, width, n in (("suppressed", 0.4, 31), ("missing", 0.15, 12)):
            rows.append({
                "outcome_id": name, "what": what, "att_complete_case": att, "att_low": att - width * half,
                "att_high": att + width * half, "ci_low": att - (1 + width) * half, "ci_high": att + (1 + width) * half,
                "n_cells_unknown": n, "n_cells": 480, "note": "",
            })  # fmt: skip
    blank: dict[str, Any] = dict.fromkeys(rows[0], math.nan)
    rows.append(blank | {"outcome_id": "icpc", "what": "missing", "note": "nothing was <fitted>"})
    return pd.DataFrame(rows)


def power() -> pd.DataFrame:
    rows = []
    for name, (_, half) in EFFECTS.items():
        for source in ("analytic", "simulated"):
            for step in range(0, 9):
                chance = 1 - 0.95 * math.exp(-0.22 * step**1.6)
                rows.append({
                    "outcome_id": name, "source": source, "effect": step * half / 4,
                    "power": chance if source == "analytic" else round(chance - 0.01 * (step % 3), 3),
                    "mc_se": math.nan if source == "analytic" else 0.02,
                    "replications": math.nan if source == "analytic" else 500, "se_cr2": half / 2.2, "df": 11.4,
                    "mde": half * 1.4, "sd_la": half, "sd_shock": half / 2,
                    "autocorrelation": 0.3, "n_clusters": 24, "n_treated_clusters": 9, "note": "",
                })  # fmt: skip
    return pd.DataFrame(rows)


def welch() -> pd.DataFrame:
    return pd.DataFrame([
        {"outcome_id": name, "att": 0.9 * att, "se": half / 2, "df": 12.2, "p": 0.2, "ci_low": 0.9 * att - half,
         "ci_high": 0.9 * att + half, "se_pooled": half / 2, "p_pooled": 0.2,
         "ci_low_pooled": 0.9 * att - half, "ci_high_pooled": 0.9 * att + half,
         "n_treated": 9, "n_comparators": 15, "note": ""}
        for name, (att, half) in EFFECTS.items()
    ])  # fmt: skip
