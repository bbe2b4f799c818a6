"""A figure's SVG as a part of a page: text in the page's font, colours by the page's names, so that it can go dark."""

from __future__ import annotations

import re
from xml.etree import ElementTree as ET

from sos_spark.report.figures.style import COLOUR_NAMES

_SVG = "{http://www.w3.org/2000/svg}"
_HREF = "{http://www.w3.org/1999/xlink}href"
_NUMBER = re.compile(r"-?\d+\.\d+(?:e-?\d+)?")
_REFERENCE = re.compile(r"url\(#([^)]+)\)")
_STILL = re.compile(r"rotate\(-?0[ )]")
_KEPT = ("d", "x", "y", "width", "height", "transform", "clip-path", "patternUnits")
_DROPPED = frozenset({"metadata", "style", "title"})
_ASSUMED = {
    "stroke-linejoin": ("round", "miter"), "stroke-linecap": ("butt", "square", "round"), "stroke": ("none",),
    "stroke-opacity": ("1",), "opacity": ("1",), "fill-rule": ("nonzero",), "stroke-dashoffset": ("0", "-0"),
    "text-anchor": ("start",), "fill": ("#000000",),
}  # fmt: skip
"""Values that a page's own style gives, or that make no difference to be seen."""


def inline(svg: bytes, *, name: str, alt: str) -> str:
    """Returns a figure that matplotlib drew as an SVG element of a page, with no more in it than is seen.

    `name` makes its ids unlike those of other figures; `alt` is what a screen reader says in its place.
    """
    drawing = ET.fromstring(svg)  # noqa: S314 - drawn here, a moment ago
    used = {one: f"{name}-{place}" for place, one in enumerate(dict.fromkeys(_references(drawing)))}
    inside = "".join(_element(child, used) for child in drawing)
    label = _escaped(alt)
    return f'<svg role="img" aria-label="{label}" viewBox="{_short(drawing.get("viewBox", ""))}">{inside}</svg>'


def _references(drawing: ET.Element) -> list[str]:
    """The ids that some element of the drawing points to, in order."""
    found = []
    for element in drawing.iter():
        found += [element.get(_HREF, "").removeprefix("#")] if _HREF in element.attrib else []
        found += _REFERENCE.findall(element.get("clip-path", "") + element.get("style", ""))
    return found


def _element(element: ET.Element, used: dict[str, str]) -> str:
    if not isinstance(element.tag, str):
        return ""
    tag = element.tag.removeprefix(_SVG)
    inside = _escaped((element.text or "").strip()) + "".join(_element(child, used) for child in element)
    if tag in _DROPPED or (tag in ("g", "defs", "text") and not inside):
        return ""
    attributes = _attributes(element, used)
    if tag == "path" and not any(f" {seen}=" in attributes for seen in ("stroke", "class", "id")):
        return ""  # what neither a colour nor a line makes visible
    if tag == "g" and not attributes:
        return inside
    return f"<{tag}{attributes}>{inside}</{tag}>" if inside else f"<{tag}{attributes}/>"


def _attributes(element: ET.Element, used: dict[str, str]) -> str:
    said = {name: _short(element.attrib[name]) for name in _KEPT if name in element.attrib}
    if _STILL.match(said.get("transform", "")):
        del said["transform"]
    if element.get("id") in used:
        said["id"] = used[element.attrib["id"]]
    if _HREF in element.attrib:
        said["href"] = "#" + used[element.attrib[_HREF].removeprefix("#")]
    said |= _looks(element.get("style", ""))
    pointed = {key: _REFERENCE.sub(lambda match: f"url(#{used[match[1]]})", value) for key, value in said.items()}
    return "".join(f' {key}="{_escaped(value)}"' for key, value in pointed.items())


def _looks(style: str) -> dict[str, str]:
    """A style's declarations as attributes; colours that the page names as classes, by what they colour."""
    declared = dict(part.split(":", 1) for part in re.sub(r"\s*([:;])\s*", r"\1", style).split(";") if ":" in part)
    declared.pop("font-family", "")
    looks: dict[str, str] = {}
    classes = []
    for key, value in declared.items():
        colour = COLOUR_NAMES.get(value.lower())
        if colour and key in ("fill", "stroke"):
            classes.append(f"{key[0]}-{colour}")
        elif value not in _ASSUMED.get(key, ()):
            looks[key] = _short(value)
    return looks | ({"class": " ".join(sorted(classes))} if classes else {})


def _short(value: str) -> str:
    """Numbers with no more digits than can be seen, and blanks single."""
    return re.sub(r"\s+", " ", _NUMBER.sub(lambda match: f"{float(match[0]):.1f}".removesuffix(".0"), value)).strip()


def _escaped(text: str) -> str:
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;").replace('"', "&quot;")
