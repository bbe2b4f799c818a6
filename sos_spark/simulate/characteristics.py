"""What a study may know of an authority before treatment: rating, embeddedness, a similar practice model.

Drawn from streams of their own, so that no record depends on them, and no outcome does. None of them is a real
authority's: the real ones are not in open data.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np

from sos_spark.config.ratings import OFSTED_RATINGS
from sos_spark.simulate.areas import Area, Unit
from sos_spark.simulate.draws import Draws
from sos_spark.simulate.effects import Effects

MODEL_SHARE = 2 / 3
"""Share of authorities without a planted effect that use a similar practice model: the public share for England."""

NOTE = (
    "characteristics are simulated, from streams of their own; no outcome depends on them, so that one size of effect"
    " in all pilots means a true difference of 0 by each of them"
)

_YEARS_BEFORE = 3
_LEAST_INTENSITY = 0.25


def characteristics_of(
    units: Sequence[Unit], effects: Effects, *, census_years: Sequence[int], seed: int
) -> list[dict[str, object]]:
    """Returns an entry an authority of the first census year, ready for truth.json.

    Keys: la_code; share_of_england; embeddedness, evenly spread over 0 to 1; ofsted_before, a quarter of all
    authorities each; practice_model_from and practice_model_intensity, null in authorities with a planted effect and in
    a third of the others. Models start on a 1 April, from three years before the first census year to the last one.
    """
    planted = {code for effect in effects.effects for code in effect.la_codes}
    return [_entry(area, planted, census_years=census_years, seed=seed) for unit in units for area in unit.areas]


def _entry(area: Area, planted: set[str], *, census_years: Sequence[int], seed: int) -> dict[str, object]:
    scores = area.levels.scores
    worst_first = OFSTED_RATINGS[::-1]
    rating = min(int(_rank(scores["ofsted"]) * len(worst_first)), len(worst_first) - 1)
    model = None if planted & set(area.codes) else _model(Draws(seed, area.code), census_years)
    return {
        "la_code": area.code,
        "share_of_england": round(area.levels.share_of_england, 6),
        "embeddedness": round(_rank(scores["embeddedness"]), 3),
        "ofsted_before": worst_first[rating],
        "practice_model_from": None if model is None else model[0],
        "practice_model_intensity": None if model is None else model[1],
    }


def _model(draws: Draws, census_years: Sequence[int]) -> tuple[str, float] | None:
    """Returns the first day and the intensity of an authority's practice model, or None where it has none."""
    one = np.zeros(1, dtype=np.int64)
    if not draws.below("practice_model/in_use", one, MODEL_SHARE)[0]:
        return None
    # The census year Y begins on 1 April of Y - 1.
    starts = range(census_years[0] - 1 - _YEARS_BEFORE, census_years[-1])
    start = starts[int(draws.choice("practice_model/from", one, [1.0] * len(starts))[0])]
    spread = float(draws.uniform("practice_model/intensity", one)[0])
    return f"{start}-04-01", round(_LEAST_INTENSITY + (1 - _LEAST_INTENSITY) * spread, 2)


def _rank(score: float) -> float:
    """Returns the share of authorities below a normal score."""
    return 0.5 * (1 + math.erf(score / math.sqrt(2)))
