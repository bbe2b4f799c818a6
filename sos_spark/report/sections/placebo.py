"""Where no effect can be: pretend go-lives, outcomes that the programme cannot move, and pseudo-pilots."""

from __future__ import annotations

import math

import pandas as pd

from sos_spark.report.blocks import Block, Bullets, Heading, Section, Table, Text, section
from sos_spark.report.figures.style import DataTable
from sos_spark.report.results import Results, of_outcome, rows_of, with_intervals
from sos_spark.report.sections.draw_placebo import placebo_picture
from sos_spark.report.words.declared import Declared
from sos_spark.report.words.numbers import count, p_value
from sos_spark.report.words.specifications import spoken
from sos_spark.report.words.verdicts import is_significant


def placebo_section(results: Results) -> Section | None:
    """Returns the section; None where the run left no placebo of any kind."""
    blocks: list[Block | None] = [
        Text(
            "The same sums, where the programme cannot have had an effect. If they find one there too, the method finds"
            " effects that are not there."
        )
    ]
    tests = placebo_tests(results)
    if len(tests):
        blocks += [
            Heading("Pretend dates and unaffected outcomes"),
            Text(placebos_in_words(tests)),
            Table("Placebo tests", _table(results, tests)),
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
    return section("placebo", "Where no effect can be", blocks)


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
