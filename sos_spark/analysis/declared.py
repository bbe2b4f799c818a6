"""The specification curve as the study file declares it: every estimate of an outcome, by name.

The panel holds every harmonised LA, all periods of the study's windows and the cells of every declared alternative
outcome, so no specification needs another pass over rows. Names are stable: they are the keys by which a report
compares what was run with the plan as it was frozen. Source of the idea: Simonsohn, Simmons and Nelson (2020, Nature
Human Behaviour 4).

Names, in order: the other weights (`la_equal`, or `child`); `unadjusted` where covariates are declared; where go-lives
fall in several periods every estimator by its name, main's among them, so that one table has them all; `logit` of
shares; `synthetic_did`;
`go_live=2014-04-01` (all pilots moved); `comparators=all` (same n, k and exclusions); an outcome's switches,
`nfa=at_referral`; `missing=indicator` (or `complete_case`) where categorical covariates are declared;
`placebo_date=2014-04-01`. An alternative that says what the study says already is none.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import date
from typing import Literal

from sos_spark.analysis.placebo import with_comparators, with_go_live
from sos_spark.config.periods import add_periods, period_start
from sos_spark.config.study import Covariates, Design, Inference, Study
from sos_spark.config.variants import variants
from sos_spark.fit.cells.arms import DRAWN_BACK
from sos_spark.fit.estimators import ESTIMATORS

Analysis = Literal["main", "beside", "sensitivity", "placebo"]

MAIN = "main"


@dataclass(frozen=True)
class Specification:
    """One way of estimating one outcome.

    `analysis`: the study's own choice (main), a companion that always stands with it (beside), an alternative
    (sensitivity), or where no effect can be (placebo). `design.outcome_id` is the study's outcome, `panel_outcome_id`
    the cells it is fitted from. `before`: only periods that end by that day count. `note` goes before the result's.
    """

    name: str
    analysis: Analysis
    design: Design
    inference: Inference
    panel_outcome_id: str
    estimator: str = "main"
    note: str = ""
    before: date | None = None

    def prepares_as(self, other: Specification) -> bool:
        """Returns whether both are fitted from one prepared panel: they differ in weights or estimator only."""
        return (self.design, self.panel_outcome_id, self.before) == (other.design, other.panel_outcome_id, other.before)


def main_specification(study: Study, outcome_id: str) -> Specification:
    """Returns the study's own choice; of an outcome that the study calls a placebo, its analysis is placebo."""
    analysis: Analysis = "placebo" if outcome_id in study.sensitivity.placebo_outcomes else "main"
    return Specification(MAIN, analysis, study.design(outcome_id), study.inference, outcome_id)


def specifications(study: Study, outcome_id: str) -> tuple[Specification, ...]:
    """Returns everything that is declared for an outcome beside `main`, each name once, in the order of names above.

    Raises:
        StudyError: The study's alternatives of outcomes cannot be computed.
    """
    main = main_specification(study, outcome_id)
    found: dict[str, Specification] = {}
    for listed in (_companions, _alternatives, _placebo_dates):
        for specification in listed(study, main):
            found.setdefault(specification.name, specification)
    return tuple(found.values())


def declared_specifications(study: Study) -> dict[str, tuple[str, ...]]:
    """Returns the names declared for each outcome, `main` first: what is not among a frozen plan's is exploratory."""
    return {
        outcome_id: (MAIN, *(specification.name for specification in specifications(study, outcome_id)))
        for outcome_id in study.outcome_ids
    }


def _companions(study: Study, main: Specification) -> Iterator[Specification]:
    beside = replace(main, analysis="beside")
    other = "la_equal" if study.inference.weights == "child" else "child"
    yield replace(beside, name=other, inference=study.inference.model_copy(update={"weights": other}))
    if study.covariates.categorical or study.covariates.continuous:
        bare = main.design.model_copy(update={"covariates": Covariates()})
        yield replace(beside, name="unadjusted", design=bare)
    if len(_first_periods(study)) > 1:
        for name in ESTIMATORS:
            yield replace(beside, name=name, estimator=name)
    if not study.outcome(main.panel_outcome_id).is_length:
        yield replace(beside, name="logit", estimator="logit")
    yield replace(main, name="synthetic_did", analysis="sensitivity", estimator="synthetic_did")


def _alternatives(study: Study, main: Specification) -> Iterator[Specification]:
    other = replace(main, analysis="sensitivity")
    for day in study.sensitivity.go_live:
        if {day} != {pilot.go_live for pilot in study.pilots}:
            yield replace(other, name=f"go_live={day}", design=with_go_live(main.design, day))
    for kind in study.sensitivity.comparators:
        if kind != study.comparators.kind:
            note = DRAWN_BACK if kind == "matched" else ""
            yield replace(other, name=f"comparators={kind}", design=with_comparators(main.design, kind), note=note)
    for variant in variants(study):
        if variant.base_id == main.panel_outcome_id and variant.switches:
            name = variant.outcome_id.removeprefix(f"{variant.base_id}~")
            yield replace(other, name=name, panel_outcome_id=variant.outcome_id)
    if study.covariates.categorical:
        missing = "indicator" if study.covariates.missing == "complete_case" else "complete_case"
        covariates = study.covariates.model_copy(update={"missing": missing})
        design = main.design.model_copy(update={"covariates": covariates})
        yield replace(other, name=f"missing={missing}", design=design)


def _placebo_dates(study: Study, main: Specification) -> Iterator[Specification]:
    first = min(pilot.go_live for pilot in study.pilots)
    for day in study.sensitivity.placebo_dates:
        yield replace(
            main,
            name=f"placebo_date={day}",
            analysis="placebo",
            design=with_go_live(main.design, day),
            note=f"go-live taken to be {day}, periods that end by the first real one, {first}",
            before=first,
        )


def _first_periods(study: Study) -> set[date]:
    """Returns the starts of the periods from which the pilots are treated."""
    period = study.window.period
    starts = {pilot.go_live: period_start(pilot.go_live, period) for pilot in study.pilots}
    return {start if start == day else add_periods(start, 1, period) for day, start in starts.items()}
