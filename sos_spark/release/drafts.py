"""A run's public tables, drafted from the verdicts on counts and the decisions on estimates."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass

import pandas as pd

from sos_spark.release.cleared import Draft, Kind
from sos_spark.release.counts import Row, TableName
from sos_spark.release.judge import Verdict
from sos_spark.release.regressions import RULES, OutcomeFacts

COUNT_TABLES: dict[TableName, str] = {
    "arms_by_year": "Children by arm and year",
    "pilots_before_after": "Pilots before and after their go-live",
    "flow": "From received to analysed",
}


@dataclass(frozen=True)
class EstimateTable:
    """A file of estimates and the kinds of the columns that are published; others are left out."""

    title: str
    labels: tuple[str, ...]
    constants: tuple[str, ...]
    estimates: tuple[str, ...]

    def columns(self) -> dict[str, Kind]:
        """Returns the kind of each column, in order."""
        parts: tuple[tuple[tuple[str, ...], Kind], ...] = (
            (self.labels, "label"), (self.constants, "constant"), (self.estimates, "estimate"),
        )  # fmt: skip
        return {name: kind for names, kind in parts for name in names}


ESTIMATE_TABLES: dict[str, EstimateTable] = {
    "estimates": EstimateTable(
        "Estimates by specification",
        ("outcome_id", "specification", "estimand", "family", "estimator", "headline", "significant", "analysis",
         "evidence", "verdict", "adjusted_for"),
        ("n_clusters", "n_treated_clusters"),
        ("att", "se_cr2", "df_satterthwaite", "p_cr2", "ci_low_cr2", "ci_high_cr2", "ci_low_wcr", "ci_high_wcr",
         "p_wcr", "p_ri", "ci_low_ri", "ci_high_ri", "se_cr1", "se_cr3", "p_adjusted", "p_holm", "p_pretrend",
         "p_equivalence", "mde", "treated_weight_max", "leverage_max", "effective_clusters"),
    ),
    "event_study": EstimateTable(
        "Effects by time since go-live", ("outcome_id", "specification"), ("event_time",),
        ("att", "se_cr2", "ci_low", "ci_high", "band_low", "band_high"),
    ),
    "leave_one_out": EstimateTable(
        "The effect without one authority each", ("outcome_id", "left_out", "arm"), (), ("att", "se_cr2", "df", "p_cr2")
    ),
    "balance": EstimateTable(
        "Balance of pilots and comparators", ("outcome_id", "variable"), (), ("smd_before", "smd_after")
    ),
    "pretrend": EstimateTable(
        "Trends before go-live", ("outcome_id", "specification"), ("n_pre",),
        ("p_joint", "slope", "se_cr2", "df", "p_cr2", "ci_low", "ci_high", "slope_bound", "p_equivalence",
         "detectable_slope", "detectable_violation"),
    ),
    "honest": EstimateTable(
        "Bounds under drift", ("outcome_id", "restriction", "target", "label"), ("n_pre", "n_post"),
        ("m", "estimate", "ci_low", "ci_high", "set_low", "set_high", "df", "breakdown"),
    ),
    "placebo_summary": EstimateTable(
        "Pseudo-pilots", ("outcome_id",), ("n_draws", "n_undefined", "n_pilots", "n_candidates"),
        ("att", "t", "sd", "p2_5", "p97_5", "share_beyond"),
    ),
    "placebo_pilots": EstimateTable("Effects of pseudo-pilots", ("outcome_id",), ("draw",), ("att", "t")),
    "welch": EstimateTable(
        "Changes of authorities compared", ("outcome_id",), ("n_treated", "n_comparators"),
        ("att", "se", "df", "p", "ci_low", "ci_high", "se_pooled", "p_pooled", "ci_low_pooled", "ci_high_pooled"),
    ),
    "power": EstimateTable(
        "What the study could see", ("outcome_id", "source"), ("replications", "n_clusters", "n_treated_clusters"),
        ("effect", "power", "mc_se", "se_cr2", "df", "mde", "sd_la", "sd_shock", "autocorrelation"),
    ),
    "arms": EstimateTable("Authorities by arm", ("outcome_id", "unit_id", "arm"), ("gtime",), ()),
}  # fmt: skip


def estimate_drafts(facts: Sequence[OutcomeFacts], frames: Mapping[str, pd.DataFrame]) -> list[Draft]:
    """Returns the drafts of the estimates' files that the run has, rows in the study's order of outcomes."""
    drafts = [_estimates(name, facts, frames[name]) for name in ESTIMATE_TABLES if len(frames.get(name, ()))]
    return [draft for draft in drafts if len(draft.frame)]


def _estimates(name: str, facts: Sequence[OutcomeFacts], rows: pd.DataFrame) -> Draft:
    table = ESTIMATE_TABLES[name]
    columns = {column: kind for column, kind in table.columns().items() if column in rows}
    parts, checks, cleared = [], [], []
    for one in facts:
        own = rows[rows["outcome_id"] == one.counts.outcome_id]
        decisions = RULES[name](one, own)
        parts.append(_with_sample(name, one, own[list(columns)]))
        checks += [asdict(decision) for decision in decisions]
        cleared += [decision.cleared for decision in decisions]
    frame = pd.concat(parts, ignore_index=True)
    if name == "estimates":
        columns = _placed(columns)
    told = pd.DataFrame(checks)
    data = frame[[column for column, kind in columns.items() if kind == "label"]].astype(str)
    numbers = [column for column, kind in columns.items() if kind != "label" and kind != "constant"]
    out = ~pd.Series(cleared, index=frame.index, dtype=bool)
    # A sample's count, and the share before go-live, are hidden by the verdict on them, whatever the row's decision.
    hidden = pd.DataFrame({column: out & frame[column].notna() for column in numbers}, index=frame.index)
    for column in ("n_rows", "baseline_mean"):
        if f"{column}_hidden" in frame:
            hidden[column] = frame[f"{column}_hidden"].astype(bool)
    hidden = hidden.reindex(columns=list(columns), fill_value=False)
    words = [column for column in ("verdict", "evidence", "significant") if column in columns]
    frame.loc[out, words] = ""
    frame = frame[list(columns)].mask(hidden)
    return Draft(
        name, table.title, "regression", columns, frame, hidden, pd.concat([data, told], axis=1), _flags(told, columns)
    )


def _placed(columns: Mapping[str, Kind]) -> dict[str, Kind]:
    """The estimates' columns with the sample's count and the mean before go-live ahead of the numbers."""
    labels = {name: kind for name, kind in columns.items() if kind == "label"}
    rest = {name: kind for name, kind in columns.items() if kind != "label"}
    return {**labels, "n_rows": "count", "baseline_mean": "share", **rest}


def _with_sample(name: str, facts: OutcomeFacts, rows: pd.DataFrame) -> pd.DataFrame:
    """Estimates with the count of rows and the pilots' mean before go-live, where a table of counts holds them.

    Only the main sample is one of those; what other specifications used is known to the checker alone.
    """
    if name != "estimates":
        return rows
    verdicts = {(row.table, *row.labels.values()): row for row in facts.counts.rows}
    sample, before = verdicts.get(("samples", "main")), verdicts.get(("pilots_before_after", "all", "before"))
    main = rows["specification"] == "main"
    n = None if sample is None else facts.judgement.of(sample.n).shown
    mean = math.nan if before is None else quotient(before, facts)
    return rows.assign(
        n_rows=[float(n) if at and n is not None else math.nan for at in main],
        n_rows_hidden=[not at or n is None for at in main],
        baseline_mean=[mean if at else math.nan for at in main],
        baseline_mean_hidden=[not at or math.isnan(mean) for at in main],
    )


def quotient(row: Row, facts: OutcomeFacts) -> float:
    """Returns a row's share, from what is shown of its counts, or its mean; NaN where one of them is hidden."""
    n = facts.judgement.of(row.n)
    if n.shown is None:
        return math.nan
    if row.amount is not None:
        return row.amount[0] / row.n.value if row.n.value else math.nan
    if row.events is None or (events := facts.judgement.of(row.events)).shown is None or not n.shown:
        return math.nan
    return min(events.shown / n.shown, 1.0)


