"""Where no effect can be: pretend go-lives, outcomes that the programme cannot move, and pseudo-pilots."""

from __future__ import annotations

import math

import numpy as np
import pandas as pd

from sos_spark.report.blocks import Block, Bullets, DataTable, Heading, Picture, Section, Table, Text, section_of
from sos_spark.report.figures.paint import draw_plots
from sos_spark.report.figures.plot import Bin, Mark, Plot, PlotAxis, Stem, Upright, value_axis
from sos_spark.report.results import Results, of_outcome, rows_of, with_intervals
from sos_spark.report.words.cut import cut, note_on
from sos_spark.report.words.declared import Declared
from sos_spark.report.words.numbers import Scale, count, number, p_value
from sos_spark.report.words.specifications import spoken
from sos_spark.report.words.verdicts import is_significant

_BINS = 31


def section(results: Results) -> Section | None:
    """Returns the section; None where the run left no placebo of any kind."""
    blocks: list[Block | None] = [
        Text(
            "The same sums, where the programme cannot have had an effect. If they find one there too, the method finds"
            " effects that are not there."
        )
    ]
    tests, said = cut(results, placebo_tests(results), ("low", "high"), standing="own")
    if len(tests):
        blocks += [
            Heading("Pretend dates and unaffected outcomes"),
            Text(placebos_in_words(tests)),
            Table("Placebo tests", _table(results, tests)),
            note_on(said),
            Bullets(_not_possible(results, tests)),
        ]
    picture = placebo_picture(results)
    if picture is not None:
        blocks += [
            Heading("Pseudo-pilots"),
            Text(
                "Authorities without a pilot are drawn by lot, as many as there are pilots, and taken for pilots. How"
                " widely those estimates scatter shows what chance alone can do."
            ),
            picture,
        ]
    blocks.append(Bullets(tuple(filter(None, (pilots_in_words(results, key) for key in results.labels)))))
    return section_of("placebo", "Where no effect can be", blocks)


def placebo_tests(results: Results) -> pd.DataFrame:
    """Returns the rows of estimates that are placebos, and the main rows of outcomes that cannot have been moved."""
    frame = results.estimates
    if frame.empty:
        return frame
    unaffected = (frame["specification"] == "main") & frame["outcome_id"].isin(results.placebo_outcomes)
    own = frame[(frame["analysis"] == "placebo") | unaffected]
    return with_intervals(own[own["outcome_id"].isin(list(results.labels))]).drop_duplicates(
        ["outcome_id", "specification"]
    )


def placebos_in_words(tests: pd.DataFrame) -> str:
    """Returns how many placebo tests found an effect, beside how many would by chance."""
    judged = [found for row in tests.to_dict("records") if (found := is_significant(row)) is not None]
    if not judged:
        return "None of the placebo tests could be judged."
    n, k = len(judged), sum(judged)
    tests_ = f"Of {n} placebo test{'s' if n > 1 else ''} {k or 'none'} found an effect by the headline rule"
    if not k:
        return f"{tests_}, as it should be."
    chance = n / 20
    about = "fewer than one" if chance < 1 else f"about {round(chance)}"
    return f"{tests_}; by chance alone {about} would be expected. Where it did, the main result deserves less trust."


def _table(results: Results, tests: pd.DataFrame) -> DataTable:
    plan = Declared(results.frozen, results.study)
    rows = []
    for row in rows_of(tests[tests["att"].notna()]):
        scale = results.scales[row.outcome_id]
        significant = is_significant({name: getattr(row, name) for name in ("p_wcr", "p_cr2", "p_ri", "headline")})
        said = spoken(row.specification) if row.specification != "main" else "Outcome the programme cannot move"
        rows.append(
            (
                results.labels[row.outcome_id],
                said,
                *((plan.specification(row.outcome_id, row.specification) or "declared",) if plan.marks else ()),
                f"{scale.change(row.att)} {scale.change_unit}",
                scale.interval(row.low, row.high),
                p_value(row.p),
                {True: "yes", False: "no", None: "cannot be judged"}[significant],
            )
        )
    header = ("Outcome", "Placebo", *(("Plan",) if plan.marks else ()), "Change", "95% interval", "p", "Effect found?")
    return DataTable(header, tuple(rows), numeric=3 if plan.marks else 2, words=1)


def _not_possible(results: Results, tests: pd.DataFrame) -> tuple[str, ...]:
    blank = tests[tests["att"].isna()]
    return tuple(
        f"{results.labels[row.outcome_id]}, {spoken(row.specification)}: {row.note or 'no number, no reason given'}"
        for row in rows_of(blank)
    )


