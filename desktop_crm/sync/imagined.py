"""What a dry run would have stored so far, so that its later pages are planned as if it stood."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Any, Final

from desktop_crm.sync.apply import Decided
from desktop_crm.sync.facts import Thread
from desktop_crm.sync.mapping import identity_of
from desktop_crm.sync.plan import Action, ActionKind, Holder, Known, Stored
from desktop_crm.sync.port import Batch, Correspondence, Folder, MailItem

_TOLD: Final = 5_000
"""Items of which more is remembered than that they were seen, where not all may be."""


@dataclass(slots=True)
class Imagined:
    """Activities, items and messages that are not written.

    Attributes:
        is_whole: everything is remembered of every item, for exact counts. Otherwise of all but
            the latest 5,000 only a number each remains, by which a copy is known.
    """

    is_whole: bool = True
    _stored: set[int] = field(default_factory=set)
    _holders: dict[tuple[str, str], Holder] = field(default_factory=dict)
    _messages: dict[str, Thread] = field(default_factory=dict)

    def beside(self, known: Known, folder: Folder, batch: Batch) -> Known:
        """What is stored that a batch may concern, with what would be."""
        places = ((c.item_id, (folder.key, c.item_id)) for c in batch.changes)
        holders = {key: self._holders[at] for key, at in places if at in self._holders}
        items = (c.item for c in batch.changes if isinstance(c.item, Correspondence))
        seen = {key for item in items if hash(key := identity_of(item)) in self._stored}
        return Known(
            {**known.holders, **holders},
            {**{key: Stored(0, None) for key in seen}, **known.stored},
            known.withheld,
            known.withdrawn,
        )

    def threads(self, items: Iterable[Correspondence]) -> dict[str, Thread]:
        """What some items would be linked by: by Message-ID, the messages they answer."""
        mails = (item for item in items if isinstance(item, MailItem))
        wanted = (key for m in mails for key in (m.message_id, m.in_reply_to, *m.references))
        return {key: self._messages[key] for key in wanted if key in self._messages}

    def add(self, folder: Folder, actions: Sequence[Action], decided: Sequence[Decided]) -> None:
        """Take a batch as written."""
        for action in actions:
            if action.kind is ActionKind.CREATE:
                self._stored.add(hash(action.identity))
            if action.item is not None:
                self._holders[folder.key, action.key] = Holder(
                    0, action.identity, 0, "stored", action.digest
                )
        for one in decided:
            item = one.action.item
            if isinstance(item, MailItem):
                links = tuple(p.key for p in one.proposals if p.is_sure)
                self._messages[item.message_id] = Thread(0, one.action.identity, links)
        if not self.is_whole:
            _forget(self._holders)
            _forget(self._messages)


def _forget(told: dict[Any, Any]) -> None:
    """Leave the latest."""
    for key in list(islice(told, max(0, len(told) - _TOLD))):
        del told[key]
