"""Were the two groups drifting apart already? Tests of the time before go-live, and what a violation would do."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from typing import Any

import pandas as pd

from sos_spark.fit.thresholds import ALPHA
from sos_spark.report.blocks import Block, Bullets, DataTable, Heading, Picture, Section, Table, Text, section_of
from sos_spark.report.figures.paint import draw_plots
from sos_spark.report.figures.plot import Dot, Level, Mark, Plot, PlotAxis, Stem, value_axis
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.words.cut import cut, interval_of
from sos_spark.report.words.numbers import Scale, number, p_phrase, p_value
from sos_spark.report.words.specifications import spoken

Cutter = Callable[[float, float], tuple[float, float]]
TARGET = "average"
_PANELS = {
    "relative_magnitudes": "If the paths part as they did before go-live",
    "smoothness": "If an earlier drift goes on, and bends",
}
_TARGETS = {"average": "average after go-live", "first": "first period after go-live"}
_OTHER_WAY = " Orange: zero is left out, but on the other side than the main estimate's."
_UNTOLD = "not distinguishable from no change even under {}"
_PARALLEL, _STRAIGHT = "exactly parallel trends", "an earlier drift that goes on in a straight line"


READING = (
    "If the groups would have parted anyway: the range of effects that remains possible, the larger such a"
    " violation may be. On the left its size is a multiple of the largest one from one year to the next before go-"
    " live; at 0 the paths are exactly parallel. On the right the drift there was before goes on and may bend; at"
    " 0 it goes on in a straight line. Each year counts once, so the estimate, the ring, differs a little from the"
    " main one. Blue and solid: zero is left out; grey and dashed: no change is possible, too."
)


def section(results: Results) -> Section | None:
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
    survival = [
        f"{results.labels[key]}: {survival_in_words(results, key)}"
        for key in results.labels
        if honest_picture(results, key) is not None
    ]
    if survival:
        blocks += [Heading("How much of a violation would the findings survive?"), Bullets(survival)]
    blocks.append(Bullets(_without_bounds(results), quiet=True))
    return section_of("drift", "Were the two groups drifting apart already?", blocks)


def pretrend_table(results: Results) -> DataTable:
    """Returns what is known of the time before go-live, a row per outcome and specification."""
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
    possible = partial(interval_of, results, outcome_id)
    relative = bounds_of(results, outcome_id, "relative_magnitudes")
    direction = direction_of(results, outcome_id)
    if len(relative):
        turned = _other_way(relative, direction, scale, _PARALLEL, possible)
        said.append(turned or _survival(survives_up_to(relative), "{} times the largest one seen before go-live", None))
    smooth = bounds_of(results, outcome_id, "smoothness")
    if len(smooth):
        turned = _other_way(smooth, direction, scale, _STRAIGHT, possible)
        said.append(turned or _survival(survives_up_to(smooth), f"{{}} {scale.change_unit} a year each year", scale))
    if said == [_UNTOLD.format(_PARALLEL), _UNTOLD.format(_STRAIGHT)]:
        said = [f"{_UNTOLD.format(_PARALLEL)}, nor were an earlier drift to go on in a straight line"]
    sentence = "; ".join(said)
    return f"{sentence[:1].upper()}{sentence[1:]}."


def _other_way(bounds: pd.DataFrame, direction: int, scale: Scale, under: str, possible: Cutter) -> str:
    """What to say where, without a violation, the effect lies on the other side of zero; blank where it does not."""
    low, high = float(bounds["ci_low"].iloc[0]), float(bounds["ci_high"].iloc[0])
    if side_of_zero(low, high) != -direction:
        return ""
    ends = possible(low, high)
    shown, ended = scale.interval(*ends), "" if ends == (low, high) else ", as far as the outcome can go"
    return f"under {under} the effect would be the other way round, {shown} {scale.long_unit}{ended}"


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


def bounds_of(results: Results, outcome_id: str, restriction: str, target: str = TARGET) -> pd.DataFrame:
    """Returns the intervals of an outcome under a restriction, by m; empty where the run left none."""
    own = of_outcome(results.honest, outcome_id)
    if own.empty:
        return own
    kept = (own["restriction"] == restriction) & (own["target"] == target) & own["ci_low"].notna()
    return own[kept & own["m"].notna()].sort_values("m", kind="stable").reset_index(drop=True)


def survives_up_to(bounds: pd.DataFrame) -> float:
    """Returns up to which m the interval leaves out zero: NaN where not even at 0, infinite where always."""
    first = bounds.iloc[0]
    return float(first["breakdown"]) if side_of_zero(first["ci_low"], first["ci_high"]) else math.nan


def side_of_zero(low: float, high: float) -> int:
    """Returns on which side of zero an interval lies: 1 above, -1 below, 0 where it holds zero."""
    return 1 if low > 0 else -1 if high < 0 else 0


def direction_of(results: Results, outcome_id: str) -> int:
    """Returns the sign of the main estimate."""
    att = float((results.main_row(outcome_id) or {}).get("att", math.nan))
    return 1 if att > 0 else -1


def honest_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws the interval against m under each restriction; None where the run left no bounds of the outcome."""
    found = {name: bounds for name in _PANELS if len(bounds := bounds_of(results, outcome_id, name))}
    if not found:
        return None
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    direction = direction_of(results, outcome_id)
    possible = partial(interval_of, results, outcome_id)
    ends = [v * scale.factor for bounds in found.values() for row in rows_of(bounds)
            for v in possible(row.ci_low, row.ci_high)]  # fmt: skip
    y = value_axis(ends, scale.axis)
    plots = [_plot(name, bounds, scale, possible, y, direction) for name, bounds in found.items()]

    rows, said = cut(results, of_outcome(results.honest, outcome_id), ("ci_low", "ci_high"), ("set_low", "set_high"))
    return draw_plots(
        f"honest_{outcome_id}",
        plots,
        title="If the groups would have parted anyway",
        heading=label,
        caption=survival_in_words(results, outcome_id) + (_OTHER_WAY if _turned(found, direction) else "") + said,
        alt=f"Honest bounds of {label.lower()}. "
        + " ".join(f"{_PANELS[name]}: {_in_words(bounds, scale, possible)}" for name, bounds in found.items()),
        table=DataTable(
            ("Restriction", "Effect", "Violation (m)", f"95% interval ({scale.change_unit})", "Without chance",
             "Standing"),
            tuple(_row(row, scale) for row in rows_of(rows)), numeric=2, words=1,
        ),
        height=2.4,
    )  # fmt: skip


