"""Lists of codes that declarations name and other places keep."""

from __future__ import annotations

from sos_spark.config.reference import code_set
from sos_spark.outcome.reasons import PUBLISHED_REASONS, REASONS
from sos_spark.tables import OUTCOME_REASONS, Column


def code_meanings(column: Column) -> dict[str, str]:
    """Returns a column's codes with what each means; DfE's, whose meanings this project does not ship, with nothing."""
    if not isinstance(column.codes, str):
        return dict(column.codes)
    if column.codes == OUTCOME_REASONS:
        return {reason.name: reason.meaning for reason in (*REASONS, *PUBLISHED_REASONS)}
    collection, _, field = column.codes.partition(".")
    return dict.fromkeys(dict.fromkeys(span.code for span in code_set(collection, field)), "")


def code_years(column: Column) -> dict[str, str]:
    """Returns the census years in which each of DfE's codes was valid, as 'from-to'; nothing for other codes."""
    if not isinstance(column.codes, str) or column.codes == OUTCOME_REASONS:
        return {}
    collection, _, field = column.codes.partition(".")
    spans = code_set(collection, field)
    return {span.code: f"{span.first_census_year}-{span.last_census_year}" for span in spans}
