"""Warnings in lines that a person can take in: what is true of many outcomes is said once, with their names."""

from __future__ import annotations

from collections.abc import Collection, Sequence


def grouped(warnings: Sequence[str], outcome_ids: Collection[str]) -> list[str]:
    """Returns warnings in order, those that say the same of several outcomes as one, where the first stood.

    A warning is of an outcome where it begins with its id and a colon. One that is of every outcome of the study names
    none.
    """
    said: dict[str, list[str]] = {}
    for warning in warnings:
        outcome_id, colon, text = warning.partition(": ")
        if colon and outcome_id in outcome_ids:
            said.setdefault(text, []).append(outcome_id)
        else:
            said.setdefault(warning, [])
    return [_line(text, list(dict.fromkeys(of)), outcome_ids) for text, of in said.items()]


def _line(text: str, of: list[str], outcome_ids: Collection[str]) -> str:
    if len(of) < 2:
        return f"{of[0]}: {text}" if of else text
    return f"every outcome: {text}" if len(of) == len(outcome_ids) else f"{', '.join(of)}: {text}"
