"""Which function makes the index rows of which kind of outcome, and that each kind from records has one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Protocol, TypeVar

from pyspark.sql import DataFrame

from sos_spark.config.outcomes import KINDS, Outcome
from sos_spark.outcome.records import Records
from sos_spark.outcome.rows import Scope
from sos_spark.tables import SILVER_ENTITIES

Kind = TypeVar("Kind", bound=Outcome)
Declared = TypeVar("Declared", bound=Outcome, contravariant=True)


class IndexRows(Protocol[Declared]):
    """Makes the index rows of an outcome of one kind, under an outcome_id of the caller's choice."""

    def __call__(self, outcome: Declared, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
        """Returns them; columns of outcome.index_rows, grain as the kind's own docstring says."""
        ...


INDEX_ROWS: dict[type[Outcome], IndexRows[Any]] = {}
"""By the kind's model."""


def makes_rows_of(kind: type[Kind]) -> Callable[[IndexRows[Kind]], IndexRows[Kind]]:
    """Registers the decorated function as the one that makes the index rows of a kind.

    Raises:
        TypeError: The kind has index rows already, or reads what silver does not have.
    """

    def register(made_by: IndexRows[Kind]) -> IndexRows[Kind]:
        faults = list(_faults(kind))
        if faults:
            raise TypeError(f"{kind.__name__} can have no index rows: {'; '.join(faults)}")
        INDEX_ROWS[kind] = made_by
        return made_by

    return register


FOLLOWED_ROWS: dict[type[Outcome], IndexRows[Any]] = {}
"""By the kind's model, what follows each index row of a length day by day; columns as `outcome.durations` says."""


def follows_rows_of(kind: type[Kind]) -> Callable[[IndexRows[Kind]], IndexRows[Kind]]:
    """Registers the decorated function as the one that follows the index rows of a kind that is a length."""

    def register(made_by: IndexRows[Kind]) -> IndexRows[Kind]:
        FOLLOWED_ROWS[kind] = made_by
        return made_by

    return register


def require_every_kind() -> None:
    """Checks that what is declared is computed.

    Raises:
        TypeError: A declared kind from records has no index rows, or counts days and follows none.
    """
    lacking = sorted(name for name, kind in KINDS.items() if kind.reads and kind not in INDEX_ROWS)
    if lacking:
        raise TypeError(f"kinds of outcome without index rows: {', '.join(lacking)}")
    counting = {name for name, kind in KINDS.items() if kind.counted_days is not Outcome.counted_days}
    if unfollowed := sorted(name for name in counting if KINDS[name] not in FOLLOWED_ROWS):
        raise TypeError(f"kinds of outcome that count days and follow no rows: {', '.join(unfollowed)}")


def _faults(kind: type[Outcome]) -> Iterator[str]:
    if kind in INDEX_ROWS:
        yield "it has some already"
    if not kind.reads:
        yield "it reads no records"
    for entity in kind.reads:
        if entity not in SILVER_ENTITIES:
            yield f"it reads {entity}, which is no entity of silver"
            continue
        unknown = sorted(set(kind.events.get(entity, ())) - set(SILVER_ENTITIES[entity].column_names))
        if unknown:
            yield f"{entity} has no field {', '.join(unknown)}"
