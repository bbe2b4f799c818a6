"""What a report prints on each kind of design, and how often it is wrong, as the table that was saved says."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from tools.monte_carlo.printed import DESIGNS, SEED, rates_of, replicate
from tools.reference.error_rates import DESIGNS as OF_PAGE
from tools.reference.error_rates import NOT_PRINTED, Cell, page

TABLE = pd.read_csv(Path(__file__).with_name("monte_carlo_printed.csv"))
LARGE = "9 of 60, one with 35 % of all rows"


def test_the_table_has_each_kind_of_each_design() -> None:
    assert list(TABLE["design"].unique()) == list(DESIGNS) == list(OF_PAGE)
    (kinds,) = {tuple(rows["kind"]) for _, rows in TABLE.groupby("design")}
    assert len(kinds) == len(set(kinds))
    assert TABLE["replications"].nunique() == 1


@pytest.mark.parametrize("design", ["2 of 60", LARGE])
def test_what_is_never_printed_is_not_printed_by_today_s_code(design: str) -> None:
    saved = TABLE[TABLE["design"] == design].set_index("kind")
    today = rates_of(design, [replicate(design, number, seed=SEED) for number in range(2)], seed=SEED)
    assert [rate.kind for rate in today] == list(saved.index)
    for rate in today:
        always = saved.loc[rate.kind, "printed"]
        assert always not in (0, 1) or rate.printed == always, rate.kind


def test_a_cell_says_what_is_wrong_how_often_and_how_often_it_is_printed() -> None:
    nan = float("nan")
    assert Cell(0.051, 0.948).in_words == "5.1 (95)"
    assert Cell(nan, 0.948, printed=0.22).in_words == "(95) of 22"
    assert Cell(0.051, nan).in_words == "5.1"
    assert Cell(nan, nan, printed=0.0).in_words == NOT_PRINTED


def test_the_page_has_a_row_for_each_kind_and_a_column_for_each_design() -> None:
    rows = [line for line in page().splitlines() if line.startswith("| ")]
    assert {line.count(" | ") for line in rows} == {len(OF_PAGE) + 1}
    assert {line.split(" | ")[0].removeprefix("| ") for line in rows} >= set(TABLE["kind"])


def test_the_headline_holds_wherever_it_is_printed() -> None:
    own = TABLE[(TABLE["kind"] == "headline") & (TABLE["printed"] > 0.5)]
    error = 3 * np.sqrt(0.05 * 0.95 / own["replications"])
    assert (own["rejected"] <= 0.05 + error).all()
    assert (own["covered"] >= 0.95 - error).all()
