"""The plain answer to each outcome, by the headline rule: a change is significant only if WCR and CR2 both say so.

With too few pilots for the bootstrap the headline is randomisation inference, and the interval that of its test.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from sos_spark.fit.thresholds import ALPHA, UNSTEADY
from sos_spark.fit.verdict import CHANGE, NO_CHANGE_THAT_MATTERS, NO_ESTIMATE, verdict_of
from sos_spark.fit.verdict import Verdict as Finding
from sos_spark.report.results import Results, of_outcome
from sos_spark.report.words.natural import direction, is_length
from sos_spark.report.words.numbers import Scale, p_phrase
from sos_spark.report.words.possible import Possible, possible_of

Row = Mapping[Any, Any]


@dataclass(frozen=True)
class Verdict:
    """What is said of an outcome: `answer` in a few words, the estimate and interval in its unit, and sentences.

    `finding` is one of the three answers, blank where there is no estimate. The interval is cut at what the outcome can
    be, and a sentence says so. `placebo`: the study says that the programme cannot have moved it.
    """

    outcome_id: str
    label: str
    family: str
    finding: Finding
    answer: str
    estimate: str
    interval: str
    sentences: tuple[str, ...]
    probabilities: str
    evidence: str
    note: str
    placebo: bool = False


def verdicts(results: Results) -> list[Verdict]:
    """Returns a verdict on every outcome of the study, in its order."""
    placebos = results.placebo_outcomes
    return [
        replace(_verdict(results, outcome.outcome_id, outcome.family), placebo=outcome.outcome_id in placebos)
        for outcome in results.study.outcomes
    ]


def is_significant(row: Row) -> bool | None:
    """Judges a row of estimates by the headline that it names; None where it cannot be judged.

    p_wcr together with p_cr2, or p_ri or p_cr2 alone. A row without a headline is judged by the first of these it has.
    """
    p_wcr, p_cr2, p_ri = (known(row, name) for name in ("p_wcr", "p_cr2", "p_ri"))
    headline = row.get("headline")
    if headline not in ("p_ri", "p_cr2") and p_wcr is not None and p_cr2 is not None:
        return p_wcr < ALPHA and p_cr2 < ALPHA
    p = p_cr2 if headline == "p_cr2" else p_ri
    return None if p is None else p < ALPHA


def quoted_interval(row: Row) -> tuple[float, float]:
    """Returns the interval that goes with a row's headline: the randomisation test's or the bootstrap's."""
    by = "ri" if row.get("headline") == "p_ri" else "wcr"
    low, high = (known(row, f"{end}_{by}") for end in ("ci_low", "ci_high"))
    return (math.nan, math.nan) if low is None or high is None else (low, high)


def _verdict(results: Results, outcome_id: str, family: str) -> Verdict:
    label, scale = results.labels[outcome_id], results.scales[outcome_id]
    row = results.main_row(outcome_id)
    if row is None:
        return _no_estimate(outcome_id, label, family, "The run left no estimate of this outcome.")
    note = str(row.get("note", "") or "")
    att, finding = known(row, "att"), finding_of(row)
    if att is None or finding == NO_ESTIMATE:
        return _no_estimate(outcome_id, label, family, note or "There is no estimate, and no reason was given.")
    possible, baseline = possible_of(results.study.outcome(outcome_id)), known(row, "baseline_mean")
    low, high = possible.change(*quoted_interval(row), baseline=baseline)
    return Verdict(
        outcome_id,
        label,
        family,
        finding,
        _answer(finding, att),
        f"{scale.change(att)} {scale.long_unit}",
        scale.interval(low, high),
        (*_sentences(row, scale, att, finding, possible), *_drift(results, outcome_id, finding)),
        _probabilities(results, row, family),
        str(row.get("evidence", "") or ""),
        note,
    )


def finding_of(row: Row) -> Finding:
    """Returns which of the three answers a row of estimates gives, by its own headline; blank where it gives none."""
    return verdict_of(
        significant=is_significant(row),
        p_equivalence=known(row, "p_equivalence"),
        p_adjusted=known(row, "p_adjusted"),
        estimated=bool(row.get("headline"))
        and row.get("headline") == row.get("headline")
        and known(row, "att") is not None,
    )


def _answer(finding: Finding, att: float) -> str:
    """The heading of a card."""
    if finding == CHANGE:
        return "Evidence of an increase" if att > 0 else "Evidence of a decrease"
    return "No change of a size that matters" if finding == NO_CHANGE_THAT_MATTERS else "The data cannot tell"


def _no_estimate(outcome_id: str, label: str, family: str, why: str) -> Verdict:
    return Verdict(outcome_id, label, family, NO_ESTIMATE, "No estimate could be made", "", "", (), "", "", why)


