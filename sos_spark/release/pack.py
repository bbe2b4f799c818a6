"""The pack as files: what may leave, each made from a cleared object, and the hash of each."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping
from pathlib import PurePosixPath

import pandas as pd

from sos_spark.errors import DisclosureError
from sos_spark.release.cleared import Cleared, ClearedFigure, ClearedPage, ClearedTable
from sos_spark.release.written import as_markdown, as_word

PackFiles = Mapping[str, bytes]
"""Contents by path within the pack."""


def pack_files(items: Iterable[object], *, guard: Callable[[pd.DataFrame], str]) -> dict[str, bytes]:
    """Returns the files of cleared objects.

    Args:
        items: What is to be released.
        guard: Writes a frame of text as CSV that is safe to open in a spreadsheet.

    Raises:
        DisclosureError: One of them was not cleared.
    """
    files: dict[str, bytes] = {}
    tables: list[ClearedTable] = []
    for item in items:
        if not isinstance(item, Cleared):
            raise DisclosureError(
                "Something that was not cleared was to be written to a release",
                found=type(item).__name__,
                remedy="Pass it through sos_spark.release.cleared",
            )
        if isinstance(item, ClearedTable):
            tables.append(item)
            files[f"tables/{item.name}.csv"] = guard(item.text).encode()
            files[f"tables/{item.name}.md"] = as_markdown(item).encode()
        elif isinstance(item, ClearedFigure):
            files |= {f"figures/{item.name}.{ending}": content for ending, content in item.files.items()}
        elif isinstance(item, ClearedPage):
            files[f"{item.name}.html"] = item.html.encode()
    short = [table for table in tables if len(table.text) <= _WORD_ROWS]
    files["tables/tables.docx"] = as_word(short)
    return files


_WORD_ROWS = 400
"""A table with more rows is for machines: CSV and Markdown."""


def files_of(item: Cleared, files: PackFiles) -> dict[str, str]:
    """Returns the SHA-256 of each file that holds an object alone, by path."""
    folder = "tables" if isinstance(item, ClearedTable) else "figures" if isinstance(item, ClearedFigure) else "."
    return {
        path: hashlib.sha256(content).hexdigest()
        for path, content in files.items()
        if PurePosixPath(path).stem == item.name and str(PurePosixPath(path).parent) == folder
    }
