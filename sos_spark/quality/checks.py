"""Runs suites on tables through Great Expectations and keeps verdicts only.

The result format is BOOLEAN_ONLY, always: every other format copies children's values into the results, and costs
more jobs. The same reason strips what Great Expectations says about an exception: its text may quote a row.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sos_spark.quality.suites import BrokenRuleError, Expectation, Severity, Suite

if TYPE_CHECKING:
    from pyspark.sql import DataFrame

_POSITION = "sos_spark_position"


@dataclass(frozen=True)
class Verdict:
    """Whether a table met an expectation. `column`: the column or columns it is about, if any."""

    suite: str
    expectation: str
    column: str | None
    severity: Severity
    passed: bool


def check_tables(tables: Mapping[str, DataFrame], suites: Sequence[Suite]) -> tuple[Verdict, ...]:
    """Returns a verdict for every expectation of the suites whose table is given, in the suites' order.

    Args:
        tables: Frames by table name; each is read in a few passes and never collected.
        suites: What to check.

    Raises:
        BrokenRuleError: An expectation names a column its table lacks, or cannot be evaluated.
    """
    chosen = [suite for suite in suites if suite.table in tables]
    for suite in chosen:
        _require_columns(suite, tables[suite.table].columns)
    if not chosen:
        return ()
    with _quiet():
        context, source = _context()
        return tuple(verdict for suite in chosen for verdict in _check(context, source, suite, tables[suite.table]))


def _check(context: Any, source: Any, suite: Suite, table: DataFrame) -> Iterator[Verdict]:
    import great_expectations as gx

    batch = source.add_dataframe_asset(suite.table).add_batch_definition_whole_dataframe("whole")
    definition = gx.ValidationDefinition(
        name=suite.table,
        data=batch,
        suite=context.suites.add(gx.ExpectationSuite(name=suite.table, expectations=_as_gx(suite))),
    )
    checkpoint = gx.Checkpoint(
        name=suite.table,
        validation_definitions=[context.validation_definitions.add(definition)],
        result_format="BOOLEAN_ONLY",
    )
    done = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": table})
    passed = {}
    for validation in done.run_results.values():
        for result in validation.results:
            position = result.expectation_config.meta[_POSITION]
            if _raised(result.exception_info):
                raise _broken(suite, suite.expectations[position], "it could not be evaluated; why is withheld")
            passed[position] = bool(result.success)
    for position, expectation in enumerate(suite.expectations):
        if position not in passed:
            raise _broken(suite, expectation, "no result came back")
        yield Verdict(
            suite.table,
            expectation.name,
            ", ".join(expectation.columns) or None,
            expectation.severity,
            passed[position],
        )


def _as_gx(suite: Suite) -> list[dict[str, Any]]:
    """The expectations with their position, since results come back in another order."""
    return [
        {"type": expectation.type, "kwargs": expectation.kwargs, "meta": {_POSITION: position}}
        for position, expectation in enumerate(suite.expectations)
    ]


def _raised(info: Any) -> bool:
    """Whether an exception_info, or one of the metrics it is keyed by, tells of an exception."""
    if not isinstance(info, Mapping):
        return False
    if "raised_exception" in info:
        return bool(info["raised_exception"])
    return any(_raised(inner) for inner in info.values())


def _require_columns(suite: Suite, columns: Sequence[str]) -> None:
    for expectation in suite.expectations:
        unknown = [name for name in expectation.columns if name not in columns]
        if unknown:
            raise _broken(suite, expectation, f"no such column: {', '.join(unknown)}")


def _broken(suite: Suite, expectation: Expectation, found: str) -> BrokenRuleError:
    return BrokenRuleError(
        "A rule is broken; nothing is known of the data",
        where=f"expectations/{suite.table}.json, {expectation.name}",
        found=found,
        remedy="Correct the suite, or the table it is about",
    )


def _context() -> tuple[Any, Any]:
    """A context in memory, without progress bars, and a Spark source that caches nothing."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context, context.data_sources.add_spark("lake", persist=False)


@contextmanager
def _quiet() -> Iterator[None]:
    """No analytics, and no log: both would tell the world, or a terminal, of exceptions and their texts."""
    os.environ["GX_ANALYTICS_ENABLED"] = "false"
    log = logging.getLogger("great_expectations")
    before = log.level, log.propagate
    log.setLevel(logging.CRITICAL + 1)
    log.propagate = False
    try:
        yield
    finally:
        log.level, log.propagate = before[0], before[1]
