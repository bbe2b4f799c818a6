"""The study: what is estimated, as declared in one TOML file. Frozen, typed, no paths, no code.

Every key is documented in docs/reference; `sos-spark study new` writes a commented file. The kinds of outcome stand
in `config.outcomes`. Models refuse unknown keys. A value that only the data can prove wrong (an LA code that no return
carries, say) is checked where the data are.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import ConfigDict, Field, ModelWrapValidatorHandler, model_validator

from sos_spark.config.disclosure import ProfileName
from sos_spark.config.exposures import Exposure
from sos_spark.config.model import Code, Day, Frozen
from sos_spark.config.outcomes import AnyOutcome, Family, Outcome
from sos_spark.config.outcomes.base import ScaleName
from sos_spark.config.periods import Period, is_period_start
from sos_spark.config.publication import Publication
from sos_spark.config.ratings import OFSTED_RATINGS, OfstedRating, refuse_inspection_after, refuse_later_ratings

Staggered = Literal["imputation", "cs_simple", "cs_not_yet", "sun_abraham", "etwfe"]
"""What `main` may be where pilots go live in several periods, by the names of `sos_spark.fit.estimators`."""


TRANSITIONS = {
    "keep": "untreated",
    "drop": "dropped",
    "fraction": "treated by its share of days from then on",
}
"""What becomes of the period that contains a go-live inside it, in the words of a warning."""


OtherInference = Literal["cr3_t", "wcr_33", "region"]
"""Other ways of judging chance, by name: the jackknife's t and bootstrap, and regions as clusters."""


class Window(Frozen):
    """Closed-open spans of days, each from and to the start of a period.

    `transition`: the period that contains a go-live inside it is untreated (keep), left out (drop), or treated by the
    share of its days from the go-live on (fraction). `max_quarantined`: an LA-year with a larger share of an entity's
    rows in quarantine does not observe the entity.
    """

    baseline: tuple[Day, Day]
    follow_up: tuple[Day, Day]
    period: Period = "quarter"
    data_ends: Day
    transition: Literal["keep", "drop", "fraction"] = "keep"
    max_quarantined: float = Field(0.10, ge=0, le=1)

    @model_validator(mode="after")
    def _spans_are_whole_periods(self) -> Window:
        for name, (start, end) in (("baseline", self.baseline), ("follow_up", self.follow_up)):
            if end <= start:
                raise ValueError(f"{name} must end after it starts")
            for day in (start, end):
                if not is_period_start(day, self.period):
                    raise ValueError(f"{name}: {day} is not the start of a {self.period}")
        if self.follow_up[0] < self.baseline[1]:
            raise ValueError("follow_up must not start before baseline ends")
        return self


class Population(Frozen):
    """Who is in: completed years of age on the index date, and what to do about units seen on one side only."""

    age_min: int = Field(0, ge=0, le=25)
    age_max: int = Field(17, ge=0, le=25)
    incomplete_units: Literal["refuse", "drop"] = "refuse"

    @model_validator(mode="after")
    def _ages_in_order(self) -> Population:
        if self.age_max < self.age_min:
            raise ValueError("age_max must not be below age_min")
        return self


class Pilot(Frozen):
    """A treated LA. `ofsted_before` is the rating before go-live, never a later one; `embeddedness` any number."""

    la_code: Code
    go_live: Day
    embeddedness: float | None = Field(None, allow_inf_nan=False)
    ofsted_before: OfstedRating | None = None
    ofsted_inspected: Day | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _no_later_rating(cls, value: Any, read: ModelWrapValidatorHandler[Pilot]) -> Pilot:
        return refuse_later_ratings(value, read)

    @model_validator(mode="after")
    def _inspected_before(self) -> Pilot:
        refuse_inspection_after(self.go_live, inspected=self.ofsted_inspected, rating=self.ofsted_before)
        return self


class Rating(Frozen):
    """The rating of an LA without a pilot before the study's first go-live."""

    la_code: Code
    ofsted_before: OfstedRating
    ofsted_inspected: Day | None = None

    @model_validator(mode="wrap")
    @classmethod
    def _no_later_rating(cls, value: Any, read: ModelWrapValidatorHandler[Rating]) -> Rating:
        return refuse_later_ratings(value, read)


class Comparators(Frozen):
    """Which LAs without a pilot compare."""

    kind: Literal["all", "listed", "neighbours", "matched"] = "all"
    la_codes: tuple[Code, ...] = ()
    n: int = Field(10, ge=1, le=10)
    k: int = Field(3, ge=1)
    on: tuple[Literal["level", "trend"], ...] = ("level", "trend")
    exclude: tuple[Code, ...] = ()

    @model_validator(mode="after")
    def _listed_has_codes(self) -> Comparators:
        if self.kind == "listed" and not self.la_codes:
            raise ValueError('kind = "listed" needs la_codes')
        if self.kind != "listed" and self.la_codes:
            raise ValueError(f'la_codes goes with kind = "listed", not "{self.kind}"')
        return self


