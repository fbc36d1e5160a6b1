"""Folders of this program's own are made once, and only where a person wants something in them."""

from __future__ import annotations

import datetime as dt

import pytest

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.models import SyncStrike
from desktop_crm.services import records
from desktop_crm.services.mail import outbox
from desktop_crm.sync.memory import CONTACTS, TASKS, MemoryMailbox
from desktop_crm.sync.outbox import restore
from desktop_crm.sync.port import ContactItem, Folder, FolderRole
from desktop_crm.sync.twoway import strikes
from tests.unit.sync.conftest import World
from tests.unit.sync.two_ways import deeds, go, lines, quiet

pytestmark = pytest.mark.usefixtures("moment")

MADE = Folder("contacts/CRM", "CRM", FolderRole.CONTACTS)


@pytest.fixture
def wanting(both: World) -> World:
    """A mailbox without the folder, whose person wants contacts in it."""
    both.port = MemoryMailbox(others=(TASKS, CONTACTS))
    records.save(both.actor, "account", both.client, None, {"owner": both.ana})
    records.save(both.actor, "mailbox", both.mailbox, None, {"contact_scope": "mine"})
    return both


def folders(world: World) -> list[str]:
    return [one.name for one in world.port.all_folders() if one.role is FolderRole.CONTACTS]


def test_the_folder_is_announced_made_once_and_filled(wanting: World) -> None:
    found = [(one.what, one.kind, one.title) for one in lines(wanting)]
    assert ("create", "folder", "CRM") in found
    assert ("create", "contact", "Ion Pop") in found
    assert folders(wanting) == ["Contacts"]
    go(wanting)
    assert folders(wanting) == ["Contacts", "CRM"]
    go(wanting)
    (there,) = wanting.port.held(MADE).values()
    assert isinstance(there, ContactItem)
    assert there.full_name == "Ion Pop"
    assert [d.deed for d in deeds(wanting)] == ["make_folder", "save"]
    quiet(wanting)
    assert lines(wanting) == []


def test_a_struck_folder_is_not_made(wanting: World) -> None:
    (line,) = [one for one in lines(wanting) if one.kind == "folder"]
    strikes.strike(wanting.actor, wanting.mailbox, [line])
    go(wanting)
    quiet(wanting)
    assert folders(wanting) == ["Contacts"]
    (line,) = [one for one in lines(wanting) if one.kind == "folder"]
    assert line.struck
    (contact,) = [one for one in lines(wanting) if one.kind == "contact"]
    assert (contact.what, "contacts folder called CRM" in contact.reason) == ("refused", True)
    strikes.let(wanting.actor, wanting.mailbox, [line])
    go(wanting)
    assert folders(wanting) == ["Contacts", "CRM"]


def test_nobody_who_wants_no_contacts_there_gets_a_folder(wanting: World) -> None:
    records.save(wanting.actor, "mailbox", wanting.mailbox, None, {"contact_scope": "none"})
    go(wanting)
    quiet(wanting)
    assert folders(wanting) == ["Contacts"]
    assert deeds(wanting) == []


def test_a_folder_somebody_deleted_is_not_made_again(wanting: World) -> None:
    go(wanting)
    go(wanting)
    wanting.port = MemoryMailbox(others=(TASKS, CONTACTS))
    go(wanting)
    wanting.save("contact", first_name="Lia", last_name="Nou", account=wanting.client)
    go(wanting)
    quiet(wanting)
    assert folders(wanting) == ["Contacts"]


def test_a_folder_made_before_and_empty_is_not_made_again_either(wanting: World) -> None:
    go(wanting)
    wanting.port = MemoryMailbox(others=(TASKS, CONTACTS))
    go(wanting)
    assert folders(wanting) == ["Contacts"]
    assert [s.line for s in wanting.rows(SyncStrike)] == ["folder:contact"]


def test_a_lost_answer_makes_no_second_folder(wanting: World, moment: list[dt.datetime]) -> None:
    def lost(_deed: object) -> None:
        wanting.port._after = None
        raise EnvironmentProblem("gone", retryable=True)

    wanting.port._after = lost
    wanting.sync()
    moment[0] += dt.timedelta(hours=1)
    go(wanting)
    go(wanting)
    assert folders(wanting) == ["Contacts", "CRM"]
    assert len(wanting.port.held(MADE)) == 1


def test_taking_it_back_leaves_what_lies_there(wanting: World) -> None:
    go(wanting)
    (made,) = outbox.list_items(wanting.actor)
    with pytest.raises(UserError, match="may hold something"):
        restore(wanting.actor, made.id)
    assert folders(wanting) == ["Contacts", "CRM"]


def test_a_calendar_is_made_only_where_there_never_was_one(wanting: World) -> None:
    wanting.port = MemoryMailbox(folders=(), others=(TASKS, CONTACTS))
    found = [(one.kind, one.title) for one in lines(wanting) if one.what == "create"]
    assert found[:2] == [("folder", "CRM"), ("folder", "Calendar")]
    go(wanting)
    made = {one.name: one.role for one in wanting.port.all_folders()}
    assert (made["CRM"], made["Calendar"]) == (FolderRole.CONTACTS, FolderRole.CALENDAR)
