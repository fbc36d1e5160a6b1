"""Meetings of chosen accounts that are not one's own are shown in a calendar called CRM."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import pytest

from desktop_crm.models import Role, User
from desktop_crm.models.mail import ItemState
from desktop_crm.services import context, records
from desktop_crm.services.calendar.series_edits import Reach, change
from desktop_crm.services.mail import outbox
from desktop_crm.sync.memory import CALENDAR, CONTACTS, TASKS, MemoryMailbox
from desktop_crm.sync.outbox import restore
from desktop_crm.sync.port import Folder, FolderRole, MeetingItem, ShowAs
from desktop_crm.sync.twoway import strikes
from tests.unit.sync.conftest import CRM, World, meeting
from tests.unit.sync.two_ways import SOON, activity, appointment, deeds, go, lines, quiet

pytestmark = pytest.mark.usefixtures("moment")

SHOWN = Folder("calendar/CRM", "CRM", FolderRole.CALENDAR)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


@pytest.fixture
def ours(both: World) -> World:
    """Ana owns the account and signs in herself; Mihai has meetings there."""
    role = both.save(
        "role",
        name="Sales",
        rights=[
            {"entity": name, "read": "all", "create": "all", "edit": "all", "remove": "all"}
            for name in ("account", "contact", "activity", "mailbox")
        ],
    )
    records.save(both.actor, "user", both.ana, None, {"role": role})
    records.save(both.actor, "account", both.client, None, {"owner": both.ana})
    records.save(both.actor, "mailbox", both.mailbox, None, {"contact_scope": "mine"})
    both.save("user", name="Mihai", login="mihai", email="mihai@firma.example", role=role)
    both.port = MemoryMailbox(others=(TASKS, CONTACTS, CRM))
    return both


def his(world: World, **values: Any) -> int:
    """A meeting of Mihai's with the account."""
    (mihai,) = [one.id for one in world.rows(User) if one.login == "mihai"]
    return appointment(world, **{"owner": mihai, "account": world.client, **values})


def as_ana(world: World) -> None:
    """What follows is done with Ana's rights."""
    world.actor = context.as_seen_by(world.actor.db, "ana")


def passes(world: World, count: int = 2) -> None:
    system = world.actor
    as_ana(world)
    for _ in range(count):
        go(world)
    world.actor = system


def shown(world: World) -> list[MeetingItem]:
    """What lies in the calendar, by time."""
    if SHOWN not in world.port.all_folders():
        return []
    found = [one for one in world.port.held(SHOWN).values() if isinstance(one, MeetingItem)]
    return sorted(found, key=lambda one: str(one.start))


def subjects(items: Iterable[MeetingItem]) -> list[str]:
    return [one.subject for one in items]


def test_the_calendar_is_announced_made_once_and_filled(ours: World) -> None:
    key = his(
        ours, location="Cluj", description="Doar pentru noi", reminder_minutes=30, tags="|VIP|"
    )
    mine = appointment(ours, subject="A mea", account=ours.client)
    system = ours.actor
    as_ana(ours)
    found = [(one.what, one.kind, one.title) for one in lines(ours)]
    assert ("create", "folder", "CRM") in found
    assert ("create", "meeting", "Vizită · Client SRL") in found
    go(ours)
    go(ours)
    (there,) = shown(ours)
    assert (there.subject, there.location, there.start) == ("Vizită · Client SRL", "Cluj", SOON)
    assert (there.text, there.show_as) == ("Client SRL\nMihai", ShowAs.FREE)
    assert (there.attendees, there.categories, there.reminder_minutes) == ((), (), None)
    (own,) = ours.port.held(CALENDAR).values()
    assert isinstance(own, MeetingItem)
    assert own.subject == "A mea"
    quiet(ours)
    assert lines(ours) == []
    assert {a.id for a in ours.activities} == {key, mine}, "nothing comes back as a record"
    ours.actor = system


def test_a_struck_calendar_is_not_made(ours: World) -> None:
    his(ours)
    as_ana(ours)
    (line,) = [one for one in lines(ours) if one.kind == "folder"]
    strikes.strike(ours.actor, ours.mailbox, [line])
    go(ours)
    quiet(ours)
    assert SHOWN not in ours.port.all_folders()
    assert [one.kind for one in lines(ours)] == ["folder"]


