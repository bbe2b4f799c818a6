"""Pilots that started at different times: whether the answer depends on how their starts are averaged."""

from __future__ import annotations

import math
from typing import Any

import pandas as pd

from sos_spark.report.blocks import Block, Bullets, DataTable, Heading, Picture, Section, Table, Text, section_of
from sos_spark.report.figures.paint import draw_plots
from sos_spark.report.figures.plot import Dot, Key, Level, Mark, Plot, Shape, Stem, Upright, value_axis, whole_axis
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.words.cut import Standing, cut, note_on
from sos_spark.report.words.natural import counted
from sos_spark.report.words.numbers import Scale, count, day_in_words, number, p_value
from sos_spark.report.words.specifications import meaning, spoken

_ESTIMATORS: dict[str, tuple[str, Shape]] = {
    "cs_never": ("pilot", "round"),
    "cs_not_yet": ("comparator", "square"),
    "imputation": ("moss", "up"),
    "sun_abraham": ("plum", "diamond"),
    "etwfe": ("ochre", "down"),
}
_COMPARISONS = {
    "treated_vs_never": Key("pilots against authorities that never started", "pilot"),
    "earlier_vs_later": Key("early pilots against pilots not started yet", "comparator", "square", hollow=True),
    "later_vs_earlier": Key("late pilots against pilots that had started", "ink", "cross"),
}
_LEVELS = {"group": "Pilots that started {}", "calendar": "The period from {}", "event": "{} periods since go-live"}
_OVERALL = {
    "simple": "All pilots and periods",
    "group": "Groups of pilots, by their rows",
    "calendar": "Periods, each counted once",
    "event": "Times since go-live, each counted once",
}


READING = (
    "By time since each pilot's own go-live: under estimators that are right when pilots start at different"
    " times. Where they agree, the choice between them does not matter."
)


def section(results: Results) -> Section | None:
    """Returns the section; None where pilots started together, or the run left nothing of it."""
    if not results.staggered:
        return None
    blocks: list[Block | None] = [
        Text(
            "The pilots did not all start at the same time. A simple average over pilots and periods (two-way fixed"
            " effects) then compares late pilots with early ones that have changed already, and may mislead. The other"
            " estimators avoid that, each in its own way."
        )
    ]
    estimators = list(dict.fromkeys(results.aggregates["estimator"])) if len(results.aggregates) else []
    blocks.append(Bullets(tuple(f"{spoken(str(name))}: {meaning(str(name))}." for name in estimators)))
    for caption, table, folded, cut_said in (
        (
            "Effects over all pilots and periods, with 95% intervals (CR2)",
            simple_table(results),
            False,
            _cut(results, _simple(results))[1],
        ),
        (
            "Effects by when pilots started and by calendar period",
            aggregates_table(results),
            True,
            _cut(results, _beside_the_figure(results), "unknown")[1],
        ),
        (
            "Effects of each group of pilots in each period",
            group_time_table(results),
            True,
            _cut(results, results.group_time, "unknown")[1],
        ),
    ):
        blocks += [Table(caption, table, folded=folded), note_on(cut_said)] if table.rows else []
    blocks.append(Bullets(_not_had(results), quiet=True))
    said = tuple(filter(None, (twfe_in_words(results, key) for key in results.labels)))
    pictures = [picture for key in results.labels if (picture := bacon_picture(results, key)) is not None]
    if said or pictures:
        blocks += [
            Heading("Can the simple average be trusted here?"),
            Bullets(said),
            *pictures,
        ]
    return section_of("staggered", "Pilots that started at different times", blocks)


def _cut(results: Results, rows: pd.DataFrame, standing: Standing = "main") -> tuple[pd.DataFrame, str]:
    """Rows with their intervals cut at what outcomes can be, and what to say of that.

    Where the pilots of one group, or of one time since go-live, stood is not known: their effects are cut at the
    largest change there is.
    """
    return cut(results, rows, ("ci_low", "ci_high"), standing=standing)


def _simple(results: Results) -> pd.DataFrame:
    rows = results.aggregates
    return rows[rows["aggregate"] == "simple"] if len(rows) else rows


def _beside_the_figure(results: Results) -> pd.DataFrame:
    """The averages that gave a number and that the figures do not show."""
    rows = results.aggregates
    return rows[rows["att"].notna() & ~_in_the_figure(rows)] if len(rows) else rows


def simple_table(results: Results) -> DataTable:
    """Returns the average over all pilots and periods: a row per outcome, a column per estimator."""
    simple = _cut(results, _simple(results))[0]
    if simple.empty:
        return DataTable((), ())
    estimators = list(dict.fromkeys(simple["estimator"]))
    rows = []
    for outcome_id, label in results.labels.items():
        scale = results.scales[outcome_id]
        found = {row.estimator: row for row in rows_of(of_outcome(simple, outcome_id))}
        if found:
            cells = [_effect(found[name], scale) if name in found else "" for name in estimators]
            rows.append((f"{label}, {scale.long_unit}", *cells))
    return DataTable(("Outcome", *(spoken(name) for name in estimators)), tuple(rows))


