"""What every kind of outcome declares, and the registry: nothing outside this folder and `outcome` asks a kind's name.

A kind is its file here, which every command can read without Spark, and a file of the same name in
`sos_spark/outcome/kinds` with its index rows, unless it reads no records.
"""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Iterator, Mapping
from inspect import isabstract
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import Field, GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from sos_spark.config.model import Frozen, Words

Family = Literal["primary", "secondary", "companion"]
ScaleName = Literal["points", "working_days", "calendar_days", "per_10_000"]
"""How an outcome is shown: a share in per cent, a length in days, or a rate per 10,000 children."""
Switch = Words | Mapping[str, Words]
"""A key's words: of a number, with {} in the name for its value; else of each of its values, as written in TOML."""

_LENGTHS: frozenset[ScaleName] = frozenset({"working_days", "calendar_days"})
_DECLARED = ("is_binary", "reads", "events", "switches")


class Outcome(Frozen):
    """An outcome of a study file: the keys that all kinds have.

    A kind adds its own keys, and declares for the class:

    - `is_binary`: whether each index row is 0 or 1, so that unknown rows bound an effect.
    - `reads`: the entities of silver that it is read from; where one of them is not observed, or a row of it that could
      matter is in quarantine, its rows are unknown. The children come with the records: ages, and which CIN child a
      looked-after child is, are read of them. None: it comes from published tables.
    - `events`: by entity, the fields of other rows of the child that say whether and when something happened to it:
      where one could not be used, whatever it said could lie anywhere in the year in whose return the row stood.
    - `switches`: the words of its own keys, for the rows of a specification curve.
    """

    is_binary: ClassVar[bool]
    reads: ClassVar[tuple[str, ...]]
    events: ClassVar[Mapping[str, tuple[str, ...]]]
    switches: ClassVar[Mapping[str, Switch]]

    outcome_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    family: Family = "primary"
    smallest_effect_of_interest: float | None = Field(None, gt=0)
    kind: str

    @property
    @abstractmethod
    def label(self) -> str:
        """A readable name, made from the kind and its switches."""

    @property
    @abstractmethod
    def definition(self) -> str:
        """What is counted, in one sentence."""

    @property
    @abstractmethod
    def entity(self) -> str | None:
        """The entity of silver whose records the index rows are; None for published tables."""

    @property
    @abstractmethod
    def scale(self) -> ScaleName:
        """The scale it is shown on."""

    @property
    @abstractmethod
    def greatest(self) -> float:
        """The greatest that it can be, in its own unit, or infinity; the least is 0."""

    @property
    def is_from_records(self) -> bool:
        """Whether it is computed from children's records, not taken from published tables."""
        return bool(self.reads)

    @property
    def counted_days(self) -> int | None:
        """How many working days of a length of records are counted one by one; None where it is none."""
        return None

    @property
    def limit(self) -> int | None:
        """The working days within which something is to be done, where it is about that."""
        return None

    @property
    def is_length(self) -> bool:
        """Whether it is a length in days, of which there are no odds."""
        return self.scale in _LENGTHS


KINDS: dict[str, type[Outcome]] = {}
"""Every kind of outcome by its name in a study file, in the order in which they are declared."""


def declare(kind: type[Outcome]) -> type[Outcome]:
    """Adds a kind of outcome to those that a study file can name. Returns it.

    Raises:
        TypeError: It lacks a part, its name is taken, or its words contradict those of another kind.
    """
    faults = list(_faults(kind))
    if faults:
        raise TypeError(f"{kind.__name__} is no whole kind of outcome: {'; '.join(faults)}")
    KINDS[_name(kind)] = kind
    return kind


def _name(kind: type[Outcome]) -> str:
    """The kind's name; blank where its `kind` is no literal of one name."""
    names = get_args(kind.model_fields["kind"].annotation)
    return names[0] if len(names) == 1 else ""


def _faults(kind: type[Outcome]) -> Iterator[str]:
    lacking = [*sorted(getattr(kind, "__abstractmethods__", ())), *(n for n in _DECLARED if not hasattr(kind, n))]
    if isabstract(kind) or lacking:
        yield f"it lacks {', '.join(lacking)}"
        return
    name = _name(kind)
    if not name:
        yield "its kind must be a literal of one name"
    elif name in KINDS:
        yield f"the kind {name} is declared already"
    unread = sorted(kind.events.keys() - set(kind.reads))
    if unread:
        yield f"events of entities that it does not read: {', '.join(unread)}"
    yield from _faults_of_switches(kind)


def _faults_of_switches(kind: type[Outcome]) -> Iterator[str]:
    own = {info.alias or name: info.annotation for name, info in kind.model_fields.items()}
    for name in Outcome.model_fields:
        own.pop(name, None)
    if kind.switches.keys() != own.keys():
        yield f"words must be those of its keys {', '.join(own)}, not of {', '.join(kind.switches)}"
        return
    unsaid = [
        info.alias or name
        for name, info in kind.model_fields.items()
        if (info.alias or name) in own and not info.description
    ]
    if unsaid:
        yield f"keys without a description: {', '.join(unsaid)}"
    for key, annotation in own.items():
        words = kind.switches[key]
        values = {_written(value) for value in ((True, False) if annotation is bool else get_args(annotation))}
        if values and (isinstance(words, Words) or words.keys() != values):
            yield f"{key} needs words of {', '.join(sorted(values))}"
        elif not values and not isinstance(words, Words):
            yield f"{key} needs words of a number"
        elif any(_contradict(words, other.switches[key]) for other in KINDS.values() if key in other.switches):
            yield f"{key} has other words in another kind, and an alternative's name does not tell them apart"


def _contradict(one: Switch, other: Switch) -> bool:
    if isinstance(one, Words) or isinstance(other, Words):
        return isinstance(one, Words) and isinstance(other, Words) and one != other
    return any(one[value] != other[value] for value in one.keys() & other.keys())


def _written(value: object) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def switch_in_words(key: str, value: str) -> Words | None:
    """Returns the words of a key set to a value, as they stand in an alternative's name; None for no kind's key."""
    declared = [kind.switches[key] for kind in KINDS.values() if key in kind.switches]
    for words in declared:
        if not isinstance(words, Words) and value.lower() in words:
            return words[value.lower()]
    numbers = [words for words in declared if isinstance(words, Words)]
    return Words(numbers[0].name.format(value), numbers[0].meaning) if numbers and value else None


class _OfAnyKind:
    """Reads an outcome as the kind that it names."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        of_kinds = {name: handler.generate_schema(kind) for name, kind in KINDS.items()}
        return core_schema.tagged_union_schema(of_kinds, discriminator="kind")


AnyOutcome = Annotated[Outcome, _OfAnyKind()]
"""An outcome of one of `KINDS`, as a field of a model."""


def months_in_words(count: int) -> str:
    """Returns '1 month' or '6 months'."""
    return "1 month" if count == 1 else f"{count} months"
