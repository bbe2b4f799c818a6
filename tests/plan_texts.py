"""The scans and exchanges of what a step writes, as text that stays the same from run to run."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from pyspark.sql import DataFrame, SparkSession
from pyspark.sql.readwriter import DataFrameWriter

SETTINGS = {
    # Joins by what the code says, not by how small a test's tables are.
    "spark.sql.autoBroadcastJoinThreshold": "-1",
    "spark.sql.maxMetadataStringLength": "10000",
}
_NODE = re.compile(r"^(?P<tree>[\s:+\-*()\d]*)(?P<text>[A-Z].*)$")


@contextmanager
def plans_written(spark: SparkSession, monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, str]]:
    """Gives a dictionary that fills with the plan of each frame written meanwhile, by the table or staged name."""
    plans: dict[str, str] = {}
    before = {name: str(spark.conf.get(name)) for name in SETTINGS}
    originals = {name: getattr(DataFrameWriter, name) for name in ("parquet", "save")}

    def recording(name: str) -> Callable[..., None]:
        def write(writer: DataFrameWriter, path: str | None = None, *args: object, **kwargs: object) -> None:
            plans["/".join(Path(str(path)).parts[-2:])] = skeleton(writer._df)
            originals[name](writer, path, *args, **kwargs)

        return write

    for name, value in SETTINGS.items():
        spark.conf.set(name, value)
    with monkeypatch.context() as patch:
        for name in originals:
            patch.setattr(DataFrameWriter, name, recording(name))
        yield plans
    for name, value in before.items():
        spark.conf.set(name, value)


def skeleton(rows: DataFrame) -> str:
    """The scans and exchanges of a frame's physical plan, indented as one feeds another; not what is cached."""
    lines: list[str] = []
    open_nodes: list[int] = []
    cached_below: int | None = None
    for line in rows._jdf.queryExecution().executedPlan().toString().splitlines():
        found = _NODE.match(line)
        if not found:
            continue
        depth = len(found["tree"])
        if cached_below is not None and depth > cached_below:
            continue
        cached_below = None
        if found["text"].startswith("InMemoryRelation"):
            cached_below = depth
            continue
        name = _named(found["text"])
        if name is None:
            continue
        while open_nodes and open_nodes[-1] >= depth:
            open_nodes.pop()
        lines.append("  " * len(open_nodes) + name)
        open_nodes.append(depth)
    return "\n".join(lines)


def _named(node: str) -> str | None:
    """A node of the plan by what it scans or shuffles by; None for one that does neither."""
    if scan := re.match(
        r"(?:FileScan|BatchScan|Scan)\b.*?(?:Location: \w+(?:\(\d+ paths\))?\[(?P<paths>[^\]]*)\])", node
    ):
        first = Path(scan["paths"].split(",")[0].strip())
        # A table of the lake is read by its files, which may lie in folders of partitions.
        folders = [part for part in first.parts if "=" not in part and not part.endswith(".parquet")]
        return "scan " + "/".join(_stable(part) for part in folders[-2:])
    if node.startswith("InMemoryTableScan"):
        return "cached"
    if exchange := re.match(r"(Exchange \w+|BroadcastExchange)(?:\((?P<by>[^)]*)\))?", node):
        kind = exchange[1]
        by = re.sub(r"#\d+L?|, \d+$", "", exchange["by"] or "")
        return kind if kind == "BroadcastExchange" else f"{kind}({by})"
    return None


def _stable(part: str) -> str:
    return re.sub(r"^\.staged-.*", "staged", part)