def _effect(row: Any, scale: Scale) -> str:
    interval = scale.interval(row.ci_low, row.ci_high)
    return "" if math.isnan(row.att) else scale.change(row.att) + (f" ({interval})" if interval else "")


def aggregates_table(results: Results) -> DataTable:
    """Returns all averages but those the figure shows, a row per outcome, estimator, aggregate and level."""
    rows, averages = [], _cut(results, _beside_the_figure(results), "unknown")[0]
    for outcome_id, label in results.labels.items():
        own, scale = of_outcome(averages, outcome_id), results.scales[outcome_id]
        rows += [
            (
                label,
                spoken(row.estimator),
                _over(str(row.aggregate), str(row.level)),
                f"{scale.change(row.att)} {scale.change_unit}",
                scale.interval(row.ci_low, row.ci_high),
                p_value(row.p_cr2),
                number(row.df, 1),
                str(row.note or ""),
            )
            for row in rows_of(own)
        ]
    header = ("Outcome", "Estimator", "Over", "Effect", "95% interval (CR2)", "p (CR2)", "Degrees of freedom", "Note")
    return DataTable(header, tuple(rows), numeric=3, words=1).trimmed()


def _in_the_figure(rows: pd.DataFrame) -> pd.Series[bool]:
    return (rows["aggregate"] == "event") & (rows["level"] != "overall")


def _over(aggregate: str, level: str) -> str:
    """What an average is over."""
    if level in ("", "overall"):
        return _OVERALL.get(aggregate, aggregate)
    return _LEVELS.get(aggregate, f"{aggregate} {{}}").format(day_in_words(level))


def _not_had(results: Results) -> tuple[str, ...]:
    """Why an estimator could not be had, each reason once with its outcomes."""
    reasons: dict[str, list[str]] = {}
    for outcome_id, label in results.labels.items():
        own = of_outcome(results.aggregates, outcome_id)
        for row in rows_of(own[own["att"].isna()] if len(own) else own):
            reasons.setdefault(f"{spoken(row.estimator)} could not be had: {row.note}", []).append(label)
    return tuple(f"{why} ({'; '.join(dict.fromkeys(labels))})" for why, labels in reasons.items())


def group_time_table(results: Results) -> DataTable:
    """Returns the effect of each group of pilots in each period."""
    rows, effects = [], _cut(results, results.group_time, "unknown")[0]
    for outcome_id, label in results.labels.items():
        scale = results.scales[outcome_id]
        rows += [
            (
                label,
                "never started" if row.control == "never" else "not yet started",
                day_in_words(str(row.group_start)),
                day_in_words(str(row.period_start)),
                number(row.event_time, 0),
                f"{scale.change(row.att)} {scale.change_unit}" if not math.isnan(row.att) else "",
                scale.interval(row.ci_low, row.ci_high),
                count(row.n_rows),
            )
            for row in rows_of(of_outcome(effects, outcome_id))
        ]
    header = (
        "Outcome", "Against authorities that", "Pilots that started", "Period from", "Periods since", "Effect",
        "95% interval (CR2)", "Rows",
    )  # fmt: skip
    return DataTable(header, tuple(rows), numeric=4)


def twfe_in_words(results: Results, outcome_id: str) -> str:
    """Returns the two-way fixed effects estimate beside the main one, and what its weights say; blank without it."""
    rows = results.specifications(outcome_id)
    if rows.empty:
        return ""
    found = {row.specification: row for row in rows_of(rows) if row.specification in ("twfe", "main")}
    if len(found) < 2 or any(math.isnan(row.att) for row in found.values()):
        return ""
    scale, twfe, main = results.scales[outcome_id], float(found["twfe"].att), float(found["main"].att)
    agree = "the two agree" if scale.change(twfe) == scale.change(main) else "they point the same way"
    if (twfe > 0) != (main > 0):
        agree = "they point opposite ways, so the main one is to be preferred"
    said = (
        f"{results.labels[outcome_id]}: the simple average gives {scale.change(twfe)}, the main estimate"
        f" {scale.change(main)} {scale.long_unit}: {agree}."
    )
    own = of_outcome(results.goodman_bacon, outcome_id)
    if len(own):
        misleading = float(own.loc[own["comparison"] == "later_vs_earlier", "weight"].sum())
        said += f" {number(100 * misleading, 0)}% of its weight compares late pilots with pilots that had started."
    note = str(found["twfe"].note or "")
    return f"{said} {note[:1].upper() + note[1:].rstrip('.')}." if note else said


