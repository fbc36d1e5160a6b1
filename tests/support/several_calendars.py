"""Two calendars in the mailbox of the small company's actor, as a pass leaves them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_crm.core import clock
from desktop_crm.models import MailboxItem
from desktop_crm.models.mail import SyncState
from desktop_crm.services import records
from desktop_crm.services.records_kept import insert_rows
from tests.support.company import at

if TYPE_CHECKING:
    from tests.support.company import Company

WORK, TEAM = "Calendar", "dav:calendar:/mara/team%20plans/"


def keep_calendars(company: Company, owner: int | None = None) -> tuple[str, str]:
    """A mailbox with the demonstration in one calendar and a workshop in another; their keys."""
    actor = company.actor
    box = records.save(
        actor, "mailbox", None, None,
        {"name": f"Mara {owner or ''}", "kind": "folder", "address": "mara@firm.example",
         "path": "x", "user": owner or actor.user_id},
    ).id  # fmt: skip
    company.add(
        "activity", "workshop",
        {"subject": "Workshop", "kind": "appointment", "start_at": at(26, 9),
         "end_at": at(26, 10), "owner": actor.user_id},
    )  # fmt: skip
    company.add("activity", "letter", {"subject": "Letter", "kind": "email"})
    places = ((WORK, "demo", None), (TEAM, "workshop", None), ("Inbox", "letter", clock.now()))
    with actor.db.writing() as connection:
        insert_rows(
            connection, SyncState, [{"mailbox_id": box, "folder": one[0]} for one in places], None
        )
        items = [
            {"mailbox_id": box, "folder": folder, "item_key": name, "state": "stored",
             "is_read": True, "flag": "none", "activity_id": company.ids[name], "sent_at": sent}
            for folder, name, sent in places
        ]  # fmt: skip
        insert_rows(connection, MailboxItem, items, None)
    return f"{box}/{WORK}", f"{box}/{TEAM}"
