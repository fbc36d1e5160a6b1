"""Taking in what a mailbox reports about tasks and contacts; the pass over both sides follows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.core.i18n import N_, translate
from desktop_crm.models import MailboxItem
from desktop_crm.models.mail import ItemState
from desktop_crm.services.context import Actor
from desktop_crm.sync import remarks
from desktop_crm.sync.mapping import plain
from desktop_crm.sync.plan import collapsed
from desktop_crm.sync.port import (
    Batch,
    Change,
    ChangeKind,
    ContactItem,
    Folder,
    MeetingItem,
    TaskItem,
)
from desktop_crm.sync.results import FolderResult
from desktop_crm.sync.twoway import rows
from desktop_crm.sync.twoway.fields import is_private
from desktop_crm.sync.twoway.kinds import TABLES, Kind, fields_of_item, kind_of
from desktop_crm.sync.twoway.merge import base_of
from desktop_crm.sync.twoway.pairing import CONTACT, TASK

_ITEM: Final = MailboxItem.__table__
PRIVATE: Final = N_("It is marked as private.")


def differs(kind: Kind, base: Mapping[str, Any] | None, fields: Mapping[str, Any]) -> bool:
    """Whether an item says something else than what both sides agreed on."""
    agreed = base_of(base)
    if agreed is None or set(agreed.mailbox) != set(fields):
        return True
    return any(
        not one.same(agreed.mailbox[one.name], fields[one.name])
        for one in TABLES[kind].fields
        if one.name in fields
    )


@dataclass(slots=True)
class Incoming:
    """Notes what a folder's batches say, inside an open transaction.

    Attributes:
        result: how many items of which sort there were.
    """

    connection: Connection
    actor: Actor
    mailbox: int
    folder: Folder
    result: FolderResult = field(default_factory=lambda: FolderResult(""))

    def take(self, batch: Batch) -> FolderResult:
        """Note each item of a batch; applying it twice changes nothing."""
        keys = {plain(change.item_id, 1_000) for change in batch.changes}
        statement = select(
            _ITEM.c.id,
            _ITEM.c.item_key,
            _ITEM.c.state,
            _ITEM.c.base,
            _ITEM.c.seen,
            _ITEM.c.order_id,
        ).where(
            _ITEM.c.mailbox_id == self.mailbox,
            _ITEM.c.folder == self.folder.key,
            _ITEM.c.item_key.in_(sorted(keys)),
        )
        known = {row.item_key: row for row in self.connection.execute(statement)}
        for change in collapsed(batch.changes):
            self._one(change, known.get(plain(change.item_id, 1_000)))
        for problem in batch.quarantined:
            reason = translate(self.actor.language, problem.reason, **dict(problem.params))
            self.result.quarantined.append((problem.name or problem.item_id, reason))
        return self.result

    def _one(self, change: Change, row: Any) -> None:  # noqa: ANN401  a row
        by = self.actor.user_id
        if change.kind is ChangeKind.DELETE:
            if row is not None and row.state != ItemState.GONE.value:
                gone = {"state": ItemState.GONE.value, "seen": None}
                rows.keep(self.connection, row.id, gone, by)
                self.result.gone += 1
            return
        if not isinstance(change.item, TaskItem | ContactItem):
            self.result.unchanged += 1
            if row is not None and row.order_id is None and isinstance(change.item, MeetingItem):
                self._shown(change.item, row)
            elif row is not None and change.categories is not None:
                marks = {"categories": list(change.categories) or None}
                rows.keep(self.connection, row.id, marks, by)
            return
        values = self._values(change.item, row)
        values["categories"] = list(change.categories or change.item.categories) or None
        if row is None:
            self.result.created += 1
            self._remark(change.item, new=True)
            values |= self._moved(values.get("identity"))
            where = (self.mailbox, self.folder.key, change.item_id)
            rows.place(self.connection, where, values, by)
            return
        changed = values["seen"] not in (None, row.seen)
        self._remark(change.item, new=changed)
        self.result.updated += int(changed)
        self.result.unchanged += int(not changed)
        rows.keep(self.connection, row.id, {**values, "change_key": None}, by)

    def _remark(self, item: TaskItem | ContactItem, *, new: bool) -> None:
        """Tell what of a task could not be taken over."""
        if new and isinstance(item, TaskItem):
            self.result.remarked += remarks.named(item, self.actor.language)

    def _shown(self, item: MeetingItem, row: Any) -> None:  # noqa: ANN401  a row
        """A meeting that is only shown there is as it was written; its categories are commands."""
        values = {
            "state": ItemState.STORED.value,
            "base": row.base or {"local": {}, "mailbox": {}},
            "categories": list(item.categories) or None,
            "change_key": None,
        }
        rows.keep(self.connection, row.id, values, self.actor.user_id)

    def _values(self, item: TaskItem | ContactItem, row: Any) -> dict[str, Any]:  # noqa: ANN401
        if isinstance(item, ContactItem) and is_private(item):
            self.result.excluded[translate(self.actor.language, PRIVATE)] += 1
            return {"state": ItemState.EXCLUDED.value, "seen": None, "base": None}
        kind, fields = kind_of(item), fields_of_item(item)
        new = row is None or differs(kind, row.base, fields)
        prefix = CONTACT if kind is Kind.CONTACT else TASK
        return {
            "state": ItemState.STORED.value,
            "seen": fields if new else None,
            "identity": plain(f"{prefix}{item.uid}", 560),
        }

    def _moved(self, identity: str | None) -> dict[str, Any]:
        """What an item brings along that lay elsewhere in the mailbox."""
        if identity is None:
            return {}
        found = self.connection.execute(
            select(_ITEM.c.activity_id, _ITEM.c.contact_id, _ITEM.c.base, _ITEM.c.record_version)
            .where(_ITEM.c.mailbox_id == self.mailbox, _ITEM.c.identity == identity)
            .order_by(_ITEM.c.id.desc())
            .limit(1)
        ).one_or_none()
        return dict(found._mapping) if found is not None else {}
