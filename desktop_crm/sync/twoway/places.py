"""Folders of this program's own in a mailbox: made once, where there never was one.

A folder is ordered like everything else that is written, and its line is struck in the same moment:
whoever deletes it in the mailbox is not given another one unless they let the line go again.
"""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from typing import Final

from sqlalchemy import Connection, select

from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.models import Activity, MailboxItem
from desktop_crm.models.activity import ActivityKind
from desktop_crm.models.mail import ContactScope
from desktop_crm.services.context import Actor
from desktop_crm.sync import outbox_rows
from desktop_crm.sync.outbox_rows import Reason
from desktop_crm.sync.port import Folder, FolderRole
from desktop_crm.sync.twoway import strikes
from desktop_crm.sync.twoway.kinds import Kind
from desktop_crm.sync.twoway.lines import FOLDER, Line
from desktop_crm.sync.twoway.plan import Side, StepKind
from desktop_crm.sync.twoway.rows import Settings
from desktop_crm.sync.writes import Ability, MakeFolder, WritableMailbox

OWN_FOLDER: Final = "CRM"
"""Name of the folders this program makes, and of the contacts folder it writes to."""

CALENDAR: Final = N_("Calendar")

NO_CONTACTS: Final = N_(
    "The mailbox has no contacts folder called CRM. Nothing was written; make one there once."
)
NO_FOLDER: Final = N_("The mailbox has no folder for this. Nothing was written there.")

SHOWN: Final = "shown"
"""The calendar in which meetings of the chosen accounts are shown."""

MADE: Final[Mapping[str, str]] = {
    SHOWN: N_("Meetings of the accounts you chose are shown there, beside your own calendar."),
    Kind.CONTACT: N_("The mailbox has no contacts folder of this name; contacts go there."),
    Kind.MEETING: N_("The mailbox has no calendar; meetings go there."),
    Kind.TASK: N_("The mailbox has no list of tasks; tasks go there."),
}
ROLES: Final[Mapping[str, FolderRole]] = {
    SHOWN: FolderRole.CALENDAR,
    Kind.MEETING: FolderRole.CALENDAR,
    Kind.TASK: FolderRole.TASKS,
    Kind.CONTACT: FolderRole.CONTACTS,
}
_ITEM: Final = MailboxItem.__table__
_ACTIVITY: Final = Activity.__table__


def is_own(folder: Folder) -> bool:
    """Whether a folder is the contacts folder of this program."""
    named = folder.name.rpartition("/")[2] == OWN_FOLDER
    return folder.role is FolderRole.CONTACTS and named


def both_ways(every: Iterable[Folder], kinds: Collection[Kind]) -> list[Folder]:
    """Of all folders those of tasks, and the contacts folder of this program."""
    return [
        folder
        for folder in every
        if (folder.role is FolderRole.TASKS and Kind.TASK in kinds)
        or (is_own(folder) and Kind.CONTACT in kinds)
    ]


def placeless(kinds: Collection[Kind], folders: Sequence[Folder]) -> dict[Kind, str]:
    """Why new items of a kind have no place among the folders that are read."""
    roles = {folder.role for folder in folders}
    return {
        kind: NO_CONTACTS if kind is Kind.CONTACT else NO_FOLDER
        for kind in kinds
        if ROLES[kind] not in roles
    }


def missing(
    connection: Connection,
    mailbox: int,
    port: object,
    chosen: Settings,
    kinds: Collection[Kind],
    every: Sequence[Folder] | None,
) -> list[Kind]:
    """Kinds for which a folder is to be made; none where the mailbox ever held such an item.

    Args:
        connection: a transaction.
        mailbox: key of the mailbox.
        port: the mailbox itself.
        chosen: what a person chose for it.
        kinds: kinds of items that go out to it.
        every: all its folders; None where they were not listed.
    """
    able = isinstance(port, WritableMailbox) and Ability.FOLDERS in port.abilities
    if not able or every is None:
        return []
    wanted = [kind for kind in kinds if not _is_there(kind, every)]
    if chosen.contacts is ContactScope.NONE:
        wanted = [kind for kind in wanted if kind is not Kind.CONTACT]
    return sorted(kind for kind in wanted if not _was_held(connection, mailbox, kind))


def _is_there(kind: Kind, every: Sequence[Folder]) -> bool:
    if kind is Kind.CONTACT:
        return any(is_own(folder) for folder in every)
    return any(folder.role is ROLES[kind] for folder in every)


def _was_held(connection: Connection, mailbox: int, kind: Kind) -> bool:
    """Whether the mailbox ever held such an item: then its folder is missing for a reason."""
    if kind is Kind.CONTACT:
        held = select(_ITEM.c.id).where(_ITEM.c.contact_id.is_not(None))
    else:
        meant = ActivityKind.APPOINTMENT if kind is Kind.MEETING else ActivityKind.TASK
        held = (
            select(_ITEM.c.id)
            .join(_ACTIVITY, _ACTIVITY.c.id == _ITEM.c.activity_id)
            .where(_ACTIVITY.c.kind == meant.value)
        )
    found = connection.execute(held.where(_ITEM.c.mailbox_id == mailbox).limit(1)).scalar()
    return found is not None


def lacks_shown(
    actor: Actor, port: object, chosen: Settings, every: Sequence[Folder] | None
) -> bool:
    """Whether the calendar of shown meetings is to be made; only its own user's pass makes it."""
    able = isinstance(port, WritableMailbox) and Ability.FOLDERS in port.abilities
    if not able or every is None or chosen.contacts is ContactScope.NONE:
        return False
    calendars = [one.name for one in every if one.role is FolderRole.CALENDAR]
    if not calendars or any(name.rpartition("/")[2] == OWN_FOLDER for name in calendars):
        return False
    return chosen.user is not None and chosen.user == actor.user_id


def name_of(kind: str) -> str:
    """How a folder that is made is called: a mailbox's only calendar is not the CRM one."""
    return tr(CALENDAR) if kind == Kind.MEETING.value else OWN_FOLDER


def line_of(kind: str, struck: Mapping[str, str]) -> Line:
    """The line of a dry run that says that a folder would be made."""
    key = f"folder:{kind}"
    fingerprint = hashlib.sha256(f"make {key}".encode()).hexdigest()
    return Line(
        key,
        fingerprint,
        Side.MAILBOX.value,
        StepKind.CREATE.value,
        FOLDER,
        name_of(kind),
        tr(MADE[kind]),
        struck=strikes.stands(struck, key, fingerprint),
    )


def order(connection: Connection, mailbox: int, kind: str, by: int | None) -> None:
    """Order a folder, once: its line is struck with the order."""
    line = line_of(kind, {})
    deed = MakeFolder(new_uid(), name_of(kind), ROLES[kind])
    outbox_rows.insert(connection, mailbox, deed, why=Reason(MADE[kind]))
    strikes.put(connection, mailbox, [(line.key, line.fingerprint, line.title)], by)
