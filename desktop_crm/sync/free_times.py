"""When people outside are busy: asked of the user's own mailboxes, where one can tell."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from desktop_crm.core.errors import CrmError
from desktop_crm.services.calendar.slots import Slot
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes
from desktop_crm.sync.port import ShowAs
from desktop_crm.sync.scheduler import open_mailbox
from desktop_crm.sync.writes import Ability, WritableMailbox

log = logging.getLogger(__name__)

_FREE: Final = frozenset({ShowAs.FREE})


def of_addresses(
    actor: Actor, addresses: Sequence[str], start: datetime, end: datetime
) -> dict[str, tuple[Slot, ...] | None]:
    """Busy times by address; None for those no mailbox of the user knows.

    Asks over the network, on a thread of its own. A mailbox that cannot be reached is passed
    over: its people are unknown then, never free.
    """
    found: dict[str, tuple[Slot, ...] | None] = dict.fromkeys(addresses)
    if not addresses or not actor.can("mailbox", "read"):
        return found
    for row in mailboxes.list_mailboxes(actor):
        missing = [address for address in addresses if found[address] is None]
        if not missing:
            break
        try:
            port = open_mailbox(actor, row)
            if not isinstance(port, WritableMailbox) or Ability.FREE_BUSY not in port.abilities:
                continue
            answers = port.free_busy(missing, start, end)
        except CrmError as problem:
            log.info("Free times could not be asked for: %s", problem.template)
            continue
        for address, busy in answers.items():
            if busy is not None and address in found:
                found[address] = tuple(
                    Slot(one.start, one.end) for one in busy if one.show_as not in _FREE
                )
    return found
