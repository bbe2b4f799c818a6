"""How sure are we: what the run's own checks came to, each a few words that lead to their evidence.

A check is computed from the results alone. One whose files the run did not leave is left out, not passed.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass

from scipy.special import bdtrc

from sos_spark.fit.thresholds import ALPHA
from sos_spark.fit.verdict import CHANGE
from sos_spark.report.results import Results, of_outcome
from sos_spark.report.sections.balance import ALIKE
from sos_spark.report.sections.leave_one_out import leans_on
from sos_spark.report.sections.placebo import placebo_tests
from sos_spark.report.sections.quality import failed_expectations, unobserved_years
from sos_spark.report.sections.unknown import unknown_shares
from sos_spark.report.words.natural import counted
from sos_spark.report.words.numbers import count, number
from sos_spark.report.words.verdicts import finding_of, is_significant, known

UNKNOWN_GAP = 0.05
"""A difference between the arms' shares of unknown outcomes beyond which a reader is warned."""


@dataclass(frozen=True)
class Check:
    """What a check came to.

    `holds`: nothing in it speaks against the answer; `anchor`: the section, or figure, that shows it.
    """

    words: str
    holds: bool
    anchor: str


def checks_of(results: Results) -> tuple[Check, ...]:
    """Returns the checks that the run's results allow, in the order in which they are read."""
    return tuple(check for make in _CHECKS if (check := make(results)) is not None)


def _outcomes(results: Results) -> list[str]:
    """The outcomes that have an estimate and that the programme may have moved."""
    keys = [key for key in results.labels if key not in results.placebo_outcomes]
    return [key for key in keys if known(results.main_row(key) or {}, "att") is not None]


def _some(results: Results, keys: list[str], of: int) -> str:
    """The one outcome by its name, else how many."""
    if len(keys) == 1:
        return results.labels[keys[0]][:1].lower() + results.labels[keys[0]][1:]
    return f"{counted(len(keys))} of {counted(of)} outcomes"


def chance(results: Results) -> Check | None:
    """Whether bootstrap, clustered errors and permutations fall on the same side of the line."""
    judged, apart = 0, []
    for key in _outcomes(results):
        row = results.main_row(key) or {}
        p = [value for name in ("p_wcr", "p_cr2", "p_ri") if (value := known(row, name)) is not None]
        judged += len(p) == 3
        if len(p) == 3 and len({value < ALPHA for value in p}) > 1:
            apart.append(key)
    if not judged:
        return None
    if apart:
        return Check(f"Tests of chance disagree on {_some(results, apart, judged)}", False, "numbers")
    return Check("Same answer by three tests of chance", True, "numbers")


def drift_before(results: Results) -> Check | None:
    """Whether pilots and comparators moved apart before go-live, and whether a drift that matters is ruled out."""
    rows = results.pretrend
    if rows.empty:
        return None
    rows = rows[(rows["specification"] == "main") & rows["outcome_id"].isin(_outcomes(results))]
    rows = rows[rows["p_joint"].notna() | rows["p_cr2"].notna()]
    if rows.empty:
        return None
    drifting = [str(key) for key in rows.loc[(rows[["p_joint", "p_cr2"]] < ALPHA).any(axis=1), "outcome_id"]]
    if drifting:
        said = f"Pilots were drifting before go-live: {_some(results, drifting, len(rows))}"
        return Check(said, False, "drift")
    tested = rows["p_equivalence"].dropna()
    if len(tested) and (tested < ALPHA).all():
        return Check("No drift before go-live that matters", True, "drift")
    return Check("Drift before go-live: none seen, not ruled out", False, "drift")


def one_pilot(results: Results) -> Check | None:
    """Whether leaving out a single pilot turns the direction of an estimate."""
    rows = results.leave_one_out
    if rows.empty or not (rows["arm"] == "pilot").any():
        return None
    keys = _outcomes(results)
    leaning = [key for key in keys if leans_on(results, key)]
    if leaning:
        said = f"One pilot decides the direction of {_some(results, leaning, len(keys))}"
        return Check(said, False, f"figure-leave_one_out_{leaning[0]}")
    return Check("No single pilot decides a direction", True, f"figure-leave_one_out_{keys[0]}" if keys else "")


