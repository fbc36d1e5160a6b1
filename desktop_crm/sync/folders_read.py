"""Which folders of a mailbox are read: those it gives by itself, or those its user chose."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from desktop_crm.services.mail.policy import MailPolicy
from desktop_crm.sync.port import Folder, FolderRole, Mailbox
from desktop_crm.sync.writes import WritableMailbox

READ: Final = frozenset(FolderRole) - {FolderRole.TASKS, FolderRole.CONTACTS}
"""Folders of mail and meetings; the others go both ways or not at all."""

MAIL: Final = READ - {FolderRole.CALENDAR}
"""Folders of messages."""

Ask = Callable[[Callable[[], Sequence[Folder]]], Sequence[Folder]]


def folders_to_read(port: Mailbox, policy: MailPolicy, patiently: Ask) -> Sequence[Folder]:
    """The folders whose items are looked at at all.

    Args:
        port: the mailbox.
        policy: what its user lets be read.
        patiently: asks again where that can help.
    """
    usual = patiently(port.folders)
    if not policy.folders:
        return usual
    more = patiently(port.all_folders) if isinstance(port, WritableMailbox) else ()
    every = {folder.key: folder for folder in (*more, *usual)}.values()
    return [one for one in every if one.role in READ and policy.reads(one.name, one.role.value)]
