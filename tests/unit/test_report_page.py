"""The page and its figures: accessible, self-contained, the same bytes each time, the numbers of estimates.csv."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import pairwise
from pathlib import Path

import pandas as pd
import pytest

from sos_spark.config.environment import Environment
from sos_spark.config.freeze import FrozenPlan
from sos_spark.config.load import load_study
from sos_spark.config.shipped import conf_root
from sos_spark.errors import InputError
from sos_spark.report.contents import sections_of
from sos_spark.report.page import render_page
from sos_spark.report.results import LakeTables, Results
from sos_spark.report.standing import NOT_CLEARED, standing_of
from sos_spark.steps import manifest
from sos_spark.steps.context import Run, StepReport
from sos_spark.steps.report import read_results, report
from tests.unit import report_example as example
from tests.unit import report_example_whole
from tests.unit.strict_page import Page

RESULTS = Results(study=example.a_study(), fingerprint="f", estimates=example.estimates())


def a_run(out: Path, *, source: Path | None = None) -> Run:
    def no_session() -> None:
        raise AssertionError("a report needs no Spark")

    return Run("run", Environment(source=source, out=out), example.a_study(), no_session)  # type: ignore[arg-type]


@pytest.fixture(scope="module", autouse=True)
def one_commit() -> Iterator[None]:
    """One commit throughout: a checkout may change while its tests run, and the page names it."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(manifest, "_commit", lambda: "0123456789ab")
        yield


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The results of a full run on simulated data, with its report."""
    out, source = tmp_path_factory.mktemp("out"), tmp_path_factory.mktemp("source")
    example.write_run(out)
    (source / "truth.json").write_text(example.truth())
    run = a_run(out, source=source)
    run.reports.append(StepReport("fit", warnings=["a <b>bold</b> warning"]))
    report(run)
    return out


@pytest.fixture(scope="module")
def html(finished: Path) -> str:
    return (finished / "report.html").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def page(html: str) -> Page:
    return Page(html)


@pytest.fixture(scope="module")
def thin(tmp_path_factory: pytest.TempPathFactory) -> Page:
    """The page of a run that left estimates and nothing else."""
    out = tmp_path_factory.mktemp("thin")
    example.write_run(out, thin=True)
    report(a_run(out))
    return Page((out / "report.html").read_text(encoding="utf-8"))


@pytest.fixture(scope="module")
def whole() -> Page:
    """The page of a run with everything: pilots that started apart, a lake counted by period, a plan frozen since."""
    results = report_example_whole.results()
    return Page(render_page(results, sections_of(results)))


def test_the_page_says_its_language_and_title(html: str, page: Page) -> None:
    assert html.startswith("<!DOCTYPE html>")
    assert page.named("html")[0]["lang"] == "en-GB"
    assert [parents for tag, _, parents in page.elements if tag == "title" and "svg" not in parents] == [
        ("html", "head")
    ]


def test_the_banners_come_first(page: Page) -> None:
    uncleared, simulated = "Not cleared for release: contains unchecked small numbers", "Simulated data"

    assert page.words.index(uncleared) < page.words.index("Outcome by outcome")
    assert page.words.index(simulated, 200) < page.words.index("Outcome by outcome")


def test_real_data_have_no_simulated_banner(thin: Page) -> None:
    assert "Not cleared for release" in thin.words
    assert "simulated" not in thin.words.lower()


def test_a_study_of_published_tables_is_open_statistics_and_says_its_licence() -> None:
    published = load_study(conf_root() / "studies" / "published_referrals.toml")
    results = replace(RESULTS, study=published, estimates=RESULTS.estimates.iloc[:0])
    page = Page(render_page(results, []))
    assert "Open statistics" in page.words
    assert "Open Government Licence v3.0" in page.words
    assert "Not cleared" not in page.words
    assert page.named("title")
    beside_records = replace(results, lake=LakeTables(ledger=pd.DataFrame({"n_received": [1]})))
    assert standing_of(beside_records) == NOT_CLEARED


def test_headings_go_down_one_level_at_a_time(page: Page, thin: Page, whole: Page) -> None:
    for shown in (page, thin, whole):
        levels = [int(tag[1]) for tag, _, _ in shown.elements if re.fullmatch(r"h[1-6]", tag)]
        assert levels.count(1) == 1
        assert levels[0] == 1
        assert all(after <= before + 1 for before, after in pairwise(levels))


def test_ids_are_unique_and_every_link_leads_somewhere(page: Page, thin: Page, whole: Page) -> None:
    for shown in (page, thin, whole):
        ids = [attrs["id"] for _, attrs, _ in shown.elements if "id" in attrs]
        assert len(ids) == len(set(ids))
        assert {attrs["href"] for attrs in shown.named("a")} <= {f"#{name}" for name in ids}


def test_nothing_is_fetched_and_nothing_runs(html: str, page: Page) -> None:
    assert not {"script", "link", "iframe", "object", "embed"} & {tag for tag, _, _ in page.elements}
    assert not re.search(r"https?:|//[a-z]|@import|data:|url\((?!#)", html)
    assert not [attrs for _, attrs, _ in page.elements if any(name.startswith("on") for name in attrs)]
    assert not page.named("img")  # figures are part of the page


def test_every_figure_has_an_alternative_text_a_title_and_a_table(page: Page, whole: Page) -> None:
    for shown in (page, whole):
        figures = len(shown.named("figure"))
        inside = [tag for tag, _, parents in shown.elements if "figure" in parents]

        assert figures > 20
        drawn = [attrs for attrs in shown.named("div") if attrs.get("role") == "img"]
        rows = [attrs for attrs in shown.named("figure") if "rows" in str(attrs["class"])]
        others = [attrs for attrs in shown.named("input") if "checked" not in attrs]  # views to choose instead
        assert others
        assert len(drawn) + len(rows) == figures + len(others)  # rows are text already
        assert all(len(attrs["aria-label"] or "") > 40 for attrs in drawn)
        assert inside.count("table") - len(others) == inside.count("h3") == figures


def test_how_figures_are_read_is_said_once(html: str) -> None:
    for words in (
        "thin lines",
        "broad pale bars",
        "in order of size",
        "upright dashed line",
        "each other row leaves out",
    ):
        assert len(re.findall(words, html, re.IGNORECASE)) == 1


def test_every_table_has_a_caption_and_headed_columns(page: Page, whole: Page) -> None:
    for shown in (page, whole):
        tables = len(shown.named("table"))

        assert len(shown.named("caption")) == tables
        assert all(attrs.get("scope") in ("col", "row") for attrs in shown.named("th"))


def test_every_row_of_a_table_is_as_wide_as_its_head(page: Page, whole: Page) -> None:
    for shown in (page, whole):
        width = cells = 0
        for tag, _, parents in shown.elements:
            if tag == "thead":
                width = 0
            if tag == "th" and "thead" in parents:
                width += 1
            if tag == "tr" and "tbody" in parents:
                assert cells in (0, width)
                cells = 0
            if tag in ("td", "th") and "tbody" in parents:
                cells += 1
            if tag == "table":
                cells = 0


def test_the_contents_list_every_section_in_its_order(page: Page, thin: Page, whole: Page) -> None:
    for shown in (page, thin, whole):
        links = [attrs["href"] for tag, attrs, parents in shown.elements if tag == "a" and "nav" in parents]
        headings = [f"#{attrs['id']}" for attrs in shown.named("h2")]
        assert links == headings


def test_every_analysis_has_its_section(whole: Page) -> None:
    ids = {attrs.get("id") for attrs in whole.named("h2")}

    assert {"detect", "drift", "staggered", "other", "placebo", "secondary", "unknown"} <= ids


def test_absent_files_leave_their_sections_out(thin: Page) -> None:
    ids = {attrs.get("id") for attrs in thin.named("h2")}

    assert not {"drift", "staggered", "secondary", "unknown"} & ids
    assert "detect" in ids


def test_pilots_that_started_together_have_no_section_on_different_starts(page: Page) -> None:
    assert "started at different times" not in page.words


def test_what_the_plan_lacks_is_marked_on_its_card(whole: Page, page: Page) -> None:
    assert whole.words.count("exploratory: not in the frozen plan") > 1
    assert "Evidence of a decrease exploratory: not in the frozen plan" in whole.words
    assert "exploratory" not in page.words  # no plan was frozen: said once, and nothing is marked
    assert page.words.count("nothing on this page was declared in advance") == 1


def test_the_numbers_are_those_of_the_estimates(finished: Path, page: Page) -> None:
    frame = pd.read_csv(finished / "estimates.csv")
    for row in frame[(frame["specification"] == "main") & frame["att"].notna()].to_dict("records"):
        factor, decimals = (1, 2) if row["outcome_id"] == "assessment_duration" else (100, 1)
        att, low, high = (
            f"{value * factor:.{decimals}f}"
            for value in map(float, (row["att"], row["ci_low_wcr"], row["ci_high_wcr"]))
        )
        unit = "working days" if factor == 1 else "percentage points"
        assert f"{att} {unit} 95% interval {low} to {high}" in page.words


def test_planted_effects_stand_beside_their_estimates(page: Page) -> None:
    assert re.search(r"percentage points ?-6\.4 ?-6\.2 ?-10\.3 to -2\.1 ?yes", page.words)


def test_names_notes_and_warnings_are_escaped(html: str, page: Page) -> None:
    assert "A programme &lt;in&gt; nine authorities &amp; more" in html
    assert "a <b>bold</b> warning" in page.words
    assert "<b>bold" not in html
    for note in ("=no period before go-live has <known> cells", "no period lies <before> go-live",
                 "coefficients of <covariates> held", "4 or <fewer> pilots", "no <practice> model",
                 "nothing was <fitted>"):  # fmt: skip
        assert note in page.words


def test_it_is_no_replication(page: Page) -> None:
    assert "no replication" in page.words


def test_every_figure_is_left_as_png_and_svg(finished: Path, page: Page) -> None:
    names = {str(attrs["id"]).removeprefix("figure-") for attrs in page.named("figure")}

    assert {path.stem for path in (finished / "figures").glob("*.png")} == names
    assert {path.stem for path in (finished / "figures").glob("*.svg")} == names
    assert {"forest", "sample_flow", "balance", "trends_kinship_placement", "event_study_kinship_placement",
            "leave_one_out_kinship_placement", "specification_curve_kinship_placement", "honest_kinship_placement",
            "placebo_pilots", "secondary_ofsted", "bounds", "power"} <= names  # fmt: skip


def test_figures_hold_no_date_and_no_program(finished: Path) -> None:
    for path in (finished / "figures").iterdir():
        content = path.read_bytes()
        assert b"Matplotlib" not in content
        assert b"dc:date" not in content
        assert b"tEXt" not in content


def test_the_same_results_give_the_same_bytes(finished: Path, tmp_path: Path) -> None:
    example.write_run(tmp_path)
    (tmp_path / "truth.json").write_text(example.truth())  # kept beside the results by the first report
    run = a_run(tmp_path)
    run.reports.append(StepReport("fit", warnings=["a <b>bold</b> warning"]))

    report(run)

    def left(folder: Path) -> dict[str, bytes]:
        return {str(path.relative_to(folder)): path.read_bytes() for path in _files(folder)}

    assert left(tmp_path) == left(finished)


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file())


def test_a_run_of_estimates_alone_still_has_its_answers(thin: Page) -> None:
    assert "Evidence of a decrease" in thin.words
    assert "there are no records to check" in thin.words


def test_codes_keep_their_leading_zeros_and_numbers_every_digit(tmp_path: Path) -> None:
    example.write_run(tmp_path)
    arms = example.arms().replace({"304": "0304"})
    arms.to_csv(tmp_path / "arms.csv", index=False)

    results = read_results(a_run(tmp_path))

    assert "0304" in set(results.arms["unit_id"])
    assert list(results.estimates["att"]) == pytest.approx(list(example.estimates()["att"]), rel=0, abs=0, nan_ok=True)


def test_without_estimates_there_is_no_report(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="step fit"):
        report(a_run(tmp_path))


def test_a_file_without_a_column_is_named(tmp_path: Path) -> None:
    example.write_run(tmp_path)
    example.event_study().drop(columns="band_low").to_csv(tmp_path / "event_study.csv", index=False)

    with pytest.raises(InputError, match=r"event_study\.csv.*band_low"):
        report(a_run(tmp_path))


def test_a_broken_truth_is_named(tmp_path: Path) -> None:
    example.write_run(tmp_path, thin=True)
    (tmp_path / "truth.json").write_text('{"effects": [{}]}')

    with pytest.raises(InputError, match="simulated"):
        report(a_run(tmp_path))


def test_a_real_source_after_a_simulated_one_is_not_called_simulated(tmp_path: Path) -> None:
    out, source = tmp_path / "out", tmp_path / "source"
    example.write_run(out, thin=True)
    (out / "truth.json").write_text(example.truth())
    source.mkdir()

    assert read_results(a_run(out, source=source)).truth is None
    assert read_results(a_run(out)).truth is None


@pytest.mark.parametrize(
    ("frozen", "said"),
    [
        (None, "not frozen before the results were seen"),
        (FrozenPlan("2021-01-01", "abc", ()), "has not been changed since"),
        (FrozenPlan("2021-01-01", "abc", (), {"schema_version": 0}), "cannot be compared"),
        (FrozenPlan("2021-01-01", "abc", ("window.period: 'x' -> 'y'",)), "window.period: 'x' -> 'y'"),
    ],
)
def test_the_page_says_whether_the_plan_was_frozen(frozen: FrozenPlan | None, said: str) -> None:
    results = replace(RESULTS, frozen=frozen)
    assert said in Page(render_page(results, sections_of(results))).words
