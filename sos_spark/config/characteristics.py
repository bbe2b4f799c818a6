"""A study whose authorities' characteristics come from the truth of simulated returns, where it declares none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

from sos_spark.config.load import study_from
from sos_spark.config.study import Study
from sos_spark.errors import InputError

Trait = Literal["ofsted", "embeddedness", "practice_models"]

_KEYS = ("la_code", "ofsted_before", "embeddedness", "practice_model_from", "practice_model_intensity")


@dataclass(frozen=True)
class FilledStudy:
    """A study with simulated characteristics. `sources` says of which analyses' data any is simulated.

    `filled` has a line for each, to be printed. Where nothing was filled it is the study as it was.
    """

    study: Study
    filled: tuple[str, ...] = ()
    sources: Mapping[Trait, Literal["study", "simulated"]] = field(default_factory=dict)


def with_simulated(study: Study, authorities: Sequence[Mapping[str, Any]]) -> FilledStudy:
    """Fills in what the study does not declare: ratings and embeddedness, and practice models where it has none.

    Args:
        study: The study as declared; what it declares stays.
        authorities: `authorities` of the simulation's truth.json: la_code, ofsted_before, embeddedness,
            practice_model_from, practice_model_intensity.

    A rating or an embeddedness is filled in only where no pilot of the study has one, so that declared and simulated
    values are never mixed. Comparators get ratings together with pilots. A pilot gets no practice model.

    Raises:
        InputError: The entries lack a key.
    """
    known = {str(entry.get("la_code")): entry for entry in authorities}
    if any(key not in entry for entry in authorities for key in _KEYS):
        raise InputError(
            "The characteristics of simulated authorities cannot be read",
            expected=", ".join(_KEYS),
            remedy="Simulate the source again",
        )
    content = study.model_dump(mode="json", by_alias=True)
    pilots = {pilot.la_code for pilot in study.pilots}
    others = [code for code in known if code not in pilots]
    filled: list[str] = []
    sources: dict[Trait, Literal["study", "simulated"]] = {}

    def fill_pilots(key: str) -> int:
        mine = [pilot for pilot in content["pilots"] if pilot["la_code"] in known]
        for pilot in mine:
            pilot[key] = known[pilot["la_code"]][key]
        return len(mine)

    if all(pilot.ofsted_before is None for pilot in study.pilots) and not study.ratings:
        count = fill_pilots("ofsted_before")
        content["ratings"] = [{"la_code": code, "ofsted_before": known[code]["ofsted_before"]} for code in others]
        if count:
            sources["ofsted"] = "simulated"
            filled.append(
                f"simulated Ofsted ratings before go-live of {count} pilots and {len(others)} other authorities"
            )
    if all(pilot.embeddedness is None for pilot in study.pilots) and (count := fill_pilots("embeddedness")):
        sources["embeddedness"] = "simulated"
        filled.append(f"simulated embeddedness of {count} pilots")
    if not study.practice_models:
        content["practice_models"] = [
            {
                "la_code": code,
                "model": "simulated",
                "from": known[code]["practice_model_from"],
                "intensity": known[code]["practice_model_intensity"],
            }
            for code in others
            if known[code]["practice_model_from"] is not None
        ]
        if content["practice_models"]:
            sources["practice_models"] = "simulated"
            filled.append(f"simulated practice models of {len(content['practice_models'])} authorities without a pilot")
    if not filled:
        return FilledStudy(study)
    return FilledStudy(study_from(content, where="the study with simulated characteristics"), tuple(filled), sources)
