"""A run's results as a fit leaves them, small: two pilots' worth of LAs, made-up numbers whose answers are chosen."""

from __future__ import annotations

import json
import math
from datetime import date
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from sos_spark.config.environment import Environment
from sos_spark.config.load import parse_study
from sos_spark.config.periods import add_periods
from sos_spark.config.study import Study
from sos_spark.steps.context import Run
from sos_spark.steps.fitted_study import write_fitted_study
from sos_spark.tables.results import RESULT_TABLES
from tests.unit import report_example_analyses as analyses

PILOTS = ("304", "801", "855", "925", "926", "935", "384", "938", "872")
COMPARATORS = ("302", "305", "330", "331", "332", "333", "334", "335", "352", "353", "356", "358", "370", "371", "372")
UNUSED = ("380", "381")

STUDY_TEXT = """
schema_version = 1
study_id = "example"
title = "A programme <in> nine authorities & more"
[window]
baseline = ["2013-04-01", "2015-04-01"]
follow_up = ["2015-04-01", "2018-04-01"]
data_ends = "2018-03-31"
[comparators]
kind = "neighbours"
[[outcomes]]
outcome_id = "assessment_duration"
kind = "assessment_duration"
smallest_effect_of_interest = 2.0
[[outcomes]]
outcome_id = "rereferral_nfa_6m"
kind = "rereferral_nfa"
smallest_effect_of_interest = 0.02
[[outcomes]]
outcome_id = "kinship_placement"
kind = "kinship_placement"
[[outcomes]]
outcome_id = "icpc"
kind = "icpc"
family = "secondary"
""" + "".join(f'[[pilots]]\nla_code = "{code}"\ngo_live = 2015-04-01\n' for code in PILOTS)

# outcome: baseline, effect, half width of the interval, level of a period, p (bootstrap), p (CR2)
NUMBERS = {
    "assessment_duration": (31.4, -0.85, 2.1, 31.0, 0.41, 0.38),
    "rereferral_nfa_6m": (0.213, -0.0123, 0.031, 0.22, 0.42, 0.44),
    "kinship_placement": (0.141, -0.062, 0.041, 0.14, 0.006, 0.0042),
}
N_PERIODS, FIRST_TREATED = 20, 8


def a_study() -> Study:
    return parse_study(STUDY_TEXT)


SPECIFICATIONS = (
    ("main", "main", 0.0),
    ("twfe", "beside", 0.0),
    ("la_equal", "beside", 0.004),
    ("unadjusted", "beside", -0.003),
    ("synthetic_did", "sensitivity", 0.008),
    ("go_live=2014-04-01", "sensitivity", 0.01),
    ("go_live=2017-04-01", "sensitivity", 0.014),
    ("comparators=all", "sensitivity", -0.006),
    ("missing=indicator", "sensitivity", -0.001),
    ("placebo_date=2014-04-01", "placebo", 0.0),
)


def estimates() -> pd.DataFrame:
    rows = []
    for specification, analysis, shift in SPECIFICATIONS:
        for name, numbers in NUMBERS.items():
            unit = 30.0 if name == "assessment_duration" else 1.0
            effect = 0.002 * unit if analysis == "placebo" else numbers[1] + shift * unit
            p = (0.8, 0.8) if analysis == "placebo" else numbers[4:]
            row = _estimate(name, specification, numbers[0], effect, *numbers[2:4], *p) | {"analysis": analysis}
            if specification == "synthetic_did":  # as the fit leaves it: one method of inference
                row |= {"ci_low_wcr": math.nan, "ci_high_wcr": math.nan, "p_wcr": math.nan, "p_ri": math.nan}
            rows.append(row)
    blank = {key: math.nan for key, value in rows[0].items() if isinstance(value, float)}
    for specification, analysis, note in (
        ("main", "main", "=no period before go-live has <known> cells"),
        ("comparators=all", "sensitivity", "=no period before go-live has <known> cells"),
    ):
        rows.append({**rows[0], **blank, "outcome_id": "icpc", "specification": specification, "analysis": analysis,
                     "evidence": "not estimable", "note": note})  # fmt: skip
    for name in NUMBERS:
        rows.append({**rows[0], **blank, "outcome_id": name, "specification": "go_live=2013-04-01",
                     "analysis": "sensitivity", "evidence": "", "note": "no period lies <before> go-live"})  # fmt: skip
    return pd.DataFrame(rows)


