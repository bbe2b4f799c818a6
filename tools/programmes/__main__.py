"""Writes docs/programmes.md and the README's table anew: `python -m tools.programmes`; a minute or two."""

from __future__ import annotations

from sos_spark.config.shipped import conf_root
from tools.programmes.declared import programmes
from tools.programmes.estimates import estimates
from tools.programmes.page import BEGIN, END, page, short_table

ROOT = conf_root().parent

found, declared = estimates(), programmes()
(ROOT / "docs" / "programmes.md").write_text(page(declared, found), encoding="utf-8")
readme = ROOT / "README.md"
before, _, rest = readme.read_text(encoding="utf-8").partition(BEGIN)
_, _, after = rest.partition(END)
readme.write_text(f"{before}{BEGIN}\n{short_table(declared, found)}{END}{after}", encoding="utf-8")
