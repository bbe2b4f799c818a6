"""The programmes' table: each single pilot judged by hand, and the page that shows it."""

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


def by_own_scatter(programme: Programme) -> tuple[float, float]:
    """The effect on the common measure, weighted by children, and the share of authorities that are off by as much.

    Each counts in units of its own scatter: that of its mean less the others' about its two averages, before and after.
    """
    study = programme.loaded()
    pilot = study.pilots[0].la_code
    cells = pd.read_csv(conf_root() / "published" / "cells.csv", dtype={"unit_id": str})
    cells = cells[(cells["outcome_id"] == DECLARED.measure) & ~cells["unit_id"].isin(study.comparators.exclude)]
    cells["after"] = pd.to_datetime(cells["period_start"]) >= pd.Timestamp(study.pilots[0].go_live)
    rest = cells[cells["unit_id"] != pilot]
    effect, t = effect_and_t(cells, pilot, rest)
    placebos = [effect_and_t(rest, str(unit), rest[rest["unit_id"] != unit])[1] for unit in rest["unit_id"].unique()]
    known = [abs(one) for one in placebos if not np.isnan(one)]
    return effect, (1 + sum(one >= abs(t) * (1 - 1e-9) for one in known)) / (1 + len(known))


def effect_and_t(cells: pd.DataFrame, pilot: str, others: pd.DataFrame) -> tuple[float, float]:
    """The effect in one authority, and over its own scatter; NaN where it lacks a side or has fewer than 5 periods."""
    own = cells[cells["unit_id"] == pilot].set_index("period")
    sums = others.groupby("period")[["n", "y_sum"]].sum()
    gap = (own["y_sum"] / own["n"] - sums["y_sum"] / sums["n"]).dropna()
    after = own["after"].reindex(gap.index)
    if after.nunique() < 2 or len(gap) < 5:
        return np.nan, np.nan
    unit, period = (pd.factorize(cells[name])[0] for name in ("unit_id", "period"))
    fixed = np.column_stack([np.eye(unit.max() + 1)[unit], np.eye(period.max() + 1)[period][:, 1:]])
    root = np.sqrt(cells["n"].to_numpy(float))
    d = ((cells["unit_id"] == pilot) & cells["after"]).to_numpy(float)
    x = np.column_stack([d, fixed]) * root[:, None]
    y = (cells["y_sum"] / cells["n"]).to_numpy(float) * root
    effect = float(np.linalg.lstsq(x, y, rcond=None)[0][0])
    squares = sum(float(((part := gap[after == side]) - part.mean()).pow(2).sum()) for side in (False, True))
    share = sum(
        float(own.loc[own["after"] == side, "n"].pow(2).sum()) / own.loc[own["after"] == side, "n"].sum() ** 2
        for side in (False, True)
    )
    return effect, effect / np.sqrt(squares / (len(gap) - 2) * share)


@pytest.mark.parametrize("programme", SINGLE, ids=lambda one: one.study)
def test_a_single_pilot_s_effect_is_the_one_worked_out_by_hand(programme: Programme) -> None:
    effect, share = by_own_scatter(programme)
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
