"""What a study declares of each unit of a panel: rating group, embeddedness, practice models in use.

Codes name units as `config.areas` says. A unit's rating group is that of its authorities' ratings, unknown where they
fall in both groups; its embeddedness is the mean of its pilots' values; its intensity of practice
models is the greatest in use in any of its authorities.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TypeVar

import numpy as np

from sos_spark.config.areas import names_of_panel
from sos_spark.config.ratings import OFSTED_RATINGS
from sos_spark.config.study import Study
from sos_spark.fit.regression.design import Ints, PreparedPanel
from sos_spark.fit.regression.moments import Array

BETTER, OTHER, UNKNOWN = 0, 1, -1

Declared = TypeVar("Declared")


@dataclass(frozen=True)
class RatingGroups:
    """The group of each unit, (G,): BETTER, OTHER or UNKNOWN; `names` are those of the two groups, in that order."""

    group: Ints
    names: tuple[str, str]


def rating_groups(panel: PreparedPanel, study: Study) -> RatingGroups:
    """Returns each unit's group by the rating before go-live: of pilots as the study says, of comparators likewise."""
    better = set(study.secondary.ofsted_better)
    of_pilots = {p.la_code: p.ofsted_before for p in study.pilots if p.ofsted_before is not None}
    of_others = {rating.la_code: rating.ofsted_before for rating in study.ratings}
    group = np.full(len(panel.unit_ids), UNKNOWN, dtype=np.int64)
    pilots, others = by_unit(panel, of_pilots.items()), by_unit(panel, of_others.items())
    for g, (unit_id, treated) in enumerate(zip(panel.unit_ids, panel.is_treated_unit, strict=True)):
        ratings = (pilots if treated else others).get(unit_id, [])
        found = {BETTER if rating in better else OTHER for rating in ratings}
        if len(found) == 1:
            group[g] = found.pop()
    names = (_joined(better), _joined(set(OFSTED_RATINGS) - better))
    return RatingGroups(group, names)


def embeddedness(panel: PreparedPanel, study: Study) -> Array:
    """Returns each treated unit's embeddedness, (G,): NaN where none is declared, and for comparators."""
    declared = [(pilot.la_code, pilot.embeddedness) for pilot in study.pilots if pilot.embeddedness is not None]
    own = by_unit(panel, declared)
    values = np.full(len(panel.unit_ids), np.nan)
    for g, (unit_id, treated) in enumerate(zip(panel.unit_ids, panel.is_treated_unit, strict=True)):
        if treated and unit_id in own:
            values[g] = float(np.mean(own[unit_id]))
    return values


def intensity_of_models(panel: PreparedPanel, study: Study) -> Array:
    """Returns the intensity of comparators' similar practice models, (G, T).

    It counts in periods that start on or after `from`; it is 0 before, in treated units, and where none is declared.
    """
    intensity = np.zeros(panel.rows.shape)
    starts = np.array(panel.period_starts, dtype="datetime64[D]")
    models = by_unit(panel, ((model.la_code, model) for model in study.practice_models))
    for g, (unit_id, treated) in enumerate(zip(panel.unit_ids, panel.is_treated_unit, strict=True)):
        for model in () if treated else models.get(unit_id, []):
            in_use = starts >= np.datetime64(model.from_, "D")
            intensity[g] = np.maximum(intensity[g], model.intensity * in_use)
    return intensity


def by_unit(panel: PreparedPanel, declared: Iterable[tuple[str, Declared]]) -> dict[str, list[Declared]]:
    """Returns what is declared of codes by the units of the panel that they name, in the order given."""
    names = names_of_panel(panel.unit_ids)
    by_unit: dict[str, list[Declared]] = {}
    for code, value in declared:
        for unit_id in names.units_of(code):
            by_unit.setdefault(unit_id, []).append(value)
    return by_unit


def _joined(ratings: Iterable[str]) -> str:
    """Names a group, 'good' before 'outstanding' as one says it."""
    said = ("good", "outstanding", "requires_improvement", "inadequate")
    return " or ".join(rating for rating in said if rating in set(ratings))
