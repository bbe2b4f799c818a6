"""A whole run whose places are on another file system: its returns put there, and its options."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from sos_spark.places import Place, RemotePlace, within, write_whole
from tests.end_to_end.conftest import WholeRun

SAME = ("cells.csv", "estimates.csv", "estimates.json", "event_study.csv", "flow.csv", "sensitivity.csv", "quality.csv")
"""Files that must be those of a local run, byte for byte."""

RETURNS = "returns of 2014, 2015"
"""A name that URIs escape: Spark and workers must find the files all the same."""


def put_there(whole_run: WholeRun, root: RemotePlace) -> None:
    """Copies the returns and the key of a whole run: thousands of small files, so several at once."""

    def put(path: Path) -> None:
        write_whole(root / RETURNS / within(path, whole_run.returns), path.read_bytes())

    with ThreadPoolExecutor(16) as several:
        list(several.map(put, [path for path in whole_run.returns.rglob("*") if path.is_file()]))
    write_whole(root / "key", whole_run.key.read_bytes())


def options(whole_run: WholeRun, root: RemotePlace, *, lake: str = "lake", out: str = "out") -> list[str]:
    """The options of the same run there."""
    places: dict[str, Place] = {
        "--study": whole_run.study, "--source": root / RETURNS, "--lake": root / lake, "--out": root / out,
        "--key-file": root / "key",
    }  # fmt: skip
    return [text for option, place in places.items() for text in (option, str(place))]
