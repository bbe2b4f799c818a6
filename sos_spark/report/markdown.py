"""Markdown of a study file as HTML that can be trusted: markdown-it-py renders it, nh3 keeps what is on its list."""

from __future__ import annotations

from functools import cache
from typing import Any

import nh3
from markdown_it import MarkdownIt

TAGS = frozenset({"p", "em", "strong", "a", "ul", "ol", "li", "blockquote", "code", "pre", "br", "h3", "sup", "sub",
                  "table", "thead", "tbody", "tr", "th", "td"})  # fmt: skip
SCHEMES = frozenset({"https", "http", "mailto"})


def html_of(text: str) -> str:
    """Returns Markdown as HTML: no HTML of its own, no image, no script, all headings of one level."""
    tokens = _parser().parse(text)
    for token in tokens:
        if token.type in ("heading_open", "heading_close"):
            token.tag = "h3"
    rendered = _parser().renderer.render(tokens, _parser().options, {})
    cleaned: str = nh3.clean(
        rendered, tags=set(TAGS), attributes={"a": {"href"}}, url_schemes=set(SCHEMES), link_rel="noopener noreferrer"
    )
    return cleaned.strip()


@cache
def _parser() -> Any:
    return MarkdownIt("commonmark", {"html": False}).enable("table")