def by_estimator_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws effects by time since go-live, estimators side by side; None where the run left none of the outcome."""
    own = of_outcome(results.aggregates, outcome_id)
    own = own[(own["aggregate"] == "event") & own["att"].notna()] if len(own) else own
    if own.empty:
        return None
    own = own.assign(time=pd.to_numeric(own["level"], errors="coerce")).dropna(subset=["time"])
    own, said = _cut(results, own, "unknown")
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    present = _present(own)
    unit = results.study.window.period

    times = sorted(own["time"].unique())
    wide = {(row.estimator, row.time): row for row in rows_of(own)}
    return draw_plots(
        f"staggered_{outcome_id}",
        [_plot_estimators(own, scale, label, unit)],
        title=f"By time since each pilot's own go-live, {counted(len(present))} ways of averaging",
        caption=said.strip(),
        alt=f"Effects on {label.lower()} by time since go-live under {len(present)} estimators, {len(times)} {unit}s"
        f" from {int(times[0])} to {int(times[-1])}. "
        + " ".join(_after_in_words(own, name, scale) for name in present),
        table=DataTable(
            (f"{unit.capitalize()}s since go-live", *(spoken(name) for name in present)),
            tuple(
                (f"{int(time)}", *(_cell(wide.get((name, time)), scale) for name in present)) for time in times
            ),
        ),
        height=2.8,
    )  # fmt: skip


def _plot_estimators(own: pd.DataFrame, scale: Scale, label: str, unit: str) -> Plot:
    """Effects by time since go-live, each estimator in its tone and shape."""
    present = _present(own)
    values = own[["att", "ci_low", "ci_high"]].to_numpy(dtype=float).ravel() * scale.factor
    y = value_axis(map(float, values), scale.axis)
    step = 0.72 / len(present)
    marks: list[Mark] = [Level(0.0), Upright(-0.5)]
    for place, name in enumerate(present):
        tone, shape = _ESTIMATORS[name]
        for row in rows_of(own[own["estimator"] == name]):
            at = float(row.time) + (place - (len(present) - 1) / 2) * step
            say = f"{spoken(name)}, {unit} {row.time:g}: {_cell(row, scale)}"
            if not math.isnan(row.ci_low):
                marks.append(Stem(at, *y.held(row.ci_low * scale.factor, row.ci_high * scale.factor), tone, 1.4))
            marks.append(Dot(at, row.att * scale.factor, tone, shape, say=say, size=0.75))
    x = whole_axis(
        float(own["time"].min()) - 0.6,
        float(own["time"].max()) + 0.6,
        f"{unit.capitalize()}s since each pilot's own go-live",
    )
    return Plot(label, x, y, tuple(marks), tuple(Key(spoken(name), *_ESTIMATORS[name]) for name in present))


def _present(own: pd.DataFrame) -> list[str]:
    return [name for name in _ESTIMATORS if (own["estimator"] == name).any()]


def _after_in_words(own: pd.DataFrame, name: str, scale: Scale) -> str:
    after = own.loc[(own["estimator"] == name) & (own["time"] >= 0), "att"]
    if after.empty:
        return f"{spoken(name)}: none after go-live."
    return (
        f"{spoken(name)}: from {scale.change(after.min())} to {scale.change(after.max())} {scale.long_unit} after it."
    )


def _cell(row: Any, scale: Scale) -> str:
    if row is None:
        return ""
    interval = scale.interval(row.ci_low, row.ci_high)
    return f"{scale.change(row.att)} ({interval})" if interval else scale.change(row.att)


def bacon_picture(results: Results, outcome_id: str) -> Picture | None:
    """Draws the comparisons that two-way fixed effects average, by weight; None where the run left none."""
    own = of_outcome(results.goodman_bacon, outcome_id)
    own = own[own["estimate"].notna() & own["weight"].notna()] if len(own) else own
    if own.empty:
        return None
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    present = [name for name in _COMPARISONS if (own["comparison"] == name).any()]

    marks = [
        Dot(100 * row.weight, row.estimate * scale.factor, look.tone, look.shape, look.hollow,
            f"{look.words}: {scale.change(row.estimate)} {scale.long_unit}, weight {number(100 * row.weight, 1)}%", 1.3)
        for row in rows_of(own) if (look := _COMPARISONS.get(row.comparison)) is not None
    ]  # fmt: skip
    x = value_axis(
        (mark.x for mark in marks), "Weight in the two-way fixed effects average, per cent", margin=0.05, least=0.0
    )
    y = value_axis((mark.y for mark in marks), scale.axis, margin=0.15)
    plot = Plot(label, x, y, (Level(0.0), *marks), tuple(_COMPARISONS[name] for name in present))

    shares = {name: float(own.loc[own["comparison"] == name, "weight"].sum()) for name in present}
    return draw_plots(
        f"bacon_{outcome_id}",
        [plot],
        title=label,
        caption="Each mark is one comparison of two groups inside the two-way fixed effects average (Goodman-Bacon,"
        " authorities counting the same). Crosses compare late pilots with pilots that had started: where effects grow,"
        " those comparisons mislead.",
        alt=f"Scatter plot of {len(own)} comparisons behind the two-way fixed effects average of {label.lower()}. "
        + " ".join(f"{100 * share:.0f}% of the weight: {_COMPARISONS[name].words}." for name, share in shares.items()),
        table=DataTable(
            ("Comparison", "Started", "Against", "Weight", f"Estimate ({scale.change_unit})"),
            tuple(
                (
                    _COMPARISONS[row.comparison].words,
                    str(row.treated_start),
                    str(row.control_start),
                    f"{number(100 * row.weight, 1)}%",
                    scale.change(row.estimate),
                )
                for row in rows_of(own[own["comparison"].isin(present)])
            ),
            numeric=3,
        ),
        height=2.5,
    )
