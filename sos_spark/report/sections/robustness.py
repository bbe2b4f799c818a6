"""Other ways of doing the sums: the specification curves, what they come to in words, and what could not be done."""

from __future__ import annotations

import pandas as pd

from sos_spark.report.blocks import Block, Bullets, DataTable, Heading, Picture, Section, Table, Text, section_of
from sos_spark.report.figures.forest import Bar, Forest, draw_forest
from sos_spark.report.figures.style import PILOT, QUIET
from sos_spark.report.results import Results, of_outcome, rows_of, with_intervals
from sos_spark.report.words.cut import cut, note_on
from sos_spark.report.words.declared import Declared, Mark, legend, starred
from sos_spark.report.words.natural import counted
from sos_spark.report.words.numbers import Scale, count, number, p_value
from sos_spark.report.words.specifications import meaning, spoken
from sos_spark.report.words.verdicts import is_significant

READING = (
    "Other ways of doing the sums: each row is a choice that was possible, too, in order of size; the main one is"
    " blue on a grey band. Lines are 95% intervals, by the bootstrap or else CR2; a hollow point has none. A"
    " finding that holds under one choice only is weak, whichever it is."
)


_WAYS = {
    "cr3_t": "the jackknife (CR3, t)",
    "wcr_33": "the bootstrap of the jackknife (WCR-33)",
    "region": "the bootstrap, regions as clusters",
}


def section(results: Results) -> Section | None:
    """Returns the section; None where the run left the main estimates alone."""
    blocks: list[Block | None] = []
    reasons = not_estimated(results)
    if reasons:
        blocks += [Heading("Ways that gave no number"), Bullets(reasons)]
    welch = welch_table(results)
    if welch.rows:
        blocks += [
            Heading("The simplest check"),
            Text(
                "Each authority's mean after go-live less its mean before, pilots against comparators (Welch's t-test)."
                " No model, and every authority counts the same. Beside it the test of one variance, which is exact for"
                " any number of authorities if pilots' changes vary as the others' do (Lee and Wooldridge)."
            ),
            Table("Authorities' changes, pilots less comparators", welch),
            note_on(_changes(results)[1]),
        ]
    judged = judged_otherwise(results)
    if judged.rows:
        blocks.append(Table("The main estimates, chance judged in other ways", judged))
    every = other_estimates(results)
    if every.rows:
        blocks += [
            Table("What each way of doing the sums means", meanings(results), folded=True),
            Table("Every other estimate", every, folded=True),
            note_on(_others(results)[1]),
        ]
    curves = [
        f"{label}: {said}" for key, label in results.labels.items() if (said := curve_in_words(results, key))
    ] if len(results.estimates) else []  # fmt: skip
    found = [Bullets(curves), *blocks] if blocks else []
    return section_of("other", "Other ways of doing the sums", found)


def curve_in_words(results: Results, outcome_id: str) -> str:
    """Returns how many specifications point the main one's way, and how many are evidence by the headline rule."""
    frame = results.specifications(outcome_id)
    frame = frame[frame["att"].notna()]
    is_main = frame["specification"] == "main"
    said = []
    if is_main.any():
        others = frame[~is_main]
        same = int(((others["att"] > 0) == (frame.loc[is_main, "att"].iloc[0] > 0)).sum())
        said.append(f"{same} of {len(others)} other ways point the same way as the main one.")
    judged = [found for row in frame.to_dict("records") if (found := is_significant(row)) is not None]
    if judged:
        n = sum(judged)
        said.append(
            f"By the headline rule {n or 'none'} of the {len(judged)} that it can judge {'is' if n < 2 else 'are'}"
            f" evidence of a change{_main_too(frame[is_main])}."
        )
    if len(judged) < len(frame):
        left = len(frame) - len(judged)
        said.append(f"It needs two methods of inference, which {left} of the {len(frame)} do not have.")
    return " ".join(said)


