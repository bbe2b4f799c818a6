"""Counts the facts of tables: one aggregation by place for all tables of a layer, whatever their suites ask.

Keys cost a shuffle of every row, so repeats are looked for by a hash of 8 bytes, again in all tables at once; only a
table in which two hashes are equal is counted by its key itself. Equal keys have equal hashes: none is overlooked.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import reduce
from typing import TYPE_CHECKING

import pandas as pd

from sos_spark.quality.deriving import derive
from sos_spark.quality.facts import N_ROWS, Fact, RowsOutside, RowsRepeating, RowsWhere, RowsWithout, Share, SumOf
from sos_spark.quality.suites import Suite, broken

if TYPE_CHECKING:
    from pyspark.sql import Column, DataFrame

PLACES = (
    ("la_code", "census_year"),
    ("outcome_id", "unit_id", "period_start"),
    ("la_code",),
)
"""What says where a row is: the first of these that a table has."""

_PLACE_TYPES = {
    "la_code": "string",
    "census_year": "int",
    "outcome_id": "string",
    "unit_id": "string",
    "period_start": "date",
}
_SUITE, _KEY, _PARTNER = "_suite", "_key", "_partner_of_"


@dataclass(frozen=True)
class _Counted:
    """A suite's table, the same beside the partners that are looked up, and what is summed for each place, by name."""

    suite: Suite
    rows: DataFrame
    beside_partners: DataFrame
    sums: Mapping[str, Column]

    @property
    def place(self) -> tuple[str, ...]:
        return place_of(self.rows.columns)

    @property
    def repeating(self) -> dict[str, tuple[str, ...]]:
        """The facts about repeated keys, with the key."""
        return {name: fact.key for name, fact in self.suite.facts.items() if isinstance(fact, RowsRepeating)}


def count_facts(
    tables: Mapping[str, DataFrame], suites: Sequence[Suite], *, beside: Mapping[str, DataFrame] | None = None
) -> dict[str, pd.DataFrame]:
    """Returns the facts of each suite's table, by table name.

    Grain: a place that has rows (one row for a table that knows no places, none for a table without rows). Columns:
    those of the place, n_rows, and the suite's facts, null where one is not known. What comes back from Spark is as
    small as the authorities and years.

    Args:
        tables: Frames by table name, one for each suite.
        suites: What is asked of them.
        beside: Tables that partners are looked up in, besides `tables`.

    Raises:
        BrokenRuleError: A fact that cannot be counted: it names what its table lacks, say.
    """
    return facts_of(count(tables, suites, beside=beside), suites)


def count(
    tables: Mapping[str, DataFrame],
    suites: Sequence[Suite],
    *,
    beside: Mapping[str, DataFrame] | None = None,
    only: Mapping[str, Collection[str]] | None = None,
) -> dict[str, pd.DataFrame]:
    """Returns what is counted for the facts of each suite's table, by table name.

    Grain: a place that has rows, as of `count_facts`. Columns: those of the place and `counts_of` the suite.

    Args:
        tables: As of `count_facts`.
        suites: As of `count_facts`.
        beside: As of `count_facts`.
        only: By table, the LA codes whose rows alone are looked at; of a table that is not named, all are. It must know
            its rows' authority, and its facts must stay within one.

    Raises:
        BrokenRuleError: A fact that cannot be counted.
    """
    if not suites:
        return {}
    known = {**(beside or {}), **tables}
    resolved = [_resolve(suite, known, (only or {}).get(suite.table)) for suite in suites]
    counted = _by_place(resolved)
    _add_repeats(resolved, counted)
    return {one.suite.table: counted[one.suite.table][[*one.place, *counts_of(one.suite)]] for one in resolved}


def counts_of(suite: Suite) -> tuple[str, ...]:
    """Returns the names of what is counted for a suite: its facts' own, those of which they are made, and n_rows."""
    return (N_ROWS, *(name + ending for name, fact in suite.facts.items() for ending in fact.counted))


