"""The words for the specifications a fit names in its files."""

from __future__ import annotations

_WORDS = {
    "main": "Main",
    "twfe": "Two-way fixed effects",
    "la_equal": "Every authority weighs the same",
    "cs_simple": "Callaway-Sant'Anna",
    "logit": "Grouped logit",
    "welch": "Pre/post means of authorities (Welch)",
}


def spoken(specification: str) -> str:
    """Returns a specification's name in words: 'comparators=all' becomes 'Comparators: all'."""
    if specification in _WORDS:
        return _WORDS[specification]
    key, separator, value = specification.replace(":", "=", 1).partition("=")
    words = key.replace("_", " ").strip()
    words = words[:1].upper() + words[1:]
    return f"{words}: {value.strip()}" if separator else words
