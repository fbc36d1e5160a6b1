"""Microsoft 365 is written to: exactly once, never in silence to people, and what it refuses."""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace
from email.message import EmailMessage

import pytest

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.sync.formats.mime import read_message
from desktop_crm.sync.graph.mailbox import CALENDAR, GraphMailbox
from desktop_crm.sync.port import Address, Attendee, ContactItem, MeetingItem, Response, ShowAs
from desktop_crm.sync.writes import (
    Answer,
    BusyTime,
    Delete,
    Mark,
    Move,
    Notify,
    PutBack,
    Ref,
    Save,
    Send,
    Stale,
    Vanished,
)
from tests.contract.writing_driver import AT, HOUR, contact, meeting, sending, task
from tests.graph_server import GraphServer
from tests.graph_server.faults import half, lost, reset, says, status
from tests.graph_server.store import person
from tests.unit.sync.test_graph import Tokens, mime

GUEST = Attendee(Address("ion@client.example", "Ion"))


@pytest.fixture
def server() -> Iterator[GraphServer]:
    server = GraphServer()
    yield server
    server.close()


@pytest.fixture
def box(server: GraphServer) -> Iterator[GraphMailbox]:
    box = GraphMailbox(server.store.address, tokens=Tokens(), service=server.url, timeout_s=5)
    yield box
    box.close()


def save(box: GraphMailbox, item: MeetingItem, notify: Notify = Notify.NOBODY) -> Ref:
    ref = box.do(Save(new_uid(), "calendar", item, notify=notify)).ref
    assert ref is not None
    return ref


def shown(box: GraphMailbox, ref: Ref) -> MeetingItem:
    item = box.image(ref).item
    assert isinstance(item, MeetingItem)
    return item


# --- sending -----------------------------------------------------------------------------------


def large() -> Send:
    key = new_uid()
    built = EmailMessage()
    built["Message-ID"] = f"<{key}@firma.example>"
    built["From"], built["To"] = "ana@firma.example", "ion@client.example"
    built["In-Reply-To"] = "<before@x>"
    built["Subject"] = "Planșe"
    built.set_content("Bună ziua")
    for n in range(2):
        data = bytes([65 + n]) * 4_000_000
        built.add_attachment(data, maintype="application", subtype="pdf", filename=f"Ș{n}.pdf")
    recipients = ("ion@client.example",)
    return Send(key, f"{key}@firma.example", built.as_bytes(), "ana@firma.example", recipients)


def test_large_attachments_follow_the_message_piece_by_piece(
    server: GraphServer, box: GraphMailbox
) -> None:
    deed = large()
    box.do(deed)
    ((_, data, to),) = server.store.sent
    item = read_message(data)
    assert to == ("ion@client.example",)
    assert (item.message_id, item.in_reply_to) == (deed.message_id, "before@x")
    assert [(a.name, a.size) for a in item.attachments] == [
        ("Ș0.pdf", 4_000_000),
        ("Ș1.pdf", 4_000_000),
    ]
    assert all(len(body) <= 4 * 1024 * 1024 for body in server.bodies)


def test_a_piece_nobody_took_is_not_taken_for_handed_over(
    server: GraphServer, box: GraphMailbox
) -> None:
    deed = large()
    server.fault("/upload/", half)
    with pytest.raises(EnvironmentProblem):
        box.do(deed)
    assert server.store.sent == []
    assert box.find(deed) is None
    box.do(deed)
    ((_, data, _to),) = server.store.sent
    assert [a.size for a in read_message(data).attachments] == [4_000_000, 4_000_000]


def test_a_place_for_an_attachment_that_is_not_protected_gets_nothing(
    server: GraphServer, box: GraphMailbox
) -> None:
    server.fault("createUploadSession", says({"uploadUrl": "http://evil.example/put"}))
    with pytest.raises(EnvironmentProblem):
        box.do(large())
    assert server.store.sent == []


@pytest.mark.parametrize("act", [reset, lost, half], ids=["before", "after", "half"])
@pytest.mark.parametrize("place", ["GET /me/messages", "POST /me/messages", "PATCH", "send$"])
def test_wherever_the_line_breaks_it_is_sent_once(
    server: GraphServer, box: GraphMailbox, act: object, place: str
) -> None:
    deed = sending(bcc=("boss@firma.example",))
    pattern = {"GET /me/messages": r"messages$", "POST /me/messages": r"messages$"}.get(
        place, r"messages/[^/]+$" if place == "PATCH" else place
    )
    if place == "POST /me/messages":
        # Two questions come before it.
        server.fault(pattern, lambda handler: False, times=2)
    server.fault(pattern, act)  # type: ignore[arg-type]
    with pytest.raises(EnvironmentProblem):
        box.do(deed)
    server.faults.clear()
    if box.find(deed) is None:
        box.do(deed)
    assert box.find(deed) is not None
    ((_, _, to),) = server.store.sent
    assert set(to) == {"ion@client.example", "boss@firma.example"}
    drafts = server.store.folders["id-drafts"].mail.items
    assert drafts == {}


