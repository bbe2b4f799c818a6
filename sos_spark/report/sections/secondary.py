"""Did it matter more in some places? Effects by what authorities were, did, or were exposed to."""

from __future__ import annotations

import pandas as pd

from sos_spark.config.simulated import SIMULATED_TRAITS
from sos_spark.report.blocks import Banner, Block, Bullets, DataTable, Heading, Picture, Section, Text, section_of
from sos_spark.report.figures.forest import Bar, Forest, bar_in_words, draw_forest
from sos_spark.report.figures.style import PILOT, QUIET
from sos_spark.report.results import Results, rows_of, with_intervals
from sos_spark.report.words.cut import cut
from sos_spark.report.words.declared import Declared, Mark, legend, starred
from sos_spark.report.words.numbers import count, p_value
from sos_spark.report.words.verdicts import is_significant

_ANALYSES = {
    "ofsted": (
        "By the inspectors' rating before go-live",
        "Ofsted's rating of an authority's children's services, as it was before the pilots started; later ratings are"
        " never used, because inspectors see what a programme does. The difference is between the two groups' effects.",
    ),
    "embeddedness": (
        "By how well the practice took hold",
        "The effect in a pilot where the practice took hold as it did on average, and how much larger the effect is for"
        " each unit more of it.",
    ),
    "practice_models": (
        "Allowing for similar practice elsewhere",
        "Some comparators used similar practice models. The first row is the effect had none of them done so; the"
        " second how much a comparator's own outcome moves with full use of such a model.",
    ),
}
_BANNER = Banner(
    "Made-up characteristics",
    "These characteristics of authorities were made up by the simulator. They say nothing about any real authority.",
)
_TERMS = {
    "difference": "Difference between the two",
    "effect allowing for comparators' practice models": "Effect, allowing for comparators' practice",
}


def section(results: Results) -> Section | None:
    """Returns the section; None where the run left no secondary analysis."""
    frame = results.secondary
    if frame.empty:
        return None
    frame = frame[frame["outcome_id"].isin(list(results.labels))]
    blocks: list[Block | None] = [
        Text(
            "These compare a few pilots with a few others, and such groups differ in much else besides. Read them as"
            " descriptions, not as tests of the programme. Effects are blue, differences and slopes grey; a hollow"
            " point has no interval, because too few pilots stand behind it."
        )
    ]
    known = frame[frame["att"].notna()]
    all_made_up = len(known) > 0 and bool(_made_up(known).all())
    if all_made_up:
        blocks.append(_BANNER)
    for analysis in dict.fromkeys(frame["analysis"]):
        own = frame[frame["analysis"] == analysis]
        title, lead = _ANALYSES.get(analysis, (str(analysis).replace("_", " ").capitalize(), ""))
        blocks += [Heading(title), Text(lead) if lead else None]
        if not all_made_up and _made_up(own).any():
            blocks.append(_BANNER)
        blocks += _shown(results, analysis, title, own)
    return section_of("secondary", "Did it matter more in some places?", blocks)


def _shown(results: Results, analysis: str, title: str, own: pd.DataFrame) -> list[Block | None]:
    """An analysis's blocks: its figure and table, and why outcomes were left out of it."""
    known = own[own["att"].notna()]
    blocks: list[Block | None] = []
    if len(known):
        marks = {key: Declared(results.frozen, results.study).secondary(key, analysis) for key in results.labels}
        blocks.append(_forest(results, analysis, title, with_intervals(known), marks))
    return [*blocks, Bullets(_left_out(results, own))]


def _made_up(rows: pd.DataFrame) -> pd.Series[bool]:
    """Whether the simulator made a row's characteristics up: its source, or its note, says so."""
    said = rows["note"].fillna("").str.contains(SIMULATED_TRAITS, regex=False)
    known = rows["att"].notna()
    return (said | (rows["source"] == "simulated") if "source" in rows else said) & known