def _turned(found: Mapping[str, pd.DataFrame], direction: int) -> bool:
    """Whether some interval lies on the other side of zero than the main estimate."""
    ends = pd.concat([bounds[["ci_low", "ci_high"]] for bounds in found.values()]).itertuples(index=False)
    return any(side_of_zero(low, high) == -direction for low, high in ends)


def _plot(
    name: str, bounds: pd.DataFrame, scale: Scale, possible: Cutter, y: PlotAxis, direction: int
) -> Plot:  # fmt: skip
    relative = name == "relative_magnitudes"
    m = [float(value) * (1.0 if relative else scale.factor) for value in bounds["m"]]
    marks: list[Mark] = []
    for at, row in zip(m, rows_of(bounds), strict=True):
        side = side_of_zero(row.ci_low, row.ci_high)
        tone = "quiet" if not side else "pilot" if side == direction else "comparator"
        low, high = possible(row.ci_low, row.ci_high)
        said = f"Violation of {number(at, 2)}: {scale.interval(low, high)} {scale.long_unit}"
        marks.append(Stem(at, *y.held(low * scale.factor, high * scale.factor), tone, 3, dashed=not side, say=said))
        middle = scale.factor * (row.ci_low + row.ci_high) / 2  # of the whole interval: the estimate
        if at == 0 and math.isfinite(middle):
            marks.append(Dot(at, middle, tone, hollow=True, say=said, size=1.7))
    label = (
        "Largest violation, as a multiple of the largest one before go-live"
        if relative
        else f"Bend of the drift allowed each year, {scale.change_unit} a year"
    )
    x = value_axis(m, label, margin=0.12)
    return Plot(_PANELS[name], x, y, (Level(0.0), *marks))


def _row(row: Any, scale: Scale) -> tuple[str, ...]:
    relative = row.restriction == "relative_magnitudes"
    return (
        "relative magnitudes" if relative else str(row.restriction).replace("_", " "),
        _TARGETS.get(row.target, str(row.target)),
        number(row.m, 2) if relative else number(row.m * scale.factor, scale.change_decimals + 2),
        scale.interval(row.ci_low, row.ci_high),
        scale.interval(row.set_low, row.set_high),
        str(row.label or ""),
    )


def _in_words(bounds: pd.DataFrame, scale: Scale, possible: Cutter) -> str:
    first, last = bounds.iloc[0], bounds.iloc[-1]
    return (
        f"95% interval {scale.interval(*possible(first['ci_low'], first['ci_high']))} without a violation, and"
        f" {scale.interval(*possible(last['ci_low'], last['ci_high']))} {scale.long_unit} at the largest one tried."
    )