def facts_of(counted: Mapping[str, pd.DataFrame], suites: Sequence[Suite]) -> dict[str, pd.DataFrame]:
    """Returns the facts of each suite's table, by table name, out of what `count` gives. Grain: a place, as there.

    Raises:
        BrokenRuleError: A fact is made from one that is not there.
    """
    facts = dict(counted)
    for suite in suites:
        derive(suite, facts)
    return {
        suite.table: facts[suite.table][[*place_of(list(facts[suite.table].columns)), N_ROWS, *suite.facts]]
        for suite in suites
    }


def place_of(columns: Sequence[str]) -> tuple[str, ...]:
    """Returns the columns that say where a row of a table is; none for a table that does not know."""
    return next((names for names in PLACES if set(names) <= set(columns)), ())


# --- what is asked of a table -----------------------------------------------------------------------------------


def _resolve(suite: Suite, known: Mapping[str, DataFrame], only: Collection[str] | None) -> _Counted:
    """Finds each fact's terms and has Spark resolve them now, so that a broken one can be named."""
    from pyspark.errors import AnalysisException, ParseException
    from pyspark.sql import functions as F

    rows = beside_partners = _of(known[suite.table], only)
    sums: dict[str, Column] = {N_ROWS: F.lit(1).cast("bigint")}
    for name, fact in suite.facts.items():
        try:
            if isinstance(fact, RowsWithout):
                if fact.table not in known:
                    raise broken(suite, name, f"no such table: {fact.table}")
                beside_partners = _with_partner(beside_partners, _of(known[fact.table], only), fact, name)
            terms = _terms(name, fact)
            beside_partners.select(*terms.values()).schema  # noqa: B018 - resolves the columns
        except (AnalysisException, ParseException):
            raise broken(suite, name, "it names what its table does not have, or is no condition") from None
        sums |= terms
    return _Counted(suite, rows, beside_partners, sums)


def _of(rows: DataFrame, only: Collection[str] | None) -> DataFrame:
    """The rows of some authorities, or all."""
    from pyspark.sql import functions as F

    return rows if only is None else rows.where(F.col("la_code").isin(*only))


def _terms(name: str, fact: Fact) -> dict[str, Column]:
    """What is summed over the rows for a fact, by name; nothing for one that is made otherwise."""
    from pyspark.sql import functions as F

    if isinstance(fact, RowsWhere):
        return {name: _one_where(F.expr(fact.condition))}
    if isinstance(fact, RowsOutside):
        return {name: _one_where(~F.col(fact.column).isin(*fact.values))}
    if isinstance(fact, RowsWithout):
        return {name: _one_where(_condition(fact.condition) & F.col(_PARTNER + name).isNull())}
    if isinstance(fact, SumOf):
        return {name: F.when(_condition(fact.condition), F.col(fact.column)).otherwise(0).cast("bigint")}
    if isinstance(fact, Share):
        among = F.expr(fact.among)
        terms = (_one_where(among & F.expr(fact.rows)), _one_where(among))
        return dict(zip((name + ending for ending in fact.counted), terms, strict=True))
    return {}


def _condition(text: str | None) -> Column:
    from pyspark.sql import functions as F

    return F.lit(True) if text is None else F.expr(text)


def _one_where(condition: Column) -> Column:
    """1 where a condition holds; 0 where it does not, or is null."""
    from pyspark.sql import functions as F

    return F.when(condition, 1).otherwise(0).cast("bigint")


def _with_partner(rows: DataFrame, others: DataFrame, fact: RowsWithout, name: str) -> DataFrame:
    """Adds whether a row has a partner. Grain: unchanged if the partners' columns are a key, as their suite proves."""
    from pyspark.sql import functions as F

    theirs = {here: f"{_PARTNER}{name}_{here}" for here in fact.on}
    partners = others.select(*(F.col(there).alias(theirs[here]) for here, there in fact.on.items()))
    same = [F.col(here).eqNullSafe(F.col(there)) for here, there in theirs.items()]
    joined = rows.join(partners.withColumn(_PARTNER + name, F.lit(True)), same, "left")
    return joined.drop(*theirs.values())


# --- the aggregations -------------------------------------------------------------------------------------------


