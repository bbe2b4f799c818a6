"""Rules for estimates: residual degrees of freedom, the children behind each, and samples that differ by few.

An estimate is a number per unit of outcome, not a count; but one that rests on a handful of events gives their number
away as a mean does, a regression with as many coefficients as cells is a table of means, and two regressions whose
samples differ by a few children tell of these.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pandas as pd

from sos_spark.config.disclosure import Profile
from sos_spark.config.study import Study
from sos_spark.release.counts import OutcomeCounts
from sos_spark.release.judge import Judgement

REFERENCE = -1
"""The event time that all others are measured from."""


@dataclass(frozen=True)
class Decision:
    """Whether an estimate may leave: with the children and degrees of freedom behind it, for the checker."""

    cleared: bool
    n: float
    residual_df: float
    rule: str = ""
    reason: str = ""


@dataclass(frozen=True)
class Behind:
    """Rows and events of some pilots' cells; `amounts`: the outcome has no events."""

    n: int
    events: int
    amounts: bool

    def few(self, profile: Profile) -> str:
        """Returns which of them are too few, in words; blank where none is."""
        counts = profile.counts
        if counts.is_sensitive(self.n) or self.n == 0:
            return "rests on too few children"
        if self.amounts:
            return ""
        rest = self.n - self.events
        if counts.is_sensitive(self.events):
            return "rests on too few children with the event"
        if counts.is_sensitive(rest):
            return "rests on too few children without the event"
        if counts.hide_all_or_none and 0 in (self.events, rest):
            return "everyone or no one behind it had the event"
        return ""


@dataclass(frozen=True)
class OutcomeFacts:
    """What the rules ask about an outcome: its counts, the verdicts on them and its estimates."""

    study: Study
    counts: OutcomeCounts
    judgement: Judgement
    estimates: pd.DataFrame
    profile: Profile

    def behind(self, cells: pd.DataFrame) -> Behind:
        """Returns rows and events of cells."""
        amounts = all(row.events is None for row in self.counts.rows if row.table != "flow")
        return Behind(int(cells["n"].sum()), round(float(cells["y_sum"].sum())), amounts)

    @property
    def main(self) -> pd.Series | None:
        """The main estimate."""
        rows = self.estimates[self.estimates["specification"] == "main"]
        return None if rows.empty else rows.iloc[0]

    def residual_df(self, row: pd.Series) -> float:
        """Returns cells less effects of units and periods and the coefficient."""
        n_periods = self.counts.fitted["period"].nunique()
        return float(row["n_cells"]) - float(row["n_clusters"]) - n_periods


def main_decision(facts: OutcomeFacts) -> Decision:
    """Returns the decision on an outcome's main estimate: all that is computed from the same sample follows it."""
    row = facts.main
    if row is None or pd.isna(row["att"]):
        return Decision(False, 0, 0, "not estimated", "the run has no main estimate")
    n, df = float(row["n_rows"]), facts.residual_df(row)
    fitted = facts.counts.fitted
    if int(fitted["n"].sum()) != int(n):
        return Decision(False, n, df, "not judged", "the cells do not add up to the rows that were fitted")
    if df < facts.profile.estimates.residual_df:
        return Decision(False, n, df, "degrees of freedom", f"fewer than {facts.profile.estimates.residual_df}")
    pilots = fitted[fitted["arm"] == "pilot"]
    after = pilots["period"] >= pilots["gtime"]
    for when, part in (("before", pilots[~after]), ("after", pilots[after])):
        few = facts.behind(part).few(facts.profile)
        if few:
            return Decision(False, n, df, "threshold", f"{few} in the pilots {when} go-live")
    return Decision(True, n, df)


