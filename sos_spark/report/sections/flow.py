"""Sample flow: received -> valid -> index rows -> eligible -> analysed, by arm, with the reasons at each step.

Received and valid count records of the return an outcome is read from; the later stages count its index rows. Records
of a file that holds several authorities cannot be told apart by arm: they stand under the arm 'several'.
"""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from sos_spark.config.study import Outcome
from sos_spark.outcome.reasons import ANALYSED, is_eligibility, is_unknown, meaning_of
from sos_spark.report.results import Results

COLUMNS = ["outcome_id", "stage", "arm", "entity", "reason", "n_rows"]
SEVERAL = "several"
"""The arm of records in files that hold more than one authority."""
STAGES = ("received", "valid", "index_rows", "eligible", "analysed")
STAGE_NAMES = {
    "received": "Received",
    "valid": "Valid",
    "index_rows": "Index rows",
    "eligible": "Eligible",
    "analysed": "Analysed",
}
_RECORD_LOSSES = {
    "n_quarantined": "quarantined",
    "n_superseded_by_later_return": "superseded_by_later_return",
    "n_same_day_duplicates": "same_day_duplicate",
}
_RECORD_REASONS = {
    "quarantined": "refused by an error rule",
    "superseded_by_later_return": "replaced by a later return of the same record",
    "same_day_duplicate": "another referral of the child on the same day was kept",
}
_ENTITIES = {
    "rereferral_nfa": "referrals",
    "rereferral_escalated": "referrals",
    "assessment_duration": "assessments",
    "assessment_within": "assessments",
    "kinship_placement": "lac_episodes",
}


def entity_of(outcome: Outcome) -> str | None:
    """Returns the silver entity whose records an outcome's index rows are; None for published tables."""
    if outcome.kind == "icpc":
        return "referrals" if outcome.index == "referral" else "section47_enquiries"
    return _ENTITIES.get(outcome.kind)


def reason_in_words(reason: str) -> str:
    """Returns what a reason means."""
    return meaning_of(reason) or _RECORD_REASONS.get(reason, reason.replace("_", " "))


def flow_table(results: Results) -> pd.DataFrame:
    """Returns the sample flow of every outcome.

    Grain: one row an outcome, stage, arm and reason, columns `COLUMNS`. A stage's total has a blank reason; its losses
    follow it, each under stage 'lost_<next stage>'. Stages that the run left no counts of are absent.
    """
    rows = [row for outcome in results.study.outcomes for row in _of_outcome(results, outcome)]
    return pd.DataFrame(rows, columns=COLUMNS).astype({"n_rows": "int64"})


def _of_outcome(results: Results, outcome: Outcome) -> Iterator[tuple[object, ...]]:
    arms = results.arm_of(outcome.outcome_id)
    entity = entity_of(outcome)
    if entity is not None:
        for stage, arm, reason, n in _records(results, entity, arms):
            yield outcome.outcome_id, stage, arm, entity, reason, n
    for stage, arm, reason, n in _index_rows(results, outcome.outcome_id, arms):
        yield outcome.outcome_id, stage, arm, "index_rows", reason, n


def _records(results: Results, entity: str, arms: dict[str, str]) -> Iterator[tuple[str, str, str, int]]:
    ledger = results.lake.ledger
    if ledger.empty:
        return
    own = ledger[ledger["entity"] == entity]
    own = own.assign(arm=own["file_id"].map(_arm_of_file(results, arms)).fillna(SEVERAL))
    sums = own.groupby("arm")[["n_received", "n_silver", *_RECORD_LOSSES]].sum()
    for arm, line in sums.iterrows():
        yield "received", str(arm), "", int(line["n_received"])
        for column, reason in _RECORD_LOSSES.items():
            if line[column]:
                yield "lost_valid", str(arm), reason, int(line[column])
        yield "valid", str(arm), "", int(line["n_silver"])