def test_a_change_here_is_a_change_there(ours: World) -> None:
    key = his(ours)
    passes(ours)
    later = {"start_at": SOON + DAY, "end_at": SOON + DAY + HOUR, "location": "Iași"}
    records.save(ours.actor, "activity", key, None, {"subject": "Probă", **later})
    passes(ours)
    (there,) = shown(ours)
    assert (there.subject, there.location, there.start) == (
        "Probă · Client SRL", "Iași", SOON + DAY,
    )  # fmt: skip
    records.save(ours.actor, "activity", key, None, {"description": "Nu e treaba nimănui"})
    before = len(deeds(ours))
    passes(ours)
    assert len(deeds(ours)) == before


@pytest.mark.parametrize("how", ["cancel", "delete", "private", "account", "scope", "owner"])
def test_what_is_no_longer_to_be_seen_is_taken_out(ours: World, how: str) -> None:
    key = his(ours)
    passes(ours)
    assert len(shown(ours)) == 1
    if how == "delete":
        records.delete(ours.actor, "activity", [key])
    elif how == "scope":
        records.save(ours.actor, "mailbox", ours.mailbox, None, {"contact_scope": "none"})
    elif how == "account":
        records.save(ours.actor, "account", ours.client, None, {"owner": None})
    else:
        values: dict[str, dict[str, Any]] = {
            "cancel": {"state": "canceled"},
            "private": {"sensitivity": "private"},
            "owner": {"owner": ours.ana},
        }
        records.save(ours.actor, "activity", key, None, values[how])
    passes(ours)
    assert shown(ours) == []
    assert not [i for i in ours.items if (i.identity or "").startswith("shown:")]
    done = [d for d in deeds(ours) if d.deed == "delete"]
    assert [d.state for d in done] == ["done"]
    restore(ours.actor, done[0].id)  # what stood there was kept
    assert len([a for a in ours.activities if a.kind == "appointment"]) == 1


def test_private_meetings_never_go_there(ours: World) -> None:
    his(ours, sensitivity="private")
    his(ours, subject="Închis", state="canceled")
    his(ours, subject="Demult", start_at=SOON - 60 * DAY, end_at=SOON - 60 * DAY + HOUR)
    his(ours, subject="Altundeva", account=ours.save("account", name="Alții"))
    his(ours, subject="Ieri", start_at=SOON - 5 * DAY, end_at=SOON - 5 * DAY + HOUR)
    passes(ours)
    assert subjects(shown(ours)) == ["Ieri · Client SRL"]
    assert "Vizită" not in str([(d.title, d.payload) for d in deeds(ours)])


def test_only_what_the_person_may_read_goes_there(ours: World) -> None:
    his(ours)
    (role,) = [r.id for r in ours.rows(Role) if r.name == "Sales"]
    own = {"entity": "activity", "read": "own", "create": "own", "edit": "own", "remove": "own"}
    account = {"entity": "account", "read": "all", "create": "own", "edit": "own", "remove": "own"}
    records.save(ours.actor, "role", role, None, {"rights": [own, account]})
    passes(ours)
    assert shown(ours) == []
    assert "Vizită" not in str([(d.title, d.payload) for d in deeds(ours)])


def test_nobody_else_fills_it(ours: World) -> None:
    his(ours)
    go(ours)  # with the rights of the product itself
    go(ours)
    assert shown(ours) == []


def test_too_many_are_not_taken_out_at_once(ours: World) -> None:
    for number in range(7):
        his(ours, subject=f"Nr. {number}")
    passes(ours)
    assert len(shown(ours)) == 7
    records.save(ours.actor, "account", ours.client, None, {"owner": None})
    passes(ours)
    assert len(shown(ours)) == 7
    held = [d.id for d in deeds(ours) if d.state == "held"]
    assert len(held) == 7
    as_ana(ours)
    outbox.release(ours.actor, held)
    go(ours)
    assert shown(ours) == []
    quiet(ours)


def test_an_invitation_in_the_own_calendar_takes_it_out(ours: World) -> None:
    key = his(ours, ical_uid="u7")
    passes(ours)
    (there,) = shown(ours)
    assert there.uid != "u7", "it is never taken for the invitation"
    ours.port.put(CALENDAR, meeting("u7", start=SOON, end=SOON + HOUR))
    passes(ours)
    assert shown(ours) == []
    assert activity(ours, key).state == "open"


