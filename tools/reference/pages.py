"""Which pages there are, what each is made of, and which are out of date."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

from tools.reference import data_contract, diagram, dictionary, study_file

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
FOLDER = ROOT / "docs" / "reference"

PAGES: dict[Path, Callable[[], str]] = {
    README: lambda: diagram.with_diagram(README.read_text(encoding="utf-8")),
    FOLDER / "data_dictionary.md": dictionary.page,
    FOLDER / "lake.odcs.yaml": data_contract.contract,
    FOLDER / "study.schema.json": study_file.json_schema,
    FOLDER / "study_file.md": study_file.page,
}


def write_pages() -> None:
    """Writes every page as its declarations make it."""
    FOLDER.mkdir(parents=True, exist_ok=True)
    for path, make in PAGES.items():
        path.write_text(make(), encoding="utf-8")


def is_stale(path: Path) -> bool:
    """Returns whether a page is not what its declarations make."""
    return not path.exists() or path.read_text(encoding="utf-8") != PAGES[path]()