class PracticeModel(Frozen):
    """An LA outside the programme that used a similar practice model from a day on, and how much of it (0 to 1)."""

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True)

    la_code: Code
    model: Code
    from_: Day = Field(alias="from")
    intensity: float = Field(ge=0, le=1)


class Continuous(Frozen):
    """A continuous covariate, centred at a fixed public constant before it is summed."""

    name: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    centre: float = 0.0


class Covariates(Frozen):
    """What is adjusted for. A panel of one's own may name any column it has."""

    categorical: tuple[Code, ...] = ()
    continuous: tuple[Continuous, ...] = ()
    lone_levels: Literal["refuse", "merge", "drop"] = "refuse"
    missing: Literal["complete_case", "indicator"] = "complete_case"


class Inference(Frozen):
    """How uncertainty is measured. `headline` is the interval that is quoted first.

    `strata`: go-lives are permuted among all authorities (none), or within thirds of them by rows (size). A plan that
    leaves it at none is fingerprinted as one written before there was the key. `staggered`: the estimator of `main`
    where pilots go live in several periods; under one go-live it is two-way fixed effects.
    """

    headline: Literal["wcr"] = "wcr"
    draws: int = Field(99_999, ge=99, le=10_000_000)
    permutations: int = Field(9_999, ge=99, le=10_000_000)
    seed: int = Field(20210101, ge=0)
    cluster: Literal["unit_id"] = "unit_id"
    weights: Literal["child", "la_equal"] = "child"
    strata: Literal["none", "size"] = Field("none", exclude_if=lambda named: named == "none")
    staggered: Staggered = "imputation"
    event_study_bins: tuple[int, int] | None = None
    base: Literal["universal", "varying"] = "universal"

    @model_validator(mode="after")
    def _bins_straddle_the_reference(self) -> Inference:
        if self.event_study_bins is not None:
            first, last = self.event_study_bins
            if first >= -1 or last < 0:
                raise ValueError("event_study_bins must start before -1, the reference period, and end at 0 or later")
        return self


class Sensitivity(Frozen):
    """The specification curve, declared before the run.

    `placebo_outcomes` names outcomes of the study that the programme cannot have moved, `inference` other ways of
    judging chance. A plan that names none reads, and is fingerprinted, as one written before there were the keys.
    """

    go_live: tuple[Day, ...] = ()
    comparators: tuple[Literal["all", "neighbours", "matched"], ...] = ()
    outcome_switches: tuple[dict[str, Any], ...] = ()
    placebo_dates: tuple[Day, ...] = ()
    placebo_pilots: int = Field(0, ge=0, le=100_000)
    placebo_outcomes: tuple[Code, ...] = Field((), exclude_if=lambda named: not named)
    inference: tuple[OtherInference, ...] = Field((), exclude_if=lambda named: not named)
    leave_one_out: bool = True


class Secondary(Frozen):
    """By which traits of LAs effects are looked at, declared before the run; what the study lacks is left out.

    Ratings are coded in two groups: `ofsted_better`, and all others. Draws are fewer than the main fit's by default.
    """

    analyses: tuple[Literal["ofsted", "embeddedness", "practice_models"], ...] = (
        "ofsted",
        "embeddedness",
        "practice_models",
    )
    ofsted_better: tuple[OfstedRating, ...] = ("outstanding", "good")
    draws: int = Field(9_999, ge=99, le=10_000_000)

    @model_validator(mode="after")
    def _two_groups(self) -> Secondary:
        if not 0 < len(set(self.ofsted_better)) < len(OFSTED_RATINGS):
            raise ValueError("ofsted_better must name one to three ratings: the others are the second group")
        return self


class Evidence(Frozen):
    """The study's own rule for the strength of evidence."""

    rule: Literal["default"] = "default"


class Disclosure(Frozen):
    """The disclosure-control profile of a release, by name (conf/disclosure)."""

    profile: ProfileName = "dfe-cin"


