"""What a step is given: the study, the places, the lake, one Spark session and somewhere to report progress."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Protocol, TypeVar

from sos_spark.config.environment import Environment
from sos_spark.config.freeze import FrozenPlan
from sos_spark.config.study import Study
from sos_spark.errors import StudyError
from sos_spark.places import Place

T = TypeVar("T")

if TYPE_CHECKING:
    from pyspark.sql import SparkSession

    from sos_spark.lake.lake import Lake


@dataclass
class StepReport:
    """What a step did: rows by table, warnings for the person running it, and facts for the manifest."""

    step: str
    rows: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    facts: dict[str, object] = field(default_factory=dict)
    exit_code: int = 0
    refused: list[str] = field(default_factory=list)


class Counted(Protocol):
    """Gives the items of a list one by one, and may tell somebody how many are done."""

    def __call__(self, items: Sequence[T], /) -> Iterable[T]:
        """Returns the items in order."""
        ...


def untold(items: Sequence[T], /) -> Iterable[T]:
    """Returns the items, and tells nobody."""
    return items


@dataclass
class Run:
    """One run of one or more steps. `start_session` is called at most once, by the first step that needs Spark.

    `begin_session` may begin to start it, beside what needs no Spark; it may be called again. `origins` and `overrides`
    say where the study's keys come from, as `config.load.LoadedStudy`. `counted` tells progress within a step.
    `processes` may compute at once where Spark is not needed; with `is_local` Spark has this machine alone.
    """

    run_id: str
    environment: Environment
    study: Study | None
    start_session: Callable[[], SparkSession]
    frozen: FrozenPlan | None = None
    origins: Mapping[str, str] = field(default_factory=dict)
    overrides: tuple[str, ...] = ()
    reports: list[StepReport] = field(default_factory=list)
    counted: Counted = untold
    processes: int = 1
    begin_session: Callable[[], None] = lambda: None
    is_local: bool = False

    @cached_property
    def spark(self) -> SparkSession:
        """The run's one Spark session."""
        return self.start_session()

    @cached_property
    def lake(self) -> Lake:
        """The run's lake."""
        from sos_spark.lake.lake import Lake

        return Lake(self.lake_root)

    @property
    def lake_root(self) -> Place:
        """The lake's folder."""
        return _place(self.environment.lake, "--lake")

    @property
    def source(self) -> Place:
        """The folder of returns."""
        return _place(self.environment.source, "--source")

    @property
    def out(self) -> Place:
        """The folder of results."""
        return _place(self.environment.out, "--out")

    @property
    def the_study(self) -> Study:
        """The study; this step needs one."""
        if self.study is None:
            raise _lacks("--study")
        return self.study


def _place(place: Place | None, option: str) -> Place:
    if place is None:
        raise _lacks(option)
    return place


def _lacks(option: str) -> StudyError:
    return StudyError(f"This step needs {option}", remedy=f"Give {option}")
