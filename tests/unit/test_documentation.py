"""The documentation's own code: the README's example and the notebook run, equations become MathML."""

from __future__ import annotations

import re
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from sos_spark.config.shipped import conf_root
from tools.docs.equations import block, on_page_markdown
from tools.docs.notebook_page import cells_of
from tools.docs.notebook_page import on_page_markdown as with_notebook

ROOT = conf_root().parent
NOTEBOOK = ROOT / "docs" / "notebooks" / "published.ipynb"


def run(code: str) -> dict[str, Any]:
    """Runs code as a reader would, and returns the names it leaves."""
    names: dict[str, Any] = {}
    exec(compile(code, "<documentation>", "exec"), names)
    return names


def test_the_readme_s_example_gives_the_result_that_it_tells() -> None:
    readme = (ROOT / "README.md").read_text(encoding="utf-8")
    (example,) = re.findall(r"^```python\n(.*?)^```", readme, flags=re.DOTALL | re.MULTILINE)
    result = run(example)["result"]

    assert f"rose by {100 * result.att:.1f} percentage" in readme.replace("\n", " ")
    html = result._repr_html_()
    assert "<caption>Referrals within 12 months of an earlier one (main), in percentage points" in html
    assert f"<td>{100 * result.att:.4g}</td>" in html
    assert "Wild cluster bootstrap (headline)" in html
    assert "<td>cannot tell</td>" in html


def test_the_notebook_runs_to_its_end() -> None:
    code = "\n\n".join(source for kind, source in cells_of(NOTEBOOK) if kind == "code")
    names = run(code)
    (axes,) = names["figure"].axes
    assert axes.get_ylabel() == "Effect, in percentage points"
    assert len(names["alternatives"]) == 3


def test_a_notebook_s_cells_are_its_page() -> None:
    page = SimpleNamespace(file=SimpleNamespace(src_uri="notebooks/published.md"))
    source = (ROOT / "docs" / "notebooks" / "published.md").read_text(encoding="utf-8")
    shown = with_notebook(source, page=page, config={"docs_dir": str(ROOT / "docs")})
    assert shown.startswith("# Signs of Safety on open tables")
    assert shown.count("```python\n") == sum(kind == "code" for kind, _ in cells_of(NOTEBOOK))


def test_equations_are_mathml_where_a_page_asks_for_them_and_code_is_left() -> None:
    page, plain = (SimpleNamespace(meta=meta) for meta in ({"equations": True}, {}))
    text = "Of $x^2$ and\n```sh\n$(a) $b$\n```\n"
    shown = on_page_markdown(text, page=page)
    assert shown.startswith('Of <span class="math"><math')
    assert shown.endswith("```sh\n$(a) $b$\n```\n")
    assert on_page_markdown(text, page=plain) == text
    assert block(r"\hat \beta", "math", "math", {}, None).startswith('<div class="math"><math')


def test_every_page_of_the_documentation_is_in_its_navigation() -> None:
    navigation = (ROOT / "mkdocs.yml").read_text(encoding="utf-8")
    pages = [path.relative_to(ROOT / "docs") for path in (ROOT / "docs").rglob("*.md")]
    assert [str(page) for page in pages if f": {Path(page).as_posix()}\n" not in navigation] == []