def _by_place(asked: Sequence[_Counted]) -> dict[str, pd.DataFrame]:
    """The sums of every table, by place, from one aggregation over all of them."""
    from pyspark.errors import ArithmeticException, NumberFormatException
    from pyspark.sql import functions as F

    width = max(len(one.sums) for one in asked)
    slots = [f"_sum_{i}" for i in range(width)]

    def alike(number: int, one: _Counted) -> DataFrame:
        terms = [*one.sums.values(), *[F.lit(None).cast("bigint")] * (width - len(one.sums))]
        return one.beside_partners.select(
            F.lit(number).alias(_SUITE),
            *(
                (F.col(name) if name in one.place else F.lit(None)).cast(kind).alias(name)
                for name, kind in _PLACE_TYPES.items()
            ),
            *(term.alias(slot) for slot, term in zip(slots, terms, strict=True)),
        )

    every = _union(map(alike, range(len(asked)), asked))
    try:
        collected = every.groupBy(_SUITE, *_PLACE_TYPES).agg(*(F.sum(slot).alias(slot) for slot in slots)).collect()
    except (ArithmeticException, NumberFormatException):
        if len(asked) == 1:
            found = "a fact could not be evaluated; why is withheld, since it may quote a row"
            raise broken(asked[0].suite, None, found) from None
        for one in asked:
            _by_place([one])  # tells which it is
        raise
    columns = [_SUITE, *_PLACE_TYPES, *slots]
    sums = pd.DataFrame.from_records(collected, columns=columns)
    return {
        one.suite.table: sums.loc[sums[_SUITE] == number, [*one.place, *slots[: len(one.sums)]]]
        .set_axis([*one.place, *one.sums], axis="columns")
        .astype(dict.fromkeys(one.sums, "int64"))
        .reset_index(drop=True)
        for number, one in enumerate(asked)
    }


def _add_repeats(asked: Sequence[_Counted], counted: dict[str, pd.DataFrame]) -> None:
    """Adds, to the facts of tables whose keys are looked at, how many rows share theirs with another row."""
    keyed = [one for one in asked if one.repeating]
    suspected = _with_equal_hashes(keyed)
    for one in keyed:
        facts = counted[one.suite.table]
        for name, key in one.repeating.items():
            facts[name] = _repeats(one, key, facts) if one in suspected else 0


def _with_equal_hashes(keyed: Sequence[_Counted]) -> list[_Counted]:
    from pyspark.sql import functions as F

    def hashed(number: int, one: _Counted) -> DataFrame:
        [key] = one.repeating.values()
        # A hash passes over a null: that it is one is hashed, too.
        parts = [part for name in key for part in (F.col(name).isNull(), F.col(name))]
        return one.rows.select(F.lit(number).alias(_SUITE), F.xxhash64(*parts).alias(_KEY))

    if not keyed:
        return []
    equal = _union(map(hashed, range(len(keyed)), keyed)).groupBy(_SUITE, _KEY).agg(F.count(F.lit(1)).alias(N_ROWS))
    return [keyed[row[_SUITE]] for row in equal.where(F.col(N_ROWS) > 1).select(_SUITE).distinct().collect()]


def _repeats(one: _Counted, key: Sequence[str], facts: pd.DataFrame) -> pd.Series[int]:
    """How many rows of each place, in the order of the facts, share their key with another row of any place."""
    from pyspark.sql import Window
    from pyspark.sql import functions as F

    times = F.count(F.lit(1)).over(Window.partitionBy(*key))
    shared = one.rows.select(*dict.fromkeys((*key, *one.place))).withColumn(N_ROWS, times).where(F.col(N_ROWS) > 1)
    counted = shared.groupBy(*one.place).agg(F.count(F.lit(1)).alias(N_ROWS)).collect()
    repeats = pd.DataFrame.from_records(counted, columns=[*one.place, _KEY])
    found = facts.merge(repeats, on=[*one.place], how="left") if one.place else facts.assign(**{_KEY: repeats[_KEY]})
    return found[_KEY].fillna(0).astype("int64").set_axis(facts.index)


def _union(frames: Iterable[DataFrame]) -> DataFrame:
    from pyspark.sql import DataFrame

    return reduce(DataFrame.unionAll, frames)
