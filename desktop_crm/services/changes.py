"""What an operation changed, as facts; every open view decides itself whether to refresh."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final


class ChangeKind(StrEnum):
    """What happened to records."""

    CREATED = "created"
    UPDATED = "updated"
    DELETED = "deleted"
    RESTORED = "restored"


@dataclass(frozen=True, slots=True)
class Changed:
    """Records of one entity that one operation changed in one way."""

    entity: str
    ids: frozenset[int]
    kind: ChangeKind
    fields: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class ChangeSet:
    """Everything one operation changed.

    Attributes:
        operation: Its uid in the audit trail; empty for work that left none.
        changes: One entry for each entity and kind.
        left: Records that an undo left as they are, because somebody changed them meanwhile.
    """

    operation: str = ""
    changes: tuple[Changed, ...] = ()
    left: int = 0

    def __bool__(self) -> bool:
        """Whether anything changed."""
        return bool(self.changes)

    def merge(self, other: ChangeSet) -> ChangeSet:
        """Join two reports; equal entity and kind become one entry."""
        found: dict[tuple[str, ChangeKind], Changed] = {}
        for change in (*self.changes, *other.changes):
            key = (change.entity, change.kind)
            known = found.get(key)
            found[key] = (
                change
                if known is None
                else Changed(
                    change.entity, known.ids | change.ids, change.kind, known.fields | change.fields
                )
            )
        return ChangeSet(
            self.operation or other.operation, tuple(found.values()), self.left + other.left
        )

    def ids(self, entity: str) -> frozenset[int]:
        """Ids of all changed records of an entity."""
        return frozenset(i for c in self.changes if c.entity == entity for i in c.ids)

    def touches(self, *entities: str) -> bool:
        """Whether records of one of these entities changed."""
        return any(change.entity in entities for change in self.changes)


NOTHING: Final = ChangeSet()
