"""The report in a browser: accessible by axe-core's rules, quiet on the console, and no wider than its window."""

from __future__ import annotations

from pathlib import Path

import pytest

from sos_spark.report.contents import sections_of
from sos_spark.report.page import render_page
from tests import browser
from tests.unit import report_example_whole

pytestmark = pytest.mark.skipif(bool(browser.why_not()), reason=f"no page can be looked at: {browser.why_not()}")
WIDTHS = {"desktop": 1280, "phone": 390}


@pytest.fixture(scope="module")
def page() -> str:
    results = report_example_whole.results()
    return render_page(results, sections_of(results))


@pytest.fixture(scope="module")
def seen(page: str, tmp_path_factory: pytest.TempPathFactory) -> dict[str, browser.Seen]:
    return browser.look_at(page, WIDTHS, tmp_path_factory.mktemp("pages"))


def test_the_page_is_accessible_at_both_widths_in_light_and_dark(seen: dict[str, browser.Seen]) -> None:
    assert set(seen) == {f"{name}, {look}" for name in WIDTHS for look in ("light", "dark")}
    assert {name: one.violations for name, one in seen.items() if one.violations} == {}
    assert all(one.n_passed > 30 for one in seen.values())


def test_nothing_goes_wrong_on_its_console(seen: dict[str, browser.Seen]) -> None:
    assert {name: one.faults for name, one in seen.items() if one.faults} == {}


def test_no_window_has_to_be_scrolled_sideways(seen: dict[str, browser.Seen]) -> None:
    assert {name: one.beyond for name, one in seen.items()} == dict.fromkeys(seen, 0)


def test_a_page_that_is_not_so_is_found_out(tmp_path: Path) -> None:
    bad = (
        '<!DOCTYPE html><html lang="en"><head><title>Bad</title></head><body><main><h1>Bad</h1><img src="gone.png">'
        '<p style="color: #bbb; width: 900px">Pale and wide</p></main></body></html>'
    )

    found = browser.look_at(bad, {"phone": 390}, tmp_path)["phone, light"]

    assert {"color-contrast", "image-alt"} <= {said.partition(":")[0] for said in found.violations}
    assert found.faults == ("a resource could not be had",)
    assert found.beyond > 0
