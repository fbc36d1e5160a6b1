"""What only Exchange does when it is written to; the contract stands in tests/contract."""

from __future__ import annotations

import base64
import datetime as dt
from dataclasses import replace
from zoneinfo import ZoneInfo

import pytest

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.sync.exchange.mailbox import CALENDAR, INBOX, ExchangeMailbox
from desktop_crm.sync.exchange.xml import T, node, text_at
from desktop_crm.sync.port import (
    Address,
    Attendee,
    ContactItem,
    Flag,
    FolderRole,
    MailItem,
    MeetingItem,
    Response,
    Role,
    TaskItem,
)
from desktop_crm.sync.writes import (
    Answer,
    Delete,
    Image,
    Mark,
    Move,
    Notify,
    PutBack,
    Ref,
    Save,
    Stale,
    Vanished,
)
from tests.contract.writing_driver import contact, meeting, received, task
from tests.ews_server import EwsServer, soap
from tests.ews_server import faults as script
from tests.unit.sync.conftest import mailbox_of

UTC = dt.UTC
AT = dt.datetime(2026, 3, 2, 8, tzinfo=UTC)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)
SERIES = "FREQ=DAILY;COUNT=5"


def put_mail(ews: EwsServer, key: str = "a", **texts: str) -> Ref:
    made = node("t:Message", node("t:MimeContent", base64.b64encode(received(key)).decode()))
    element = ews.store._message(made, sent=True)
    for name, value in texts.items():
        element.append(node(f"t:{name}", value))
    ews.store._store("inbox", f"{key}=", element)
    return Ref(INBOX.key, f"{key}=")


def stored(ews: EwsServer, box: str, item_id: str) -> str:
    return ews.boxes[box].items[item_id]


def saved(mailbox: ExchangeMailbox, item: MeetingItem | TaskItem | ContactItem) -> Ref:
    place = "Tasks" if isinstance(item, TaskItem) else "Calendar"
    if isinstance(item, ContactItem):
        place = "Contacts"
    ref = mailbox.do(Save(new_uid(), place, item)).ref
    assert ref is not None
    return ref


def bodies(ews: EwsServer, operation: str) -> list[str]:
    return [body for body in ews.bodies if f"m:{operation} " in body or f"m:{operation}>" in body]


# --- marks and moves ---------------------------------------------------------------------------


