"""A complete mailbox in memory, with faults on demand; engine and outbox are tried on it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from desktop_crm.sync.deed_form import refuse_unable
from desktop_crm.sync.formats import mime
from desktop_crm.sync.port import (
    BATCH_LIMIT,
    Batch,
    Change,
    ChangeKind,
    Flag,
    Folder,
    FolderRole,
    Item,
    MailItem,
    MeetingItem,
    Quarantined,
    Step,
    TokenInvalid,
)
from desktop_crm.sync.writes import (
    Ability,
    Answer,
    BusyTime,
    Deed,
    Delete,
    Image,
    MakeFolder,
    Mark,
    Move,
    Notify,
    PutBack,
    Ref,
    Save,
    SaveDraft,
    Send,
    Stale,
    Vanished,
    Written,
)

INBOX = Folder("Inbox", "Inbox", FolderRole.INBOX)
SENT = Folder("Sent Items", "Sent Items", FolderRole.SENT)
CALENDAR = Folder("Calendar", "Calendar", FolderRole.CALENDAR)
DRAFTS = Folder("Drafts", "Drafts", FolderRole.DRAFTS)
TASKS = Folder("Tasks", "Tasks", FolderRole.TASKS)
CONTACTS = Folder("Contacts", "Contacts", FolderRole.CONTACTS)
ARCHIVE = Folder("Archive", "Archive", FolderRole.ARCHIVE)
OTHERS: Final = (DRAFTS, ARCHIVE, TASKS, CONTACTS)


@dataclass(frozen=True, slots=True)
class _Held:
    """One item as it stands: what it says, its version, its marks and whose deed made it so."""

    item: Item
    version: int = 1
    own_key: str = ""
    raw: bytes = b""
    is_read: bool = True
    flag: Flag = Flag.NONE
    categories: tuple[str, ...] = ()


@dataclass(slots=True)
class _Event:
    """One entry of a folder's journal."""

    kind: ChangeKind
    item_id: str
    held: _Held | None = None
    problem: Quarantined | None = None

    @property
    def made_by(self) -> str:
        """Key of the deed that made the item: servers name what they are told to make by it."""
        new = self.kind is ChangeKind.CREATE and self.held is not None
        return self.held.own_key if new and self.held is not None else ""

    def change(self) -> Change:
        """As the port tells it."""
        held = self.held
        if held is None:
            return Change(self.kind, self.item_id)
        marks = self.kind is ChangeKind.MARKS
        return Change(
            self.kind,
            self.item_id,
            None if marks else held.item,
            change_key=str(held.version),
            is_read=held.is_read if marks else None,
            flag=held.flag if marks else None,
            categories=held.categories if marks else None,
        )


@dataclass(slots=True)
class _Box:
    """One folder: what is in it now and everything that ever happened in it."""

    items: dict[str, _Held] = field(default_factory=dict)
    broken: dict[str, Quarantined] = field(default_factory=dict)
    journal: list[_Event] = field(default_factory=list)
    generation: int = 0

    def as_it_stands(self, event: _Event) -> _Event | None:
        """An event with its item as it is now, as servers tell it; None once it is gone."""
        if event.held is None:
            return event
        held = self.items.get(event.item_id)
        return None if held is None else replace(event, held=held)


