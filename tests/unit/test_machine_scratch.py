"""The private folder that Spark spills to: nobody else's, and gone once its owner is."""

from __future__ import annotations

import json
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sos_spark.errors import EnvironmentFaultError
from sos_spark.machine.processes import process_start
from sos_spark.machine.scratch import Scratch

OWNER = """
import sys
from pathlib import Path
from sos_spark.machine.scratch import Scratch
scratch = Scratch(Path(sys.argv[1]))
(scratch.folder / "spilled").write_text("rows")
print(scratch.folder, flush=True)
sys.stdin.read()
"""


def an_owner(parent: Path) -> tuple[subprocess.Popen[str], Path]:
    """Another process with a private folder."""
    process = subprocess.Popen(
        [sys.executable, "-c", OWNER, str(parent)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    return process, Path(process.stdout.readline().strip())


def test_what_a_killed_process_spilled_goes_at_the_next_start_and_a_living_ones_stays(tmp_path: Path) -> None:
    killed, left = an_owner(tmp_path)
    living, kept = an_owner(tmp_path)
    killed.kill()
    killed.wait()
    assert (left / "spilled").exists()

    mine = Scratch(tmp_path)
    assert not left.exists()
    assert (kept / "spilled").exists()
    assert stat.S_IMODE(mine.folder.stat().st_mode) == 0o700

    living.communicate("")
    assert not kept.exists(), "a process that ends as it should takes its folder along"
    mine.remove()
    assert list(tmp_path.iterdir()) == []


def test_a_folder_whose_java_still_runs_is_left_alone(tmp_path: Path) -> None:
    killed, left = an_owner(tmp_path)
    killed.kill()
    killed.wait()
    with subprocess.Popen(["sleep", "60"]) as java:
        noted = {"java_process": java.pid, "java_started": process_start(java.pid)}
        (left / "owner.lock").write_text(json.dumps(noted))
        Scratch(tmp_path).remove()
        assert left.exists()
        java.kill()
    Scratch(tmp_path).remove()
    assert not left.exists()


def test_a_folder_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(EnvironmentFaultError, match="TMPDIR"):
        Scratch(tmp_path / "file" / "folder")
