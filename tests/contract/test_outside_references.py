"""The table of outside references says what tests do, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from sos_spark.config.reference import outside_references
from sos_spark.fit.estimators import ESTIMATORS
from tools.reference.outside import UnusedReferenceError, rows

DECLARED = """
from tests.references import Reference

HAND = Reference("Mean", "the mean", "paper and pencil", "brute force", 1e-9)


def same(found: float) -> None:
    assert found == HAND.equals(2.0)

"""


def written(folder: Path, text: str) -> Path:
    (folder / "test_mean.py").write_text(DECLARED + text, encoding="utf-8")
    return folder


def test_a_reference_is_listed_with_the_tests_that_compare_with_it(tmp_path: Path) -> None:
    folder = written(tmp_path, "def test_mean() -> None:\n    same(2.0)\n\n\ndef test_other() -> None:\n    pass\n")
    (row,) = rows(folder)
    assert (row.subject, row.agreement, row.tests) == ("Mean", "1e-9, relative", ("test_mean",))


def test_a_reference_that_no_test_compares_with_is_refused(tmp_path: Path) -> None:
    folder = written(tmp_path, "def test_mean() -> None:\n    assert HAND.within\n")
    with pytest.raises(UnusedReferenceError, match="HAND"):
        rows(folder)


def test_every_estimator_has_an_outside_reference() -> None:
    subjects = {
        "twfe": "Two-way fixed effects", "cs_simple": "Callaway and Sant'Anna", "cs_not_yet": "Callaway and Sant'Anna",
        "imputation": "Imputation", "sun_abraham": "Sun and Abraham", "etwfe": "Extended two-way fixed effects",
    }  # fmt: skip
    assert set(subjects) == set(ESTIMATORS)
    assert set(subjects.values()) <= {one.subject for one in outside_references()}