class MemoryMailbox:
    """Folders of items whose changes are numbered, as a server would do it.

    Args:
        folders: what is read of it.
        fault: called before each call with its name; what it raises is the fault, and nothing
            was done.
        after: called with a deed once it is done; what it raises is a lost answer.
        others: folders that are written to and moved to, and not read by themselves.
        abilities: what can be asked for.

    Attributes:
        delivered: every message that left, in order.
        told: every deed whose other participants were told, with whom.
        busy: busy times by address, for :meth:`free_busy`.
        keeps_keys: whether an item somebody else changes still carries the key of the deed that
            wrote it last, as on Exchange and Microsoft 365; many calendars of phones drop it.
    """

    def __init__(
        self,
        folders: Sequence[Folder] = (INBOX, SENT, CALENDAR),
        fault: Callable[[str], None] | None = None,
        after: Callable[[Deed], None] | None = None,
        others: Sequence[Folder] = OTHERS,
        abilities: frozenset[Ability] = frozenset(Ability),
    ) -> None:
        self._folders = tuple(folders)
        self._all = (*self._folders, *(f for f in others if f not in self._folders))
        self._boxes = {folder.key: _Box() for folder in self._all}
        self._fault = fault
        self._after = after
        self._abilities = abilities
        self._next = 0
        self.calls = 0
        self.delivered: list[Send] = []
        self.told: list[tuple[str, Notify]] = []
        self.busy: dict[str, tuple[BusyTime, ...]] = {}
        self.keeps_keys = True

    # --- behind the program's back --------------------------------------------------------

    def put(self, folder: Folder, item: Item, item_id: str = "", raw: bytes = b"") -> str:
        """Add an item, with its bytes if it has any, or change the one of that id; its id."""
        known = self._boxes[folder.key].items.get(item_id)
        own_key = known.own_key if known is not None and self.keeps_keys else ""
        return self._put(folder.key, _Held(item, own_key=own_key, raw=raw), item_id)

    def put_broken(self, folder: Folder, problem: Quarantined) -> None:
        """Add an item that cannot be read."""
        box = self._boxes[folder.key]
        box.broken[problem.item_id] = problem
        box.journal.append(_Event(ChangeKind.CREATE, problem.item_id, problem=problem))

    def remove(self, folder: Folder, item_id: str) -> None:
        """Delete an item."""
        self._remove(folder.key, item_id)

    def move(self, source: Folder, target: Folder, item_id: str) -> str:
        """Move an item; as on Exchange it gets a new id, and both folders report it."""
        held = self._remove(source.key, item_id)
        return self._put(target.key, held)

    def held(self, folder: Folder) -> dict[str, Item]:
        """What lies in a folder, by id."""
        return {key: held.item for key, held in self._boxes[folder.key].items.items()}

    def forget_tokens(self) -> None:
        """Make every token handed out so far invalid."""
        for box in self._boxes.values():
            box.generation += 1

    def _put(self, folder: str, held: _Held, item_id: str = "") -> str:
        box = self._boxes[folder]
        before = box.items.get(item_id)
        if before is None:
            self._next += 1
        key = item_id or f"item-{self._next}"
        version = held.version if before is None else before.version + 1
        box.items[key] = replace(held, version=version)
        box.broken.pop(key, None)
        kind = ChangeKind.CREATE if before is None else ChangeKind.UPDATE
        box.journal.append(_Event(kind, key, box.items[key]))
        return key

    def _remove(self, folder: str, item_id: str) -> _Held:
        box = self._boxes[folder]
        held = box.items.pop(item_id)
        box.journal.append(_Event(ChangeKind.DELETE, item_id))
        return held

    # --- reading --------------------------------------------------------------------------

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
        told = box.journal[start : start + limit]
        end = start + len(told)
        events = [now for event in told if (now := box.as_it_stands(event)) is not None]
        return Batch(
            tuple(e.change() for e in events if e.problem is None),
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

    # --- writing --------------------------------------------------------------------------

    @property
    def abilities(self) -> frozenset[Ability]:
        """Those given at construction; everything by default."""
        return self._abilities

    def all_folders(self) -> Sequence[Folder]:
        """The folders that are read and the others."""
        self._trouble("all_folders")
        return self._all

    def find(self, deed: Deed) -> Written | None:
        """The item that carries the deed's key."""
        self._trouble("find")
        if isinstance(deed, Mark | Move | Delete | Answer):
            return None
        if isinstance(deed, MakeFolder):
            return self._folder_like(deed)
        for folder, box in self._boxes.items():
            made = {one.item_id for one in box.journal if one.made_by == deed.own_key}
            for key, held in box.items.items():
                if held.own_key == deed.own_key or key in made:
                    return self._written(folder, key)
        return None

    def image(self, ref: Ref) -> Image:
        """The item with its marks, and its bytes if it came with any."""
        self._trouble("image")
        held = self._held(ref)
        place = replace(ref, change_key=str(held.version))
        return Image(place, held.item, held.raw, held.is_read, held.flag, held.categories)

    def do(self, deed: Deed) -> Written:
        """Do it, and let the answer be lost where `after` says so."""
        self._trouble("do")
        refuse_unable(self._abilities, deed)
        written = self._done(deed)
        if isinstance(deed, Save | Delete | Answer) and deed.notify is not Notify.NOBODY:
            self.told.append((deed.own_key, deed.notify))
        if self._after is not None:
            self._after(deed)
        return written

    def _done(self, deed: Deed) -> Written:
        match deed:
            case Send() | SaveDraft():
                return self._post(deed)
            case Save():
                return self._save(deed)
            case Mark():
                return self._mark(deed)
            case Move():
                return self._move(deed)
            case Delete():
                return self._delete(deed)
            case Answer():
                held = self._held(deed.ref, fresh=True)
                assert isinstance(held.item, MeetingItem)  # noqa: S101  nothing else is answered
                item = replace(held.item, my_response=deed.response)
                return self._change(deed.ref, replace(held, item=item))
            case PutBack():
                return self._put_back(deed)
            case MakeFolder():
                return self._make_folder(deed)

    def free_busy(
        self, addresses: Sequence[str], start: datetime, end: datetime
    ) -> Mapping[str, tuple[BusyTime, ...] | None]:
        """What :attr:`busy` says, cut to the period."""
        self._trouble("free_busy")
        return {
            address: None
            if address not in self.busy
            else tuple(b for b in self.busy[address] if b.start < end and b.end > start)
            for address in addresses
        }

    def _post(self, deed: Send | SaveDraft) -> Written:
        draft = isinstance(deed, SaveDraft)
        item = replace(mime.read_message(deed.mime), own_key=deed.own_key, is_draft=draft)
        held = _Held(item, own_key=deed.own_key, raw=deed.mime)
        if isinstance(deed, Send):
            self.delivered.append(deed)
            return self._written(SENT.key, self._put(SENT.key, held))
        if deed.ref is None:
            return self._written(DRAFTS.key, self._put(DRAFTS.key, held))
        self._held(deed.ref)
        return self._change(deed.ref, held)

    def _save(self, deed: Save) -> Written:
        held = _Held(deed.item, own_key=deed.own_key)
        if deed.ref is None:
            self._box(deed.folder)
            return self._written(deed.folder, self._put(deed.folder, held))
        known = self._held(deed.ref, fresh=True)
        if isinstance(deed.item, MeetingItem) and deed.item.recurrence_id is not None:
            key = f"{deed.ref.item_id}@{deed.item.recurrence_id.isoformat()}"
            return self._written(deed.ref.folder, self._put(deed.ref.folder, held, key))
        return self._change(deed.ref, replace(known, item=deed.item, own_key=deed.own_key, raw=b""))

    def _mark(self, deed: Mark) -> Written:
        held = self._held(deed.ref)
        marked = replace(
            held,
            version=held.version + 1,
            is_read=held.is_read if deed.is_read is None else deed.is_read,
            flag=held.flag if deed.flag is None else deed.flag,
            categories=held.categories if deed.categories is None else deed.categories,
        )
        if not isinstance(held.item, MailItem) and deed.categories is not None:
            # Elsewhere than in mail categories are content.
            marked = replace(marked, item=replace(held.item, categories=deed.categories))
            return self._change(deed.ref, marked)
        box = self._boxes[deed.ref.folder]
        box.items[deed.ref.item_id] = marked
        box.journal.append(_Event(ChangeKind.MARKS, deed.ref.item_id, marked))
        return self._written(deed.ref.folder, deed.ref.item_id)

    def _move(self, deed: Move) -> Written:
        self._held(deed.ref)
        self._box(deed.folder)
        held = self._remove(deed.ref.folder, deed.ref.item_id)
        return self._written(deed.folder, self._put(deed.folder, held))

    def _delete(self, deed: Delete) -> Written:
        held = self._held(deed.ref, fresh=True)
        if deed.occurrence is None:
            self._remove(deed.ref.folder, deed.ref.item_id)
            for key in list(self._boxes[deed.ref.folder].items):
                if key.startswith(f"{deed.ref.item_id}@"):
                    self._remove(deed.ref.folder, key)
            return Written(None)
        series = held.item
        assert isinstance(series, MeetingItem)  # noqa: S101  nothing else has occurrences
        changed = f"{deed.ref.item_id}@{deed.occurrence.isoformat()}"
        if changed in self._boxes[deed.ref.folder].items:
            self._remove(deed.ref.folder, changed)
        item = replace(series, exdates=(*series.exdates, deed.occurrence))
        return self._change(deed.ref, replace(held, item=item))

    def _put_back(self, deed: PutBack) -> Written:
        image = deed.image
        self._box(image.ref.folder)
        item = image.item
        if isinstance(item, MailItem) and image.raw:
            item = mime.read_message(image.raw)
        held = _Held(
            item,
            own_key=deed.own_key,
            raw=image.raw,
            is_read=image.is_read,
            flag=image.flag,
            categories=image.categories,
        )
        return self._written(image.ref.folder, self._put(image.ref.folder, held))

    def _folder_like(self, deed: MakeFolder) -> Written | None:
        alike = (f for f in self._all if f.role is deed.role and f.name == deed.name)
        return next((Written(Ref(folder.key, "")) for folder in alike), None)

    def _make_folder(self, deed: MakeFolder) -> Written:
        found = self._folder_like(deed)
        if found is not None:
            return found
        made = Folder(f"{deed.role.value}/{deed.name}", deed.name, deed.role)
        self._all = (*self._all, made)
        self._boxes[made.key] = _Box()
        return Written(Ref(made.key, ""))

    def _held(self, ref: Ref, *, fresh: bool = False) -> _Held:
        held = self._box(ref.folder).items.get(ref.item_id)
        if held is None:
            raise Vanished(ref.item_id)
        if fresh and ref.change_key and ref.change_key != str(held.version):
            raise Stale(ref.item_id)
        return held

    def _box(self, folder: str) -> _Box:
        if folder not in self._boxes:
            raise Vanished(folder)
        return self._boxes[folder]

    def _change(self, ref: Ref, held: _Held) -> Written:
        return self._written(ref.folder, self._put(ref.folder, held, ref.item_id))

    def _written(self, folder: str, key: str) -> Written:
        held = self._boxes[folder].items[key]
        return Written(Ref(folder, key, str(held.version)), held.item)

    def _trouble(self, call: str) -> None:
        self.calls += 1
        if self._fault is not None:
            self._fault(call)