def estimate_decisions(facts: OutcomeFacts) -> list[Decision]:
    """Returns a decision for each row of an outcome's estimates, in their order; the main one is shown first."""
    main, profile = main_decision(facts), facts.profile
    shown: list[float] = [main.n] if main.cleared else []
    decisions = []
    for _, row in facts.estimates.iterrows():
        if row["specification"] == "main":
            decisions.append(main)
            continue
        n, df = float(row["n_rows"]), facts.residual_df(row)
        near = [other for other in shown if 1 <= abs(other - n) <= profile.counts.hide_up_to]
        if pd.isna(row["att"]):
            decision = Decision(True, n, df)
        elif not main.cleared:
            decision = Decision(False, n, df, main.rule, f"as the main estimate: {main.reason}")
        elif df < profile.estimates.residual_df:
            decision = Decision(False, n, df, "degrees of freedom", f"fewer than {profile.estimates.residual_df}")
        elif n <= profile.counts.hide_up_to:
            decision = Decision(False, n, df, "threshold", "rests on too few children")
        elif near:
            decision = Decision(False, n, df, "difference", "its sample differs by few from one that is shown")
        else:
            decision = Decision(True, n, df)
            shown.append(n)
        decisions.append(decision)
    return decisions


def event_study_decisions(facts: OutcomeFacts, rows: pd.DataFrame) -> list[Decision]:
    """Returns a decision for each point: by the pilots' children at that event time and at the reference."""
    main = main_decision(facts)
    pilots = facts.counts.fitted
    pilots = pilots[pilots["arm"] == "pilot"]
    time = pilots["period"] - pilots["gtime"]
    if facts.study.inference.event_study_bins is not None:
        time = time.clip(*facts.study.inference.event_study_bins)
    reference = facts.behind(pilots[time == REFERENCE])

    def decide(row: pd.Series) -> Decision:
        behind = facts.behind(pilots[time == row["event_time"]])
        if not main.cleared:
            return _as_main(main)
        if row["event_time"] == REFERENCE:
            return Decision(True, behind.n, main.residual_df)
        if behind.n != int(row["n_rows"]):
            return Decision(False, behind.n, main.residual_df, "not judged", "the children behind it are not known")
        few = behind.few(facts.profile) or (f"its reference {few}" if (few := reference.few(facts.profile)) else "")
        return Decision(not few, behind.n, main.residual_df, "threshold" if few else "", few)

    return [decide(row) for _, row in rows.iterrows()]


def leave_one_out_decisions(facts: OutcomeFacts, rows: pd.DataFrame) -> list[Decision]:
    """Returns a decision for each unit left out: what differs from the main estimate is its children."""
    main, fitted = main_decision(facts), facts.counts.fitted
    first = fitted["gtime"].min()

    def decide(row: pd.Series) -> Decision:
        if not main.cleared:
            return _as_main(main)
        own = fitted[fitted["unit_id"] == row["left_out"]]
        after = own["period"] >= own["gtime"].fillna(first)
        parts = [facts.behind(part) for part in (own[~after], own[after])]
        few = next((few for part in parts if part.n and (few := part.few(facts.profile))), "")
        n = sum(part.n for part in parts)
        return Decision(not few, n, main.residual_df, "threshold" if few else "", few and f"what is left out {few}")

    return [decide(row) for _, row in rows.iterrows()]


def whole_sample_decisions(facts: OutcomeFacts, rows: pd.DataFrame) -> list[Decision]:
    """Returns a decision for each row of what is computed from the whole sample: the main estimate's."""
    main = main_decision(facts)
    return [Decision(True, main.n, main.residual_df) if main.cleared else _as_main(main)] * len(rows)


def _as_main(main: Decision) -> Decision:
    return Decision(False, main.n, main.residual_df, main.rule, f"as the main estimate: {main.reason}")


RULES: Mapping[str, Callable[[OutcomeFacts, pd.DataFrame], list[Decision]]] = {
    "estimates": lambda facts, _: estimate_decisions(facts),
    "event_study": event_study_decisions,
    "leave_one_out": leave_one_out_decisions,
    **dict.fromkeys(
        ("balance", "pretrend", "honest", "placebo_summary", "placebo_pilots", "welch", "power", "arms"),
        whole_sample_decisions,
    ),
}
"""By which rule each file of estimates is judged; one that is not here is not released."""
