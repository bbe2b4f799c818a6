"""Reads a study file: TOML in, a frozen `Study` out, or every fault at once."""

from __future__ import annotations

import copy
import difflib
import hashlib
import json
import tomllib
import types
import typing
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import BaseModel, ValidationError

from sos_spark.config.origins import dotted, origins
from sos_spark.config.outcomes import KINDS
from sos_spark.config.study import Study
from sos_spark.errors import InputError, StudyError


@dataclass(frozen=True)
class LoadedStudy:
    """A study, and where each of its keys comes from.

    Attributes:
        study: The study as resolved: the file's keys, those of --set in place of them, and the defaults.
        origins: For each key, dotted and with [1] for the first of a list: 'command line', 'file' or 'default'.
        overrides: The values of --set as they were given.
    """

    study: Study
    origins: Mapping[str, str]
    overrides: tuple[str, ...] = ()


def load_study(path: str | Path, *, overrides: Sequence[str] = ()) -> Study:
    """Returns the study of a TOML file. `overrides` are 'key.key=value' with TOML values, as in --set.

    Raises:
        InputError: There is no such file, or it is no text.
        StudyError: It is no TOML, or no valid study; lists every fault with its key.
    """
    return load_with_origins(path, overrides=overrides).study


def load_with_origins(path: str | Path, *, overrides: Sequence[str] = ()) -> LoadedStudy:
    """Returns the study of a TOML file and where each key comes from; errors as `load_study`."""
    path = Path(path)
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise InputError(
            "The study file cannot be read", where=str(path), found=type(error).__name__, remedy="Name a TOML file"
        ) from None
    content = _toml(text, where=str(path))
    study = _with_overrides(content, overrides, where=str(path))
    return LoadedStudy(study, origins(study, content, overrides), tuple(overrides))


def parse_study(text: str, *, where: str = "study", overrides: Sequence[str] = ()) -> Study:
    """Returns the study of a TOML text; errors as `load_study`."""
    return _with_overrides(_toml(text, where=where), overrides, where=where)


def _toml(text: str, *, where: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise StudyError("The study file is not valid TOML", where=where, found=str(error)) from None


def _with_overrides(content: Mapping[str, Any], overrides: Sequence[str], *, where: str) -> Study:
    """Returns the study with the values of --set in place. A fault of theirs is told as theirs, not as the file's."""
    if not overrides:
        return study_from(dict(content), where=where)
    changed = copy.deepcopy(dict(content))
    for override in overrides:
        _override(changed, override)
    try:
        return study_from(changed, where=where)
    except StudyError:
        study_from(dict(content), where=where)  # the file's own faults first
        return study_from(changed, where="--set " + " --set ".join(overrides), whose="What --set changes")


def _override(content: dict[str, Any], override: str) -> None:
    """Puts a value of --set in its place; text that is no TOML value is a string."""
    key, equals, text = override.partition("=")
    if not equals or not key:
        raise StudyError("--set cannot be read", expected="key=value, as in inference.draws=999", found=override)
    try:
        value = tomllib.loads(f"value = {text}")["value"]
    except tomllib.TOMLDecodeError:
        value = text
    *parents, last = key.split(".")
    table = content
    for part in parents:
        inner = table.setdefault(part, {})
        if not isinstance(inner, dict):
            raise StudyError("--set names a key inside something that is no table", found=override)
        table = inner
    table[last] = value


def study_from(content: dict[str, Any], *, where: str = "study", whose: str = "The study file") -> Study:
    """Returns the study of a parsed TOML document; errors as `load_study`, of what `whose` names."""
    try:
        return Study.model_validate(content)
    except ValidationError as error:
        faults = tuple(_faults(error))
        raise StudyError(
            f"{whose} has {len(faults)} fault{'s' if len(faults) > 1 else ''}",
            where=where,
            faults=faults,
            remedy="`sos-spark study new` writes a commented file with every key",
        ) from None


def fingerprint(study: Study) -> str:
    """Returns the SHA-256 of what the study plans: comments, layout, key order and [publication] do not count."""
    canonical = json.dumps(study.plan(), sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()


def _faults(error: ValidationError) -> Iterator[str]:
    items = error.errors(include_url=False)
    for item in items:
        if item["type"] == "too_short" and any(_is_inside(other["loc"], item["loc"]) for other in items):
            continue  # a list whose entries have faults of their own is empty only because of them
        location = tuple(part for part in item["loc"] if part not in KINDS)
        key = dotted(location)
        if item["type"] == "extra_forbidden":
            near = difflib.get_close_matches(str(location[-1]), _known_keys(item["loc"]), n=1)
            hint = f"; did you mean {near[0]}?" if near else ""
            yield f"{key}: unknown key{hint}"
        elif item["type"] == "missing":
            yield f"{key}: required, and not given"
        else:
            message = item["msg"].removeprefix("Value error, ")
            yield f"{key}: {message}" if key else message


def _is_inside(location: tuple[int | str, ...], outer: tuple[int | str, ...]) -> bool:
    return len(location) > len(outer) and location[: len(outer)] == outer


def _known_keys(location: tuple[int | str, ...]) -> list[str]:
    """The keys allowed where the unknown one stands."""
    models: list[type[BaseModel]] = [Study]
    for part in location[:-1]:
        if isinstance(part, int):
            continue
        if part in KINDS:
            models = [KINDS[part]]
            continue
        models = [
            inner
            for model in models
            for name, info in model.model_fields.items()
            if part in (name, info.alias)
            for inner in _models_in(info.annotation)
        ]
    return [info.alias or name for model in models for name, info in model.model_fields.items()]


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and not isinstance(annotation, types.GenericAlias):
        if issubclass(annotation, BaseModel):
            yield annotation
        return
    for argument in typing.get_args(annotation):
        yield from _models_in(argument)