def count_drafts(facts: Sequence[OutcomeFacts]) -> list[Draft]:
    """Returns the drafts of the tables of counts."""
    drafts = [_counts(name, facts) for name in COUNT_TABLES]
    return [draft for draft in drafts if draft is not None]


def _counts(name: TableName, facts: Sequence[OutcomeFacts]) -> Draft | None:
    rows = [(one, row) for one in facts for row in one.counts.rows if row.table == name]
    if not rows:
        return None
    labels = list(rows[0][1].labels)
    has_share = name != "flow"
    records, hidden, checks = [], [], []
    for one, row in rows:
        n = one.judgement.of(row.n)
        events = None if row.events is None else one.judgement.of(row.events)
        record: dict[str, object] = {"outcome_id": one.counts.outcome_id, **row.labels, "n": _shown(n)}
        gone: dict[str, bool] = {"n": n.shown is None}
        if has_share:
            mean = quotient(row, one)
            record |= {"events": _shown(events), "mean": mean}
            gone |= {
                "events": events is not None and events.shown is None,
                "mean": math.isnan(mean) and row.n.value > 0,
            }
        records.append(record)
        hidden.append(gone)
        checks.append(_check(one.counts.outcome_id, row, n, events))
    columns: dict[str, Kind] = {"outcome_id": "label", **dict.fromkeys(labels, "label"), "n": "count"}
    if has_share:
        columns |= {"events": "count", "mean": "share"}
    frame = pd.DataFrame(records)
    mask = pd.DataFrame(hidden).reindex(columns=list(columns), fill_value=False)
    told = pd.DataFrame(checks)
    return Draft(name, COUNT_TABLES[name], "table", columns, frame, mask, told, _count_flags(told, columns))