def pilots_in_words(results: Results, outcome_id: str) -> str:
    """Returns how many draws of pseudo-pilots stood out at least as much as the real ones; blank without draws.

    The run compares t, the estimate over its own standard error, so that a draw of small authorities counts for less.
    """
    own = of_outcome(results.placebo_summary, outcome_id)
    if own.empty or math.isnan(own["share_beyond"].iloc[0]):
        return ""
    row, scale = own.iloc[0], results.scales[outcome_id]
    beyond = round(float(row["share_beyond"]) * float(row["n_draws"]))
    return (
        f"{results.labels[outcome_id]}: {count(beyond)} of {count(row['n_draws'])} draws of pseudo-pilots gave an"
        f" effect at least as large as the real one, each set against its own margin of error. The real one is"
        f" {scale.change(row['att'])} {scale.long_unit} against all these authorities; 19 in 20 of the pseudo-effects"
        f" lie between {scale.change(row['p2_5'])} and {scale.change(row['p97_5'])}."
    )


def placebo_picture(results: Results) -> Picture | None:
    """Draws the placebo estimates of each outcome with the real one marked; None where the run left no draws."""
    found = {key: own for key in results.labels if len(own := _draws(results, key))}
    if not found:
        return None
    facts = {key: _fact(results, key) for key in found}

    plots = [
        _histogram(results.labels[key], own["att"].to_numpy(dtype=float), facts[key], results.scales[key])
        for key, own in found.items()
    ]
    rows = []
    for key, own in found.items():
        scale = results.scales[key]
        counts, edges = _binned(own["att"].to_numpy(dtype=float) * scale.factor)
        for n, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
            span = f"{number(float(low), scale.change_decimals)} to {number(float(high), scale.change_decimals)}"
            rows.append((results.labels[key], f"{span} {scale.change_unit}", count(float(n))))
    return draw_plots(
        "placebo_pilots",
        plots,
        title="Placebo pilots",
        caption="Grey: what the same sums give for pseudo-pilots, authorities drawn by lot that ran no pilot; the pale"
        " band holds 19 in 20 of them. Blue: the real pilots, against the same authorities.",
        alt="Histograms of placebo estimates. "
        + " ".join(
            f"{results.labels[key]}: {len(own)} draws, 19 in 20 between"
            f" {results.scales[key].interval(facts[key]['p2_5'], facts[key]['p97_5'])}; the real estimate is"
            f" {results.scales[key].change(facts[key]['att'])} {results.scales[key].long_unit}."
            for key, own in found.items()
        ),
        table=DataTable(("Outcome", "Placebo estimate", "Draws"), tuple(rows), numeric=1),
        height=2.05,
    )


def _draws(results: Results, outcome_id: str) -> pd.DataFrame:
    own = of_outcome(results.placebo_pilots, outcome_id)
    return own[own["att"].notna()] if len(own) else own


def _fact(results: Results, outcome_id: str) -> dict[str, float]:
    """The summary of an outcome's draws; NaN where the run left none."""
    own = of_outcome(results.placebo_summary, outcome_id)
    return {name: float(own[name].iloc[0]) if len(own) else float("nan") for name in ("att", "p2_5", "p97_5")}


def _binned(values: np.ndarray[tuple[int], np.dtype[np.float64]]):  # type: ignore[no-untyped-def]
    edge = float(np.abs(values).max()) or 1.0
    return np.histogram(values, bins=_BINS, range=(-edge, edge))


def _histogram(
    label: str, values: np.ndarray[tuple[int], np.dtype[np.float64]], fact: dict[str, float], scale: Scale
) -> Plot:
    counts, edges = _binned(values * scale.factor)
    top, real = float(counts.max()), fact["att"] * scale.factor
    x = value_axis([*map(float, edges), real], scale.axis, margin=0.02)
    marks: list[Mark] = []
    if not math.isnan(fact["p2_5"]):
        marks.append(Bin(fact["p2_5"] * scale.factor, fact["p97_5"] * scale.factor, 0, 1.28 * top, "wash"))
    for n, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        if n:
            span = f"{number(float(low), scale.change_decimals)} to {number(float(high), scale.change_decimals)}"
            marks.append(Bin(float(low), float(high), 0, float(n), "faint", f"{count(float(n))} draws: {span}"))
    marks.append(Upright(0.0))
    if not math.isnan(real):
        say = f"The real pilots: {scale.change(fact['att'])} {scale.long_unit}"
        marks.append(Stem(real, 0, 1.1 * top, "pilot", 2.7, say=say))
        marks.append(Upright(real, "real pilots", "pilot", left=real > (x.low + x.high) / 2))
    return Plot(label, x, PlotAxis(0.0, 1.28 * top, ()), tuple(marks))
