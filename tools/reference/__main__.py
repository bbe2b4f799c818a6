"""Writes every page of reference anew: `python -m tools.reference` after a change of a declaration."""

from __future__ import annotations

from tools.reference.pages import write_pages

write_pages()
