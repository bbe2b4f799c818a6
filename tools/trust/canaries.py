"""Unmistakable values in the fields of returns, to be searched for in all that a run leaves beside its lake."""

from __future__ import annotations

import re
from pathlib import Path

CANARY = "CANARY"
FIELD_CANARY = "WELLENSITTICH"
"""What stands in every field of one child's records, codes and dates among them; the lake alone may hold it."""

FEW_FIELDS = 5
"""A child has more."""


def holding(text: str | bytes) -> list[str]:
    """Returns the canaries that a text, or the bytes of a file, holds."""
    found = text if isinstance(text, bytes) else text.encode()
    return [canary for canary in (CANARY, FIELD_CANARY) if canary.encode() in found]


def plant_canaries(returns: Path) -> None:
    """Makes the first child of every file unmistakable in every field that is somebody's own."""
    for path in sorted(returns.glob("cin/*/*.xml")):
        text = path.read_text()
        for tag in ("LAchildID", "UPN"):
            text = re.sub(rf"<{tag}>[^<]*</{tag}>", f"<{tag}>{CANARY}{tag}</{tag}>", text, count=1)
        path.write_text(text)
    for path in sorted(returns.glob("ssda903/*/*/*.csv")):
        header, *rows = path.read_text().splitlines()
        if rows:
            cells = rows[0].split(",")
            cells[0] = f"{CANARY}CHILD"
            for name in ("UPN", "HOME_POST", "PL_POST", "MOTHER"):
                if name in header.split(","):
                    cells[header.split(",").index(name)] = f"{CANARY}{name}"
            rows[0] = ",".join(cells)
        path.write_text("\n".join([header, *rows]) + "\n")


def plant_in_every_field(returns: Path, *, but_of: set[str]) -> None:
    """Makes one child's every field unmistakable, codes and dates too, in each return of one large authority."""
    files = [path for path in returns.glob("cin/*/*.xml") if path.stem not in but_of]
    la_code = max(files, key=lambda path: path.stat().st_size).stem
    for path in returns.glob(f"cin/*/{la_code}.xml"):
        second = re.split(r"(?=<Child>)", path.read_text())[2]
        marked = re.sub(r"<(\w+)>[^<>]+</\1>", rf"<\1>{FIELD_CANARY}\1</\1>", second)
        if marked.count(FIELD_CANARY) <= FEW_FIELDS:
            raise ValueError(f"{path.name}: the child that was to be marked has no fields")
        path.write_text(path.read_text().replace(second, marked, 1))
    for path in returns.glob(f"ssda903/*/{la_code}/*.csv"):
        header, *rows = path.read_text().splitlines()
        if len(rows) > 1:
            rows[1] = ",".join(f"{FIELD_CANARY}{name}" for name in header.split(","))
            path.write_text("\n".join([header, *rows]) + "\n")
