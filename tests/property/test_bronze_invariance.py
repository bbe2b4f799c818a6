"""Cutting a file into pieces, and the order returns are looked at, change nothing."""

from __future__ import annotations

from hypothesis import given, settings
from hypothesis import strategies as st

from sos_spark.bronze.arrive.cin_file import read_cin
from sos_spark.bronze.arrive.inspection import Inspection
from sos_spark.bronze.arrive.inventory import SourceFile
from sos_spark.bronze.decide.decisions import Held, decide
from sos_spark.bronze.decide.returns import Part, Return, Slice
from sos_spark.bronze.record_batches import RecordBatches
from tests.sources import a_child, a_referral, cin_xml, leaves

texts = st.text(st.characters(codec="utf-8", exclude_characters="<>&", categories=("L", "N", "P", "Zs")), max_size=5)
children = st.lists(
    st.builds(
        lambda name, need, n: a_child(name, *[a_referral(inside=leaves(PrimaryNeedCode=need))] * n),
        texts, texts, st.integers(0, 3),
    ),
    max_size=4,
)  # fmt: skip


def records(content: bytes, size: int) -> tuple[dict[str, int], list[str]]:
    pieces = [content[at : at + size] for at in range(0, len(content), size)]
    batches = RecordBatches()
    seen = read_cin(pieces, batches)
    given = batches.give(la_code="201", file_id=1)
    return seen.rows_by_module, [f"{module} {row}" for module, batch in given for row in batch.to_pylist()]


@settings(deadline=None, max_examples=50)
@given(children, st.integers(1, 60))
def test_how_a_file_is_cut_changes_no_record(some: list[str], size: int) -> None:
    content = cin_xml(*some).encode()
    counts, rows = records(content, size)
    assert (counts, rows) == records(content, len(content))
    assert sum(counts.values()) == len(rows)


@st.composite
def returns_of_a_source(draw: st.DrawFn) -> list[Return]:
    found = []
    for number in range(draw(st.integers(0, 5))):
        where = Slice("cin", draw(st.sampled_from(["201", "202"])), 2015)
        name = f"cin/{number}.xml"
        file = Inspection(SourceFile(name, name, "xml", 1), f"{number:064x}")
        at = draw(st.sampled_from([None, "2015-05-01", "2015-05-02", "2015-05-03"]))
        found.append(Return(where, name, (Part(file, {"cin_details": 1}),), at))
    return found


@settings(deadline=None)
@given(returns_of_a_source(), st.sampled_from([None, "2015-05-02"]), st.randoms(use_true_random=False))
def test_the_order_of_returns_changes_no_decision(found: list[Return], held_at: str | None, random: object) -> None:
    held = {Slice("cin", "201", 2015): Held(frozenset({f"{0:064x}"}), held_at, {})}
    shuffled = list(found)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = decide(found, held), decide(shuffled, held)
    for kind in ("accepted", "known", "replaced", "refused", "emptied"):
        assert sorted(map(str, getattr(one, kind))) == sorted(map(str, getattr(other, kind)))
    assert len(one.accepted) + len(one.known) + len(one.replaced) + len(one.refused) == len(found)
    assert len({taken.slice for taken in one.accepted}) == len(one.accepted)
