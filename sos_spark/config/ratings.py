"""Ofsted ratings in a study file: the one before go-live only, because inspectors see what a programme does."""

from __future__ import annotations

from datetime import date
from typing import Any, Literal, TypeVar, get_args

from pydantic import ModelWrapValidatorHandler, ValidationError
from pydantic_core import ErrorDetails, InitErrorDetails, PydanticCustomError

OfstedRating = Literal["outstanding", "good", "requires_improvement", "inadequate"]
OFSTED_RATINGS: tuple[OfstedRating, ...] = get_args(OfstedRating)
"""Best first."""

RATINGS_MOVE = "ratings move after treatment: only the rating before go-live (ofsted_before) may be used"

_Block = TypeVar("_Block")


def refuse_later_ratings(value: Any, read: ModelWrapValidatorHandler[_Block]) -> _Block:
    """Reads a block of a study file; an unknown key that names a rating is told why, beside the block's other faults.

    Raises:
        ValidationError: As the block's model, with the reason in place of 'unknown key'.
    """
    try:
        return read(value)
    except ValidationError as error:
        raise ValidationError.from_exception_data(error.title, [_explained(item) for item in error.errors()]) from None


def refuse_inspection_after(go_live: date, *, inspected: date | None, rating: OfstedRating | None) -> None:
    """Raises ValueError for an inspection on or after go-live, or one without its rating."""
    if inspected is None:
        return
    if rating is None:
        raise ValueError("ofsted_inspected goes with ofsted_before")
    if inspected >= go_live:
        raise ValueError(f"ofsted_inspected {inspected} is not before go_live {go_live}: {RATINGS_MOVE}")


def _explained(item: ErrorDetails) -> InitErrorDetails:
    names_a_rating = (
        any(word in str(item["loc"][-1]).lower() for word in ("ofsted", "rating")) if item["loc"] else False
    )
    unknown = item["type"] == "extra_forbidden"
    return InitErrorDetails(
        type=PydanticCustomError("rating", RATINGS_MOVE) if unknown and names_a_rating else item["type"],
        loc=item["loc"],
        input=item["input"],
        ctx=item.get("ctx", {}),
    )
