"""The programmes as conf/programmes.toml declares them."""

from __future__ import annotations

import tomllib

from sos_spark.config.demo import study_named
from sos_spark.config.load import load_study
from sos_spark.config.model import Frozen
from sos_spark.config.outcomes.published import MeasureName
from sos_spark.config.shipped import conf_root
from sos_spark.config.study import Study


class Programme(Frozen):
    """A programme with a study file; `neighbouring_years` are other first treated years."""

    name: str
    study: str
    authorities: str
    start: str
    source: str
    neighbouring_years: tuple[str, ...]

    def loaded(self) -> Study:
        """Returns the study, with no alternatives but the neighbouring years."""
        years = ", ".join(f'"{year}"' for year in self.neighbouring_years)
        return load_study(
            study_named(self.study), overrides=[f"sensitivity={{go_live = [{years}], leave_one_out = false}}"]
        )


class LeftOut(Frozen):
    """A programme that cannot be estimated, and why."""

    name: str
    authorities: str
    why: str
    source: str


class Programmes(Frozen):
    """All of them; `measure` is the outcome they are compared on."""

    measure: MeasureName
    programmes: tuple[Programme, ...]
    left_out: tuple[LeftOut, ...]


def programmes() -> Programmes:
    """Returns what is declared."""
    return Programmes.model_validate(tomllib.loads((conf_root() / "programmes.toml").read_text(encoding="utf-8")))
