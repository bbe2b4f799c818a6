"""The study file as the yardstick reads it, with the defaults of the design where it leaves a key out."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from typing import Any

from tests.oracle.yardstick import reference

SWITCHES: dict[str, dict[str, Any]] = {
    "rereferral_nfa": {"nfa": "either", "within_months": 6, "from": "decision"},
    "rereferral_escalated": {
        "nfa": "either", "within_months": 6, "from": "decision", "escalate_within_months": 6, "estimand": "joint",
    },
    "assessment_duration": {"days": "working", "follow_up_days": 90, "mean": "completed"},
    "assessment_within": {"days": 45},
    "kinship_placement": {"unit": "starts", "denominator": "all", "count_parents": True},
    "icpc": {"index": "referral", "within_months": 6},
}  # fmt: skip
"""Each kind's switches and their defaults."""
COVARIATES = ("age_band", "sex", "ethnicity", "primary_need")


def day(value: object) -> date:
    """A TOML date, or one written as a string."""
    return value if isinstance(value, date) else date.fromisoformat(str(value))


def census_year(of: date) -> int:
    """The year in which the twelve months from 1 April end."""
    return of.year + (of.month >= 4)


@dataclass(frozen=True)
class Variant:
    """An outcome of the study or one of its declared alternatives; `base_id` is the outcome it alters."""

    outcome_id: str
    base_id: str
    kind: str
    switches: dict[str, Any]


@dataclass(frozen=True)
class Study:
    """What the yardstick needs of a study file."""

    study_id: str
    baseline: tuple[date, date]
    follow_up: tuple[date, date]
    period: str
    data_ends: date
    transition: str
    max_quarantined: float
    ages: tuple[int, int]
    incomplete_units: str
    pilots: dict[str, date]
    comparators: dict[str, Any]
    variants: tuple[Variant, ...]
    covariates: tuple[str, ...]
    missing: str
    lone_levels: str
    weights: str
    sensitivity: dict[str, Any] = field(default_factory=dict)

    @property
    def years(self) -> tuple[int, int]:
        """The first and the last census year of the windows."""
        return census_year(self.baseline[0]), census_year(self.follow_up[1] - timedelta(days=1))

    @property
    def unit_of(self) -> dict[str, str]:
        """The unit of each LA code."""
        return reference.units_over(*self.years)

    @property
    def go_lives(self) -> dict[str, date]:
        """The go-live of each treated unit."""
        unit_of = self.unit_of
        return {unit: start for code, start in self.pilots.items() for unit in reference.units_named(code, unit_of)}


def read_study(path: Path) -> Study:
    """Reads a study file. Raises ValueError for what the yardstick has not."""
    found = tomllib.loads(path.read_text(encoding="utf-8"))
    window, population = found["window"], found.get("population", {})
    covariates, inference = found.get("covariates", {}), found.get("inference", {})
    if covariates.get("continuous") or window.get("transition") == "fraction":
        raise ValueError("the yardstick knows neither continuous covariates nor a fraction of a period")
    return Study(
        study_id=found["study_id"],
        baseline=(day(window["baseline"][0]), day(window["baseline"][1])),
        follow_up=(day(window["follow_up"][0]), day(window["follow_up"][1])),
        period=window.get("period", "quarter"),
        data_ends=day(window["data_ends"]),
        transition=window.get("transition", "keep"),
        max_quarantined=window.get("max_quarantined", 0.10),
        ages=(population.get("age_min", 0), population.get("age_max", 17)),
        incomplete_units=population.get("incomplete_units", "refuse"),
        pilots={pilot["la_code"]: day(pilot["go_live"]) for pilot in found["pilots"]},
        comparators={"kind": "all", "n": 10, "k": 3, "on": ["level", "trend"], "exclude": [], "la_codes": []}
        | found.get("comparators", {}),
        variants=_variants(found),
        covariates=tuple(covariates.get("categorical", ())),
        missing=covariates.get("missing", "complete_case"),
        lone_levels=covariates.get("lone_levels", "refuse"),
        weights=inference.get("weights", "child"),
        sensitivity=found.get("sensitivity", {}),
    )


def _variants(found: dict[str, Any]) -> tuple[Variant, ...]:
    declared = {
        outcome["outcome_id"]: Variant(
            outcome["outcome_id"], outcome["outcome_id"], outcome["kind"], _switches(outcome)
        )
        for outcome in found["outcomes"]
    }
    every = dict(declared)
    for entry in found.get("sensitivity", {}).get("outcome_switches", ()):
        base = declared[entry["outcome_id"]]
        own = {key: value for key, value in entry.items() if key != "outcome_id"}
        said = (f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in own.items())
        name = "~".join([base.outcome_id, *sorted(said)])
        every.setdefault(name, Variant(name, base.outcome_id, base.kind, base.switches | own))
    return tuple(every.values())


def _switches(outcome: dict[str, Any]) -> dict[str, Any]:
    defaults = SWITCHES[outcome["kind"]]
    return {key: outcome.get(key, default) for key, default in defaults.items()}
