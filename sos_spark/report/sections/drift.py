"""Were the two groups drifting apart already? Tests of the time before go-live, and what a violation would do."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from sos_spark.fit.thresholds import ALPHA
from sos_spark.report.blocks import Block, Bullets, Heading, Section, Table, Text, section
from sos_spark.report.figures.style import DataTable
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.sections.draw_honest import bounds_of, direction_of, honest_picture, side_of_zero, survives_up_to
from sos_spark.report.words.numbers import Scale, number, p_phrase, p_value
from sos_spark.report.words.specifications import spoken

_UNTOLD = "not distinguishable from no change even under {}"
_PARALLEL, _STRAIGHT = "exactly parallel trends", "an earlier drift that goes on in a straight line"


def drift_section(results: Results) -> Section | None:
    """Returns the section; None where the run left neither tests of the time before nor bounds."""
    blocks: list[Block | None] = [
        Text(
            "The comparison assumes that without the programme pilots and comparators would have moved in step. Nobody"
            " can see that, but one can see whether they moved in step before go-live."
        )
    ]
    table = pretrend_table(results)
    if table.rows:
        blocks += [
            Table("Pilots and comparators before go-live", table),
            Text(
                "The joint test asks whether every gap before go-live could be zero; a large p-value is no proof that"
                " it is, because few authorities see little. So two more things stand beside it. A drift would matter"
                " if, going on after go-live, it made by itself the smallest change of interest: is one that large"
                " ruled out (an equivalence test)? And how large a false effect could a drift have made and still be"
                " missed one time in five?",
                quiet=True,
            ),
            Bullets(_notes(results), quiet=True),
        ]
    pictures = [(key, shown) for key in results.labels if (shown := honest_picture(results, key)) is not None]
    if pictures:
        blocks += [
            Heading("How much of a violation would the findings survive?"),
            Text(
                "Suppose that the groups would have parted even without the programme. The figures give the range of"
                " effects that remains possible, the larger such a violation may be. On the left its size is a multiple"
                " of the largest one from one year to the next before go-live; at 0 the paths are exactly parallel. On"
                " the right the drift there was before goes on and may bend; at 0 it goes on in a straight line. Each"
                " year counts once, so the estimate differs a little from the main one."
            ),
        ]
        for key, shown in pictures:
            blocks += [shown, Text(survival_in_words(results, key))]
    blocks.append(Bullets(_without_bounds(results), quiet=True))
    return section("drift", "Were the two groups drifting apart already?", blocks)


def pretrend_table(results: Results) -> DataTable:
    """Returns what is known of the time before go-live, a row an outcome and specification."""
    rows = []
    for outcome_id, label in results.labels.items():
        scale = results.scales[outcome_id]
        for row in rows_of(of_outcome(results.pretrend, outcome_id)):
            if math.isnan(row.p_joint) and math.isnan(row.slope):
                continue
            name = label if row.specification == "main" else f"{label} ({spoken(row.specification)})"
            low, high = scale.slope(row.ci_low), scale.slope(row.ci_high)
            rows.append(
                (
                    f"{name}, {scale.long_unit}",
                    p_value(row.p_joint) or "not known",
                    scale.slope(row.slope),
                    f"{low} to {high}" if low and high else "",
                    scale.slope(row.slope_bound),
                    scale.change(row.detectable_violation),
                    _verdict(row),
                )
            )
    period = results.study.window.period
    header = (
        "Outcome", "Joint test, p", f"Drift a {period}", "95% interval", "Drift that would matter",
        "False effect that could be missed", "Is a drift that matters ruled out?",
    )  # fmt: skip
    return DataTable(header, tuple(rows), words=1)


def _verdict(row: Any) -> str:
    if math.isnan(row.p_equivalence):
        return "no size that matters was named"
    return f"{'yes' if row.p_equivalence < ALPHA else 'not ruled out'} ({p_phrase(row.p_equivalence)})"


def survival_in_words(results: Results, outcome_id: str) -> str:
    """Returns how large a violation the finding would survive, under each restriction that the run looked at."""
    scale, said = results.scales[outcome_id], []
    relative = bounds_of(results, outcome_id, "relative_magnitudes")
    direction = direction_of(results, outcome_id)
    if len(relative):
        turned = _turned(relative, direction, scale, _PARALLEL)
        said.append(turned or _survival(survives_up_to(relative), "{} times the largest one seen before go-live", None))
    smooth = bounds_of(results, outcome_id, "smoothness")
    if len(smooth):
        turned = _turned(smooth, direction, scale, _STRAIGHT)
        said.append(turned or _survival(survives_up_to(smooth), f"{{}} {scale.change_unit} a year each year", scale))
    if said == [_UNTOLD.format(_PARALLEL), _UNTOLD.format(_STRAIGHT)]:
        said = [f"{_UNTOLD.format(_PARALLEL)}, nor were an earlier drift to go on in a straight line"]
    return f"{results.labels[outcome_id]}: {'; '.join(said)}."


def _turned(bounds: pd.DataFrame, direction: int, scale: Scale, under: str) -> str:
    """What to say where, without a violation, the effect lies on the other side of zero; blank where it does not."""
    low, high = float(bounds["ci_low"].iloc[0]), float(bounds["ci_high"].iloc[0])
    if side_of_zero(low, high) != -direction:
        return ""
    return f"under {under} the effect would be the other way round, {scale.interval(low, high)} {scale.long_unit}"


def _survival(m: float, size: str, scale: Scale | None) -> str:
    """The words for a breakdown value: of a bend in the drift where it has a scale, else of a violation."""
    if math.isnan(m):
        return _UNTOLD.format(_PARALLEL if scale is None else _STRAIGHT)
    what = "a violation" if scale is None else "a bend in the earlier drift"
    if math.isinf(m):
        return f"the finding would survive {what} of any size"
    said = number(m, 2) if scale is None else number(m * scale.factor, scale.change_decimals + 1)
    return f"the finding would survive {what} of up to {size.format(said)}"


def _notes(results: Results) -> tuple[str, ...]:
    """The notes of the tests, each once with its outcome."""
    notes = [
        f"{label}: {row.note}"
        for outcome_id, label in results.labels.items()
        for row in rows_of(of_outcome(results.pretrend, outcome_id))
        if row.note
    ]
    return tuple(dict.fromkeys(notes))


def _without_bounds(results: Results) -> tuple[str, ...]:
    """Why outcomes have no bounds, and which bounds are descriptions only; each once."""
    said: list[str] = []
    for outcome_id, label in results.labels.items():
        own = of_outcome(results.honest, outcome_id)
        if own.empty:
            continue
        if own["ci_low"].isna().all():
            said += [f"{label}, no bounds: {note}" for note in own["note"].unique() if note]
        elif (own["label"] == "descriptive").any():
            said.append(f"{label}: these bounds describe; they are not known to hold the truth 19 times in 20.")
    return tuple(said)
