"""Records on their way to the database: what stands, what is wanted, what is wrong."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Protocol

from sqlalchemy import Connection

from desktop_crm.core.errors import FieldError, ValidationFailed
from desktop_crm.meta.bound import Entity
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor


@dataclass(slots=True)
class Draft:
    """One record while it is being saved.

    Attributes:
        id: Key; None until a new record is written.
        version: Version that stands in the database, 0 for a new record.
        old: Stored values by field name; empty for a new record.
        new: Wanted values that differ from the old ones.
        lines: Wanted child rows by lines field.
        beside: Rows that the caller writes itself right after, by lines field or as "links";
            those of lines are only searched with the record.
        errors: What is wrong; any error stops the whole operation.
        line_of: ``(field, row)`` in the parent's form, for the messages of child rows.
        line_changes: Lines fields whose rows changed, with the rows before and after in words.
    """

    id: int | None
    version: int
    old: dict[str, Any]
    new: dict[str, Any]
    lines: dict[str, list[dict[str, Any]]] = field(default_factory=dict)
    beside: dict[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    errors: list[FieldError] = field(default_factory=list)
    line_of: tuple[str, int] | None = None
    line_changes: dict[str, tuple[str, str]] = field(default_factory=dict)

    @property
    def is_new(self) -> bool:
        """Whether the record is being created."""
        return not self.old

    def get(self, name: str) -> Any:  # noqa: ANN401  any kind of field
        """Value the record will have."""
        return self.new[name] if name in self.new else self.old.get(name)

    def set(self, name: str, value: Any) -> None:  # noqa: ANN401  any kind of field
        """Want a value, or no longer want a change when it is the old one."""
        if name in self.old and self.old[name] == value:
            self.new.pop(name, None)
        else:
            self.new[name] = value

    def changes(self, name: str) -> bool:
        """Whether the field is going to change; a new record changes what it sets."""
        return name in self.new

    def fail(self, name: str, template: str, /, **params: object) -> None:
        """Note what is wrong with a field."""
        if self.line_of is not None:
            lines, row = self.line_of
            self.errors.append(FieldError(f"{lines}.{name}", template, tuple(params.items()), row))
        else:
            self.errors.append(FieldError(name, template, tuple(params.items())))


def refuse_wrong(drafts: Sequence[Draft]) -> None:
    """Refuse the whole operation when anything is wrong with one of its drafts.

    Raises:
        ValidationFailed: With every fault of every draft, and whose it is.
    """
    wrong = [draft for draft in drafts if draft.errors]
    if not wrong:
        return
    own = all(draft.id is not None and draft.line_of is None for draft in wrong)
    by_record = {draft.id or 0: tuple(draft.errors) for draft in wrong} if own else None
    raise ValidationFailed(tuple(e for draft in wrong for e in draft.errors), by_record)


@dataclass(frozen=True, slots=True)
class Work:
    """One writing operation, handed to rules.

    Attributes:
        actor: Who acts.
        connection: The open transaction.
        entity: Entity of the drafts.
        operation: Uid of the operation in the audit trail.
        batch: Import batch, or None.
        source: Way in: ``window``, ``import``, ``sync`` and so on.
        undoes: Operation this one takes back, or None.
    """

    actor: Actor
    connection: Connection
    entity: Entity
    operation: str
    batch: int | None
    source: str
    undoes: str | None = None


class Rule(Protocol):
    """Business rule over the drafts of one operation; called once for all of them."""

    def __call__(self, work: Work, drafts: Sequence[Draft]) -> ChangeSet | None:
        """Complete or refuse the drafts; costs a fixed number of statements.

        Returns:
            What it changed in other records, None when nothing.
        """


@dataclass(frozen=True, slots=True)
class Rules:
    """Rules of one entity.

    Attributes:
        before: Before the rows are written.
        after: After the rows are written.
        put_back: After an operation was taken back; for rows that are kept in step without an
            audit entry of their own.
        before_remove: Before records are put into the bin; drafts without changes.
        before_purge: Before records of the bin are deleted for good; drafts without changes. What
            fails stays in the bin.
        after_remove: After records were put into the bin or taken back from it.
    """

    before: tuple[Rule, ...] = ()
    after: tuple[Rule, ...] = ()
    put_back: tuple[Rule, ...] = ()
    before_remove: tuple[Rule, ...] = ()
    before_purge: tuple[Rule, ...] = ()
    after_remove: tuple[Rule, ...] = ()