def test_a_message_on_its_way_is_not_sent_again(server: GraphServer, box: GraphMailbox) -> None:
    from tests.graph_server.store import Folder

    server.store.folders["out"] = Folder("out", "Outbox")
    server.after_sending = "out"
    deed = sending()
    assert box.do(deed).ref is None
    assert box.find(deed) is not None
    assert len(server.store.sent) == 1


def test_a_message_that_names_a_stranger_is_not_sent(
    server: GraphServer, box: GraphMailbox
) -> None:
    deed = replace(sending(), recipients=("somebody@else.example",))
    with pytest.raises(UserError, match="shall not go"):
        box.do(deed)
    assert server.calls == []


def test_a_sender_the_mailbox_may_not_be_is_refused(server: GraphServer, box: GraphMailbox) -> None:
    server.fault("send$", status(403, "ErrorSendAsDenied"))
    with pytest.raises(UserError, match="ErrorSendAsDenied"):
        box.do(sending())


# --- meetings ----------------------------------------------------------------------------------


def test_a_meeting_is_made_once_when_the_answer_was_lost(
    server: GraphServer, box: GraphMailbox
) -> None:
    deed = Save(new_uid(), "calendar", meeting())
    server.fault("events$", lost)
    with pytest.raises(EnvironmentProblem):
        box.do(deed)
    assert box.find(deed) is not None
    box.do(deed)
    assert len(server.store.events.items) == 1


def test_a_series_is_made_without_the_occurrences_it_shall_not_have(box: GraphMailbox) -> None:
    gone = AT + dt.timedelta(days=1)
    ref = save(box, meeting(rrule="FREQ=DAILY;COUNT=3", exdates=(gone,)))
    assert shown(box, ref).exdates == (gone,)


def test_an_old_series_is_known_as_far_as_it_is_read(
    server: GraphServer, box: GraphMailbox
) -> None:
    start = AT - dt.timedelta(days=3 * 365)
    ref = save(box, meeting(rrule="FREQ=WEEKLY;COUNT=300", start=start, end=start + HOUR))
    (read,) = [c.item for c in box.changes(CALENDAR, None, 2_000).changes]
    assert isinstance(read, MeetingItem)
    assert shown(box, ref).exdates == read.exdates == ()
    # A deletion from before that is asked for again and again is none.
    again = replace(read, exdates=(start + dt.timedelta(days=7),))
    server.calls.clear()
    box.do(Save(new_uid(), "calendar", again, ref))
    assert not [call for call in server.calls if call.startswith(("DELETE", "PATCH"))]


def test_one_occurrence_is_changed(server: GraphServer, box: GraphMailbox) -> None:
    series = meeting(rrule="FREQ=DAILY;COUNT=3")
    ref = save(box, series)
    original = AT + dt.timedelta(days=1)
    moved = replace(
        series,
        rrule="",
        recurrence_id=original,
        subject="Alta",
        start=original + HOUR,
        end=original + 2 * HOUR,
    )
    deed = Save(new_uid(), "calendar", moved, box.image(ref).ref)
    written = box.do(deed).ref
    assert written is not None
    item = shown(box, written)
    assert (item.subject, item.start, item.recurrence_id) == ("Alta", original + HOUR, original)
    assert shown(box, ref).exdates == (original,)
    assert box.find(deed) is not None
    missing = replace(moved, recurrence_id=AT + dt.timedelta(days=9))
    deed = Save(new_uid(), "calendar", missing, box.image(ref).ref)
    with pytest.raises(Vanished):
        box.do(deed)


def test_a_series_comes_back_with_its_changed_and_without_its_deleted_occurrences(
    server: GraphServer, box: GraphMailbox
) -> None:
    series = meeting(rrule="FREQ=DAILY;COUNT=4")
    ref = save(box, series)
    day = dt.timedelta(days=1)
    box.do(Delete(new_uid(), box.image(ref).ref, AT + day))
    start = AT + 2 * day + HOUR
    changed = replace(
        series, rrule="", recurrence_id=AT + 2 * day, subject="Alta", start=start, end=start + HOUR
    )
    box.do(Save(new_uid(), "calendar", changed, box.image(ref).ref))
    image = box.image(ref)
    box.do(Delete(new_uid(), image.ref))
    again = box.do(PutBack(new_uid(), image)).ref
    assert again is not None
    assert shown(box, again).exdates == (AT + day, AT + 2 * day)
    (back,) = [one for one in server.store.events.items.values() if one["type"] == "exception"
               and one["seriesMasterId"] == again.item_id]  # fmt: skip
    assert back["subject"] == "Alta"


