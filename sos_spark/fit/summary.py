"""A result as a few lines of text, for a notebook or a terminal."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from sos_spark.config.units import unit_of

if TYPE_CHECKING:
    from sos_spark.fit.result import DidResult

HEADLINES = {"p_wcr": "wild cluster bootstrap", "p_ri": "randomisation inference"}


def summary_text(result: DidResult) -> str:
    """Returns the estimate, its intervals and p-values, what they rest on, and every caution."""
    lines = [
        f"{result.outcome_id} ({result.specification}): {result.estimand}",
        f"  {result.n_rows:,} rows in {result.n_clusters} authorities, {result.n_treated_clusters} of them treated;"
        f" {result.n_cells:,} cells; adjusted for {', '.join(result.adjusted_for) or 'authority and period alone'}",
    ]
    if _known(result.att):
        lines += [
            f"  effect        {_number(result.att)}   before go-live {_number(result.baseline_mean)},"
            f" detectable {_number(result.mde)}",
            f"  WCR           {_interval(result.ci_low_wcr, result.ci_high_wcr)}   p {_number(result.p_wcr)}",
            f"  CR2           {_interval(result.ci_low_cr2, result.ci_high_cr2)}   p {_number(result.p_cr2)},"
            f" se {_number(result.se_cr2)}, df {_number(result.df_satterthwaite, '.1f')}",
            f"  RI-t          {_interval(result.ci_low_ri, result.ci_high_ri)}   p {_number(result.p_ri)}",
            f"  headline      {HEADLINES[result.headline]}: {result.verdict or 'not known'}",
        ]
    lines += [f"  note: {result.note}"] if result.note else []
    lines += [f"  warning: {warning}" for warning in result.warnings]
    return "\n".join(lines)


def summary_html(result: DidResult) -> str:
    """Returns the result as a small table for a notebook, in natural units; every name and note escaped."""
    unit = unit_of(result.scale)

    def shown(*values: float) -> str:
        return " to ".join(_number(value * unit.factor) for value in values)

    rows = [("Effect", shown(result.att)), ("Before go-live, pilots", shown(result.baseline_mean))]
    for name, by in _TESTS.items():
        low, high, p = (float(getattr(result, f"{what}_{by}")) for what in ("ci_low", "ci_high", "p"))
        if _known(p):
            mark = " (headline)" if result.headline == f"p_{by}" else ""
            rows.append((f"{name}{mark}", f"{shown(low, high)}, p {_number(p)}"))
    rows += [
        ("Smallest change likely to be found", shown(result.mde)),
        ("Rows, authorities, pilots", f"{result.n_rows:,}, {result.n_clusters}, {result.n_treated_clusters}"),
        ("Answer", result.verdict or result.note or "not known"),
    ]
    body = "".join(f"<tr><th scope='row'>{escape(name)}</th><td>{escape(text)}</td></tr>" for name, text in rows)
    caption = f"{result.label or result.outcome_id} ({result.specification}), in {unit.of_change}: {result.estimand}"
    return f"<table><caption>{escape(caption)}</caption><tbody>{body}</tbody></table>"


_TESTS = {"Wild cluster bootstrap": "wcr", "CR2": "cr2", "Randomisation": "ri"}


def _known(value: float) -> bool:
    return value == value


def _number(value: float, form: str = ".4g") -> str:
    return format(value, form) if _known(value) else "not shown"


def _interval(low: float, high: float) -> str:
    return f"{_number(low)} to {_number(high)}" if _known(low) else "not shown"
