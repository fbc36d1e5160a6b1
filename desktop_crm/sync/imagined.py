"""What a dry run would have stored so far, so that its later pages are planned as if it stood."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from desktop_crm.sync.apply import Decided
from desktop_crm.sync.facts import Thread
from desktop_crm.sync.plan import Action, ActionKind, Holder, Known, Stored
from desktop_crm.sync.port import Batch, Folder, MailItem


@dataclass(slots=True)
class Imagined:
    """Activities, items and messages that are not written.

    Attributes:
        messages: what answers would be linked by, by Message-ID.
    """

    messages: dict[str, Thread] = field(default_factory=dict)
    _stored: dict[str, Stored] = field(default_factory=dict)
    _holders: dict[tuple[str, str], Holder] = field(default_factory=dict)

    def beside(self, known: Known, folder: Folder, batch: Batch) -> Known:
        """What is stored that a batch may concern, with what would be."""
        keys = {change.item_id for change in batch.changes}
        holders = {
            key: holder
            for (place, key), holder in self._holders.items()
            if place == folder.key and key in keys
        }
        return Known(
            {**known.holders, **holders},
            {**known.stored, **self._stored},
            known.withheld,
            known.withdrawn,
        )

    def add(self, folder: Folder, actions: Sequence[Action], decided: Sequence[Decided]) -> None:
        """Take a batch as written."""
        for action in actions:
            if action.kind is ActionKind.CREATE:
                self._stored[action.identity] = Stored(0, None)
            if action.item is not None:
                self._holders[folder.key, action.key] = Holder(
                    0, action.identity, 0, "stored", action.digest
                )
        for one in decided:
            item = one.action.item
            if isinstance(item, MailItem):
                links = tuple(p.key for p in one.proposals if p.is_sure)
                self.messages[item.message_id] = Thread(0, one.action.identity, links)
