"""Two tables of results side by side, and the causes that two runs name."""

from __future__ import annotations

from dataclasses import replace

import pandas as pd
import pytest

from sos_spark.comparison.differences import compare_runs, compare_tables
from sos_spark.comparison.runs import RunFiles
from sos_spark.comparison.words import in_one_line, lines, record, sections
from sos_spark.errors import InputError
from sos_spark.report.page import render_document
from tests.unit.report_example import a_study


def estimates(**att: str) -> pd.DataFrame:
    rows = [{"outcome_id": key, "specification": "main", "att": value, "note": ""} for key, value in att.items()]
    return pd.DataFrame(rows)


def returns(**sha256: str) -> pd.DataFrame:
    return pd.DataFrame(
        [
            {"collection": "cin", "census_year": "2016", "la_code": code.removeprefix("la"), "status": "accepted",
             "sha256": value}
            for code, value in sha256.items()
        ]
    )  # fmt: skip


RUN = RunFiles("before", a_study(), made_by={"code": {"commit": "a"}}, estimates=estimates(a="0.1", b="0.2"))


def test_equal_runs_are_equal() -> None:
    found = compare_runs(RUN, RUN)

    assert found.is_equal
    assert not found.causes.found
    assert in_one_line(found).startswith("All results are equal")


def test_a_digit_a_row_gone_and_a_row_new_are_three_things() -> None:
    found = compare_tables(
        estimates(a="0.1", b="0.2", c="0.3"), estimates(a="0.1", b="0.20000000000000004", d="0.4"),
        keys=("outcome_id", "specification"),
    )  # fmt: skip

    assert found.n_equal == 1
    assert found.columns == ("att",)
    assert found.changed.to_dict(orient="records") == [
        {"outcome_id": "b", "specification": "main", "att_before": "0.2", "att_after": "0.20000000000000004"}
    ]
    assert list(found.removed["outcome_id"]) == ["c"]
    assert list(found.added["outcome_id"]) == ["d"]


def test_a_table_that_was_without_rows_is_all_new() -> None:
    found = compare_tables(estimates(a="0.1").iloc[:0], estimates(a="0.1"), keys=("outcome_id", "specification"))

    assert not found.is_equal
    assert list(found.added["outcome_id"]) == ["a"]


def test_a_table_that_one_run_did_not_leave_is_not_compared_and_said() -> None:
    """As cells of a run that began with the fit."""
    cells = pd.DataFrame({"outcome_id": ["a"], "n": ["1"]})
    found = compare_runs(replace(RUN, cells=cells), RUN)

    assert found.is_equal
    assert in_one_line(found).endswith(
        "both runs left are equal. Left by one of the runs only, and not compared: cells.csv."
    )
    assert not record(found)["tables"]["cells"]["compared"]
    differs = in_one_line(compare_runs(replace(RUN, cells=cells), replace(RUN, estimates=estimates(a="0.1", b="1"))))
    assert differs.startswith("estimates: 1 changed, 1 equal; sample flow")
    assert differs.endswith("not compared: cells.csv.")


def test_a_key_that_stands_twice_is_an_error() -> None:
    with pytest.raises(InputError, match="twice"):
        compare_tables(pd.concat([estimates(a="1"), estimates(a="2")]), estimates(a="1"), keys=("outcome_id",))


def test_a_corrected_return_another_seed_another_study_and_other_code_are_told_apart() -> None:
    study = RUN.study
    reseeded = study.model_copy(
        update={
            "inference": study.inference.model_copy(update={"seed": 7}),
            "population": study.population.model_copy(update={"age_max": 15}),
        }
    )
    before = replace(RUN, returns=returns(la201="a", la202="b"))
    after = replace(before, study=reseeded, made_by={"code": {"commit": "b"}}, returns=returns(la201="a", la202="c"))

    causes = compare_runs(before, after).causes

    assert causes.returns == ("cin 2016 202: another content",)
    assert causes.seed == (f"inference.seed: {study.inference.seed} -> 7",)
    assert causes.study == (f"population.age_max: {study.population.age_max} -> 15",)
    assert causes.code == ("code.commit: a -> b",)


def test_a_return_that_is_refused_now_is_said() -> None:
    before = replace(RUN, returns=returns(la201="a"))
    after = replace(RUN, returns=returns(la201="a").assign(status="refused"))

    assert compare_runs(before, after).causes.returns == ("cin 2016 201: accepted -> refused",)


def test_the_same_comparison_is_lines_a_record_and_a_page() -> None:
    found = compare_runs(RUN, replace(RUN, name="after", estimates=estimates(a="0.1", b="0.25")))

    assert "b  0.2  0.25" in list(lines(found))
    told = record(found)
    assert told["tables"]["estimates"]["changed"] == 1
    assert told["tables"]["estimates"]["first_changes"][0]["att_after"] == "0.25"
    page = render_document("Two runs", "What changed", sections(found), simulated=True)
    assert "<td>0.2</td>" in page.replace(' class="n"', "")
    assert "what parted them is not on record" in page
    assert "Simulated data" in page
