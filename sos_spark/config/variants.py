"""A study's outcomes and their declared alternatives: what records are turned into index rows and cells.

An alternative is an outcome of its own in the panel, under an id that no study file can give an outcome:
`rereferral_nfa_6m~nfa=at_referral`.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from sos_spark.config.outcomes import Outcome
from sos_spark.config.study import Study
from sos_spark.errors import StudyError


@dataclass(frozen=True)
class Variant:
    """An outcome as declared (no switches), or with some switches set otherwise for the specification curve.

    `outcome_id` says which rows and cells are its own; `base_id` is the study file's outcome; `switches` what differs.
    """

    outcome_id: str
    base_id: str
    switches: Mapping[str, Any]
    outcome: Outcome


def variant_id(base_id: str, switches: Mapping[str, Any]) -> str:
    """Returns the outcome_id of an alternative: the base's, and its switches in alphabetical order."""
    parts = (f"{key}={str(value).lower() if isinstance(value, bool) else value}" for key, value in switches.items())
    return "~".join([base_id, *sorted(parts)])


def variants(study: Study) -> tuple[Variant, ...]:
    """Returns the study's outcomes in order, then the alternatives of `sensitivity.outcome_switches`, each once.

    Raises:
        StudyError: An alternative names no outcome of the study, or a key or value its kind does not have.
    """
    found = {
        outcome.outcome_id: Variant(outcome.outcome_id, outcome.outcome_id, {}, outcome) for outcome in study.outcomes
    }
    faults: list[str] = []
    for number, entry in enumerate(study.sensitivity.outcome_switches, start=1):
        where = f"sensitivity.outcome_switches[{number}]"
        switches = {key: value for key, value in entry.items() if key != "outcome_id"}
        base_id = entry.get("outcome_id")
        if base_id not in study.outcome_ids:
            faults.append(f"{where}: outcome_id must be one of {', '.join(study.outcome_ids)}")
            continue
        base = study.outcome(base_id)
        refused = sorted({"kind", "family", "smallest_effect_of_interest"} & switches.keys())
        if refused or not switches:
            faults.append(
                f"{where}: needs switches of the kind {base.kind}" + (f", not {refused[0]}" if refused else "")
            )
            continue
        try:
            outcome = type(base).model_validate(base.model_dump(by_alias=True) | switches)
        except ValidationError as error:
            faults += [f"{where}.{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors(include_url=False)]
            continue
        own_id = variant_id(base_id, switches)
        found.setdefault(own_id, Variant(own_id, base_id, switches, outcome))
    if faults:
        raise StudyError("The study file's alternatives cannot be computed", faults=faults)
    return tuple(found.values())
