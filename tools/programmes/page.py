"""The estimates as a page for people: a table of the common measure, one of all, and what was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from sos_spark.config.outcomes.published import DECLARED_MEASURES, DeclaredMeasure
from sos_spark.report.words.natural import change, counted, level, whole_span
from sos_spark.report.words.numbers import SCALES, p_value
from sos_spark.report.words.possible import Possible
from sos_spark.report.words.verdicts import known, quoted_interval
from tools.programmes.declared import Programme, Programmes

BEGIN, END = "<!-- programmes: begin -->", "<!-- programmes: end -->"
_MEASURES: Mapping[str, DeclaredMeasure] = {str(name): said for name, said in DECLARED_MEASURES.items()}
Row = Mapping[Any, Any]


def short_table(declared: Programmes, found: pd.DataFrame) -> str:
    """Returns the table of the measure that the programmes are compared on."""
    rows = [_short(programme, _main(found, programme, declared.measure), declared) for programme in declared.programmes]
    header = ("programme", "authorities", "before", "change", "95 % interval", "p", "p, five programmes")
    return _table(header, rows)


def page(declared: Programmes, found: pd.DataFrame) -> str:
    """Returns docs/programmes.md."""
    measures = list(dict.fromkeys(found["outcome_id"]))
    n_tests = int((found["specification"] == "main").sum())
    parts = [
        _HEAD.format(measure=_MEASURES[declared.measure].label.lower(), n=counted(len(declared.programmes))),
        short_table(declared, found),
        "\n## The first treated year moved by one\n\nNobody published the day on which each family or team began.\n\n",
        _table(("programme", "a year earlier", "as declared", "a year later"), [_years(one, found, declared)
                                                                              for one in declared.programmes]),
        f"\n## All seven measures\n\nHolm's p over all {n_tests} estimates stands behind each.\n\n",
        _table(
            ("measure", "programme", "before", "change", "95 % interval", "p", f"p, all {n_tests}"),
            [_long(measure, one, _main(found, one, measure)) for measure in measures for one in declared.programmes],
        ),
        "\n## Sources\n\n",
        _table(("programme", "authorities", "start", "source"),
               [(one.name, one.authorities, one.start, one.source) for one in declared.programmes]),
        "\n## Left out\n\n",
        _table(("programme", "authorities", "why", "source"),
               [(one.name, one.authorities, one.why, one.source) for one in declared.left_out]),
    ]  # fmt: skip
    return "".join(parts)


_HEAD = """# Other programmes on the same open tables

Made by `python -m tools.programmes` from `conf/programmes.toml`, the study files it names and the cells that ship with
the package; do not edit. One of them: `sos-spark demo --published --study published_family_valued`.

The {n} programmes are compared on one measure, {measure}: whether children stay with their families is what they
have in common. The study files of the four that were added to Signs of Safety named it as primary before any of them
was fitted. Holm's p allows for the {n} programmes looked at together.

What the open tables can say: whether an authority's yearly counts moved apart from the others'. What they cannot say is
anything of the families in a programme, of teams that began at different times, or of children of one age. With one
pilot the effect is measured by how much that authority moves from year to year by itself, and compared with what every
other shows when it is taken for the pilot: p can be no smaller than one in their number. With four, fours are drawn at
random and compared by t.
Signs of Safety is compared with its pilots' neighbours and judged by the wild cluster bootstrap, as in its study file.

"""


def _short(programme: Programme, row: Row, declared: Programmes) -> tuple[str, ...]:
    return (programme.name, programme.authorities, *_numbers(declared.measure, row), p_value(row["p_over_programmes"]))


def _long(measure: str, programme: Programme, row: Row) -> tuple[str, ...]:
    label = _MEASURES[measure].label
    return (label, programme.name, *_numbers(measure, row), p_value(row["p_over_all"]))


def _years(programme: Programme, found: pd.DataFrame, declared: Programmes) -> tuple[str, ...]:
    earlier, later = programme.neighbouring_years
    shown = [programme.name]
    for specification in (f"go_live={earlier}", "main", f"go_live={later}"):
        row = _row(found, programme, declared.measure, specification)
        shown.append(_change(declared.measure, row))
    return tuple(shown)


def _numbers(measure: str, row: Row) -> tuple[str, str, str, str]:
    scale = SCALES[_MEASURES[measure].scale]
    before = known(row, "baseline_mean")
    if before is None:
        return "", _change(measure, row), "", ""
    possible = Possible(0.0, 1.0 if _MEASURES[measure].is_share else float("inf"))
    low, high = possible.change(*quoted_interval(row), baseline=before)
    return level(scale, before), _change(measure, row), whole_span(scale, low, high), p_value(row["p"])


def _change(measure: str, row: Row) -> str:
    att = known(row, "att")
    return "no estimate" if att is None else change(SCALES[_MEASURES[measure].scale], att)


def _main(found: pd.DataFrame, programme: Programme, measure: str) -> Row:
    return _row(found, programme, measure, "main")


def _row(found: pd.DataFrame, programme: Programme, measure: str, specification: str) -> Row:
    own = found[(found["programme"] == programme.name) & (found["outcome_id"] == measure)]
    rows: list[dict[Any, Any]] = own[own["specification"] == specification].to_dict(orient="records")
    return rows[0]


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [header, ["---"] * len(header), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)
