"""Which returns enter the lake: compared with each other, then with what the lake already holds. Pure decisions."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from sos_spark.bronze.decide.returns import RefusedReturn, Return, Slice


@dataclass(frozen=True)
class Held:
    """What the lake holds of a slice: the hashes of its accepted files, their DateTime, rows by module.

    `read_by`: the hashes of the code that read it, one unless its files were read by different code.
    """

    content: frozenset[str]
    returned_at: str | None
    rows_by_module: Mapping[str, int]
    read_by: frozenset[str] = frozenset()


@dataclass
class Decisions:
    """What becomes of each return.

    `accepted` are new, or read anew, and replace their slices; `reread` are those of them that the lake holds as read
    by other code; `known` are what the lake holds; `replaced` (with a reason) gave way
    to another; `refused` leave no row; `emptied` are slices whose held return is itself one of a contradiction.
    """

    accepted: list[Return] = field(default_factory=list)
    reread: list[Return] = field(default_factory=list)
    known: list[Return] = field(default_factory=list)
    replaced: list[tuple[Return, str]] = field(default_factory=list)
    refused: list[RefusedReturn] = field(default_factory=list)
    emptied: list[Slice] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def changed(self) -> list[Slice]:
        """The slices whose rows are to be replaced."""
        return [accepted.slice for accepted in self.accepted] + self.emptied


def decide(returns: Iterable[Return], held: Mapping[Slice, Held], *, reading_code: str = "") -> Decisions:
    """Decides for every return of a source.

    Of several contents of one slice the one with the latest DateTime stands; with a tie, or where one has none, all
    are refused. Against what the lake holds only an earlier DateTime loses; the same content, read by the same code,
    changes nothing. `reading_code` is the hash of the code that reads now.
    """
    decisions = Decisions()
    by_slice: dict[Slice, list[Return]] = defaultdict(list)
    for one in returns:
        by_slice[one.slice].append(one)
    for where, rivals in by_slice.items():
        latest = _latest(rivals)
        if latest is None:
            _refuse_all(where, rivals, held.get(where), decisions)
            continue
        for rival in rivals:
            if rival is not latest:
                decisions.replaced.append((rival, f"{latest.name} has a later DateTime"))
        _against_lake(latest, held.get(where), decisions, reading_code)
    return decisions


def _latest(rivals: Sequence[Return]) -> Return | None:
    """The one that stands, or None where nothing tells which."""
    if len(rivals) == 1:
        return rivals[0]
    times = [rival.returned_at for rival in rivals]
    newest = max((time for time in times if time is not None), default=None)
    if None in times or times.count(newest) > 1:
        return None
    return rivals[times.index(newest)]


def _refuse_all(where: Slice, rivals: Sequence[Return], held: Held | None, decisions: Decisions) -> None:
    names = " and ".join(sorted(rival.name for rival in rivals))
    for rival in rivals:
        reason = f"Returns of one LA and year differ, and no DateTime says which is later: {names}"
        decisions.refused.append(RefusedReturn(where, rival.name, reason, rival.parts))
    if held is not None and any(rival.content == held.content for rival in rivals):
        decisions.emptied.append(where)


def _against_lake(latest: Return, held: Held | None, decisions: Decisions, reading_code: str) -> None:
    if held is None:
        decisions.accepted.append(latest)
    elif latest.content == held.content:
        if held.read_by <= {reading_code}:
            decisions.known.append(latest)
        else:
            decisions.accepted.append(latest)
            decisions.reread.append(latest)
    elif latest.returned_at and held.returned_at and latest.returned_at < held.returned_at:
        decisions.replaced.append((latest, "The lake holds a return with a later DateTime"))
        decisions.warnings.append(
            f"{latest.name} is ignored: the lake holds a later return of the same LA and year "
            f"({held.returned_at}, this one {latest.returned_at})"
        )
    else:
        decisions.accepted.append(latest)
