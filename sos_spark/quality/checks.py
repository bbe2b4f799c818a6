"""Runs suites on the facts of tables through Great Expectations and keeps verdicts only.

Great Expectations sees counts by place and no row. The result format is BOOLEAN_ONLY all the same, always: every other
one copies what it was given into its results. What it says about an exception is left out for the same reason.
"""

from __future__ import annotations

import logging
import os
import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import import_module
from typing import TYPE_CHECKING, Any

from sos_spark.quality.suites import Severity, Suite, broken

if TYPE_CHECKING:
    import pandas as pd

_POSITION = "sos_spark_position"
_ANALYTICS = "GX_ANALYTICS_ENABLED"


@dataclass(frozen=True)
class Verdict:
    """Whether a table met an expectation. `column`: the column or columns it is about, if any."""

    suite: str
    expectation: str
    column: str | None
    severity: Severity
    passed: bool


def import_ahead() -> None:
    """Begins to import Great Expectations in a thread of its own: it takes some seconds, and a run waits for Java."""
    os.environ[_ANALYTICS] = "false"
    threading.Thread(target=import_module, args=("great_expectations",), name="imports").start()


def check_facts(facts: Mapping[str, pd.DataFrame], suites: Sequence[Suite]) -> tuple[Verdict, ...]:
    """Returns a verdict for every expectation of the suites, in the suites' order.

    Args:
        facts: Facts by place, by table name, as `count_facts` gives them.
        suites: What is expected of them.

    Raises:
        BrokenRuleError: An expectation cannot be evaluated.
    """
    if not suites:
        return ()
    with _quiet():
        context, source = _context()
        return tuple(verdict for suite in suites for verdict in _check(context, source, suite, facts[suite.table]))


def _check(context: Any, source: Any, suite: Suite, facts: pd.DataFrame) -> Iterator[Verdict]:
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
    done = context.checkpoints.add(checkpoint).run(batch_parameters={"dataframe": facts})
    passed = {}
    for validation in done.run_results.values():
        for result in validation.results:
            position = result.expectation_config.meta[_POSITION]
            if _raised(result.exception_info):
                raise broken(suite, suite.expectations[position].name, "it could not be evaluated; why is withheld")
            passed[position] = bool(result.success)
    for position, expectation in enumerate(suite.expectations):
        if position not in passed:
            raise broken(suite, expectation.name, "no result came back")
        yield Verdict(
            suite.table,
            expectation.name,
            ", ".join(suite.columns_of(expectation)) or None,
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


def _context() -> tuple[Any, Any]:
    """A context in memory, without progress bars, and a source of frames."""
    import great_expectations as gx
    from great_expectations.data_context.types.base import ProgressBarsConfig

    context = gx.get_context(mode="ephemeral")
    context.variables.progress_bars = ProgressBarsConfig(globally=False)
    return context, context.data_sources.add_pandas("facts")


@contextmanager
def _quiet() -> Iterator[None]:
    """No analytics, and no log: both would tell the world, or a terminal, of exceptions and their texts."""
    os.environ[_ANALYTICS] = "false"
    log = logging.getLogger("great_expectations")
    before = log.level, log.propagate
    log.setLevel(logging.CRITICAL + 1)
    log.propagate = False
    try:
        yield
    finally:
        log.level, log.propagate = before[0], before[1]