class Study(Frozen):
    """A study file."""

    schema_version: Literal[1]
    study_id: Annotated[str, Field(pattern=r"^[a-z][a-z0-9_]{0,59}$")]
    title: Annotated[str, Field(min_length=1, max_length=200)]
    window: Window
    population: Population = Population()
    pilots: Annotated[tuple[Pilot, ...], Field(min_length=1)]
    comparators: Comparators = Comparators()
    practice_models: tuple[PracticeModel, ...] = ()
    exposures: tuple[Exposure, ...] = Field((), exclude_if=lambda declared: not declared)
    ratings: tuple[Rating, ...] = ()
    outcomes: Annotated[tuple[AnyOutcome, ...], Field(min_length=1)]
    covariates: Covariates = Covariates()
    inference: Inference = Inference()
    sensitivity: Sensitivity = Sensitivity()
    secondary: Secondary = Secondary()
    evidence: Evidence = Evidence()
    disclosure: Disclosure = Disclosure()
    publication: Publication = Publication()

    @model_validator(mode="after")
    def _names_are_unique(self) -> Study:
        for what, names in (
            ("outcome_id", [outcome.outcome_id for outcome in self.outcomes]),
            ("pilot", [pilot.la_code for pilot in self.pilots]),
            ("rating", [rating.la_code for rating in self.ratings]),
        ):
            twice = sorted({name for name in names if names.count(name) > 1})
            if twice:
                raise ValueError(f"{what} given twice: {', '.join(twice)}")
        return self

    @model_validator(mode="after")
    def _placebo_outcomes_are_outcomes(self) -> Study:
        families = {outcome.outcome_id: outcome.family for outcome in self.outcomes}
        named = dict.fromkeys(self.sensitivity.placebo_outcomes)
        unknown = [name for name in named if name not in families]
        primary = [name for name in named if families.get(name) == "primary"]
        faults = []
        if unknown:
            faults.append(f"no outcomes of the study: {', '.join(unknown)}")
        if primary:
            faults.append(f"a placebo cannot be in the primary family: {', '.join(primary)}")
        if faults:
            raise ValueError("sensitivity.placebo_outcomes: " + "; ".join(faults))
        return self

    @model_validator(mode="after")
    def _ratings_are_of_others_and_before(self) -> Study:
        pilots = {pilot.la_code for pilot in self.pilots}
        first = min(pilot.go_live for pilot in self.pilots)
        for number, rating in enumerate(self.ratings, start=1):
            if rating.la_code in pilots:
                raise ValueError(f"ratings[{number}]: {rating.la_code} is a pilot: its ofsted_before stands there")
            try:
                refuse_inspection_after(first, inspected=rating.ofsted_inspected, rating=rating.ofsted_before)
            except ValueError as error:
                raise ValueError(f"ratings[{number}]: {error}") from None
        return self

    @model_validator(mode="after")
    def _no_pilot_is_exposed(self) -> Study:
        pilots = {pilot.la_code for pilot in self.pilots}
        for number, exposure in enumerate(self.exposures, start=1):
            if both := sorted(pilots & set(exposure.la_codes)):
                raise ValueError(f"exposures[{number}]: pilots, which have the programme itself: {', '.join(both)}")
        return self

    def plan(self) -> dict[str, Any]:
        """Returns all that is decided before the results, as JSON has it: the study without the authors' own words."""
        return self.model_dump(mode="json", by_alias=True, exclude={"publication"})

    @property
    def outcome_ids(self) -> tuple[str, ...]:
        """The outcomes' ids, in the file's order."""
        return tuple(outcome.outcome_id for outcome in self.outcomes)

    def outcome(self, outcome_id: str) -> Outcome:
        """Returns the outcome of that id. Raises KeyError if the study has none."""
        for outcome in self.outcomes:
            if outcome.outcome_id == outcome_id:
                return outcome
        raise KeyError(outcome_id)

    def design(self, outcome_id: str) -> Design:
        """Returns what a fit of one outcome needs to know."""
        outcome = self.outcome(outcome_id)
        return Design(
            study_id=self.study_id,
            outcome_id=outcome.outcome_id,
            label=outcome.label,
            scale=outcome.scale,
            family=outcome.family,
            smallest_effect_of_interest=outcome.smallest_effect_of_interest,
            window=self.window,
            population=self.population,
            pilots=self.pilots,
            comparators=self.comparators,
            neighbours=self.neighbours,
            practice_models=self.practice_models,
            covariates=self.covariates,
        )

    @property
    def neighbours(self) -> dict[str, tuple[str, ...]]:
        """Each LA code's statistical neighbours, nearest first; none where no specification compares with them."""
        from sos_spark.config.reference import neighbour_lists

        wanted = "neighbours" in {self.comparators.kind, *self.sensitivity.comparators}
        return neighbour_lists() if wanted else {}


class Design(Frozen):
    """One outcome's design: the same names as the study file's. Made by `Study.design`, or by hand in a notebook.

    `label` and `scale` say how the outcome is shown, and change no number.

    `neighbours` maps an LA code to its statistical neighbours, nearest first. A unit_id that joins LA codes with '+'
    (a merged authority) stands for each of them.
    """

    study_id: str = "study"
    outcome_id: str
    label: str = ""
    scale: ScaleName | None = None
    family: Family = "primary"
    smallest_effect_of_interest: float | None = None
    window: Window
    population: Population = Population()
    pilots: Annotated[tuple[Pilot, ...], Field(min_length=1)]
    comparators: Comparators = Comparators()
    neighbours: dict[str, tuple[str, ...]] = Field(default_factory=dict)
    practice_models: tuple[PracticeModel, ...] = ()
    covariates: Covariates = Covariates()
