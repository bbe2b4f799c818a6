"""What was found, as a headline and a few sentences, with the certainty in the verb."""

from __future__ import annotations

from datetime import timedelta

from sos_spark.fit.thresholds import FEW_TREATED
from sos_spark.fit.verdict import CANNOT_TELL, CHANGE, NO_CHANGE_THAT_MATTERS, NO_ESTIMATE
from sos_spark.report.front.picture import look_of, seen_of
from sos_spark.report.results import Results
from sos_spark.report.words.cut import interval_of
from sos_spark.report.words.natural import change, counted, digits, is_length, size, span, unit_in_words, whole_span
from sos_spark.report.words.numbers import Scale
from sos_spark.report.words.verdicts import Verdict, known, quoted_interval, verdicts

_MOST_NAMED = 2


def headline(results: Results) -> str:
    """Returns what was found in one sentence, without its full stop: where, when, and with what certainty."""
    found = _judged(results)
    changed = [verdict for verdict in found if verdict.finding == CHANGE]
    where = f"in {_pilots(results)}, {_years(results)}"
    if len(changed) == 1:
        return f"{_moved(results, changed[0])} {where}"
    if changed:
        return f"{counted(len(changed)).capitalize()} of {counted(len(found))} outcomes changed {where}"
    findings = {verdict.finding for verdict in found} - {NO_ESTIMATE}
    if findings == {NO_CHANGE_THAT_MATTERS}:
        return f"No change of a size that matters {where}"
    if not findings:
        return f"Nothing could be estimated {where}"
    if n_pilots(results) <= FEW_TREATED and findings == {CANNOT_TELL}:
        return f"Too few pilots to tell whether anything changed {where}"
    return f"No clear change in what happened to children {where}"


def lede(results: Results) -> str:
    """Returns the sentences below the headline: against whom, what changed, what is ruled out, what may be unseen."""
    found = _judged(results)
    said = [f"Compared with {_comparators(results)}."]
    changed = [verdict for verdict in found if verdict.finding == CHANGE]
    unclear = [verdict for verdict in found if verdict.finding == CANNOT_TELL]
    same = [verdict for verdict in found if verdict.finding == NO_CHANGE_THAT_MATTERS]
    if len(changed) == 1:
        said += _uncertain(results, changed[0])
    elif changed:
        said += [f"{_moved(results, verdict)}." for verdict in changed[:_MOST_NAMED]]
        if len(changed) > _MOST_NAMED:
            said.append(f"So did {counted(len(changed) - _MOST_NAMED)} more, below.")
    if not changed and len(found) > 1 and unclear:
        said.append(f"None of the {counted(len(found))} outcomes moved by more than chance would explain.")
    if same and unclear:
        said.append(f"For {counted(len(same))} a change of a size that matters is ruled out.")
    said += _closest(results, unclear)
    said += _unseen(results, unclear, others=bool(changed or same))
    missing = sum(verdict.finding == NO_ESTIMATE for verdict in found)
    if missing:
        said.append(f"For {counted(missing)} of {counted(len(found))} outcomes no estimate could be made.")
    return " ".join(said)


def n_pilots(results: Results) -> int:
    """Returns how many authorities are pilots, merged ones as one."""
    return sum(arm == "pilot" for arm in results.arm_of().values()) or len(results.study.pilots)


def _judged(results: Results) -> list[Verdict]:
    """The verdicts that the finding is made of: outcomes that the programme cannot have moved are no part of it."""
    return [verdict for verdict in verdicts(results) if not verdict.placebo]


def _pilots(results: Results) -> str:
    n = n_pilots(results)
    return f"{counted(n)} pilot {'authority' if n == 1 else 'authorities'}"


def _comparators(results: Results) -> str:
    n = sum(arm == "comparator" for arm in results.arm_of().values())
    return f"{n:,} authorities that ran no pilot" if n else "authorities that ran no pilot"


def _years(results: Results) -> str:
    start, end = results.study.window.follow_up
    last = (end - timedelta(days=1)).year
    return str(start.year) if start.year == last else f"{start.year} to {last}"


def _moved(results: Results, verdict: Verdict) -> str:
    """A change as a sentence without its full stop: what fell, or rose, and by about how much."""
    scale, row = results.scales[verdict.outcome_id], results.main_row(verdict.outcome_id) or {}
    att = known(row, "att") or 0.0
    verb = ("got longer" if att > 0 else "got shorter") if is_length(scale) else ("rose" if att > 0 else "fell")
    name = "Assessments" if is_length(scale) else verdict.label
    return f"{name} {verb} by about {size(scale, att)}"


def _uncertain(results: Results, verdict: Verdict) -> list[str]:
    """How large the one change may be; nothing where no interval is quoted."""
    scale, row = results.scales[verdict.outcome_id], results.main_row(verdict.outcome_id) or {}
    interval = whole_span(scale, *interval_of(results, verdict.outcome_id, *quoted_interval(row)))
    return [f"The data are compatible with anything from {interval}."] if interval else []


def _closest(results: Results, unclear: list[Verdict]) -> list[str]:
    """The outcomes at the edge of chance, which a reader would else take for the others."""
    said: list[str] = []
    for verdict in unclear:
        if look_of(results, verdict.outcome_id) == "edge" and len(said) < _MOST_NAMED:
            scale, row = results.scales[verdict.outcome_id], results.main_row(verdict.outcome_id) or {}
            interval = span(scale, *interval_of(results, verdict.outcome_id, *quoted_interval(row)))
            told = f" ({interval})" if interval else ""
            said.append(
                f"Closest to a change: {_lower(verdict.label)}, {change(scale, known(row, 'att') or 0.0)}{told}."
            )
    return said


def _unseen(results: Results, unclear: list[Verdict], *, others: bool) -> list[str]:
    """What size of change the study would probably have found, where it cannot tell."""
    seen: dict[Scale, list[float]] = {}
    for verdict in unclear:
        found = seen_of(results, verdict.outcome_id)
        if found is not None:
            seen.setdefault(results.scales[verdict.outcome_id], []).append(found)
    if not seen:
        return []
    spans = [_from_to(scale, seen[scale]) for scale in sorted(seen, key=lambda scale: -len(seen[scale]))]
    start = "Where it cannot tell, changes" if others else "Changes"
    return [f"{start} smaller than {' or '.join(spans)}, good or bad, may have gone unseen."]


def _from_to(scale: Scale, values: list[float]) -> str:
    low, high = digits(scale, min(values)), digits(scale, max(values))
    return f"{low if low == high else f'{low} to {high}'} {unit_in_words(scale)}"


def _lower(label: str) -> str:
    return label[:1].lower() + label[1:]