def term_in_words(term: str) -> str:
    """Returns what a row of the secondary analyses is, for a figure's label."""
    plain = _TERMS.get(term, term).replace("_", " ")
    if plain.startswith("effect in "):
        plain = f"rated {plain.removeprefix('effect in ')}"
    return plain[:1].upper() + plain[1:]


def _is_contrast(rows: pd.DataFrame) -> pd.Series[bool]:
    """Whether a row is no effect but a difference between two, or a slope: nothing says how far these can go."""
    return (rows["term"] == "difference") | rows["term"].str.startswith("per unit")


def _forest(results: Results, analysis: str, title: str, shown: pd.DataFrame, marks: dict[str, Mark]) -> Picture:
    """Rows of terms, a panel an outcome."""
    panels: dict[str, list[Bar]] = {}
    effects, said = cut(results, shown[~_is_contrast(shown)], ("low", "high"), standing="unknown")
    shown = pd.concat([effects, shown[_is_contrast(shown)]]).loc[shown.index]
    for row in rows_of(shown):
        colour = QUIET if _is_contrast(shown)[row.Index] else PILOT
        bar = Bar(term_in_words(row.term), row.att, row.low, row.high, colour)
        panels.setdefault(row.outcome_id, []).append(bar)
    ordered = {key: panels[key] for key in results.labels if key in panels}
    names = {key: starred(results.labels[key], marks[key]) for key in ordered}

    return draw_forest(
        f"secondary_{analysis}",
        [Forest(results.scales[key], tuple(bars), names[key]) for key, bars in ordered.items()],
        title="Estimates, outcome by outcome",
        caption=f"{said}{legend([marks[key] for key in ordered])}".strip(),
        alt=f"Forest plot. {title}. "
        + " ".join(
            f"{names[key]}. {' '.join(bar_in_words(bar, results.scales[key]) for bar in bars)}"
            for key, bars in ordered.items()
        ),
        table=_table(results, shown, marks),
    )


def _table(results: Results, shown: pd.DataFrame, marks: dict[str, Mark]) -> DataTable:
    plan = Declared(results.frozen, results.study)
    rows = []
    for row in rows_of(shown):
        scale = results.scales[row.outcome_id]
        significant = is_significant({name: getattr(row, name) for name in ("p_wcr", "p_cr2", "p_ri", "headline")})
        rows.append(
            (
                results.labels[row.outcome_id],
                term_in_words(row.term),
                *((marks[row.outcome_id] or "declared",) if plan.marks else ()),
                f"{scale.change(row.att)} {scale.change_unit}",
                scale.interval(row.low, row.high),
                p_value(row.p_wcr),
                p_value(row.p_cr2),
                p_value(row.p_ri),
                count(row.n_treated_clusters),
                count(row.n_rows),
                {True: "evidence", False: "cannot tell", None: "cannot be judged"}[significant],
                f"{str(row.estimand).replace('_', ' ')}{f'. Note: {row.note}' if row.note else ''}",
            )
        )
    header = (
        "Outcome", "Term", *(("Plan",) if plan.marks else ()), "Estimate", "95% interval", "p, boot\u00adstrap",
        "p, CR2", "p, random\u00adisation", "Pilots", "Rows", "Headline rule", "What is estimated",
    )  # fmt: skip
    return DataTable(header, tuple(rows), numeric=3 if plan.marks else 2, words=2).trimmed()


def _left_out(results: Results, own: pd.DataFrame) -> tuple[str, ...]:
    """Why an analysis was left out: each reason once, with its outcomes unless it holds for all."""
    reasons: dict[str, list[str]] = {}
    for row in rows_of(own[own["att"].isna()]):
        reasons.setdefault(str(row.note or "no reason was given"), []).append(results.labels[row.outcome_id])
    n = own["outcome_id"].nunique()
    return tuple(
        f"Not done: {why.removeprefix('left out: ')}"
        + ("" if len(set(names)) == n else f" ({'; '.join(dict.fromkeys(names))})")
        for why, names in reasons.items()
    )