def test_an_occurrence_that_would_pass_its_neighbour(
    server: GraphServer, box: GraphMailbox
) -> None:
    ref = save(box, meeting())
    server.fault(r"events/[^/]+$", lambda handler: False)
    server.fault(r"events/[^/]+$", status(400, "ErrorOccurrenceCrossingBoundary"))
    with pytest.raises(UserError, match="neighbours"):
        box.do(Save(new_uid(), "calendar", meeting("Altfel"), ref))


@pytest.mark.parametrize("rule", ["FREQ=MONTHLY;BYMONTHDAY=1,15", "FREQ=DAILY;BYHOUR=9"])
def test_a_rule_without_a_pattern_is_refused_whole(
    server: GraphServer, box: GraphMailbox, rule: str
) -> None:
    with pytest.raises(UserError, match="no pattern"):
        save(box, meeting(rrule=rule))
    assert server.store.events.items == {}


def test_a_meeting_of_somebody_else_is_theirs_but_its_reminder_is_mine(
    server: GraphServer, box: GraphMailbox
) -> None:
    key = server.store.put_event(
        isOrganizer=False,
        organizer=person("ion@client.example"),
        attendees=[{**person("ana@firma.example"), "type": "required"}],
        subject="A lor",
    )
    ref = Ref("calendar", key)
    theirs = shown(box, ref)
    with pytest.raises(UserError, match="organizer"):
        box.do(Save(new_uid(), "calendar", replace(theirs, subject="A mea"), ref))
    mine = replace(theirs, reminder_minutes=5, show_as=ShowAs.TENTATIVE)
    box.do(Save(new_uid(), "calendar", mine, ref))
    found = shown(box, ref)
    assert (found.reminder_minutes, found.show_as) == (5, ShowAs.TENTATIVE)
    assert server.store.invitations == []


def test_only_who_changed_is_told_when_that_can_be(server: GraphServer, box: GraphMailbox) -> None:
    item = meeting(attendees=(GUEST,))
    ref = save(box, item, Notify.EVERYBODY)
    more = replace(item, attendees=(GUEST, Attendee(Address("eva@client.example"))))
    changed = replace(more, subject="Altfel")
    with pytest.raises(UserError, match="everybody"):
        box.do(Save(new_uid(), "calendar", changed, ref, Notify.CHANGED))
    assert len(server.store.invitations) == 1
    box.do(Save(new_uid(), "calendar", more, ref, Notify.CHANGED))
    assert len(server.store.invitations) == 2


def test_the_link_of_an_online_meeting_is_not_lost(server: GraphServer, box: GraphMailbox) -> None:
    key = server.store.put_event(
        isOnlineMeeting=True, body={"contentType": "text", "content": "Link"}
    )
    ref = Ref("calendar", key)
    with pytest.raises(UserError, match="online meeting"):
        box.do(Save(new_uid(), "calendar", replace(shown(box, ref), text="Altceva"), ref))
    box.do(Save(new_uid(), "calendar", replace(shown(box, ref), location="Sala 3"), ref))
    assert (shown(box, ref).text, shown(box, ref).location) == ("Link", "Sala 3")


def test_somebody_was_faster_between_looking_and_writing(
    server: GraphServer, box: GraphMailbox
) -> None:
    ref = save(box, meeting())
    server.fault(r"events/[^/]+$", lambda handler: False)
    server.fault(r"events/[^/]+$", status(412, "ErrorIrresolvableConflict"))
    with pytest.raises(Stale):
        box.do(Save(new_uid(), "calendar", meeting("Altfel"), ref))


@pytest.mark.parametrize("response", [Response.ACCEPTED, Response.TENTATIVE, Response.DECLINED])
def test_an_invitation_is_answered_from_its_message_and_the_host_is_told_when_asked(
    server: GraphServer, box: GraphMailbox, response: Response
) -> None:
    event = server.store.put_event(isOrganizer=False, organizer=person("ion@client.example"))
    key = server.store.put_mail("inbox", mime("invitation"), event={"id": event})
    deed = Answer(new_uid(), Ref("inbox", key), response, Notify.EVERYBODY)
    assert box.find(deed) is None
    written = box.do(deed)
    assert [to for _, _, to in server.store.invitations] == [("ion@client.example",)]
    if response is Response.DECLINED:
        assert written.ref is None
        assert event not in server.store.events.items
    else:
        assert written.ref is not None
        assert shown(box, written.ref).my_response is response
    assert box.find(deed) is not None


