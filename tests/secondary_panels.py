"""Panels without noise whose subgroup effects and slopes one can read off, and the studies that go with them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd

from sos_spark.analysis.secondary.analyses import secondary_frame
from sos_spark.config.study import Design, Inference, Pilot, PracticeModel, Rating, Study
from sos_spark.fit.cells.prepare import Prepared, prepare
from tests.fit_panels import a_design, quarter

GO_LIVE = 3
N_PERIODS = 6
QUICK = Inference(draws=199, permutations=99)
TREATED = tuple(str(201 + k) for k in range(12))
OTHERS = tuple(str(301 + k) for k in range(12))


def a_cell(unit: str, period: int, mean: float, *, n: int = 1000) -> dict[str, Any]:
    y_sum = round(mean * n, 9)
    return {
        "outcome_id": "o",
        "unit_id": unit,
        "period": period,
        "period_start": quarter(period).isoformat(),
        "n": n,
        "y_sum": y_sum,
        "y_sumsq": y_sum,
    }


def cells_of(mean_of: Mapping[str, Sequence[float]], *, noise: float = 0.0, seed: int = 1) -> pd.DataFrame:
    """One cell a unit and period with the mean given, or about it."""
    random = np.random.default_rng(seed)
    return pd.DataFrame(
        [
            a_cell(unit, period, mean + (random.normal(0, noise) if noise else 0.0))
            for unit, means in mean_of.items()
            for period, mean in enumerate(means)
        ]
    )


def means(level: float, *, after: float = 0.0, go_live: int = GO_LIVE) -> list[float]:
    """A unit's mean a period: a level, and what comes on top from go-live on; a common wave beside them."""
    return [level + 0.01 * (t % 3) + after * (t >= go_live) for t in range(N_PERIODS)]


def a_study(
    design: Design,
    *,
    pilots: Mapping[str, Mapping[str, Any]] | None = None,
    ratings: Mapping[str, str] | None = None,
    models: Sequence[tuple[str, int, float]] = (),
    **changed: Any,
) -> Study:
    """The study of a design, with what is known of pilots and comparators; models are (LA, first period, intensity)."""
    known = pilots or {}
    return Study(
        schema_version=1,
        study_id="s",
        title="t",
        window=design.window,
        pilots=tuple(
            Pilot.model_validate(pilot.model_dump(exclude_none=True) | dict(known.get(pilot.la_code, {})))
            for pilot in design.pilots
        ),
        ratings=tuple(Rating(la_code=code, ofsted_before=rated) for code, rated in (ratings or {}).items()),
        practice_models=tuple(
            PracticeModel.model_validate({"la_code": code, "model": "m", "from": quarter(start), "intensity": size})
            for code, start, size in models
        ),
        outcomes=({"outcome_id": "o", "kind": "icpc"},),
        **changed,
    )


def rows_of(
    cells: pd.DataFrame, design: Design, study: Study, *, inference: Inference = QUICK, **knobs: Any
) -> pd.DataFrame:
    """The secondary frame, by term."""
    prepared: Prepared = prepare(cells, design)
    frame = secondary_frame(prepared, design=design, study=study, inference=inference, **knobs)
    return frame.set_index("term", drop=False)


def a_split_world(
    *, n_first: int = 5, n_second: int = 5, n_comparators: int = 6, noise: float = 0.0, seed: int = 1
) -> tuple[pd.DataFrame, Design, dict[str, Any]]:
    """Cells, design and what is known: good LAs gain 0.05 anyway and 0.10 by treatment, the others -0.03 and 0.02."""
    treated = TREATED[: n_first + n_second]
    own = {code: "good" if k < n_first else "inadequate" for k, code in enumerate(treated)}
    others = {
        code: ("outstanding", "requires_improvement")[k % 2] for k, code in enumerate(OTHERS[: 2 * n_comparators])
    }
    after = {"good": 0.15, "inadequate": -0.01, "outstanding": 0.05, "requires_improvement": -0.03}
    mean_of = {
        code: means(0.2 + 0.01 * k, after=after[rated]) for k, (code, rated) in enumerate((own | others).items())
    }
    design = a_design(pilots=dict.fromkeys(treated, GO_LIVE))
    known = {"pilots": {code: {"ofsted_before": rated} for code, rated in own.items()}, "ratings": others}
    return cells_of(mean_of, noise=noise, seed=seed), design, known
