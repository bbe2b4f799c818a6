"""Whether the children who were seen changed, and what of a change is theirs: shown where cells have covariates."""

from __future__ import annotations

import pandas as pd

from sos_spark.report.blocks import DataTable, Picture, Section, Table, Text, section_of
from sos_spark.report.figures.forest import Bar, Forest, bar_in_words, draw_forest
from sos_spark.report.figures.style import PILOT, QUIET
from sos_spark.report.results import Results, of_outcome, rows_of
from sos_spark.report.sections.trends import go_live_periods
from sos_spark.report.words.cut import cut
from sos_spark.report.words.numbers import number, p_value

_PARTS = {
    "unadjusted": "Change as it was, unadjusted",
    "casemix": "Of it: other children",
    "rate": "Of it: the same children, other outcomes",
    "standardised": "Change at the pilots' casemix before go-live",
}
_ALL = "all"


def section(results: Results) -> Section | None:
    """Returns the section; None where no cell has a categorical covariate."""
    if results.casemix.empty:
        return None
    moved = levels_table(results)
    return section_of(
        "casemix",
        "Was it other children?",
        [
            Text(
                "Pilots may see other children after go-live than before, and then outcomes change though nobody is"
                " treated differently. The unadjusted change is the sum of two parts: what the children's changed"
                " characteristics alone would have made, at the outcomes that such children have where no programme"
                " is, and what changed for children of the same characteristics. The last row weighs the children of"
                " both groups in every period to the characteristics of those whom pilots saw before go-live."
            ),
            casemix_picture(results),
            Table("Levels whose share moved most in pilots against comparators", moved) if moved.rows else None,
        ],
    )


def casemix_picture(results: Results) -> Picture | None:
    """Draws the parts of each outcome's change, a panel an outcome; None where the run left none."""
    whole = results.casemix[results.casemix["by"] == _ALL]
    whole = whole[whole["outcome_id"].isin(list(results.labels)) & whole["att"].notna()]
    if whole.empty:
        return None
    shown, said = cut(results, whole, ("ci_low", "ci_high"), standing="unknown")
    panels = {
        key: tuple(
            Bar(
                _PARTS[row.part],
                row.att,
                row.ci_low,
                row.ci_high,
                QUIET if row.part in ("casemix", "rate") else PILOT,
                main=row.part == "unadjusted",
            )
            for row in rows_of(of_outcome(shown, key))
        )
        for key in results.labels
        if len(of_outcome(shown, key))
    }
    return draw_forest(
        "casemix",
        [Forest(results.scales[key], bars, results.labels[key]) for key, bars in panels.items()],
        title="Other children, or other outcomes?",
        caption=f"{_in_strata(whole)}{said}".strip(),
        alt="Forest plot of the change and its parts. "
        + " ".join(
            f"{results.labels[key]}. {' '.join(bar_in_words(bar, results.scales[key]) for bar in bars)}"
            for key, bars in panels.items()
        ),
        table=_table(results, shown),
    )


def levels_table(results: Results, *, n: int = 3) -> DataTable:
    """Returns the levels whose share moved most, n of each outcome: before the first go-live and from the last on."""
    rows = []
    for key, label in results.labels.items():
        moved = moved_levels(results, key)
        if moved.empty:
            continue
        largest = moved.reindex(moved["difference"].abs().sort_values(ascending=False, kind="stable").index)[:n]
        rows += [
            (
                label,
                f"{str(row.covariate).replace('_', ' ')}: {str(row.level).replace('_', ' ')}",
                *(
                    f"{number(100 * before, 1)} to {number(100 * after, 1)}%"
                    for before, after in (
                        (row.pilot_before, row.pilot_after),
                        (row.comparator_before, row.comparator_after),
                    )
                ),
                f"{number(100 * row.difference, 1)}",
            )
            for row in rows_of(largest)
        ]
    header = ("Outcome", "Characteristic", "Pilots", "Comparators", "Difference (percentage points)")
    return DataTable(header, tuple(rows), numeric=2)


def moved_levels(results: Results, outcome_id: str) -> pd.DataFrame:
    """Returns each level's share by arm before the first go-live and from the last on, and how their moves differ."""
    own, starts = of_outcome(results.casemix_levels, outcome_id), go_live_periods(results, outcome_id)
    if own.empty or not starts:
        return pd.DataFrame()
    side = pd.Series("between", own.index).mask(own["period"] < starts[0], "before")
    side = side.mask(own["period"] >= starts[-1], "after")
    sums = own.assign(side=side).groupby(["covariate", "level", "arm", "side"])["n_rows"].sum()
    share = sums / sums.groupby(level=["covariate", "arm", "side"]).transform("sum")
    wide = share.unstack(["arm", "side"]).fillna(0.0)
    wide.columns = ["_".join(names) for names in wide.columns.to_flat_index()]
    needed = [f"{arm}_{when}" for arm in ("pilot", "comparator") for when in ("before", "after")]
    if not set(needed) <= set(wide.columns):
        return pd.DataFrame()
    difference = wide["pilot_after"] - wide["pilot_before"] - wide["comparator_after"] + wide["comparator_before"]
    return wide.assign(difference=difference).reset_index()


def _in_strata(whole: pd.DataFrame) -> str:
    """What the weights could hold fixed, where some combinations of levels were too rare to stand alone."""
    share = whole.loc[whole["part"] == "standardised", "share_in_strata"]
    if share.empty or share.min() > 0.995:
        return ""
    return (
        f"Of the pilots' children before go-live {number(100 * share.min(), 0)}% or more are of combinations of"
        " characteristics that both groups have in every period; the others are weighed as one."
    )


def _table(results: Results, shown: pd.DataFrame) -> DataTable:
    rows = []
    for row in rows_of(shown):
        scale = results.scales[row.outcome_id]
        rows.append(
            (
                results.labels[row.outcome_id],
                _PARTS[row.part],
                f"{scale.change(row.att)} {scale.change_unit}",
                scale.interval(row.ci_low, row.ci_high),
                p_value(row.p),
                str(row.note or ""),
            )
        )
    return DataTable(("Outcome", "Part", "Estimate", "95% interval", "p", "Note"), tuple(rows), 2, 1).trimmed()