def test_marking_as_read_sends_no_receipt_and_overwrites_no_text(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ref = put_mail(ews)
    mailbox.do(Mark(new_uid(), ref, is_read=True, flag=Flag.FLAGGED, categories=("Client",)))
    (request,) = bodies(ews, "UpdateItem")
    assert 'SuppressReadReceipts="true"' in request
    assert "MimeContent" not in request
    (change,) = mailbox.changes(INBOX, None).changes
    assert (change.is_read, change.flag, change.categories) == (True, Flag.FLAGGED, ("Client",))
    assert change.change_key
    assert isinstance(change.item, MailItem)
    assert change.item.flag is Flag.FLAGGED


def test_a_move_whose_answer_was_lost_is_known_by_what_left(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ref = put_mail(ews)
    target = next(f for f in mailbox.all_folders() if f.name == "Inbox/Clienți")
    deed = Move(new_uid(), ref, target.key)
    assert mailbox.find(deed) is None
    ews.fault("MoveItem", script.lost)
    with pytest.raises(EnvironmentProblem):
        mailbox.do(deed)
    assert mailbox.find(deed) is not None
    assert len(ews.boxes["clients"].items) == 1


def test_a_message_put_back_is_no_draft_and_keeps_its_marks(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ref = put_mail(ews)
    mailbox.do(Mark(new_uid(), ref, is_read=False, flag=Flag.FLAGGED, categories=("Client",)))
    image = mailbox.image(ref)
    mailbox.do(Delete(new_uid(), ref))
    again = mailbox.do(PutBack(new_uid(), image)).ref
    assert again is not None
    found = mailbox.image(again)
    assert isinstance(found.item, MailItem)
    assert (found.is_read, found.flag, found.categories) == (False, Flag.FLAGGED, ("Client",))
    assert not found.item.is_draft
    request = bodies(ews, "CreateItem")[-1]
    assert 'PropertyTag="0x0E06"' in request
    assert "2026-03-02T08:00:00Z" in request
    assert 'MessageDisposition="SaveOnly"' in request


# --- meetings ----------------------------------------------------------------------------------


def test_only_what_changed_is_written(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    element = soap.parse(soap.meeting("M=", "u1"))
    ews.store._store("calendar", "M=", element)
    image = mailbox.image(Ref(CALENDAR.key, "M="))
    assert isinstance(image.item, MeetingItem)
    changed = replace(image.item, subject="Altă ședință")
    mailbox.do(Save(new_uid(), CALENDAR.key, changed, image.ref))
    (request,) = bodies(ews, "UpdateItem")
    assert request.count("SetItemField>") == 4  # the subject and the key, opened and closed
    assert 'ConflictResolution="NeverOverwrite"' in request
    assert 'SendMeetingInvitationsOrCancellations="SendToNone"' in request
    assert "&lt;p&gt;Agenda" in stored(ews, "calendar", "M=")
    mailbox.do(Save(new_uid(), CALENDAR.key, changed, mailbox.image(image.ref).ref))
    assert len(bodies(ews, "UpdateItem")) == 1


def test_a_version_that_grew_old_on_the_way_is_not_overwritten(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    item = meeting()
    ref = saved(mailbox, item)
    for code in ("ErrorIrresolvableConflict", "ErrorStaleObject", "ErrorInvalidChangeKey"):
        ews.fault("UpdateItem", script.soap_error("UpdateItem", code))
        with pytest.raises(Stale):
            mailbox.do(Save(new_uid(), ref.folder, replace(item, subject="X"), ref))


def test_the_uid_and_the_zone_are_kept(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    ref = saved(mailbox, meeting(uid="crm-17", zone="Europe/Vienna"))
    xml = stored(ews, "calendar", ref.item_id)
    assert "<t:UID>crm-17</t:UID>" in xml
    assert 'Id="W. Europe Standard Time"' in xml
    day = meeting(start=dt.date(2026, 3, 2), end=dt.date(2026, 3, 3), zone="")
    local = mailbox_of(ews, zone=ZoneInfo("Europe/Bucharest"))
    xml = stored(ews, "calendar", saved(local, day).item_id)
    assert "2026-03-01T22:00:00Z" in xml
    assert 'Id="GTB Standard Time"' in xml
    local.close()


def test_one_occurrence_is_moved_and_the_series_knows(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    series = meeting(rrule=SERIES)
    ref = saved(mailbox, series)
    moved = replace(
        series,
        rrule="",
        recurrence_id=AT + DAY,
        start=AT + DAY + 2 * HOUR,
        end=AT + DAY + 3 * HOUR,
        subject="Mai târziu",
    )
    deed = Save(new_uid(), CALENDAR.key, moved, ref)
    assert mailbox.find(deed) is None
    ews.fault("UpdateItem", script.lost)
    with pytest.raises(EnvironmentProblem):
        mailbox.do(deed)
    assert mailbox.find(deed) is not None
    changes = mailbox.changes(CALENDAR, None).changes
    items = [c.item for c in changes if isinstance(c.item, MeetingItem)]
    master = next(item for item in items if item.rrule)
    one = next(item for item in items if item.recurrence_id)
    assert master.exdates == (AT + DAY,)
    assert (one.recurrence_id, one.start, one.subject) == (
        AT + DAY,
        AT + DAY + 2 * HOUR,
        "Mai târziu",
    )
    again = replace(moved, start=AT + DAY + HOUR, end=AT + DAY + 2 * HOUR)
    mailbox.do(Save(new_uid(), CALENDAR.key, again, mailbox.image(ref).ref))
    assert ews.store.told == []


@pytest.mark.parametrize(
    ("start", "hours", "sentence"),
    [
        (AT + 2 * DAY + 4 * HOUR, 1, "one a day"),
        (AT + 9 * DAY, 1, "pass or overlap"),
        (AT + DAY + 2 * HOUR, 30, "pass or overlap"),
    ],
)
def test_what_a_series_cannot_do_is_refused(
    ews: EwsServer, mailbox: ExchangeMailbox, start: dt.datetime, hours: int, sentence: str
) -> None:
    series = meeting(rrule=SERIES)
    ref = saved(mailbox, series)
    moved = replace(series, rrule="", recurrence_id=AT + DAY, start=start, end=start + hours * HOUR)
    with pytest.raises(UserError, match=sentence):
        mailbox.do(Save(new_uid(), CALENDAR.key, moved, ref))
    assert "UpdateItem" not in ews.requests


def test_occurrences_that_fall_out_are_deleted_one_by_one(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    series = meeting(rrule=SERIES, exdates=(AT + DAY, AT + 40 * DAY))
    ref = saved(mailbox, series)
    item = mailbox.image(ref).item
    assert isinstance(item, MeetingItem)
    assert item.exdates == (AT + DAY,)
    wanted = replace(series, exdates=(AT + DAY, AT + 2 * DAY))
    mailbox.do(Save(new_uid(), CALENDAR.key, wanted, ref))
    item = mailbox.image(ref).item
    assert isinstance(item, MeetingItem)
    assert item.exdates == (AT + DAY, AT + 2 * DAY)
    with pytest.raises(Vanished):
        mailbox.do(Delete(new_uid(), mailbox.image(ref).ref, occurrence=AT + DAY))
    lost = Delete(new_uid(), mailbox.image(ref).ref, occurrence=AT + 3 * DAY)
    assert mailbox.find(lost) is None
    mailbox.do(lost)
    assert mailbox.find(lost) is not None


def test_somebody_elses_meeting_is_not_changed_but_may_be_marked(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    element = soap.parse(soap.meeting("M=", "u1"))
    element.find(f"{T}MyResponseType").text = "Accept"
    ews.store._store("calendar", "M=", element)
    image = mailbox.image(Ref(CALENDAR.key, "M="))
    assert isinstance(image.item, MeetingItem)
    with pytest.raises(UserError, match="only its organizer"):
        mailbox.do(Save(new_uid(), CALENDAR.key, replace(image.item, location="X"), image.ref))
    mine = replace(image.item, categories=("Client",), reminder_minutes=5)
    mailbox.do(Save(new_uid(), CALENDAR.key, mine, image.ref))
    assert "Client" in stored(ews, "calendar", "M=")


@pytest.mark.parametrize(
    ("notify", "told"), [(Notify.NOBODY, []), (Notify.EVERYBODY, ["cancellation", "answer"])]
)
def test_people_are_told_when_a_person_said_so(
    ews: EwsServer, mailbox: ExchangeMailbox, notify: Notify, told: list[str]
) -> None:
    guest = Attendee(Address("ion@client.example"), Role.OPTIONAL)
    must = Attendee(Address("lia@client.example"), Role.REQUIRED)
    ref = saved(mailbox, meeting(attendees=(must, guest)))
    mailbox.do(Delete(new_uid(), ref, notify=notify))
    element = soap.parse(soap.meeting("M=", "u1"))
    element.find(f"{T}MyResponseType").text = "NoResponseReceived"
    ews.store._store("calendar", "M=", element)
    invited = mailbox.image(Ref(CALENDAR.key, "M=")).ref
    deed = Answer(new_uid(), invited, Response.DECLINED, notify)
    assert mailbox.find(deed) is None
    mailbox.do(deed)
    assert mailbox.find(deed) is not None
    assert ews.store.told == told
    with pytest.raises(UserError, match="left open"):
        mailbox.do(Answer(new_uid(), invited, Response.NONE))


def test_a_meeting_the_calendar_does_not_take_is_told(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    error = script.soap_error("CreateItem", "ErrorCalendarDurationIsTooLong")
    ews.fault("CreateItem", error)
    with pytest.raises(UserError, match="does not take this meeting"):
        saved(mailbox, meeting())


# --- tasks and contacts ------------------------------------------------------------------------


def test_tasks_and_contacts_are_read_like_mail(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    wanted = replace(
        task(rrule="FREQ=WEEKLY;BYDAY=MO"),
        start=dt.date(2026, 3, 2),
        remind_at=AT,
        percent=40,
        status="in_progress",
        categories=("Client",),
    )
    saved(mailbox, wanted)
    person = replace(
        contact(),
        prefix="dr.",
        suffix="jr.",
        birthday=dt.date(1980, 5, 17),
        website="https://client.example",
        phones=(("work", "021 1"), ("work", "021 2"), ("mobile", "0722"), ("fax", "021 3")),
        text="Notă",
    )
    saved(mailbox, person)
    folders = {f.role: f for f in mailbox.all_folders()}
    (change,) = mailbox.changes(folders[FolderRole.TASKS], None).changes
    assert isinstance(change.item, TaskItem)
    read = replace(change.item, rrule=wanted.rrule)
    assert read == wanted
    assert change.item.rrule == "FREQ=WEEKLY;BYDAY=MO;WKST=MO"
    (change,) = mailbox.changes(folders[FolderRole.CONTACTS], None).changes
    assert change.item == person


def test_a_task_that_is_done_says_when(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    item = task()
    ref = saved(mailbox, item)
    done = replace(item, status="completed", completed_at=AT)
    mailbox.do(Save(new_uid(), ref.folder, done, ref))
    found = mailbox.image(ref).item
    assert isinstance(found, TaskItem)
    assert found.status == "completed"
    assert found.completed_at is not None
    assert found.completed_at.date() == AT.date()
    assert "PercentComplete" not in bodies(ews, "UpdateItem")[-1]


def test_items_of_others_are_known_by_what_copies_keep(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    key = (
        '<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag="0x300B" PropertyType="Binary"/>'
        "<t:Value>c2VhcmNo</t:Value></t:ExtendedProperty>"
    )
    ews.put(
        "tasks",
        "T=",
        f'<t:Task><t:ItemId Id="T=" ChangeKey="1"/><t:Subject>A</t:Subject>{key}</t:Task>',
    )
    item = mailbox.image(Ref("Tasks", "T=")).item
    assert isinstance(item, TaskItem)
    assert item.uid == "exchange:c2VhcmNo"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"emails": tuple(Address(f"a{n}@b.example") for n in range(4))}, "3 e-mail addresses"),
        ({"phones": (("mobile", "1"), ("mobile", "2"))}, "1 numbers"),
        ({"addresses": (*contact().addresses, *contact().addresses)}, "1 address"),
    ],
)
def test_a_contact_with_more_than_exchange_keeps_is_refused_whole(
    ews: EwsServer, mailbox: ExchangeMailbox, change: dict[str, object], sentence: str
) -> None:
    with pytest.raises(UserError, match=sentence):
        saved(mailbox, replace(contact(), **change))  # type: ignore[arg-type]
    assert "CreateItem" not in ews.requests


def test_what_is_emptied_is_emptied_there(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    person = contact()
    ref = saved(mailbox, person)
    bare = replace(person, phones=(), addresses=(), company="", job_title="")
    mailbox.do(Save(new_uid(), ref.folder, bare, ref))
    assert mailbox.image(ref).item == bare


def test_an_image_of_a_meeting_holds_what_restores_it(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ref = saved(mailbox, meeting(rrule=SERIES))
    image = mailbox.image(ref)
    assert isinstance(image, Image)
    assert text_at(soap.parse(image.raw.decode()), "Subject") == "Ședință"