def pseudo_pilots(results: Results) -> Check | None:
    """Whether pilots drawn by lot say the same of each outcome as the headline test does."""
    beyond = {}
    for key in _outcomes(results):
        own = of_outcome(results.placebo_summary, key)
        if len(own) and not math.isnan(own["share_beyond"].iloc[0]):
            beyond[key] = own.iloc[0]
    if not beyond:
        return None
    apart = [
        key
        for key, row in beyond.items()
        if (row["share_beyond"] < ALPHA) != (finding_of(results.main_row(key) or {}) == CHANGE)
    ]
    if not apart:
        return Check("Pilots drawn by lot give the same answer", True, "placebo")
    if len(apart) > 1:
        said = f"Pilots drawn by lot give another answer on {_some(results, apart, len(beyond))}"
        return Check(said, False, "placebo")
    row = beyond[apart[0]]
    n = round(float(row["share_beyond"]) * float(row["n_draws"]))
    name = _some(results, apart, len(beyond))
    return Check(f"{name[:1].upper()}{name[1:]}: {n} of {count(row['n_draws'])} pilots by lot moved as far", False,
                 "placebo")  # fmt: skip


def placebos(results: Results) -> Check | None:
    """Whether the placebo tests found more effects than chance would have them find."""
    judged = [found for row in placebo_tests(results).to_dict("records") if (found := is_significant(row)) is not None]
    if not judged:
        return None
    n, k = len(judged), sum(judged)
    usual = bool(bdtrc(k - 1, n, ALPHA) >= ALPHA)
    return Check(
        f"{counted(k).capitalize() if k else 'None'} of {counted(n)} placebo tests found an effect", usual, "placebo"
    )


def alike(results: Results) -> Check | None:
    """Whether pilots and the comparators used stood alike before go-live."""
    rows = results.balance
    if rows.empty or rows["smd_after"].isna().all():
        return None
    worst = float(rows["smd_after"].abs().max())
    if worst <= ALIKE:
        return Check("Pilots and comparators were alike before", True, "balance")
    return Check(
        f"Pilots and comparators differed before, by up to {number(worst, 1)} standard deviations", False, "balance"
    )


def unknowns(results: Results) -> Check | None:
    """How much is not known, and whether that differs between the arms."""
    shares = unknown_shares(results)
    shares = {key: own for key, own in shares.items() if key in _outcomes(results)}
    if not shares:
        return None
    most = max(max(own) for own in shares.values())
    gap = max(abs(pilot - comparator) for pilot, comparator in shares.values())
    if gap > UNKNOWN_GAP:
        said = f"Unknown outcomes differ between the groups, by up to {number(100 * gap, 0)} in 100"
        return Check(said, False, "unknown")
    return Check(f"Unknown outcomes: at most {number(100 * most, 0)} in 100, alike in both groups", True, "unknown")


def data_quality(results: Results) -> Check | None:
    """Whether the checks of whole tables held, and whether every return could be counted on."""
    verdicts = results.lake.expectations
    n_out = len(unobserved_years(results)) if len(results.lake.unobserved) else 0
    left_out = len(results.refused) + n_out
    if verdicts.empty and not left_out:
        return None
    _, failed = failed_expectations(results)
    if left_out:
        said = f"{counted(left_out).capitalize()} {'return' if left_out == 1 else 'returns'} could not be used"
        return Check(said, False, "quality")
    n = len(verdicts)
    n_held = int(verdicts["passed"].astype(bool).sum())
    return Check(f"{count(n_held)} of {count(n)} checks of the data held", not failed, "quality")


def planned(results: Results) -> Check:
    """Whether the plan was frozen before the results were seen."""
    if results.frozen is None:
        return Check("Plan not frozen before the results", False, "plan")
    if not results.frozen.as_planned:
        return Check("Plan frozen, and changed since", False, "plan")
    return Check("Plan frozen before the results", True, "plan")


_CHECKS: tuple[Callable[[Results], Check | None], ...] = (
    chance, drift_before, one_pilot, pseudo_pilots, placebos, alike, unknowns, data_quality, planned,
)  # fmt: skip
