"""Errors a user can act on: what, where, expected, found, remedy. They never hold a child's value.

Each class is one exit code of the command line. Anything else that escapes is a fault of ours, or of Spark's, and its
message may quote a record: the command line logs its type and place, never its text.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from typing import Any


class SosError(Exception):
    """A problem with a known cause. `remedy` is one sentence that says what to do."""

    exit_code = 1

    def __init__(self, what: str, *, where: str = "", expected: str = "", found: str = "", remedy: str = "") -> None:
        self.what, self.where, self.expected, self.found, self.remedy = what, where, expected, found, remedy
        super().__init__(self.paragraph())

    def paragraph(self) -> str:
        """Returns the message as one paragraph."""
        parts = [self.what.rstrip(".") + "."]
        for label, text in (("Where", self.where), ("Expected", self.expected), ("Found", self.found)):
            if text:
                parts.append(f"{label}: {text.rstrip('.')}.")
        if self.remedy:
            parts.append(self.remedy.rstrip(".") + ".")
        return " ".join(parts)

    def details(self) -> dict[str, object]:
        """Returns what `--json` adds to the message: nothing, unless an error has a structure to give."""
        return {}


class ListedError(SosError):
    """An error of several faults at once, each of which has a line."""

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        expected: str = "",
        found: str = "",
        remedy: str = "",
        faults: Sequence[str] = (),
    ) -> None:
        self.faults = tuple(faults)
        super().__init__(what, where=where, expected=expected, found=found, remedy=remedy)

    def paragraph(self) -> str:
        """Returns the message as one paragraph, with a line for each fault."""
        return "\n".join([super().paragraph(), *(f"  - {fault}" for fault in self.faults)])


class StudyError(ListedError):
    """The command line or the study file asks for something that cannot be done. `faults` lists every one."""

    exit_code = 2


class QualityGateError(SosError):
    """A data-quality expectation of severity error failed: the run stops before it makes numbers of bad data.

    `lines` follow the paragraph, for a person; `findings` are the same for a program.
    """

    exit_code = 3

    def __init__(
        self,
        what: str,
        *,
        where: str = "",
        expected: str = "",
        found: str = "",
        remedy: str = "",
        lines: Sequence[str] = (),
        findings: Sequence[Mapping[str, object]] = (),
    ) -> None:
        self.lines, self.findings = tuple(lines), tuple(findings)
        super().__init__(what, where=where, expected=expected, found=found, remedy=remedy)

    def paragraph(self) -> str:
        """Returns the message as one paragraph, and its lines."""
        return "\n".join([super().paragraph(), *self.lines])

    def details(self) -> dict[str, object]:
        """Returns the findings."""
        return {"findings": list(self.findings)} if self.findings else {}


class InputError(SosError):
    """An input is missing, corrupt or contradicts itself."""

    exit_code = 4


class ConflictError(SosError):
    """Another run holds, or has changed, what this one needs."""

    exit_code = 5


class DisclosureError(ListedError):
    """Disclosure control refused a release."""

    exit_code = 6


class EnvironmentFaultError(SosError):
    """The machine lacks something: Java, Delta's jars, a key file, permissions."""

    exit_code = 7


class SourceFaultError(Exception):
    """Raised by a worker process at a file of the source. Its one line passes through Spark to `fault_in_worker`."""

    def __init__(self, name: str, found: str) -> None:
        super().__init__(f"{_MARK}{json.dumps({'name': name, 'found': found})}")
        self.name, self.found = name, found

    def __reduce__(self) -> tuple[type[SourceFaultError], tuple[str, str]]:
        """From one process to another it goes by what it was made of."""
        return type(self), (self.name, self.found)


_MARK = "sos_spark source fault: "
_JOIN_MARK = "sos_spark join fault: "


def join_fault(right: str, on: Sequence[str]) -> str:
    """Returns what Spark is to raise where a join finds several rows for one key; `fault_in_worker` reads it."""
    return f"{_JOIN_MARK}{json.dumps({'right': right, 'on': list(on)})}"


def fault_in_worker(message: str) -> SosError | None:
    """Returns the typed error of what a worker raised, from a message that holds it; None where it holds none."""
    for line in message.splitlines():
        for mark, typed in ((_MARK, _source_fault), (_JOIN_MARK, _join_fault)):
            _, found, told = line.partition(mark)
            if found:
                try:
                    # Spark adds words of its own to what it was told to raise.
                    return typed(json.JSONDecoder().raw_decode(told)[0])
                except (ValueError, KeyError, TypeError):
                    return None
    return None


def source_fault(name: str, found: str) -> InputError:
    """Returns the error of a file of the source that is another than it was."""
    return InputError(
        "A source file cannot be read",
        where=name,
        expected="the file that was looked at, to its end",
        found=found,
        remedy="See that nothing writes to the source, and give the same command again",
    )


def _source_fault(fault: Mapping[str, object]) -> InputError:
    return source_fault(str(fault["name"]), str(fault["found"]))


def _join_fault(fault: Mapping[str, Any]) -> InputError:
    return InputError(
        "A join would multiply rows",
        where=str(fault["right"]),
        expected=f"one row per {', '.join(fault['on'])}",
        found="several",
        remedy="Run the step that makes it again; if it stays so, it is a fault of ours: report it",
    )


_MOST_POSITIONS = 8


def shown_name(name: str, position: int, declared: Iterable[str], *, kind: str = "column") -> str:
    """Returns what a message may say of a name that was read from a file.

    A name that a file gives may be anything, a child's postcode among them: the first line of a file without a header
    is a record. So only a declared name is ever said: the one it is, or, after its position, the one it is a slip of
    the pen away from.

    Args:
        name: The name as read; never repeated.
        position: Its place in the file, from 1.
        declared: The names this project declares.
        kind: What the name is of.
    """
    wanted = name.strip().casefold()
    nearest = None
    for known in declared:
        if known.casefold() == wanted:
            return known
        if nearest is None and _is_slip(wanted, known.casefold()):
            nearest = known
    return f"{kind} {position}" + (f" (like {nearest})" if nearest else "")


def shown_list(texts: Sequence[str]) -> str:
    """Returns what `shown_name` gave, as a list that stays short."""
    more = len(texts) - _MOST_POSITIONS
    return ", ".join(texts[:_MOST_POSITIONS]) + (f" and {more} more" if more > 0 else "")


def _is_slip(name: str, known: str) -> bool:
    """Returns whether a name is a declared one but for a letter, or two of a long one."""
    allowed = 0 if len(known) < 4 else 1 if len(known) < 8 else 2
    if not allowed or abs(len(name) - len(known)) > allowed:
        return False
    row = list(range(len(known) + 1))
    for i, letter in enumerate(name, start=1):
        above, row[0] = row[0], i
        for j, other in enumerate(known, start=1):
            above, row[j] = row[j], min(row[j] + 1, row[j - 1] + 1, above + (letter != other))
    return row[-1] <= allowed
