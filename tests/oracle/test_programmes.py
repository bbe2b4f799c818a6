"""The programmes' table: each single pilot placed by hand in every other authority, and the page that shows it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from sos_spark.config.shipped import conf_root
from sos_spark.report.words.numbers import p_value
from tools.programmes.declared import Programme, programmes

ROOT = conf_root().parent
DECLARED = programmes()
SINGLE = [one for one in DECLARED.programmes if len(one.loaded().pilots) == 1]


def placed_everywhere(programme: Programme) -> tuple[float, float]:
    """The effect on the common measure, weighted by children, and the share of placements whose t is at least as large.

    A placement in an authority that is known on one side of go-live only has no effect: it counts as at least as large.
    """
    study = programme.loaded()
    cells = pd.read_csv(conf_root() / "published" / "cells.csv", dtype={"unit_id": str})
    cells = cells[(cells["outcome_id"] == DECLARED.measure) & ~cells["unit_id"].isin(study.comparators.exclude)]
    after = (pd.to_datetime(cells["period_start"]) >= pd.Timestamp(study.pilots[0].go_live)).to_numpy()
    units, unit = np.unique(cells["unit_id"], return_inverse=True)
    period = cells["period"].to_numpy()
    w = cells["n"].to_numpy(float)
    y = cells["y_sum"].to_numpy() / w
    both_sides = [len(np.unique(after[unit == g])) == 2 for g in range(len(units))]
    fixed = np.column_stack([unit[:, None] == np.arange(len(units)), period[:, None] == np.arange(1, period.max() + 1)])
    root = np.sqrt(w)
    q, _ = np.linalg.qr(fixed * root[:, None])

    def without_fixed(values: np.ndarray) -> np.ndarray:
        return values * root - q @ (q.T @ (values * root))

    rest, effects = without_fixed(y), dict[str, tuple[float, float]]()
    for g, name in enumerate(units):
        if both_sides[g]:
            d = without_fixed(((unit == g) & after).astype(float))
            effect = d @ rest / (d @ d)
            scores = np.bincount(unit, d * (rest - effect * d))
            effects[str(name)] = float(effect), abs(effect) / float(np.sqrt(scores @ scores) / (d @ d))
    own, own_t = effects[study.pilots[0].la_code]
    smaller = sum(t < own_t * (1 - 1e-9) for _, t in effects.values())
    return own, 1 - smaller / len(units)


@pytest.mark.parametrize("programme", SINGLE, ids=lambda one: one.study)
def test_a_single_pilot_s_effect_is_the_one_worked_out_by_hand(programme: Programme) -> None:
    effect, share = placed_everywhere(programme)
    line = next(
        line for line in (ROOT / "docs" / "programmes.md").read_text(encoding="utf-8").splitlines()
        if line.startswith(f"| {programme.name} |")
    )  # fmt: skip
    cells = [cell.strip() for cell in line.strip("|").split("|")]
    size = abs(effect) * 10_000
    assert cells[3] == f"{size:.{0 if size >= 9.95 else 1}f} fewer per 10,000 children"
    assert cells[5] == p_value(share)


def test_the_readme_s_table_is_the_page_s_first() -> None:
    page, readme = ((ROOT / Path(name)).read_text(encoding="utf-8") for name in ("docs/programmes.md", "README.md"))
    first = page[page.index("| programme |") : page.index("\n\n## The first")]
    assert first in readme


def test_what_has_no_dates_is_named_and_not_estimated() -> None:
    assert all(one.why and one.source for one in DECLARED.left_out)
    assert {one.name for one in DECLARED.left_out}.isdisjoint(one.name for one in DECLARED.programmes)