def _estimate(
    name: str, specification: str, baseline: float, att: float, half: float, _: float, p: float, p_cr2: float
) -> dict[str, Any]:
    evidence = "moderate (adjusted no, agreement yes)" if p < 0.05 else "cannot tell"
    return {
        "study_id": "example", "outcome_id": name, "specification": specification, "estimand": "att",
        "n_rows": 48210, "n_cells": 480, "n_clusters": 24, "n_treated_clusters": 9, "baseline_mean": baseline,
        "att": att, "se_cr2": half / 2.2, "df_satterthwaite": 11.4, "p_cr2": p_cr2, "ci_low_wcr": att - half,
        "ci_high_wcr": att + half, "p_wcr": p, "p_ri": p + 0.01, "se_cr1": half / 2.3, "se_cr3": half / 2.0,
        "se_iid": half / 6, "se_hc1": half / 6, "p_adjusted": min(1.0, 3 * p), "mde": half * 1.4,
        "evidence": evidence, "note": "", "p_pretrend": 0.34, "headline": "p_wcr", "ci_low_cr2": att - 1.1 * half,
        "ci_high_cr2": att + 1.1 * half, "p_equivalence": 0.2,
        "adjusted_for": "",
    }  # fmt: skip


def event_study() -> pd.DataFrame:
    rng = np.random.default_rng(7)
    rows = []
    for name, (_, att, half, *_rest) in NUMBERS.items():
        for time in range(-FIRST_TREATED, N_PERIODS - FIRST_TREATED):
            value = rng.normal(0, half / 5) + (att if time >= 0 else 0.0)
            reference = time == -1
            rows.append({
                "outcome_id": name, "specification": "main", "event_time": time, "att": 0.0 if reference else value,
                "se_cr2": math.nan if reference else half / 2.2, "ci_low": math.nan if reference else value - half,
                "ci_high": math.nan if reference else value + half,
                "band_low": math.nan if reference else value - 1.5 * half,
                "band_high": math.nan if reference else value + 1.5 * half, "n_rows": 2410,
            })  # fmt: skip
    return pd.DataFrame(rows)


def leave_one_out() -> pd.DataFrame:
    rows = []
    for name, (_, att, half, *_rest) in NUMBERS.items():
        for place, unit in enumerate((*PILOTS, *COMPARATORS)):
            value = att + half * 0.04 * (place - 4)
            rows.append({"outcome_id": name, "specification": "main", "left_out": unit,
                         "arm": "pilot" if unit in PILOTS else "comparator", "att": value, "se_cr2": half / 2.2,
                         "df": 10.0, "p_cr2": 0.3})  # fmt: skip
    return pd.DataFrame(rows)


def arms() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"outcome_id": name, "unit_id": unit, "arm": arm, "gtime": FIRST_TREATED if arm == "pilot" else None}
            for name in NUMBERS
            for arm, units in (("pilot", PILOTS), ("comparator", COMPARATORS), ("unused", UNUSED))
            for unit in units
        ]
    ).astype({"gtime": "Int64"})


def staggered_arms() -> pd.DataFrame:
    """The arms, three pilots each starting in periods 8, 12 and 16."""
    starts = dict(zip(PILOTS, (8, 8, 8, 12, 12, 12, 16, 16, 16), strict=True))
    return arms().assign(gtime=lambda frame: frame["unit_id"].map(starts).astype("Int64"))


def cells() -> pd.DataFrame:
    rng = np.random.default_rng(3)
    rows = []
    for name, (_, att, half, level, *_rest) in NUMBERS.items():
        for unit in (*PILOTS, *COMPARATORS, *UNUSED):
            for period in range(N_PERIODS):
                n = int(rng.integers(60, 200))
                treated = unit in PILOTS and period >= FIRST_TREATED
                mean = (
                    level + (att if treated else 0.0) + rng.normal(0, half / 2) + (half / 2 if unit in PILOTS else 0.0)
                )
                rows.append({
                    "study_id": "example", "outcome_id": name, "unit_id": unit, "period": period,
                    "period_start": add_periods(date(2013, 4, 1), period, "quarter").isoformat(), "n": n,
                    "y_sum": round(n * mean), "y_sumsq": round(n * mean) if level < 1 else round(2 * n * mean**2),
                })  # fmt: skip
    return pd.DataFrame(rows)


def balance() -> pd.DataFrame:
    rows = [
        (name, variable, before, after)
        for name in ("rereferral_nfa_6m", "kinship_placement")
        for variable, before, after in (("level", 0.41, 0.06), ("trend", -0.28, -0.03))
    ]
    return pd.DataFrame(rows, columns=["outcome_id", "variable", "smd_before", "smd_after"])


def truth() -> str:
    effects = [
        {"outcome_id": "kinship_placement", "la_codes": ["304"], "from": "2015-04-01", "size": -0.07,
         "effect_injected": -0.069, "n_treated_rows": 300},
        {"outcome_id": "kinship_placement", "la_codes": ["801"], "from": "2015-04-01", "size": -0.05,
         "effect_injected": -0.049, "n_treated_rows": 100},
    ]  # fmt: skip
    return json.dumps({"effects": effects})


