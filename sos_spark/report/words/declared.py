"""What of a report was declared before the results: the frozen plan against what was run.

What the plan did not name is exploratory: it may well be right, but it was chosen when the results could be seen.
Without a frozen plan nothing was declared, and nothing is marked one by one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from sos_spark.analysis.declared import declared_specifications
from sos_spark.config.freeze import FrozenPlan
from sos_spark.config.outcomes import Outcome
from sos_spark.config.study import Study

Mark = Literal["", "exploratory", "cannot be compared"]
_Holds = Callable[[Study], bool]
_NOT_ITS_DEFINITION = {"family", "smallest_effect_of_interest"}


@dataclass(frozen=True)
class Declared:
    """The marks of a report: blank where the plan declared it, or where no plan was frozen."""

    frozen: FrozenPlan | None
    study: Study

    @property
    def marks(self) -> bool:
        """Whether anything can carry a mark: a plan was frozen."""
        return self.frozen is not None

    @property
    def comparable(self) -> bool:
        """Whether the frozen plan can still be read as a study."""
        return self.frozen is not None and self.frozen.study is not None

    def outcome(self, outcome_id: str) -> Mark:
        """Marks an outcome that the plan lacks, or defines otherwise."""
        return self._mark(lambda then: _same_outcome(then, self.study, outcome_id))

    def specification(self, outcome_id: str, name: str) -> Mark:
        """Marks a way of estimating an outcome that the plan lacks."""
        own = self._specifications.get(outcome_id, ())
        return self.outcome(outcome_id) or self._mark(lambda _: name == "main" or name in own)

    def secondary(self, outcome_id: str, analysis: str) -> Mark:
        """Marks a secondary analysis that the plan lacks, or whose traits of authorities it gives otherwise."""
        return self.outcome(outcome_id) or self._mark(
            lambda then: (
                analysis in then.secondary.analyses and _traits(then, analysis) == _traits(self.study, analysis)
            )
        )

    def _mark(self, holds: _Holds) -> Mark:
        if self.frozen is None:
            return ""
        then = self.frozen.study
        if then is None:
            return "cannot be compared"
        return "" if holds(then) else "exploratory"

    @cached_property
    def _specifications(self) -> dict[str, tuple[str, ...]]:
        then = self.frozen.study if self.frozen else None
        return {} if then is None else declared_specifications(then)


def starred(name: str, mark: Mark) -> str:
    """Returns a figure's label, with an asterisk where it is exploratory."""
    return f"{name} *" if mark == "exploratory" else name


def legend(marks: list[Mark]) -> str:
    """Returns what the marks among those shown mean, for a caption; blank where there are none."""
    if "cannot be compared" in marks:
        return " Whether these were declared in the frozen plan cannot be compared: this version does not read it."
    return " * exploratory: not in the frozen plan." if "exploratory" in marks else ""


def _same_outcome(then: Study, now: Study, outcome_id: str) -> bool:
    if outcome_id not in then.outcome_ids or outcome_id not in now.outcome_ids:
        return False
    return _definition(then.outcome(outcome_id)) == _definition(now.outcome(outcome_id))


def _definition(outcome: Outcome) -> dict[str, object]:
    return outcome.model_dump(exclude=_NOT_ITS_DEFINITION)


def _traits(study: Study, analysis: str) -> object:
    """What a study says of authorities for a secondary analysis."""
    if analysis == "ofsted":
        rated = [(p.la_code, p.ofsted_before) for p in study.pilots if p.ofsted_before is not None]
        rated += [(rating.la_code, rating.ofsted_before) for rating in study.ratings]
        return sorted(rated), sorted(study.secondary.ofsted_better)
    if analysis == "embeddedness":
        return sorted((p.la_code, p.embeddedness) for p in study.pilots if p.embeddedness is not None)
    return sorted((m.la_code, m.model, m.from_, m.intensity) for m in study.practice_models)
