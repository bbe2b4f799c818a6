"""How the index rows of each kind of outcome come about, and that each kind from records has some."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol, TypeVar

from pyspark.sql import DataFrame

from sos_spark.config.outcomes import KINDS, Outcome
from sos_spark.outcome.records import Records
from sos_spark.outcome.rows import Scope, Verdict
from sos_spark.tables import SILVER_ENTITIES

Kind = TypeVar("Kind", bound=Outcome)
Declared = TypeVar("Declared", bound=Outcome, contravariant=True)


class Rows(Protocol):
    """Makes the rows that some outcomes have in common."""

    def __call__(self, outcomes: Sequence[Any], records: Records, scope: Scope) -> DataFrame:
        """Returns them, each once, with what `observe` adds; grain as the function's own docstring says."""
        ...


@dataclass(frozen=True)
class Computed:
    """How a kind's index rows come about: which rows there are, and an outcome's verdict on each.

    `by` names the outcome's keys that decide which rows there are; what the others decide is up to the verdict.
    """

    rows: Rows
    by: tuple[str, ...]
    verdict: Callable[[Any], Verdict]

    def rows_key(self, outcome: Outcome) -> Hashable:
        """Returns what is equal of outcomes that have their rows in common: these, and what is observed of them."""
        kind = type(outcome)
        events = tuple((entity, tuple(fields)) for entity, fields in sorted(kind.events.items()))
        return self.rows, kind.reads, events, tuple((name, getattr(outcome, name)) for name in self.by)


COMPUTED: dict[type[Outcome], Computed] = {}
"""By the kind's model."""


def judges(
    kind: type[Kind], *, rows: Rows, by: tuple[str, ...] = ()
) -> Callable[[Callable[[Kind], Verdict]], Callable[[Kind], Verdict]]:
    """Registers the decorated function as the verdict of a kind's outcomes on `rows`; `by` as of `Computed`.

    Raises:
        TypeError: The kind has index rows already, reads what silver does not have, or has no such key.
    """

    def register(verdict: Callable[[Kind], Verdict]) -> Callable[[Kind], Verdict]:
        faults = [*_faults(kind), *(f"it has no key {name}" for name in by if name not in kind.model_fields)]
        if faults:
            raise TypeError(f"{kind.__name__} can have no index rows: {'; '.join(faults)}")
        COMPUTED[kind] = Computed(rows, by, verdict)
        return verdict

    return register


class FollowedRows(Protocol[Declared]):
    """Follows the index rows of an outcome that is a length, day by day."""

    def __call__(self, outcome: Declared, records: Records, scope: Scope, *, outcome_id: str) -> DataFrame:
        """Returns them; columns as `outcome.durations` says, grain as the kind's own docstring says."""
        ...


FOLLOWED_ROWS: dict[type[Outcome], FollowedRows[Any]] = {}
"""By the kind's model, what follows each index row of a length day by day; columns as `outcome.durations` says."""


def follows_rows_of(kind: type[Kind]) -> Callable[[FollowedRows[Kind]], FollowedRows[Kind]]:
    """Registers the decorated function as the one that follows the index rows of a kind that is a length."""

    def register(made_by: FollowedRows[Kind]) -> FollowedRows[Kind]:
        FOLLOWED_ROWS[kind] = made_by
        return made_by

    return register


def require_every_kind() -> None:
    """Checks that what is declared is computed.

    Raises:
        TypeError: A declared kind from records has no index rows, or counts days and follows none.
    """
    lacking = sorted(name for name, kind in KINDS.items() if kind.reads and kind not in COMPUTED)
    if lacking:
        raise TypeError(f"kinds of outcome without index rows: {', '.join(lacking)}")
    counting = {name for name, kind in KINDS.items() if kind.counted_days is not Outcome.counted_days}
    if unfollowed := sorted(name for name in counting if KINDS[name] not in FOLLOWED_ROWS):
        raise TypeError(f"kinds of outcome that count days and follow no rows: {', '.join(unfollowed)}")


def _faults(kind: type[Outcome]) -> Iterator[str]:
    if kind in COMPUTED:
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
