"""Who may read what was written."""

from __future__ import annotations

import stat
from pathlib import Path


def open_to_others(*roots: Path) -> list[Path]:
    """Folders that are not 0700, and files that are not 0600, at or below some folders."""
    return [
        path
        for root in roots
        for path in (root, *root.rglob("*"))
        if stat.S_IMODE(path.stat().st_mode) != (0o700 if path.is_dir() else 0o600)
    ]