def test_what_the_phone_changes_stays_until_it_changes_here(ours: World) -> None:
    key = his(ours)
    passes(ours)
    ((item, there),) = ours.port.held(SHOWN).items()
    assert isinstance(there, MeetingItem)
    ours.port.put(SHOWN, replace(there, subject="Pe telefon"), item)
    passes(ours)
    assert activity(ours, key).subject == "Vizită"
    assert subjects(shown(ours)) == ["Pe telefon"]
    records.save(ours.actor, "activity", key, None, {"subject": "Altfel"})
    passes(ours)
    assert subjects(shown(ours)) == ["Altfel · Client SRL"]


def test_what_the_phone_deletes_or_makes_there_is_left_alone(ours: World) -> None:
    key = his(ours)
    passes(ours)
    (item,) = ours.port.held(SHOWN)
    ours.port.remove(SHOWN, item)
    ours.port.put(SHOWN, meeting("phone", start=SOON, end=SOON + HOUR))
    passes(ours)
    records.save(ours.actor, "activity", key, None, {"subject": "Altfel"})
    passes(ours)
    assert subjects(shown(ours)) == ["Ședință"]
    assert [a.id for a in ours.activities if a.kind == "appointment"] == [key]
    assert activity(ours, key).state == "open"


def test_a_series_goes_with_its_moved_and_left_out_dates(ours: World) -> None:
    rule = {"recurrence_rule": "FREQ=WEEKLY;COUNT=6", "time_zone": "Europe/Bucharest"}
    key = his(ours, **rule)
    second, third, fourth = SOON + 7 * DAY, SOON + 14 * DAY, SOON + 21 * DAY
    change(
        ours.actor, key, second, Reach.THIS,
        {"start_at": second + 3 * HOUR, "end_at": second + 4 * HOUR},
    )  # fmt: skip
    records.save(ours.actor, "activity", key, None, {"recurrence_exceptions": [third.isoformat()]})
    passes(ours, 3)
    (series,) = [one for one in shown(ours) if one.rrule]
    (moved,) = [one for one in shown(ours) if one.recurrence_id]
    assert (series.exdates, series.zone) == ((third,), "Europe/Bucharest")
    assert (moved.recurrence_id, moved.start) == (second, second + 3 * HOUR)
    off = change(ours.actor, key, fourth, Reach.THIS, {"subject": "Secret"}).activity
    records.save(ours.actor, "activity", off, None, {"sensitivity": "private"})
    passes(ours, 3)
    (series,) = [one for one in shown(ours) if one.rrule]
    assert fourth in series.exdates
    assert "Secret" not in str(shown(ours))
    records.save(ours.actor, "activity", key, None, {"state": "canceled"})
    passes(ours, 3)
    assert shown(ours) == []
    as_ana(ours)
    quiet(ours)


def test_a_category_set_on_the_phone_is_a_command(ours: World) -> None:
    records.save(ours.actor, "mailbox", ours.mailbox, None, {"commands": "sună = call back"})
    key = his(ours)
    passes(ours)
    ((item, there),) = ours.port.held(SHOWN).items()
    assert isinstance(there, MeetingItem)
    ours.port.put(SHOWN, replace(there, categories=("Sună",)), item)
    passes(ours)
    (call,) = [a for a in ours.activities if a.kind == "phone_call"]
    assert (call.subject, call.account_id) == ("Call back: Vizită", ours.client)
    assert call.owner_id == ours.ana
    (there,) = shown(ours)
    assert there.categories == ()
    passes(ours)
    assert len(ours.activities) == 2
    assert activity(ours, key).tags in (None, "")


def test_a_deleted_calendar_is_not_made_again(ours: World) -> None:
    his(ours)
    passes(ours)
    ours.port = MemoryMailbox(others=(TASKS, CONTACTS, CRM))
    passes(ours)
    assert SHOWN not in ours.port.all_folders()
    assert {i.state for i in ours.items if (i.identity or "").startswith("shown:")} == {
        ItemState.GONE.value
    }


def test_read_anew_and_without_writing_nothing_is_doubled(ours: World) -> None:
    his(ours)
    passes(ours)
    for two_way in (False, True):
        records.save(ours.actor, "mailbox", ours.mailbox, None, {"two_way": two_way})
        passes(ours)
        assert len(shown(ours)) == 1
        assert len(ours.activities) == 1
