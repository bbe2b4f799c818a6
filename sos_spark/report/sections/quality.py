"""Data quality by authority and census year: rule failures, missing returns, link rates."""

from __future__ import annotations

import pandas as pd

from sos_spark.report.results import ARM_NAMES, ARMS, Results, rows_of
from sos_spark.report.words.numbers import count, percent

COLUMNS = [
    "la_code", "la_name", "unit_id", "arm", "census_year", "entity", "rule_code", "dfe_code", "severity", "n_rows",
    "n_failed", "failed_share",
]  # fmt: skip


def quality_table(results: Results) -> pd.DataFrame:
    """Returns the row rules' results with names and arms.

    Grain: one row a rule, LA and census year, columns `COLUMNS`. Empty without a lake.
    """
    counts = results.lake.rule_counts
    if counts.empty:
        return pd.DataFrame(columns=COLUMNS)
    unit = counts["la_code"].map(results.unit_of).fillna(counts["la_code"])
    table = counts.assign(
        unit_id=unit,
        la_name=counts["la_code"].map(results.name_of),
        arm=unit.map(results.arm_of()).fillna("unused"),
        failed_share=(counts["n_failed"] / counts["n_rows"]).where(counts["n_rows"] > 0),
    )
    return table.sort_values(["la_code", "census_year", "entity", "rule_code"], kind="stable", ignore_index=True)[
        COLUMNS
    ]


def failures_per_1000(results: Results) -> pd.DataFrame:
    """Returns the failures of the rules that cost a record or a value (severity error or field) per 1,000 records.

    Grain: a row an LA code, a column a census year; NaN where no records were received. A record that breaks two rules
    counts twice.
    """
    counts = results.lake.rule_counts
    if counts.empty:
        return pd.DataFrame()
    keys = ["la_code", "census_year"]
    received = counts.groupby([*keys, "entity"])["n_rows"].max().groupby(keys).sum()
    failed = counts[counts["severity"].isin(("error", "field"))].groupby(keys)["n_failed"].sum()
    rate = 1000 * failed.reindex(received.index, fill_value=0) / received.where(received > 0)
    wide = rate.unstack("census_year").sort_index(axis=1)
    return wide.reindex(sorted({*wide.index, *results.unit_of}))


def expected(results: Results, rates: pd.DataFrame) -> pd.DataFrame:
    """Returns, in the shape of `rates`, whether the LA existed in the year, so that a return was to be had."""
    units = results.lake.units
    spans = (
        {} if units.empty else {row.la_code: (row.first_census_year, row.last_census_year) for row in rows_of(units)}
    )
    always = (min(rates.columns), max(rates.columns))
    there = [
        [first <= year <= last for year in rates.columns] for first, last in (spans.get(c, always) for c in rates.index)
    ]
    return pd.DataFrame(there, index=rates.index, columns=rates.columns)


def top_rules(results: Results, *, most: int = 15) -> list[tuple[str, ...]]:
    """Returns the rules that the most rows failed: entity, rule, DfE's code, severity, rows failed, share of rows."""
    counts = results.lake.rule_counts
    if counts.empty:
        return []
    keys = ["entity", "rule_code", "dfe_code", "severity"]
    sums = counts.fillna({"dfe_code": ""}).groupby(keys)[["n_rows", "n_failed"]].sum().reset_index()
    sums = sums[sums["n_failed"] > 0].sort_values(["n_failed", "rule_code"], ascending=[False, True], kind="stable")
    return [
        (
            str(row.entity).replace("_", " "),
            str(row.rule_code).replace("_", " "),
            str(row.dfe_code),
            str(row.severity),
            count(row.n_failed),
            percent(row.n_failed, row.n_rows),
        )
        for row in rows_of(sums.head(most))
    ]


def returns_received(results: Results) -> list[tuple[str, ...]]:
    """Returns collection, census year, authorities accepted, refused, replaced; a row a collection and year."""
    files = results.lake.files
    if files.empty:
        return []
    known = files.dropna(subset=["census_year"])
    grouped = (
        known.groupby(["collection", "census_year", "status"])["la_code"].nunique().unstack("status", fill_value=0)
    )
    grouped = grouped.reindex(columns=["accepted", "refused", "replaced"], fill_value=0)
    names = {"cin": "CIN census", "ssda903": "SSDA903"}
    return [
        (names.get(str(collection), str(collection)), str(int(year)), *(count(n) for n in line))
        for (collection, year), line in zip(grouped.index, grouped.to_numpy(), strict=True)
    ]


_WHY_UNOBSERVED = {
    "empty_return": "empty, and an earlier return had rows",
    "no_children": "records without the children they belong to",
}


def unobserved_years(results: Results) -> list[tuple[str, ...]]:
    """Returns authority, year, entity, files, rows received, share in quarantine, and why the year is not observed.

    A row per authority, census year and entity whose return was accepted and is not counted on: outcomes that read the
    entity are unknown there.
    """
    limit = percent(results.study.window.max_quarantined, 1.0)
    return [
        (
            results.name_of(str(row.la_code)),
            str(row.census_year),
            str(row.entity).replace("_", " "),
            ", ".join(map(str, row.file_paths)),
            count(row.n_received),
            percent(row.n_quarantined, row.n_received),
            _WHY_UNOBSERVED.get(str(row.reason), f"more than {limit} in quarantine"),
        )
        for row in rows_of(results.lake.unobserved)
    ]


def links_by_arm(results: Results) -> list[tuple[str, ...]]:
    """Returns arm, looked-after children, shares linked by id, by person, and not linked; a row an arm."""
    links = results.lake.link_rates
    if links.empty:
        return []
    unit = links["la_code"].map(results.unit_of).fillna(links["la_code"])
    by_arm = links.assign(arm=unit.map(results.arm_of()).fillna("unused"))
    rows = []
    for arm in ARMS:
        own = by_arm[by_arm["arm"] == arm]
        whole = float(own["n_lac_children"].sum())
        parts = (float(own[name].sum()) for name in ("n_linked_by_child_id", "n_linked_by_person", "n_unlinked"))
        if len(own):
            rows.append((ARM_NAMES[arm], count(whole), *(percent(part, whole) for part in parts)))
    return rows


def link_rates_of_pilots(results: Results) -> list[tuple[str, ...]]:
    """Returns pilot LA, looked-after children, share linked; a row a pilot LA code."""
    links = results.lake.link_rates
    if links.empty:
        return []
    arms = results.arm_of()
    return [
        (
            results.name_of(str(row.la_code)),
            count(row.n_lac_children),
            percent(row.n_linked_by_child_id + row.n_linked_by_person, row.n_lac_children),
        )
        for row in rows_of(links.sort_values("la_code"))
        if arms.get(results.unit_of.get(str(row.la_code), str(row.la_code))) == "pilot"
    ]


def failed_expectations(results: Results) -> tuple[str, list[tuple[str, ...]]]:
    """Returns a sentence on the suites' verdicts, and suite, expectation, column, severity of each that failed."""
    verdicts = results.lake.expectations
    if verdicts.empty:
        return "", []
    failed = verdicts[~verdicts["passed"].astype(bool)].fillna({"column": ""})
    columns = ["suite", "expectation", "column", "severity"]
    rows = failed[columns].drop_duplicates().sort_values(columns)
    passed = len(verdicts) - len(failed)
    return (
        f"{passed:,} of {len(verdicts):,} table expectations held.",
        [tuple(str(cell) for cell in row) for row in rows.itertuples(index=False)],
    )
