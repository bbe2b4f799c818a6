"""What suites judge, counted: of tables by authority, only where an authority's rows have changed since the last count.

The counts of such tables are kept in dq.facts, whose newest commit says what each authority's were made from, as those
of the tables themselves do. What a suite expects of a count has no part in it; what it counts, and how, has.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd
import pyarrow as pa

from sos_spark.lake.arrow import arrow_schema
from sos_spark.lake.lake import Lake
from sos_spark.machine.tuning import parted_for, tuned
from sos_spark.quality import Suite
from sos_spark.quality.counting import count, facts_of
from sos_spark.quality.facts import RowsWithout
from sos_spark.quality.keeping import from_rows, in_order, is_by_authority, to_rows
from sos_spark.quality.suites import Layer
from sos_spark.steps.context import Run
from sos_spark.steps.known_files import read_files
from sos_spark.steps.parts import Change, authority_parts, digest, fingerprint_of, rows_by_authority, what_changed
from sos_spark.steps.provenance import made_from
from sos_spark.steps.validate import BY_AUTHORITY
from sos_spark.tables import BRONZE_MODULES, DQ_FACTS, TABLES, Table

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_PARTED: Mapping[Layer, Sequence[Table]] = {"bronze": tuple(BRONZE_MODULES.values()), "silver": BY_AUTHORITY}
"""Tables of which it is known what each authority's rows were made from, by layer."""


@dataclass(frozen=True)
class _Due:
    """The suites whose counts are kept, what these are to be made from, by authority, and what of it has changed."""

    suites: tuple[Suite, ...]
    parts: Mapping[str, str]
    change: Change


def make_facts(
    run: Run, layer: Layer, suites: Sequence[Suite], tables: Mapping[str, DataFrame], *, beside: Mapping[str, DataFrame]
) -> tuple[dict[str, pd.DataFrame], str]:
    """Returns the facts of a layer's tables, as `quality.count_facts`, and why how much was counted again for them.

    Arguments and errors are those of `quality.count_facts`; the suites are all of the layer.
    """
    due = _what_is_due(run.lake, layer, suites)
    kept_of, again = {suite.table for suite in due.suites}, due.change.only
    asked = [suite for suite in suites if again != () or suite.table not in kept_of]
    with tuned(run.spark, parted_for(run.spark, due.change.n_rows)):
        counted = count(tables, asked, beside=beside, only={} if again is None else dict.fromkeys(kept_of, again))
    if again is not None:
        rows = _read(run.lake)
        for name, unchanged in from_rows(rows[~rows["la_code"].isin(again)], due.suites).items():
            counted[name] = pd.concat([unchanged, counted[name]], ignore_index=True) if again else unchanged
    if due.parts and not due.change.is_none:
        _keep(run.lake, layer, to_rows(counted, due.suites), due.parts)
    return facts_of(counted, suites), due.change.why


def _what_is_due(lake: Lake, layer: Layer, suites: Sequence[Suite]) -> _Due:
    """Looks at commits and bronze.files, and needs no Spark. Nothing is kept where parts are not known."""
    parted = {table.name for table in _PARTED.get(layer, ())}
    kept = tuple(suite for suite in suites if is_by_authority(suite) and parted.issuperset(_looked_at(suite)))
    if not kept:
        return _Due((), {}, Change(None, "nothing is kept"))
    files = read_files(lake).values()
    how = made_from({}, step=__name__, settings={suite.table: repr(sorted(suite.facts.items())) for suite in kept})
    parts = authority_parts(files, how) if layer == "bronze" else _parts_of(lake, kept, how)
    before = _parts_in(lake.parts(DQ_FACTS), layer) if parts else {}
    return _Due(kept, parts, what_changed([before], parts, weights=rows_by_authority(files), called="authorities"))


def _looked_at(suite: Suite) -> set[str]:
    """The tables whose rows a suite's counts depend on."""
    return {suite.table, *(fact.table for fact in suite.facts.values() if isinstance(fact, RowsWithout))}


def _parts_of(lake: Lake, suites: Sequence[Suite], how: str) -> dict[str, str]:
    """The digest of each authority, of those of its rows in each table; none where a table does not know them."""
    names = sorted({name for suite in suites for name in _looked_at(suite)})
    of_tables = [lake.parts(TABLES[name]) for name in names]
    if not all(of_tables):
        return {}
    la_codes = sorted({la_code for parts in of_tables for la_code in parts})
    return {la_code: digest(how, [parts.get(la_code) for parts in of_tables]) for la_code in la_codes}


def _read(lake: Lake) -> pd.DataFrame:
    """The rows of dq.facts; none where there is no such table."""
    held = lake.arrow(DQ_FACTS) if lake.exists(DQ_FACTS) else arrow_schema(DQ_FACTS).empty_table()
    rows: pd.DataFrame = held.to_pandas()
    return rows


def _keep(lake: Lake, layer: Layer, rows: pd.DataFrame, parts: Mapping[str, str]) -> None:
    """Replaces what is kept of a layer. The table is small: it is written whole, without Spark."""
    before = _read(lake)
    others = before[~before["suite"].str.startswith(f"{layer}.")]
    named = {name: part for name, part in lake.parts(DQ_FACTS).items() if not name.startswith(f"{layer} ")}
    named |= {f"{layer} {la_code}": part for la_code, part in parts.items()}
    whole = in_order(pd.concat([others, rows]) if len(others) else rows)
    arrow = pa.Table.from_pandas(whole, arrow_schema(DQ_FACTS), preserve_index=False)
    lake.put(arrow, DQ_FACTS, fingerprint=fingerprint_of(named), parts=named)


def _parts_in(named: Mapping[str, str], layer: Layer) -> dict[str, str]:
    """The parts of a layer, by authority."""
    return {name.partition(" ")[2]: part for name, part in named.items() if name.startswith(f"{layer} ")}