def test_no_answer_is_no_answer(server: GraphServer, box: GraphMailbox) -> None:
    event = server.store.put_event(isOrganizer=False)
    with pytest.raises(UserError, match="accepted"):
        box.do(Answer(new_uid(), Ref("calendar", event), Response.NONE))


# --- the rest ----------------------------------------------------------------------------------


def test_a_message_that_is_gone_for_good_is_not_laid_back_as_a_draft(
    server: GraphServer, box: GraphMailbox
) -> None:
    key = server.store.put_mail("inbox", mime("m"))
    image = box.image(Ref("inbox", key))
    box.do(Delete(new_uid(), image.ref))
    server.store.folders["id-deleteditems"].mail.drop(key)
    with pytest.raises(UserError, match="kept here"):
        box.do(PutBack(new_uid(), image))
    assert all(folder.mail.items == {} for folder in server.store.folders.values())


def test_what_was_deleted_twice_is_gone(server: GraphServer, box: GraphMailbox) -> None:
    key = server.store.put_mail("deleteditems", mime("m"))
    box.do(Delete(new_uid(), Ref("deleteditems", key)))
    assert server.store.home_of(key) is None


def test_a_move_or_deletion_whose_answer_was_lost_is_found(
    server: GraphServer, box: GraphMailbox
) -> None:
    key = server.store.put_mail("inbox", mime("m"))
    move = Move(new_uid(), Ref("inbox", key), "archive")
    assert box.find(move) is None
    server.fault("move$", lost)
    with pytest.raises(EnvironmentProblem):
        box.do(move)
    found = box.find(move)
    assert found is not None
    assert found.ref is not None
    delete = Delete(new_uid(), found.ref)
    assert box.find(delete) is None
    box.do(delete)
    assert box.find(delete) is not None


def test_contacts_and_tasks_are_not_moved_or_flagged(
    server: GraphServer, box: GraphMailbox
) -> None:
    ref = box.do(Save(new_uid(), "contacts/book-1", contact())).ref
    assert ref is not None
    with pytest.raises(UserError, match="messages only"):
        box.do(Move(new_uid(), ref, "archive"))
    with pytest.raises(UserError, match="Only messages"):
        box.do(Mark(new_uid(), ref, is_read=True))
    box.do(Mark(new_uid(), ref, categories=("CRM",)))
    item = box.image(ref).item
    assert isinstance(item, ContactItem)
    assert item.categories == ("CRM",)


def test_a_change_sends_only_what_changed(server: GraphServer, box: GraphMailbox) -> None:
    ref = box.do(Save(new_uid(), "contacts/book-1", contact())).ref
    assert ref is not None
    # What the program does not know of stays.
    server.store.contacts["book-1"].items[ref.item_id]["nickName"] = "Fane"
    changed = replace(contact(), job_title="Altul")
    box.do(Save(new_uid(), ref.folder, changed, ref))
    assert b"Altul" in server.bodies[-1]
    assert b"givenName" not in server.bodies[-1]
    assert server.store.contacts["book-1"].items[ref.item_id]["nickName"] == "Fane"


def test_a_task_is_found_among_many(server: GraphServer, box: GraphMailbox) -> None:
    server.page_limit = 2
    deeds = [Save(new_uid(), "todo/list-1", task(f"Task {n}")) for n in range(5)]
    for deed in deeds:
        box.do(deed)
    for deed in deeds:
        assert box.find(deed) is not None
    assert box.find(Save(new_uid(), "todo/list-1", task())) is None


def test_when_people_are_busy(server: GraphServer, box: GraphMailbox) -> None:
    server.busy["ion@client.example"] = [
        ("busy", "2026-03-02T08:00:00", "2026-03-02T09:00:00"),
        ("free", "2026-03-02T09:00:00", "2026-03-02T10:00:00"),
        ("oof", "2026-03-02T10:00:00", "2026-03-02T11:00:00"),
    ]
    people = ["ion@client.example", *(f"p{n}@x.example" for n in range(30))]
    found = box.free_busy(people, AT, AT + 8 * HOUR)
    assert found["ion@client.example"] == (
        BusyTime(AT, AT + HOUR),
        BusyTime(AT + 2 * HOUR, AT + 3 * HOUR, ShowAs.OUT_OF_OFFICE),
    )
    assert found["p7@x.example"] is None
    assert len(server.calls) == 2


def test_a_refused_write_is_a_sentence(server: GraphServer, box: GraphMailbox) -> None:
    key = server.store.put_mail("inbox", mime("m"))
    server.fault("messages", lambda handler: False)
    server.fault("messages", status(403, "ErrorAccessDenied"))
    with pytest.raises(EnvironmentProblem, match="grant its permissions"):
        box.do(Mark(new_uid(), Ref("inbox", key), is_read=True))