def _main_too(main: pd.DataFrame) -> str:
    verdict = is_significant(main.iloc[0].to_dict()) if len(main) else None
    return "" if verdict is None else f"; the main one is{'' if verdict else ' not'}"


def not_estimated(results: Results) -> tuple[str, ...]:
    """Returns the specifications without a number, placebos apart, each with its reason and its outcomes."""
    frame = results.estimates
    if frame.empty:
        return ()
    blank = frame[frame["att"].isna() & ~frame["analysis"].isin(("main", "placebo"))]
    reasons: dict[tuple[str, str], list[str]] = {}
    for row in rows_of(blank[blank["outcome_id"].isin(list(results.labels))]):
        why = str(row.note or "no reason was given")
        reasons.setdefault((spoken(row.specification), why), []).append(results.labels[row.outcome_id])
    everywhere = set(results.labels.values())
    return tuple(
        f"{name}: {why}" + ("" if set(outcomes) == everywhere else f" ({'; '.join(dict.fromkeys(outcomes))})")
        for (name, why), outcomes in reasons.items()
    )


def meanings(results: Results) -> DataTable:
    """Returns each specification of the run once, with what it means."""
    names = dict.fromkeys(str(name) for name in results.estimates["specification"] if name != "main")
    rows = tuple((spoken(name), meaning(name)) for name in names)
    return DataTable(("Way", "What it means"), rows, words=1)


def other_estimates(results: Results) -> DataTable:
    """Returns every row of the estimates that is not main, in the file's order."""
    plan = Declared(results.frozen, results.study)
    rows = []
    for row in rows_of(_others(results)[0]):
        scale = results.scales[row.outcome_id]
        rows.append(
            (
                results.labels[row.outcome_id],
                spoken(row.specification),
                *((plan.specification(row.outcome_id, row.specification) or "declared",) if plan.marks else ()),
                "" if pd.isna(row.att) else f"{scale.change(row.att)} {scale.change_unit}",
                scale.interval(row.low, row.high) + (" (CR2)" if row.by == "CR2" else ""),
                p_value(row.p_wcr),
                p_value(row.p_cr2),
                p_value(row.p_ri),
                str(row.note or ""),
            )
        )
    header = (
        "Outcome", "Specification", *(("Plan",) if plan.marks else ()), "Change", "95% interval", "p, boot\u00adstrap",
        "p, CR2", "p, random\u00adisation", "Note",
    )  # fmt: skip
    return DataTable(header, tuple(rows), numeric=3 if plan.marks else 2, words=1).trimmed()


def _others(results: Results) -> tuple[pd.DataFrame, str]:
    """The estimates that are not main, their intervals cut at what outcomes can be, and what to say of that."""
    frame = results.estimates
    if frame.empty:
        return frame, ""
    frame = frame[(frame["specification"] != "main") & frame["outcome_id"].isin(list(results.labels))]
    return cut(results, with_intervals(frame), ("low", "high"), standing="own")


def _changes(results: Results) -> tuple[pd.DataFrame, str]:
    """The Welch tests that gave a number, their intervals cut at what outcomes can be, and what to say of that."""
    welch = results.welch
    if welch.empty:
        return welch, ""
    known = welch[welch["att"].notna() & welch["outcome_id"].isin(list(results.labels))]
    return cut(results, known, ("ci_low", "ci_high"), ("ci_low_pooled", "ci_high_pooled"))


def welch_table(results: Results) -> DataTable:
    """Returns the Welch test of each outcome that has one."""
    rows, changes = [], _changes(results)[0]
    for outcome_id, label in results.labels.items():
        own, scale = of_outcome(changes, outcome_id), results.scales[outcome_id]
        rows += [
            (
                f"{label}, {scale.long_unit}",
                scale.change(row.att),
                scale.interval(row.ci_low, row.ci_high),
                p_value(row.p),
                number(row.df, 1),
                scale.interval(row.ci_low_pooled, row.ci_high_pooled),
                p_value(row.p_pooled),
                count(row.n_treated),
                count(row.n_comparators),
                str(row.note or ""),
            )
            for row in rows_of(own)
        ]
    header = (
        "Outcome", "Change", "95% interval", "p", "Degrees of freedom", "95% interval, one variance", "p, one variance",
        "Pilots", "Comparators", "Note",
    )  # fmt: skip
    return DataTable(header, tuple(rows), words=1).trimmed()


