"""What a table's rows are made from, as one hash: a step that is run again on the same writes nothing.

The code that a step's result depends on is found, not listed: the step's module and all that it imports below
sos_spark, to any depth, from the source itself. So is the reference data: the files that the imported functions of
`config.reference` open. Nothing can be forgotten when a module is added, and a change elsewhere runs nothing again.
"""

from __future__ import annotations

import ast
import hashlib
import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import TYPE_CHECKING, Any

from sos_spark.config.shipped import conf_root, expectations_root
from sos_spark.machine.settings import PINNED
from sos_spark.tables import Table

if TYPE_CHECKING:
    from sos_spark.lake.lake import Lake

PACKAGE = "sos_spark"
REFERENCE = f"{PACKAGE}.config.reference"
SHIPPED = f"{PACKAGE}.config.shipped"
"""The modules by which data of conf/ and expectations/ are reached; what is read by them is hashed with the code."""


@dataclass(frozen=True)
class Dependencies:
    """What a module's result depends on: modules of the package, and what they take from those that reach data."""

    modules: frozenset[str]
    reference_names: frozenset[str]
    shipped_names: frozenset[str]


def versions_of(lake: Lake, tables: Iterable[Table]) -> dict[str, int | None]:
    """Returns the newest version of each table by name; None where it does not exist."""
    return {table.name: lake.version(table) for table in tables}


def made_from(inputs: Mapping[str, int | None], *, step: str, settings: Mapping[str, Any]) -> str:
    """Returns the SHA-256 of the input tables' versions, the code and reference data of a step, Spark and settings.

    Args:
        inputs: The versions of the tables that are read, by name.
        step: The module that makes the rows, as its `__name__`.
        settings: What else decides the rows; JSON but for dates.
    """
    # Of a cluster's or a platform's Spark, pip knows nothing.
    import pyspark

    content = {
        "inputs": dict(inputs),
        "code": code_sha256(step),
        "spark": {"version": pyspark.__version__, **PINNED},
        "settings": settings,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True, default=str).encode()).hexdigest()


@cache
def code_sha256(module: str, *, without: frozenset[str] = frozenset()) -> str:
    """Returns the SHA-256 of the source and reference data that a module's result depends on.

    `without` are modules that are neither hashed nor followed.
    """
    found = dependencies(module, without=without)
    digest = hashlib.sha256()
    for name, content in sorted({**_sources(found.modules), **_data(found)}.items()):
        digest.update(name.encode() + b"\0" + hashlib.sha256(content).digest())
    return digest.hexdigest()


def dependencies(module: str, *, without: Collection[str] = ()) -> Dependencies:
    """Returns the modules below sos_spark that a module imports, at any depth and anywhere in a file, itself included.

    What is imported for types only does not count. A package that is only passed through on the way to one of its
    modules is hashed, and not followed.
    """
    seen: set[str] = set()
    passed_through: set[str] = set()
    taken: dict[str, set[str]] = {REFERENCE: set(), SHIPPED: set()}
    ahead = [module]
    while ahead:
        one = ahead.pop()
        if one in seen or one in without:
            continue
        seen.add(one)
        passed_through |= set(_parents(one))
        for target, name in _imports(one, read_source(one)):
            submodule = f"{target}.{name}" if name else target
            if name and _find(submodule) is not None:
                ahead.append(submodule)
            elif _find(target) is not None:
                ahead.append(target)
                if target in taken and one != __name__:
                    taken[target].add(name or "*")
            if submodule in taken:
                taken[submodule].add("*")
    return Dependencies(frozenset(seen | passed_through), frozenset(taken[REFERENCE]), frozenset(taken[SHIPPED]))


def read_source(module: str) -> bytes:
    """Returns the source of a module or package of ours, from wherever it is imported (a folder or a zip)."""
    found = _find(module)
    if found is None:
        raise ModuleNotFoundError(module)
    return found.read_bytes()


def _sources(modules: Iterable[str]) -> dict[str, bytes]:
    return {module: read_source(module) for module in modules}


@cache
def _find(module: str) -> Traversable | None:
    """The file of a module below the package; None where there is none, as of a function's name."""
    top, *parts = module.split(".")
    if top != PACKAGE:
        return None
    place = files(PACKAGE)
    for part in parts[:-1]:
        place = place / part
    candidates = [place / parts[-1] / "__init__.py", place / f"{parts[-1]}.py"] if parts else [place / "__init__.py"]
    return next((candidate for candidate in candidates if candidate.is_file()), None)


def _parents(module: str) -> Iterator[str]:
    parts = module.split(".")
    for n_parts in range(1, len(parts)):
        yield ".".join(parts[:n_parts])


@cache
def _imports(module: str, source: bytes) -> tuple[tuple[str, str | None], ...]:
    """Returns (module, None) for each `import module` and (module, name) for each `from module import name`."""
    found: list[tuple[str, str | None]] = []
    for node in _statements(ast.parse(source)):
        if isinstance(node, ast.Import):
            found += [(alias.name, None) for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            target = ".".join(filter(None, (_base(module, node.level), node.module)))
            found += [(target, alias.name) for alias in node.names]
    return tuple(found)


def _base(module: str, level: int) -> str:
    """The package that an import with so many dots starts from; nothing for an absolute one."""
    if not level:
        return ""
    found = _find(module)
    is_package = found is not None and found.name == "__init__.py"
    parts = module.split(".")
    return ".".join(parts[: len(parts) - level + is_package])


def _statements(tree: ast.AST) -> Iterator[ast.AST]:
    """Every statement at any depth but those under `if TYPE_CHECKING:`, which never run."""
    ahead = [tree]
    while ahead:
        node = ahead.pop()
        yield node
        is_for_types = isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"
        below = node.orelse if is_for_types and isinstance(node, ast.If) else ast.iter_child_nodes(node)
        # Expressions hold no import.
        ahead += [child for child in below if isinstance(child, ast.stmt | ast.ExceptHandler | ast.match_case)]


def _data(found: Dependencies) -> dict[str, bytes]:
    """The content of the files of conf/ and expectations/ that the modules read, by name."""
    content = {}
    for name in _reference_files(found.reference_names):
        content[f"conf/reference/{name}"] = (conf_root() / "reference" / name).read_bytes()
    if found.shipped_names & {"*", "expectations_root"}:
        for path in sorted(expectations_root().glob("*.json")):
            content[f"expectations/{path.name}"] = path.read_bytes()
    return content


def _reference_files(names: Collection[str]) -> set[str]:
    """The CSV files that functions of `config.reference` open, themselves or by those they call."""
    tree = ast.parse(read_source(REFERENCE))
    functions = {node.name: node for node in tree.body if isinstance(node, ast.FunctionDef)}
    found: set[str] = set()
    seen: set[str] = set()
    ahead = list(functions) if "*" in names else [name for name in names if name in functions]
    while ahead:
        name = ahead.pop()
        if name in seen:
            continue
        seen.add(name)
        for node in ast.walk(functions[name]):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.endswith(".csv"):
                found.add(node.value)
            elif isinstance(node, ast.Name) and node.id in functions:
                ahead.append(node.id)
    return found
