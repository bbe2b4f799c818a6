"""Who made the study: authors, funder, protocol and ethics, in the authors' words."""

from __future__ import annotations

import re
from collections.abc import Iterator

from sos_spark.report.blocks import Block, Heading, Markdown, Section, section_of
from sos_spark.report.results import Results

_BARE_LINK = re.compile(r"https?://\S+")


def section(results: Results) -> Section | None:
    """Returns the section; None where the study file says none of it."""
    return section_of("about", "Authors, funding and ethics", list(_blocks(results)))


def _blocks(results: Results) -> Iterator[Block]:
    said = results.study.publication
    link = f"<{said.protocol}>" if _BARE_LINK.fullmatch(said.protocol) else said.protocol
    for name, text in (("Authors", said.authors), ("Funder", said.funder), ("Protocol", link), ("Ethics", said.ethics)):
        if text:
            yield Heading(name)
            yield Markdown(text)
