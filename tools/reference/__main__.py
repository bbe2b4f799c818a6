"""Writes every page of reference anew: `python -m tools.reference` after a change of a declaration. Starts Spark."""

from __future__ import annotations

from sos_spark.machine.session import start_session
from tools.reference.pages import write_pages

session = start_session(app_name="reference", master="local[1]", driver_memory="1g")
write_pages()
session.stop()