def _sentences(row: Row, scale: Scale, att: float, finding: Finding, possible: Possible) -> list[str]:
    baseline = known(row, "baseline_mean")
    before = f" Before go-live the pilots stood at {scale.level(baseline)}." if baseline is not None else ""
    size = f"{scale.change(abs(att))} {scale.long_unit}"
    if is_length(scale):
        where = f"it was {size} {direction(scale, att)} in the pilots"
    else:
        where = f"the pilots were {size} {'higher' if att > 0 else 'lower'}"
    said = [f"After go-live {where} than the comparators' path would have led one to expect.{before}"]
    said += _compatible(row, scale, possible, baseline)
    if row.get("headline") == "p_ri" and known(row, "p_ri") is not None:
        said.append(_taken_for_granted(known(row, "n_treated_clusters")))
    if _methods_disagree(row):
        said.append("The two methods of inference do not agree, so this does not count as evidence of a change.")
    said += _beside_the_finding(row, finding)
    return said


def _taken_for_granted(pilots: float | None) -> str:
    """What permuted go-lives assume of how unsteady the pilots are, and where it is looked at."""
    if pilots == 1:
        return (
            "With one pilot the change is measured by how unsteady that authority is by itself, beside comparators each"
            " taken for a pilot: it may be more unsteady than they are."
        )
    return (
        "This takes for granted that the pilots are no more unsteady than the comparators. The note says how large"
        f" their ups and downs from period to period are beside the comparators'; above {UNSTEADY:g} times as large no"
        " test would be made."
    )


def _compatible(row: Row, scale: Scale, possible: Possible, baseline: float | None) -> Iterator[str]:
    """What the interval says, cut at what the outcome can be."""
    interval = quoted_interval(row)
    if math.isnan(interval[0]) and is_significant(row) is None:
        yield "No test that holds can be made here, so no interval is quoted; the note says why."
    elif math.isnan(interval[0]):
        yield "With so few pilots no interval is quoted: the answer rests on randomisation inference alone."
    elif math.isinf(max(map(abs, interval))):
        yield "So few authorities stand beside the pilots that no size of change can be ruled out."
    else:
        cut = possible.change(*interval, baseline=baseline)
        yield f"The data are compatible with {_span(scale, *cut)}."
        if cut != interval:
            yield (
                f"The interval as computed, {scale.interval(*interval)}, reaches further than this outcome can go from"
                f" where the pilots stood, for it lies {possible.in_words(scale)}; it is cut there."
            )


def _beside_the_finding(row: Row, finding: Finding) -> Iterator[str]:
    """What the tests of equivalence and of many outcomes add to a finding."""
    equivalence, adjusted = known(row, "p_equivalence"), known(row, "p_adjusted")
    if equivalence is not None and equivalence < ALPHA:
        how = f"{p_phrase(equivalence)}, test of equivalence"
        if finding == NO_CHANGE_THAT_MATTERS:
            yield f"A change as large as the smallest of interest is ruled out, either way ({how})."
        elif finding == CHANGE:
            yield f"It is smaller than the smallest change of interest ({how})."
    if is_significant(row) and finding != CHANGE and adjusted is not None:
        yield (
            "By itself it would be evidence of a change, and the interval shows it by itself; it does not stand once"
            f" the number of outcomes tested is allowed for ({p_phrase(adjusted)}), and so it is not counted as one."
        )


def _drift(results: Results, outcome_id: str, finding: Finding) -> list[str]:
    """A caution where a finding stands on groups that were moving apart before go-live."""
    own = of_outcome(results.pretrend, outcome_id)
    if finding != CHANGE or own.empty:
        return []
    main = own[own["specification"] == "main"]
    if not (main[["p_joint", "p_cr2"]] < ALPHA).any(axis=None):
        return []
    return [
        "Pilots and comparators were moving apart before go-live already, so some of it may not be the programme's."
    ]


def _span(scale: Scale, low: float, high: float) -> str:
    """An interval as a sentence says it: 'anything from a fall of 2.9 to a rise of 1.3 percentage points'."""
    unit = scale.long_unit
    if is_length(scale):
        ends = [f"{scale.change(abs(end))} {unit} {direction(scale, end)}" for end in (low, high)]
        return f"anything from {' to '.join(ends)}"
    if low < 0 < high:
        return f"anything from a fall of {scale.change(-low)} to a rise of {scale.change(high)} {unit}"
    what, least, most = ("rise", low, high) if low >= 0 else ("fall", -high, -low)
    return f"a {what} of {scale.change(least)} to {scale.change(most)} {unit}"


def _methods_disagree(row: Row) -> bool:
    p_wcr, p_cr2 = known(row, "p_wcr"), known(row, "p_cr2")
    return p_wcr is not None and p_cr2 is not None and (p_wcr < ALPHA) != (p_cr2 < ALPHA)


def _probabilities(results: Results, row: Row, family: str) -> str:
    names = {"p_wcr": "wild cluster bootstrap", "p_cr2": "CR2", "p_ri": "randomisation inference"}
    said = [f"{p_phrase(p)} ({name})" for key, name in names.items() if (p := known(row, key)) is not None]
    adjusted = known(row, "p_adjusted")
    if adjusted is not None:
        n = sum(outcome.family == family for outcome in results.study.outcomes)
        said.append(f"{p_phrase(adjusted)} allowing for {n} {family} outcome{'s' if n > 1 else ''}")
    return "; ".join(said)


def known(row: Row, name: str) -> float | None:
    """Returns a number of a row of results; None where it is not known."""
    value = row.get(name)
    if value is None or isinstance(value, str) or math.isnan(float(value)):
        return None
    return float(value)