def _shown(verdict: Verdict | None) -> float:
    return math.nan if verdict is None or verdict.shown is None else float(verdict.shown)


def _check(outcome_id: str, row: Row, n: Verdict, events: Verdict | None) -> dict[str, object]:
    """What the checker sees of a row: the counts themselves, the decisions, and what an attacker could say."""
    told: dict[str, object] = {"outcome_id": outcome_id, **row.labels}
    for name, verdict in (("n", n), ("events", events)):
        if verdict is not None:
            told |= {
                name: verdict.value, f"{name}_shown": verdict.shown is not None, f"{name}_rule": verdict.rule,
                f"{name}_reason": verdict.reason, f"{name}_could_be_from": verdict.low,
                f"{name}_could_be_to": verdict.high,
            }  # fmt: skip
    return told


def _flags(told: pd.DataFrame, columns: Mapping[str, Kind]) -> dict[str, tuple[tuple[int, int], ...]]:
    """Rows that a rule hid, at the column of the effect."""
    at = list(columns).index("att") if "att" in columns else 0
    rules = told["rule"].where(~told["cleared"].astype(bool), "")
    return {rule: tuple((int(place), at) for place in rules[rules == rule].index) for rule in sorted(set(rules) - {""})}


def _count_flags(told: pd.DataFrame, columns: Mapping[str, Kind]) -> dict[str, tuple[tuple[int, int], ...]]:
    flags: dict[str, list[tuple[int, int]]] = {}
    for name in ("n", "events"):
        if f"{name}_rule" in told:
            for place, rule in enumerate(told[f"{name}_rule"].fillna("")):
                if rule:
                    flags.setdefault(str(rule), []).append((place, list(columns).index(name)))
    return {rule: tuple(places) for rule, places in sorted(flags.items())}
