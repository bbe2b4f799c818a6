"""Notebooks as pages: a hook of MkDocs puts a notebook's cells in place of its marker. Tests run the same cells."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

MARKER = re.compile(r"<!-- notebook: (\S+) -->")


def on_page_markdown(markdown: str, *, page: Any, config: Mapping[str, Any], **_: object) -> str:
    """Returns a page with the notebook that it names, by the file's place beside it."""
    folder = (Path(config["docs_dir"]) / page.file.src_uri).parent
    return MARKER.sub(lambda found: as_markdown(folder / found[1]), markdown)


def as_markdown(path: Path) -> str:
    """Returns a notebook's cells: words as they are, code as fenced blocks."""
    return "\n\n".join(_shown(cell) for cell in cells_of(path))


def _shown(cell: tuple[str, str]) -> str:
    kind, source = cell
    return f"```python\n{source}\n```" if kind == "code" else source


def cells_of(path: Path) -> Iterator[tuple[str, str]]:
    """Yields the kind (code or markdown) and the text of each cell."""
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        yield cell["cell_type"], "".join(cell["source"])
