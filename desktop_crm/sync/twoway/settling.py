"""After the journal: what was written stands on both sides, what was refused is not repeated."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.core.identity import new_uid
from desktop_crm.meta import registry
from desktop_crm.models import MailboxItem, OutboxItem
from desktop_crm.models.mail import ItemState
from desktop_crm.models.outbox import OPEN, OutboxState
from desktop_crm.services import writer
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.drafts import Draft, Work
from desktop_crm.services.records_kept import delete_rows
from desktop_crm.sync import lease, outbox_rows
from desktop_crm.sync.mapping import plain
from desktop_crm.sync.port import ContactItem, MeetingItem, TaskItem
from desktop_crm.sync.twoway import rows, shown, strikes
from desktop_crm.sync.twoway.fields import Frame, TwoWayItem, stamp
from desktop_crm.sync.twoway.incoming import differs
from desktop_crm.sync.twoway.kinds import TABLES, Kind, fields_of_item, fields_of_record, kind_of
from desktop_crm.sync.twoway.merge import Base, base_of, written
from desktop_crm.sync.twoway.pairing import CONTACT, TASK
from desktop_crm.sync.twoway.rows import Held
from desktop_crm.sync.writes import Delete, Image, Ref, Save, Vanished, WritableMailbox

_log = logging.getLogger(__name__)

_OPEN: Final = frozenset(OPEN)
_REFUSED: Final = frozenset({OutboxState.FAILED, OutboxState.CANCELLED})
_ORDER: Final = OutboxItem.__table__


@dataclass(slots=True)
class Settling:
    """Settles every row whose change is no longer on its way.

    Attributes:
        holder: name under which the lease is held.
        changes: what was written to records, for the windows.
    """

    actor: Actor
    mailbox: int
    port: WritableMailbox
    holder: str
    changes: ChangeSet = NOTHING

    def run(self) -> None:
        """Look at each ordered row; one request to the mailbox for each that was written."""
        with self.actor.db.reading() as connection:
            held = rows.ordered(connection, self.mailbox)
            states = self._states(connection, held)
        for row in held:
            state, params = states.get(row.order or 0, (OutboxState.CANCELLED, {}))
            if state in _OPEN:
                continue
            if state is OutboxState.DONE:
                self._done(row)
            elif state is OutboxState.STALE and self._outdated(row):
                continue
            else:
                self._given_up(row, struck=str(params.get("step", "")) if state in _REFUSED else "")
        self._shown()

    def _shown(self) -> None:
        """What was written to the calendar of shown meetings, or taken out of it."""
        with self.actor.db.reading() as connection:
            if not shown.awaited(connection, self.mailbox):
                return
        with self.actor.db.writing() as connection:
            lease.keep(connection, self.mailbox, self.holder, self.actor.user_id)
            shown.settle(connection, self.mailbox, self.actor.user_id)

    @staticmethod
    def _states(
        connection: Connection, held: list[Held]
    ) -> dict[int, tuple[OutboxState, Mapping[str, Any]]]:
        found: dict[int, tuple[OutboxState, Mapping[str, Any]]] = {}
        for row in held:
            order = connection.execute(
                select(_ORDER.c.state, _ORDER.c.why_params).where(_ORDER.c.id == row.order)
            ).one_or_none()
            if order is not None:
                found[row.order or 0] = (OutboxState(order.state), order.why_params or {})
        return found

    def _given_up(self, row: Held, struck: str) -> None:
        """Nothing came of it: a refused step is not tried again until its item changes."""
        by = self.actor.user_id
        with self.actor.db.writing() as connection:
            lease.keep(connection, self.mailbox, self.holder, self.actor.user_id)
            if struck:
                contact = rows.is_contact(connection, row)
                line = f"{'contact' if contact else 'activity'}:{row.record}"
                strikes.put(connection, self.mailbox, [(line, struck, "")], by)
            if row.ordered:
                delete_rows(connection, MailboxItem, "id", [row.id])
            else:
                rows.keep(connection, row.id, {"order_id": None}, by)

    def _outdated(self, row: Held) -> bool:
        """Learn what the item says all the same, if it is there; False when nothing is known of it.

        It changed before it was written, or after it was and the answer got lost. Where it says
        what it was to say now, both sides agreed on that, whoever wrote it.
        """
        with self.actor.db.reading() as connection:
            deed, _ = outbox_rows.done(connection, row.order or 0)
            kept = outbox_rows.image_of(connection, row.order or 0)
        before = base_of(row.base)
        if not isinstance(deed, Save) or before is None:
            return False
        try:
            now = self.port.image(Ref(row.folder, row.item_key)).item
        except Vanished:
            return False
        if not isinstance(now, MeetingItem | TaskItem | ContactItem):
            return False
        kind, by = kind_of(deed.item), self.actor.user_id
        gave, stands = fields_of_item(deed.item), fields_of_item(now)
        came = {
            one.name: gave[one.name]
            for one in TABLES[kind].fields
            if one.name in gave
            and one.name in stands
            and one.same(gave[one.name], stands[one.name])
        }
        with self.actor.db.writing() as connection:
            lease.keep(connection, self.mailbox, self.holder, by)
            record = rows.records(connection, kind, [row.record or 0]).get(row.record or 0)
            if record is None:
                return False
            local = fields_of_record(kind, record, Frame(self.actor.zone, self.actor.language))
            base = written(kind, before, local, _seen(row, deed.item, kept), came)
            open_ = differs(kind, base.stored(), stands)
            values = {"base": base.stored(), "seen": stands if open_ else None, "order_id": None}
            rows.keep(connection, row.id, values, by)
        return True

    def _done(self, row: Held) -> None:
        with self.actor.db.reading() as connection:
            deed, place = outbox_rows.done(connection, row.order or 0)
            kept = outbox_rows.image_of(connection, row.order or 0)
        if isinstance(deed, Delete) or place is None or not isinstance(deed, Save):
            gone = isinstance(deed, Delete) and deed.occurrence is None
            values = {"order_id": None, **({"state": ItemState.GONE.value} if gone else {})}
            with self.actor.db.writing() as connection:
                lease.keep(connection, self.mailbox, self.holder, self.actor.user_id)
                rows.keep(connection, row.id, values, self.actor.user_id)
            return
        image: Image | None
        try:
            image = self.port.image(place)
        except Vanished:
            image = None
        with self.actor.db.writing() as connection:
            lease.keep(connection, self.mailbox, self.holder, self.actor.user_id)
            seen = _seen(row, deed.item, kept)
            self._written(connection, row, deed.item, seen, image, place)

    def _written(
        self,
        connection: Connection,
        row: Held,
        item: TwoWayItem,
        seen: Mapping[str, Any],
        image: Image | None,
        place: Ref,
    ) -> None:
        kind, by = kind_of(item), self.actor.user_id
        record = rows.records(connection, kind, [row.record or 0]).get(row.record or 0)
        if record is None:
            rows.keep(connection, row.id, {"order_id": None}, by)
            return
        frame = Frame(self.actor.zone, self.actor.language)
        local = fields_of_record(kind, record, frame)
        before = base_of(row.base)
        gave = fields_of_item(item)
        base = written(kind, before, local, seen, gave)
        values: dict[str, Any] = {"order_id": None, "change_key": None}
        now: TwoWayItem | None = None
        if image is not None and isinstance(image.item, MeetingItem | TaskItem | ContactItem):
            now = image.item
        if now is None:
            values["state"] = ItemState.GONE.value
        else:
            stands = fields_of_item(now)
            unchanged = image is not None and image.ref.change_key == place.change_key
            if unchanged and not _moved_on(gave, stands):
                base = _as_kept(kind, base, gave, stands)
            open_ = differs(kind, base.stored(), stands)
            values |= {
                "state": ItemState.STORED.value,
                "seen": stands if open_ else None,
                "identity": _identity(now),
                "item_key": plain(place.item_id, 1_000),
            }
        self._tell_uid(connection, record, now)
        version = rows.records(connection, kind, [record["id"]])[record["id"]]["version"]
        # One that was deleted here while it was on its way out counts as changed.
        equal = record.get("deleted_at") is None and all(
            one.same(local[one.name], base.local.get(one.name))
            for one in TABLES[kind].fields
            if one.name in local
        )
        values |= {"base": base.stored(), "record_version": version if equal else 0}
        rows.keep(connection, row.id, values, by)

    def _tell_uid(
        self, connection: Connection, record: Mapping[str, Any], item: TwoWayItem | None
    ) -> None:
        """Keep the identity the mailbox gave a meeting: it is known by it from now on (R33).

        Microsoft 365 takes no other than its own. The changed occurrences of a series go along.
        """
        before = record.get("ical_uid")
        if not isinstance(item, MeetingItem) or before == plain(item.uid, 490):
            return
        keys = [record["id"]]
        if before and not record.get("recurrence_id"):
            family = rows.occurrences_of(connection, before, record["owner_id"])
            keys += [one["id"] for one in family if one["id"] != record["id"]]
        work = Work(self.actor, connection, registry.get("activity"), new_uid(), None, "sync")
        drafts = []
        for key, found in writer.load(work, keys).items():
            draft = Draft(key, found["version"], found, {})
            writer.fill(work, draft, {"ical_uid": plain(item.uid, 490)})
            drafts.append(draft)
        self.changes = self.changes.merge(writer.write(work, drafts))


def _seen(row: Held, item: TwoWayItem, kept: Image | None) -> Mapping[str, Any]:
    """What the mailbox said before an item was written.

    What was read since may be what was written already: what was kept before the first try counts.
    """
    before = kept.item if kept is not None else None
    if isinstance(before, MeetingItem | TaskItem | ContactItem) and (
        _identity(before) == _identity(item)
    ):
        return fields_of_item(before)
    base = base_of(row.base)
    return row.seen or (base.mailbox if base else {})


def _moved_on(gave: Mapping[str, Any], stands: Mapping[str, Any]) -> bool:
    """Whether a recurring task that was said to be done stands open again, at its next date."""
    done = gave.get("status") == "completed" and bool(gave.get("rule"))
    return done and stands.get("status") != "completed"


def _as_kept(kind: Kind, base: Base, gave: Mapping[str, Any], stands: Mapping[str, Any]) -> Base:
    """The base with each value that was given in the form in which the mailbox keeps it."""
    mailbox = dict(base.mailbox)
    for one in TABLES[kind].fields:
        name = one.name
        if (
            name in mailbox
            and name in gave
            and name in stands
            and one.same(mailbox[name], gave[name])
        ):
            mailbox[name] = stands[name]
    return Base(base.local, mailbox)


def _identity(item: TwoWayItem) -> str:
    if isinstance(item, MeetingItem):
        occurrence = stamp(item.recurrence_id) if item.recurrence_id else ""
        return f"{plain(item.uid, 490)}|{occurrence}"
    return plain(f"{CONTACT if isinstance(item, ContactItem) else TASK}{item.uid}", 560)
