"""Equations as MathML, which browsers draw by themselves: no script, nothing fetched. A hook of MkDocs and a fence."""

from __future__ import annotations

import re
from typing import Any

from latex2mathml.converter import convert

_FENCE = re.compile(r"(^```.*?^```\n)", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"\$([^$\n]+)\$")


def block(source: str, _language: str, css_class: str, _options: object, _md: object, **_more: object) -> str:
    """Returns a fenced block of LaTeX as a displayed equation."""
    return f'<div class="{css_class}">{convert(source, display="block")}</div>'


def on_page_markdown(markdown: str, *, page: Any, **_: object) -> str:
    """Returns a page that says `equations: true` with what stands between dollars as MathML; code stays as it is."""
    return with_equations(markdown) if page.meta.get("equations") else markdown


def with_equations(markdown: str) -> str:
    """Returns Markdown with its inline equations converted, outside fenced blocks."""
    parts = _FENCE.split(markdown)
    return "".join(part if at % 2 else _INLINE.sub(_converted, part) for at, part in enumerate(parts))


def _converted(found: re.Match[str]) -> str:
    """An equation within a sentence. Without the span, one that begins a line would be taken for a block of HTML."""
    return f'<span class="math">{convert(found[1])}</span>'