def judged_otherwise(results: Results) -> DataTable:
    """Returns what the declared other ways of judging chance say of each main estimate."""
    rows = []
    for row in rows_of(results.inference):
        if row.outcome_id in results.labels:
            scale = results.scales[row.outcome_id]
            rows.append(
                (
                    results.labels[row.outcome_id],
                    _WAYS[row.method],
                    scale.interval(row.ci_low, row.ci_high),
                    p_value(row.p),
                    f"{count(row.n_treated_clusters)} of {count(row.n_clusters)}",
                    str(row.note or ""),
                )
            )
    header = ("Outcome", "By", "95% interval", "p", "Clusters with a pilot", "Note")
    return DataTable(header, tuple(rows), 2, 1).trimmed()


def specification_curve(results: Results, outcome_id: str) -> Picture | None:
    """Draws every specification's estimate of an outcome, placebos apart; None where there are fewer than three."""
    frame = results.specifications(outcome_id)
    frame = frame[frame["att"].notna()] if len(frame) else frame
    if len(frame) < 3:
        return None
    scale, label = results.scales[outcome_id], results.labels[outcome_id]
    frame = frame.sort_values(["att", "specification"], kind="stable").reset_index(drop=True)
    frame, said = cut(results, frame, ("low", "high"), standing="own")
    plan = Declared(results.frozen, results.study)
    marks = [plan.specification(outcome_id, str(name)) for name in frame["specification"]]
    bars = [
        Bar(
            starred(spoken(row.specification), mark),
            row.att,
            row.low,
            row.high,
            PILOT if row.specification == "main" else QUIET,
            main=row.specification == "main",
        )
        for row, mark in zip(rows_of(frame), marks, strict=True)
    ]
    main = frame.index[frame["specification"] == "main"]

    first, last = bars[0], bars[-1]
    return draw_forest(
        f"specification_curve_{outcome_id}",
        [Forest(scale, tuple(bars), label)],
        title=_title(frame),
        caption=f"{said}{legend(marks)}".strip(),
        alt=f"Specification curve of {label.lower()}: {len(bars)} estimates, from {scale.change(first.att)}"
        f" ({first.name}) to {scale.change(last.att)} {scale.long_unit} ({last.name})."
        + "".join(f" The main one is number {place + 1} in order of size." for place in main),
        table=_curve_table(frame, scale, marks if plan.marks else None),
    )  # fmt: skip


def _title(frame: pd.DataFrame) -> str:
    main = frame[frame["specification"] == "main"]
    if main.empty:
        return f"{counted(len(frame)).capitalize()} ways of doing the sums"
    others = frame[frame["specification"] != "main"]
    same = int(((others["att"] > 0) == (main["att"].iloc[0] > 0)).sum())
    n = counted(len(others))
    return f"{counted(same).capitalize() if same else 'None'} of {n} other ways of doing the sums point the same way"


def _curve_table(frame: pd.DataFrame, scale: Scale, marks: list[Mark] | None) -> DataTable:
    """The numbers of a curve; marks: what each row is to the frozen plan, None where there is no plan to compare."""
    header = ("Specification", f"Estimate ({scale.change_unit})", "95% interval", "Interval by", "p")
    rows = [
        (spoken(row.specification), scale.change(row.att), scale.interval(row.low, row.high), row.by, p_value(row.p))
        for row in rows_of(frame)
    ]
    if marks is None:
        return DataTable(header, tuple(rows))
    planned = tuple((*row, mark or "declared") for row, mark in zip(rows, marks, strict=True))
    return DataTable((*header, "Plan"), planned, words=1)
