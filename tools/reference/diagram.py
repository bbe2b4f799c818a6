"""The README's diagram of layers and tables, from what each table is made from."""

from __future__ import annotations

from itertools import groupby

from sos_spark.tables import LAYERS, TABLES

BEGIN, END = "<!-- tables: begin -->", "<!-- tables: end -->"


def diagram() -> str:
    """Returns a Mermaid flow chart of the layers, a box a layer with its tables, arrows from what each is made from."""
    tables = sorted(TABLES.values(), key=lambda table: LAYERS.index(table.layer))
    lines = ["```mermaid", "flowchart LR", "    returns([returns, published tables])"]
    arrows: set[tuple[str, str]] = set()
    for layer, members in groupby(tables, key=lambda table: table.layer):
        in_layer = list(members)
        names = "<br/>".join(table.short_name for table in in_layer)
        lines.append(f'    {layer}["<b>{layer}</b><br/>{names}"]')
        for source in (source for table in in_layer for source in table.made_from):
            origin = source.partition(".")[0] if "." in source else "returns"
            if source not in ("study", "reference") and origin != layer:
                arrows.add((origin, layer))
    order = ["returns", *LAYERS]
    lines += [
        f"    {a} --> {b}" for a, b in sorted(arrows, key=lambda pair: (order.index(pair[0]), order.index(pair[1])))
    ]
    lines += ["    panel --> fit([fit]) --> report([report])", "```"]
    return "\n".join(lines)


def with_diagram(readme: str) -> str:
    """Returns the README with the diagram between its two markers."""
    before, _, rest = readme.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{diagram()}\n{END}{after}"
