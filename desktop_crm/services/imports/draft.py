"""The steps between a file's row and a record, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeAlias

from desktop_crm.core.errors import ConflictField


class Unset(StrEnum):
    """A field that a file empties on purpose (R56)."""

    CLEAR = "<clear>"


@dataclass(frozen=True, slots=True)
class LinkText:
    """A link as it stands in the file, not yet looked up."""

    text: str


@dataclass(frozen=True, slots=True)
class NewRecord:
    """A record that the import makes because a file names it: a team, a stage."""

    entity: str
    title: str


@dataclass(frozen=True, slots=True)
class RowRef:
    """The record of another row of the same file, by its place among the rows."""

    position: int


Resolution: TypeAlias = int | NewRecord | RowRef | None
"""What a link's text leads to; None leaves the field empty."""


@dataclass(frozen=True, slots=True)
class CellProblem:
    """One sentence about one value of a row.

    Attributes:
        field: Field name; empty when the row as a whole is meant.
        column: Header of the file's column; empty when there is none.
        message: The sentence, translated.
    """

    field: str
    column: str
    message: str


@dataclass(slots=True)
class Draft:
    """One row, read into the fields it may set.

    Attributes:
        number: Line, row or card in the file.
        position: Place among the rows of the file, from 0.
        values: Field to value; a field that the file leaves empty is absent.
        problems: Why the row cannot be taken.
        uid: Identity of the record, in our own workbooks.
        version: Version that was exported; 0 in foreign files.
        base: Exported text of each changed cell, by field; empty in foreign files.
    """

    number: int
    position: int
    values: dict[str, object] = field(default_factory=dict)
    problems: list[CellProblem] = field(default_factory=list)
    uid: str = ""
    version: int = 0
    base: dict[str, str] = field(default_factory=dict)


class Outcome(StrEnum):
    """What an import does with a row."""

    CREATE = "create"
    UPDATE = "update"
    SAME = "same"
    CONFLICT = "conflict"
    ERROR = "error"
    MISSING = "missing"


REJECTED: Final = frozenset({Outcome.CONFLICT, Outcome.ERROR, Outcome.MISSING})
"""Outcomes that change nothing and are reported row by row."""


@dataclass(slots=True)
class PlannedRow:
    """One row of the plan.

    Attributes:
        number: Line, row or card in the file.
        position: Place among the rows of the file, from 0.
        outcome: What will be done.
        title: What the row is about, for a person.
        values: Fields to write; links may be :class:`NewRecord` or :class:`RowRef`.
        record_id: The record it belongs to; None for new ones.
        version: That record's version when it was compared.
        base: Field to the value the writer saw, for the three-way save.
        problems: Why the row is not taken, or what in it is not.
        conflicts: Fields changed here and in the database; ``mine`` is the file's value.
        alike: Which record a new row may be, and why; empty: none is known.
        instead: What will be done when a person says that it is that record.
    """

    number: int
    position: int
    outcome: Outcome
    title: str = ""
    values: dict[str, object] = field(default_factory=dict)
    record_id: int | None = None
    version: int | None = None
    base: dict[str, object] = field(default_factory=dict)
    problems: tuple[CellProblem, ...] = ()
    conflicts: Mapping[str, ConflictField] = field(default_factory=dict)
    alike: str = ""
    instead: PlannedRow | None = None

    @property
    def reason(self) -> str:
        """The row's problems in one text, and which record it may be."""
        return " ".join(part for part in (self.alike, self._problems) if part)

    @property
    def _problems(self) -> str:
        return " ".join(
            f"{p.column}: {p.message}" if p.column else p.message for p in self.problems
        )


class NoticeKind(StrEnum):
    """What a sentence about the whole file is about."""

    FILE = "file"
    READING = "reading"
    NOT_FOUND = "not_found"
    AMBIGUOUS = "ambiguous"
    ALIKE = "alike"
    CREATED = "created"
    KEPT = "kept"


@dataclass(frozen=True, slots=True)
class Notice:
    """One thing a person should know, said once with its count.

    Attributes:
        kind: What it is about.
        message: The sentence, translated.
        count: Rows concerned; 0 when it concerns the file.
        field: Field name; may be empty.
        text: The file's text, for values that were not found.
        suggestion: The nearest title that exists; empty when none is near.
    """

    kind: NoticeKind
    message: str
    count: int = 0
    field: str = ""
    text: str = ""
    suggestion: str = ""
