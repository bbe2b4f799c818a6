"""Opens pages in headless Chromium, looks at them with axe-core, and tells what was found.

Chromium is Debian's package; axe-core is installed by tools/browser.sh from its lock.
"""

from __future__ import annotations

import html
import json
import re
import shutil
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

AXE = Path(__file__).parent.parent / ".sos/browser/node_modules/axe-core/axe.min.js"
_DARK = "@media screen and (prefers-color-scheme: dark)"
_LISTEN = """<script>
const faults = [];
addEventListener("error", e => faults.push(e.message || "a resource could not be had"), true);
addEventListener("unhandledrejection", e => faults.push(String(e.reason)));
console.error = (...words) => faults.push(words.join(" "));
</script>"""
_LOOK = """<script>
addEventListener("load", () => axe.run(document).then(found => parent.postMessage({
  page: document.documentElement.dataset.page, faults, n_passed: found.passes.length,
  beyond: document.documentElement.scrollWidth - document.documentElement.clientWidth,
  violations: found.violations.map(one => `${one.id}: ${one.help}: ${one.nodes[0].html.slice(0, 200)}`),
}, "*")));
</script>"""
_COLLECT = """<!DOCTYPE html><title>Pages</title><pre id="found">[]</pre><script>
const found = [];
addEventListener("message", e => {
  found.push(e.data);
  document.getElementById("found").textContent = JSON.stringify(found);
});
</script>"""


@dataclass(frozen=True)
class Seen:
    """What a page was like: what axe-core holds against it, how many of its rules held, and faults on the console.

    `beyond`: by how many pixels the page is wider than its window.
    """

    violations: tuple[str, ...]
    n_passed: int
    faults: tuple[str, ...]
    beyond: int


def why_not() -> str:
    """Returns what is missing to look at pages; blank where nothing is."""
    if shutil.which("chromium") is None:
        return "chromium is not there (Debian's package of that name)"
    return "" if AXE.exists() else "axe-core is not there (make browser, which needs npm)"


def look_at(page: str, widths: Mapping[str, int], folder: Path) -> dict[str, Seen]:
    """Returns how a page is in windows of these widths, each in light and in dark: by '<name>, light' and so on.

    The dark page is the same with its dark colours for everybody: one start of the browser does for all.
    """
    axe = AXE.read_text(encoding="utf-8")
    frames = []
    for look, shown in (
        ("light", page.replace(_DARK, "@media not all")),
        ("dark", page.replace(_DARK, "@media screen")),
    ):
        for name, width in widths.items():
            told = shown.replace("<html", f'<html data-page="{name}, {look}"', 1)
            told = told.replace("<head>", f"<head>{_LISTEN}", 1).replace(
                "</body>", f"<script>{axe}</script>{_LOOK}</body>"
            )
            file = folder / f"{name}_{look}.html"
            file.write_text(told, encoding="utf-8")
            frames.append(f'<iframe src="{file.name}" style="width: {width}px; height: 900px"></iframe>')
    (folder / "all.html").write_text(_COLLECT + "".join(frames), encoding="utf-8")
    dom = subprocess.run(
        ["chromium", "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={folder / 'profile'}",
         "--virtual-time-budget=60000", "--dump-dom", (folder / "all.html").as_uri()],
        capture_output=True, text=True, timeout=120, check=True,
    ).stdout  # fmt: skip
    said = re.search(r'<pre id="found">(.*?)</pre>', dom, re.DOTALL)
    assert said is not None, "the browser gave no page"
    return {
        one["page"]: Seen(tuple(one["violations"]), one["n_passed"], tuple(one["faults"]), one["beyond"])
        for one in json.loads(html.unescape(said[1]))
    }
