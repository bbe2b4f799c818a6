"""Heat tables: authorities by year, and each rule and check over the years."""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Callable, Sequence
from statistics import median

import pandas as pd

from sos_spark.quality.authority_years import CHECKS, failure_rates
from sos_spark.report.blocks import HeatTable, Shade
from sos_spark.report.results import rows_of
from sos_spark.report.returns.tables import ReturnTables, name_of
from sos_spark.report.words.numbers import count, number

MARKS = {"volume": "V", "recording": "R", "published": "P", "ids_changed": "I", "in_several": "S"}
"""The letter of each check that a cell of the first table can bear."""

_STANDS_OUT = (1.25, 1.5, 2, 3)
_WORDS_OF_MARKS = "V volume, R recording, P published totals, I ids, S several authorities"


def authorities_by_year(tables: ReturnTables) -> tuple[HeatTable | None, tuple[str, ...]]:
    """Returns failures per 1,000 records by authority and year, and the authorities with nothing to see in any year.

    The table holds the other authorities, the most doubtful first; None without any.
    """
    rates = failure_rates(tables.rule_counts)
    doubts = tables.doubts
    missing: dict[tuple[str, int], list[str]] = defaultdict(list)
    marks: dict[tuple[str, int], set[str]] = defaultdict(set)
    for row in rows_of(doubts.dropna(subset=["census_year"])):
        place = (row.la_code, int(row.census_year))
        if row.check == "return_missing":
            missing[place].append({"cin": "no CIN", "ssda903": "no 903"}.get(row.subject, "none"))
        else:
            marks[place].add(MARKS[row.check])
    depth = depths(rates)
    rate_at = {
        (str(row.Index), int(year)): float(rate)
        for row in rows_of(rates)
        for year, rate in zip(rates.columns, row[1:], strict=True)
    }
    years = [int(year) for year in rates.columns]

    def cell(code: str, year: int) -> Shade:
        rate, gone, mark = rate_at[code, year], missing.get((code, year), []), marks.get((code, year), set())
        if math.isnan(rate):
            return Shade(", ".join(gone) or "none", None)
        return Shade(", ".join([number(rate, 1), *gone]), None if gone else depth(rate), "".join(sorted(mark)))

    def trouble(code: str) -> tuple[int, int, float]:
        places = [(code, year) for year in years]
        worst = max((rate for rate in map(rate_at.__getitem__, places) if not math.isnan(rate)), default=0.0)
        return sum(place in missing for place in places), sum(len(marks.get(place, ())) for place in places), worst

    troubles = {str(code): trouble(str(code)) for code in rates.index}
    ordered = sorted(troubles, key=lambda code: (*(-n for n in troubles[code]), name_of(code)))
    shown = [code for code in ordered if any(troubles[code])]
    table = HeatTable(
        "Failures per 1,000 records received, by authority and census year",
        ("Authority", *map(str, years)),
        tuple(((name_of(code),), tuple(cell(code, year) for year in years)) for code in shown),
        "Failures of rules that cost a record or one of its values; the deeper the colour, the more of them. Hatched: a"
        f" return is missing. Letters: a check of the year is in doubt ({_WORDS_OF_MARKS}). The most doubtful first.",
    )
    return table if shown else None, tuple(name_of(code) for code in ordered if not any(troubles[code]))


def rules_by_year(tables: ReturnTables) -> HeatTable | None:
    """Returns how many of 1,000 rows broke each rule in each year, over all authorities; only rules that any broke."""
    counts = tables.rule_counts
    if counts.empty:
        return None
    keys = ["entity", "rule_code", "dfe_code", "severity"]
    sums = counts.fillna({"dfe_code": ""}).groupby([*keys, "census_year"])[["n_rows", "n_failed"]].sum()
    rates = (
        (1000 * sums["n_failed"] / sums["n_rows"].where(sums["n_rows"] > 0)).unstack("census_year").sort_index(axis=1)
    )
    total = sums["n_failed"].groupby(keys).sum()
    rates = rates.loc[total[total > 0].sort_values(ascending=False, kind="stable").index]
    if rates.empty:
        return None
    return HeatTable(
        "Rows of 1,000 that broke a rule, by census year, all authorities",
        ("Rule", "Records", "DfE", "Severity", *(str(year) for year in rates.columns)),
        tuple(
            ((tables.meaning_of(entity, code), entity.replace("_", " "), dfe, severity), _shades(of_years, decimals=2))
            for (entity, code, dfe, severity), *of_years in rates.itertuples(name=None)
        ),
        "Rules that any row broke, the most broken first. Coloured: years that stand out from the rule's own median.",
    )


def checks_by_year(tables: ReturnTables) -> HeatTable | None:
    """Returns how many authorities each check of authority-years doubts, by year; None where it doubts none."""
    doubts = tables.doubts.dropna(subset=["census_year"])
    if doubts.empty:
        return None
    wide = doubts.groupby(["check", "census_year"])["la_code"].nunique().unstack("census_year", fill_value=0)
    years = sorted({*map(int, wide.columns), *map(int, failure_rates(tables.rule_counts).columns)})
    wide = wide.reindex(columns=years, fill_value=0).reindex([code for code in CHECKS if code in wide.index])
    return HeatTable(
        "Authorities in doubt, by check and census year",
        ("Check", *map(str, years)),
        tuple(((CHECKS[code].title,), _shades(wide.loc[code].tolist(), decimals=None)) for code in wide.index),
    )


def _shades(values: Sequence[float], *, decimals: int | None) -> tuple[Shade, ...]:
    """A row of its own: a year is coloured by how many times the row's median it is."""
    known = [value for value in values if not math.isnan(value)]
    usual = median(known) if known else 0.0

    def depth(value: float) -> int:
        return sum(value >= times * usual for times in _STANDS_OUT) if usual > 0 else 2 * (value > 0)

    return tuple(
        Shade("none", None)
        if math.isnan(value)
        else Shade(count(value) if decimals is None else number(value, decimals), depth(value))
        for value in values
    )


def depths(rates: pd.DataFrame) -> Callable[[float], int]:
    """Returns what gives a rate its depth among all rates.

    0 for none, then 1 to 4 as it is within two fifths, three quarters or nineteen twentieths of the others, or beyond.
    """
    known = pd.Series(rates.to_numpy(dtype=float).ravel()).dropna()
    bounds = known[known > 0].quantile([0.4, 0.75, 0.95]).tolist() if (known > 0).any() else []
    return lambda rate: 0 if rate <= 0 else 1 + sum(rate > bound for bound in bounds)
