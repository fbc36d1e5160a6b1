"""A complete mailbox in memory, with faults on demand; the engine is tried on it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from desktop_crm.sync.port import (
    BATCH_LIMIT,
    Batch,
    Change,
    ChangeKind,
    Folder,
    FolderRole,
    Item,
    Quarantined,
    Step,
    TokenInvalid,
)

INBOX = Folder("Inbox", "Inbox", FolderRole.INBOX)
SENT = Folder("Sent Items", "Sent Items", FolderRole.SENT)
CALENDAR = Folder("Calendar", "Calendar", FolderRole.CALENDAR)


@dataclass(slots=True)
class _Event:
    """One entry of a folder's journal."""

    kind: ChangeKind
    item_id: str
    item: Item | None = None
    problem: Quarantined | None = None


@dataclass(slots=True)
class _Box:
    """One folder: what is in it now and everything that ever happened in it."""

    items: dict[str, Item] = field(default_factory=dict)
    broken: dict[str, Quarantined] = field(default_factory=dict)
    journal: list[_Event] = field(default_factory=list)
    generation: int = 0


class MemoryMailbox:
    """Folders of items whose changes are numbered, as a server would do it.

    Args:
        folders: what it consists of.
        fault: called before each call with its name; what it raises is the fault.
    """

    def __init__(
        self,
        folders: Sequence[Folder] = (INBOX, SENT, CALENDAR),
        fault: Callable[[str], None] | None = None,
    ) -> None:
        self._folders = tuple(folders)
        self._boxes = {folder.key: _Box() for folder in folders}
        self._fault = fault
        self._next = 0
        self.calls = 0

    def put(self, folder: Folder, item: Item, item_id: str = "") -> str:
        """Add an item, or change the one of that id; returns its id."""
        box = self._boxes[folder.key]
        known = item_id in box.items
        self._next += 0 if known else 1
        key = item_id or f"item-{self._next}"
        box.items[key] = item
        box.broken.pop(key, None)
        kind = ChangeKind.UPDATE if known else ChangeKind.CREATE
        box.journal.append(_Event(kind, key, item))
        return key

    def put_broken(self, folder: Folder, problem: Quarantined) -> None:
        """Add an item that cannot be read."""
        box = self._boxes[folder.key]
        box.broken[problem.item_id] = problem
        box.journal.append(_Event(ChangeKind.CREATE, problem.item_id, problem=problem))

    def remove(self, folder: Folder, item_id: str) -> None:
        """Delete an item."""
        box = self._boxes[folder.key]
        del box.items[item_id]
        box.journal.append(_Event(ChangeKind.DELETE, item_id))

    def move(self, source: Folder, target: Folder, item_id: str) -> str:
        """Move an item; as on Exchange it gets a new id, and both folders report it."""
        item = self._boxes[source.key].items[item_id]
        self.remove(source, item_id)
        return self.put(target, item)

    def forget_tokens(self) -> None:
        """Make every token handed out so far invalid."""
        for box in self._boxes.values():
            box.generation += 1

    def folders(self) -> Sequence[Folder]:
        """The folders given at construction."""
        self._trouble("folders")
        return self._folders

    def changes(self, folder: Folder, token: str | None, limit: int = BATCH_LIMIT) -> Batch:
        """Changes after the token's position in the journal."""
        self._trouble("changes")
        box = self._boxes[folder.key]
        start = 0
        if token:
            generation, _, position = token.partition(":")
            if int(generation) != box.generation:
                raise TokenInvalid(token)
            start = int(position)
        events = box.journal[start : start + limit]
        end = start + len(events)
        changes = tuple(Change(e.kind, e.item_id, e.item) for e in events if e.problem is None)
        return Batch(
            changes,
            f"{box.generation}:{end}",
            end < len(box.journal),
            tuple(e.problem for e in events if e.problem is not None),
        )

    def test(self) -> Sequence[Step]:
        """Always well, unless the fault says otherwise."""
        self._trouble("test")
        return (Step("Memory", ok=True),)

    def close(self) -> None:
        """Nothing is held open."""

    def _trouble(self, call: str) -> None:
        self.calls += 1
        if self._fault is not None:
            self._fault(call)
