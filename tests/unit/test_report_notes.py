"""Notes of the fit in plain words: days as days, authorities by name, and nothing else touched."""

from __future__ import annotations

import pandas as pd
import pytest

from sos_spark.report.results import Results
from sos_spark.report.words.notes import in_plain_words, plain
from tests.unit import report_example as example

RESULTS = Results(study=example.a_study(), fingerprint="f", estimates=example.estimates())


@pytest.mark.parametrize(
    ("note", "said"),
    [
        ("periods from 2014-04-01 to 2019-10-01", "periods from 1 April 2014 to 1 October 2019"),
        ("no known cell before go-live: 872, 935", "no known cell before go-live: Wokingham, Suffolk"),
        ("known in 500 of 935 draws", "known in 500 of 935 draws"),
        ("shocks: 0.95", "shocks: 0.95"),
        ("", ""),
    ],
)
def test_a_note_is_said_as_a_reader_would(note: str, said: str) -> None:
    assert plain(RESULTS, note) == said


def test_every_frame_s_notes_are_said_and_its_numbers_stay() -> None:
    frame = RESULTS.estimates.assign(note="left out: 935")
    found = in_plain_words(Results(study=RESULTS.study, fingerprint="f", estimates=frame))

    assert set(found.estimates["note"]) == {"left out: Suffolk"}
    pd.testing.assert_frame_equal(found.estimates.drop(columns="note"), frame.drop(columns="note"))
