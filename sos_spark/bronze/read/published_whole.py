"""Whether a published table is whole: of every year it must hold the authorities that its other years show.

A file that ends between two rows looks sound. DfE's tables go from the newest year to the oldest and hold England, its
regions and then its authorities within each, so what is lost are authorities of the last year in the file.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Set

from sos_spark.bronze.fault import SourceError
from sos_spark.config.reference import PublishedReference

_MOST_CODES = 5


def require_whole(
    counts: Iterable[tuple[str, int, str]], *, years: Iterable[int], has_england: bool, reference: PublishedReference
) -> None:
    """Checks that each quantity of each year has all the places that the table shows elsewhere.

    Args:
        counts: Quantity, census year and place of each value, known or not. A place is an LA code or a region.
        years: The years that any row is about, England's among them.
        has_england: Whether the table has England's row: one of a single year must then hold every authority.
        reference: The authorities of each year. One that did not exist is not missed.

    Raises:
        SourceError: Places are lacking; names the first authorities.
    """
    by_year: dict[int, dict[str, set[str]]] = {year: {} for year in years}
    for quantity, year, place in counts:
        by_year.setdefault(year, {}).setdefault(quantity, set()).add(place)
    places = {year: set[str]().union(*quantities.values()) for year, quantities in by_year.items()}
    if not any(places.values()):
        raise SourceError("The table has no row of an authority, or the file is cut off")
    shown_in: dict[str, set[int]] = defaultdict(set)
    for year, found in places.items():
        for place in found:
            shown_in[place].add(year)
    for year, quantities in sorted(by_year.items()):
        wanted = _wanted(year, shown_in, has_england=has_england, reference=reference)
        for found in quantities.values() or [set()]:
            if missing := sorted(wanted - found):
                _refuse(year, missing)


def _wanted(year: int, shown_in: dict[str, set[int]], *, has_england: bool, reference: PublishedReference) -> Set[str]:
    existing = {code for code, one in reference.authorities.items() if one.existed_in(year)}
    elsewhere = {place for place, its_years in shown_in.items() if its_years - {year}}
    if elsewhere:
        return {place for place in elsewhere if place in existing or place not in reference.authorities}
    return existing - reference.left_out if has_england else set()


def _refuse(year: int, missing: list[str]) -> None:
    codes = [place for place in missing if place.isdigit()]
    regions = len(missing) - len(codes)
    told = [*codes[:_MOST_CODES], *([f"{len(codes) - _MOST_CODES} more"] if len(codes) > _MOST_CODES else [])]
    if regions:
        told.append(f"{regions} regions")
    raise SourceError(
        f"The table lacks authorities of {year}, or a kind of count of theirs, or the file is cut off",
        found=f"nothing of {', '.join(told)}",
    )
