"""Where the days of the returns are."""

from __future__ import annotations

ZONE = "Europe/London"
"""A time with an offset is an instant, and a child's day is the civil date that it was here."""