def no_session() -> None:
    raise AssertionError("a fit and its report need no Spark")


def write_run(out: Path, *, thin: bool = False) -> None:
    """Writes the files of a fit; thin: the study and its estimates alone."""
    out.mkdir(parents=True, exist_ok=True)
    write_fitted_study(Run("run", Environment(out=out), a_study(), no_session), is_simulated=False)  # type: ignore[arg-type]
    files = {"estimates": estimates()}
    if not thin:
        files |= analyses.frames()
        files |= {"event_study": event_study(), "leave_one_out": leave_one_out(), "arms": arms(), "cells": cells()}
        files |= {"balance": balance()}
    for name, frame in files.items():
        whole(name, frame).to_csv(out / f"{name}.csv", index=False)


def whole(name: str, frame: pd.DataFrame) -> pd.DataFrame:
    """A file's frame with every declared column: blank where the example says nothing."""
    table = RESULT_TABLES[name]
    absent = [column for column in table.required if column not in frame.columns]
    return frame.assign(**{column: "" if column in table.text_columns else math.nan for column in absent})


def units() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"study_id": "example", "la_code": code, "unit_id": code, "unit_name": f"Authority {code}",
             "first_census_year": 2013, "last_census_year": 2018, "is_pilot": code in PILOTS, "go_live": None}
            for code in (*PILOTS, *COMPARATORS, *UNUSED)
        ]
    )  # fmt: skip


def files() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"file_id": int(code) * 10000 + year, "file_sha256": "", "file_path": f"cin/{year}/{code}.xml",
             "form": "xml", "collection": "cin", "la_code": code, "census_year": year, "returned_at": None,
             "status": "refused" if (code, year) == ("926", 2014) else "accepted", "reason": None, "n_bytes": 1}
            for code in (*PILOTS, *COMPARATORS, *UNUSED)
            for year in range(2014, 2019)
        ]
    )  # fmt: skip


def ledger() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"file_id": file_id, "entity": entity, "n_received": 100, "n_silver": 90, "n_quarantined": 4,
             "n_superseded_by_later_return": 5, "n_same_day_duplicates": 1}
            for file_id in files()["file_id"]
            for entity in ("referrals", "assessments", "lac_episodes")
        ]
    )  # fmt: skip


def flow() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"study_id": "example", "outcome_id": name, "unit_id": unit, "is_pilot": unit in PILOTS, "reason": reason,
             "n_rows": n}
            for name in NUMBERS
            for unit in (*PILOTS, *COMPARATORS, *UNUSED)
            for reason, n in (("analysed", 80), ("outside_window", 10), ("not_fully_observed", 5))
        ]
    )  # fmt: skip


def flow_by_period() -> pd.DataFrame:
    """The flow counted by period; what is not observed grows by one row per period in each pilot."""
    pieces = []
    for period in range(N_PERIODS):
        grows = (lambda frame: frame["is_pilot"] & (frame["reason"] == "not_fully_observed"))(flow())
        start = add_periods(date(2013, 4, 1), period, "quarter")
        pieces.append(flow().assign(period=period, period_start=start, n_rows=flow()["n_rows"] + period * grows))
    return pd.concat(pieces, ignore_index=True)


def rule_counts() -> pd.DataFrame:
    rng = np.random.default_rng(5)
    return pd.DataFrame(
        [
            {"entity": "referrals", "rule_code": rule, "dfe_code": dfe, "severity": severity, "la_code": code,
             "census_year": year, "n_rows": 500, "n_failed": int(rng.poisson(rate))}
            for code in (*PILOTS, *COMPARATORS, *UNUSED)
            for year in range(2014, 2019)
            if (code, year) != ("926", 2014)
            for rule, dfe, severity, rate in (
                ("referral_date_missing", "8600", "error", 3),
                ("closure_before_referral", "8630", "field", 2),
                ("need_not_in_set", None, "warning", 6),
            )
        ]
    )  # fmt: skip


def link_rates() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"la_code": code, "n_lac_children": 200, "n_linked_by_child_id": 180, "n_linked_by_person": 10,
             "n_unlinked": 10}
            for code in (*PILOTS, *COMPARATORS, *UNUSED)
        ]
    )  # fmt: skip


def expectations() -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"run_id": "1", "suite": "silver.referrals", "expectation": "expect_column_values_to_not_be_null",
             "column": "referral_date", "severity": "error", "passed": True},
            {"run_id": "1", "suite": "panel.cells", "expectation": "expect_table_row_count_to_be_between",
             "column": None, "severity": "warning", "passed": False},
        ]
    )  # fmt: skip
