"""Random tables with margins and overlaps: no hidden count inside the width, nor a difference of two.

A thousand in the gate; SOS_SPARK_RANDOM_TABLES=10000 tries as many (208 s of processor time).
"""

from __future__ import annotations

import os
from concurrent.futures import ProcessPoolExecutor

import numpy as np
import pytest

from sos_spark.release.suppress import exposed_by, suppress
from tests.linked_tables import random_linked

TABLES = int(os.environ.get("SOS_SPARK_RANDOM_TABLES", "1000"))
AT_ONCE = 250


def judged(first: int) -> tuple[int, int, int, int]:
    """Of some tables, by their seeds: with something to hide, left exposed, counts hidden, and beyond the sensitive."""
    with_any = exposed = hidden = beyond = 0
    for seed in range(first, first + AT_ONCE):
        one = random_linked(np.random.default_rng([2021, seed]), largest=3)
        chosen = suppress(one)
        exposed += bool(chosen.exposed) or bool(one.sensitive.sum() > chosen.hidden[one.sensitive].sum())
        if chosen.hidden.any():
            with_any += 1
            hidden += int(chosen.hidden.sum())
            beyond += int((chosen.hidden & ~one.sensitive).sum())
            if seed % 10 == 0:  # attacked once more, from the beginning
                exposed += bool(exposed_by(one, chosen.hidden))
    return with_any, exposed, hidden, beyond


@pytest.mark.slow
def test_no_random_table_gives_a_hidden_count_away() -> None:
    with ProcessPoolExecutor(max_workers=2) as pool:
        results = np.array(list(pool.map(judged, range(0, TABLES, AT_ONCE))))
    with_any, exposed, hidden, beyond = results.sum(axis=0)
    assert exposed == 0
    assert with_any > TABLES / 4  # the others have no small count, nor a small difference of two
    assert hidden > beyond > 0