def _arm_of_file(results: Results, arms: dict[str, str]) -> dict[int, str]:
    """The arm of each file that holds one authority only."""
    files = results.lake.files
    if files.empty:
        return {}
    codes = files.dropna(subset=["la_code"]).groupby("file_id")["la_code"].agg(lambda values: sorted(set(values)))
    one = {file_id: found[0] for file_id, found in zip(codes.index, codes, strict=True) if len(found) == 1}
    unit_of = results.unit_of
    return {file_id: arms.get(unit_of.get(code, code), "unused") for file_id, code in one.items()}


def _index_rows(results: Results, outcome_id: str, arms: dict[str, str]) -> Iterator[tuple[str, str, str, int]]:
    flow = results.lake.flow
    own = flow[flow["outcome_id"] == outcome_id] if not flow.empty else flow
    if own.empty:
        yield from _analysed_only(results, outcome_id, arms)
        return
    own = own.assign(arm=own["unit_id"].map(arms).fillna("unused"))
    for arm, part in own.groupby("arm"):
        by_reason = part.groupby("reason")["n_rows"].sum()
        analysed = int(by_reason.get(ANALYSED, 0))
        losses = by_reason.drop(ANALYSED, errors="ignore")
        out = {str(reason): int(n) for reason, n in losses.items() if is_eligibility(str(reason)) and n}
        unknown = {str(reason): int(n) for reason, n in losses.items() if not is_eligibility(str(reason)) and n}
        eligible = analysed + sum(unknown.values())
        yield "index_rows", str(arm), "", eligible + sum(out.values())
        yield from (("lost_eligible", str(arm), reason, n) for reason, n in out.items())
        yield "eligible", str(arm), "", eligible
        yield from (("lost_analysed", str(arm), reason, n) for reason, n in unknown.items())
        yield "analysed", str(arm), "", analysed


def _analysed_only(results: Results, outcome_id: str, arms: dict[str, str]) -> Iterator[tuple[str, str, str, int]]:
    """Without a lake the cells say how many rows were analysed, and no more."""
    cells = results.cells
    if cells.empty:
        return
    own = cells[cells["outcome_id"] == outcome_id]
    own = own.assign(arm=own["unit_id"].map(arms).fillna("unused"))
    for arm, n in own.groupby("arm")["n"].sum().items():
        yield "analysed", str(arm), "", int(n)


def unknown_by_period(results: Results) -> pd.DataFrame:
    """Returns how many eligible rows have no known outcome, by outcome, period, arm and reason.

    Grain: one row an outcome, period, arm and reason with n_rows and n_eligible (of that outcome, period and arm).
    Rows outside the estimand (a placement outside the denominator, say) are neither eligible nor unknown here. period
    and period_start are null where the lake's flow was counted without them.
    """
    flow = results.lake.flow
    columns = ["outcome_id", "period", "period_start", "arm", "reason", "n_rows", "n_eligible"]
    if flow.empty:
        return pd.DataFrame(columns=columns)
    keys = ["outcome_id", "period", "period_start", "arm"]
    flow = flow.reindex(columns=list(dict.fromkeys([*flow.columns, "period", "period_start"])))
    pieces = []
    for outcome_id, own in flow.groupby("outcome_id", sort=False):
        own = own.assign(arm=own["unit_id"].map(results.arm_of(str(outcome_id))).fillna("unused"))
        inside = own["reason"].map(lambda reason: reason == ANALYSED or is_unknown(reason))
        own = own[inside & own["arm"].isin(("pilot", "comparator"))]
        if own.empty:
            continue
        sums = own.groupby([*keys, "reason"], dropna=False)["n_rows"].sum().reset_index()
        sums["n_eligible"] = sums.groupby(keys, dropna=False)["n_rows"].transform("sum")
        pieces.append(sums[sums["reason"] != ANALYSED])
    if not pieces:
        return pd.DataFrame(columns=columns)
    return pd.concat(pieces, ignore_index=True)[columns].astype({"period": "Int64"})
