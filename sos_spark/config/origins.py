"""Where each key of a study comes from: the file, the command line or the defaults."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from sos_spark.config.study import Study


def origins(study: Study, content: Mapping[str, Any], overrides: Sequence[str]) -> dict[str, str]:
    """Returns for each key of a study whether it is of the command line, of the file or a default."""
    given = tuple(override.partition("=")[0] for override in overrides)
    found = {}
    for key, path, _ in leaves(study):
        plain = ".".join(part for part in path if isinstance(part, str))
        if any(plain == one or plain.startswith(f"{one}.") for one in given):
            found[key] = "command line"
        else:
            found[key] = "file" if _stands_in(content, path) else "default"
    return found


def leaves(study: Study) -> Iterator[tuple[str, tuple[str | int, ...], Any]]:
    """Yields each key that has a value of its own: as messages name it, as a path, and its value as JSON has it.

    Lists of tables are gone into; a list of values is one value.
    """
    yield from _leaves(study.model_dump(mode="json", by_alias=True), ())


def _leaves(value: Any, path: tuple[str | int, ...]) -> Iterator[tuple[str, tuple[str | int, ...], Any]]:
    if isinstance(value, dict) and value:
        for name, inner in value.items():
            yield from _leaves(inner, (*path, name))
    elif isinstance(value, list) and any(isinstance(inner, dict) for inner in value):
        for position, inner in enumerate(value):
            yield from _leaves(inner, (*path, position))
    else:
        yield dotted(path), path, value


def _stands_in(content: Any, path: Sequence[str | int]) -> bool:
    for part in path:
        try:
            content = content[part]
        except (KeyError, IndexError, TypeError):
            return False
    return True


def dotted(location: Sequence[int | str]) -> str:
    """Returns a key as messages name it: outcomes[1].kind for ("outcomes", 0, "kind")."""
    text = ""
    for part in location:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else part
    return text
