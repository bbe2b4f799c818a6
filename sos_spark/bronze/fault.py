"""Why a source file is refused: a sentence about the file and its header, never about a child."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import date, datetime

from sos_spark.config.reference import Authority

MAX_FILE_BYTES = 512 << 20
"""The largest XML or SSDA903 file that is read. The largest authorities' returns are near a fifth of it."""


class SourceError(Exception):
    """A source file, folder or LA-year that cannot be taken. Its text is shown to the user."""

    def __init__(self, what: str, *, expected: str = "", found: str = "") -> None:
        parts = [what, *([f"expected {expected}"] if expected else []), *([f"found {found}"] if found else [])]
        super().__init__(", ".join(parts) if len(parts) < 2 else f"{parts[0]}: {', '.join(parts[1:])}")


def shown_code(text: str) -> str:
    """Returns an LA code or a year for a message: three or four digits as they are, anything else unquoted."""
    return text if re.fullmatch(r"\d{3,4}", text) else "nothing" if not text else "another text"


def shown_date(text: str) -> str:
    """Returns a date for a message; what is no date is not quoted."""
    return text if re.fullmatch(r"\d{4}-\d{2}-\d{2}", text) else "nothing" if not text else "no date"


def parse_la_code(text: str) -> str:
    """Returns a DfE LA code.

    Raises:
        SourceError: It is not three digits.
    """
    if not re.fullmatch(r"[0-9]{3}", text):
        raise SourceError("The LA code is not one", expected="three digits", found=shown_code(text))
    return text


def parse_census_year(text: str) -> int:
    """Returns a census year.

    Raises:
        SourceError: It is not four digits of this or the last century.
    """
    if not re.fullmatch(r"(19|20)[0-9]{2}", text):
        raise SourceError("The census year is not one", expected="four digits", found=shown_code(text))
    return int(text)


def require_authority(la_code: str, census_year: int, authorities: Mapping[str, Authority]) -> None:
    """Checks that an LA code was valid in a census year.

    Raises:
        SourceError: It was not.
    """
    authority = authorities.get(la_code)
    if authority is None:
        raise SourceError("No authority has this LA code", found=la_code)
    if not authority.existed_in(census_year):
        first, last = authority.first_census_year, authority.last_census_year
        span = " ".join([*([f"from {first}"] if first else []), *([f"to {last}"] if last else [])])
        raise SourceError(
            "The LA code was not valid in this census year", expected=f"{la_code} {span}", found=str(census_year)
        )


def parse_returned_at(text: str) -> str | None:
    """Returns a header's DateTime as ISO text that sorts by time, or None where it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    if moment.tzinfo is not None:
        moment = (moment - (moment.utcoffset() or moment - moment)).replace(tzinfo=None)
    return moment.isoformat(timespec="microseconds" if moment.microsecond else "seconds")


def reference_date(census_year: int) -> date:
    """Returns the day a census of a year refers to."""
    return date(census_year, 3, 31)
