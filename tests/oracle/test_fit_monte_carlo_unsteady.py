"""Few pilots that are more unsteady than comparators: what a reader is told, as the table that was saved says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd

from tests.oracle.seeded_rates import agrees
from tools.monte_carlo.unsteady import SCENARIOS, unsteady_rate

TABLE = pd.read_csv(Path(__file__).with_name("monte_carlo_unsteady.csv")).set_index("scenario")


def test_a_false_finding_is_told_as_seldom_as_it_should_be_however_unsteady_pilots_are() -> None:
    assert set(TABLE.index) == {scenario.name for scenario in SCENARIOS}
    spread = 3 * np.sqrt(0.05 * 0.95 / TABLE["replications"].min())
    assert TABLE["found"].le(0.065).all()
    doubled, alike = (TABLE[TABLE["shock_ratio"] == ratio] for ratio in (2.0, 1.0))
    assert doubled["rejected"].gt(0.05 + spread).all()
    assert doubled["found"].le(0.05).all()
    assert alike["printed"].ge(0.98).all()


def test_the_table_s_rates_come_out_of_today_s_code() -> None:
    scenario, n = SCENARIOS[4], 40
    found = unsteady_rate(scenario, replications=n, permutations=39, seed=3)
    saved = TABLE.loc[[scenario.name]]
    for name in ("rejected", "printed", "found"):
        of_table, n_saved = float(saved[name].iloc[0]), int(saved["replications"].iloc[0])
        assert agrees(getattr(found, name), of_table, replications=n, saved_replications=n_saved)
