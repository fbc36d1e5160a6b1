"""Answers that come as mail become attendance: once, of the right guest, and the newest counts."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any

import pytest

from desktop_crm.models import ActivityParty
from desktop_crm.models.activity import Response
from desktop_crm.services import records
from desktop_crm.services.mail import message as mail_message
from desktop_crm.sync import attendance
from desktop_crm.sync.attendance import Reply, Verdict
from desktop_crm.sync.memory import INBOX, MemoryMailbox
from desktop_crm.sync.port import Attachment, MeetingItem
from desktop_crm.sync.port import Response as Told
from desktop_crm.sync.writes import Ability
from tests.mail_servers.servers import Servers
from tests.unit.sync.conftest import AT, World, mail

SOON = AT + dt.timedelta(days=2)
UID = "meeting@desktop-crm"
GUEST, OTHER = "ion@client.example", "lia@nou.example"
REPLY = (
    "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:-//x//y\r\nMETHOD:{method}\r\nBEGIN:VEVENT\r\n"
    "UID:{uid}\r\nDTSTAMP:20260302T090000Z\r\nDTSTART:20260304T080000Z\r\n{more}"
    "ORGANIZER:mailto:ana@firma.example\r\nATTENDEE;PARTSTAT={state};CN=Ion:mailto:{who}\r\n"
    "END:VEVENT\r\nEND:VCALENDAR\r\n"
)


def answer(state: str = "ACCEPTED", who: str = GUEST, **more: str) -> bytes:
    values = {"method": "REPLY", "uid": UID, "more": "", **more}
    return REPLY.format(state=state, who=who, **values).encode()


def reply(key: str, content: bytes, sender: str = GUEST, **more: Any) -> Any:
    kind = "text/calendar; method=REPLY; charset=utf-8"
    file = Attachment("invite.ics", kind, len(content), content)
    return mail(key, sender=sender, attachments=(file,), **more)


@pytest.fixture
def alone(both: World) -> World:
    """A mailbox that notes no answers by itself, and a meeting with two guests."""
    both.port = MemoryMailbox(abilities=frozenset(Ability) - {Ability.ATTENDANCE})
    invite(both)
    return both


def invite(world: World, **values: Any) -> int:
    guests = [
        {"participation": "organizer", "name": "Ana", "address": "ana@firma.example"},
        {"participation": "required", "name": "Ion", "address": GUEST},
        {"participation": "optional", "name": "Lia", "address": OTHER},
    ]
    plain = {"kind": "appointment", "subject": "Vizită", "ical_uid": UID, "owner": world.ana}
    times = {"start_at": SOON, "end_at": SOON + dt.timedelta(hours=1)}
    return world.save("activity", **{**plain, **times, "parties": guests, **values})


def answers(world: World) -> dict[str, str]:
    rows = [p for p in world.rows(ActivityParty) if p.participation in ("required", "optional")]
    return {p.address: p.response for p in rows if p.deleted_at is None}


def arrives(world: World, *items: Any) -> None:
    for item in items:
        world.port.put(INBOX, item)
    result = world.sync()
    assert result.problem is None, result.problem


@pytest.mark.parametrize(
    ("state", "said"),
    [("ACCEPTED", "accepted"), ("TENTATIVE", "tentative"), ("DECLINED", "declined")],
)
def test_an_answer_becomes_attendance(alone: World, state: str, said: str) -> None:
    arrives(alone, reply("r1@x", answer(state)))
    assert answers(alone) == {GUEST: said, OTHER: "none"}
    (row,) = [p for p in alone.rows(ActivityParty) if p.address == GUEST and p.response == said]
    assert row.answered_at == AT
    before = [(a.id, a.version) for a in alone.activities]
    arrives(alone)
    assert [(a.id, a.version) for a in alone.activities] == before


def test_the_newest_answer_counts_whatever_comes_first(alone: World) -> None:
    late, early = AT + dt.timedelta(hours=2), AT - dt.timedelta(hours=2)
    from desktop_crm.core import clock

    clock.use_clock(lambda: AT + dt.timedelta(days=1))
    try:
        arrives(alone, reply("r2@x", answer("DECLINED"), sent_at=late))
        arrives(alone, reply("r1@x", answer("ACCEPTED"), sent_at=early))
        assert answers(alone)[GUEST] == "declined"
        both = [
            reply("r4@x", answer("TENTATIVE"), sent_at=late + dt.timedelta(hours=2)),
            reply("r3@x", answer("ACCEPTED"), sent_at=late + dt.timedelta(hours=1)),
        ]
        arrives(alone, *both)
        assert answers(alone)[GUEST] == "tentative"
    finally:
        clock.use_clock(None)


def test_a_clock_that_is_ahead_keeps_no_later_answer_out(
    alone: World, moment: list[dt.datetime]
) -> None:
    arrives(alone, reply("r1@x", answer("DECLINED"), sent_at=AT + dt.timedelta(days=900)))
    moment[0] += dt.timedelta(hours=1)
    arrives(alone, reply("r2@x", answer("ACCEPTED"), sent_at=moment[0]))
    assert answers(alone)[GUEST] == "accepted"


def test_an_answer_that_was_changed_by_hand_stays_when_it_is_read_again(alone: World) -> None:
    arrives(alone, reply("r1@x", answer("DECLINED")))
    record = records.get(alone.actor, "activity", alone.activities[0].id)
    parties = [
        {**row, "response": "accepted"} if row["address"] == GUEST else dict(row)
        for row in record.lines["parties"]
    ]
    records.save(alone.actor, "activity", record.id, None, {"parties": parties})
    alone.port.forget_tokens()
    arrives(alone)
    assert answers(alone)[GUEST] == "accepted"


@pytest.mark.parametrize(
    ("sender", "who"),
    [
        ("evil@bad.example", GUEST),
        ("evil@bad.example", "evil@bad.example"),
        (OTHER, GUEST),
        ("ana@firma.example", "ana@firma.example"),
    ],
    ids=["for a guest", "for himself", "one guest for another", "the organizer"],
)
def test_nobody_answers_for_another(alone: World, sender: str, who: str) -> None:
    before = [(a.id, a.version) for a in alone.activities]
    arrives(alone, reply("r1@x", answer(who=who), sender=sender))
    assert answers(alone) == {GUEST: "none", OTHER: "none"}
    assert [(a.id, a.version) for a in alone.activities][:1] == before


def test_a_forged_answer_is_said_to_change_nothing(alone: World) -> None:
    arrives(alone, reply("r1@x", answer(), sender="evil@bad.example"), reply("r2@x", answer()))
    me = replace(alone.actor, user_id=alone.ana)
    by_sender = {one.from_address: one.activity_id for one in alone.messages}
    found = attendance.about(me, mail_message.message(me, by_sender[GUEST]))
    assert found is not None
    assert (found.who, found.title, found.verdict) == ("Ion", "Vizită", Verdict.COUNTS)
    forged = by_sender["evil@bad.example"]
    # In a shared database the files of a stranger's mail are not kept; what was noted is.
    assert attendance.noted(me, forged).startswith("evil@bad.example answers the invitation to")
    assert attendance.noted(me, by_sender[GUEST]) == ""
    read = attendance.about(me, mail_message.message(me, forged))
    assert read is None or read.verdict is Verdict.STRANGER


@pytest.mark.parametrize(
    "content",
    [
        answer(uid="unknown@x"),
        answer(method="REQUEST"),
        answer(method="COUNTER"),
        answer("NEEDS-ACTION"),
        answer(more="RECURRENCE-ID:20260311T080000Z\r\n"),
        b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\nUID:meeting@desktop-crm\r\n",
        b"\x00\xff",
    ],
    ids=["unknown", "request", "counter", "open", "date", "torn", "noise"],
)
def test_what_is_no_answer_to_it_changes_nothing(alone: World, content: bytes) -> None:
    arrives(alone, reply("r1@x", content))
    assert answers(alone) == {GUEST: "none", OTHER: "none"}


def test_an_answer_for_one_date_stands_at_that_date(alone: World) -> None:
    second = SOON + dt.timedelta(weeks=1)
    alone.save("activity", kind="appointment", subject="x", start_at=SOON, owner=alone.ana)
    key = invite(
        alone, recurrence_id=second.isoformat(), start_at=second, end_at=second, subject="Mutată"
    )
    arrives(alone, reply("r1@x", answer(more="RECURRENCE-ID:20260311T080000Z\r\n")))
    parties = {p.activity_id for p in alone.rows(ActivityParty) if p.response == "accepted"}
    assert parties == {key}


def test_other_peoples_meetings_and_able_mailboxes_are_left_alone(both: World) -> None:
    invite(both)
    arrives(both, reply("r1@x", answer()))
    assert answers(both) == {GUEST: "none", OTHER: "none"}
    both.port = MemoryMailbox(abilities=frozenset(Ability) - {Ability.ATTENDANCE})
    theirs = both.save("user", name="Dan", login="dan", email="dan@firma.example")
    records.save(both.actor, "activity", both.activities[0].id, None, {"owner": theirs})
    arrives(both, reply("r2@x", answer()))
    assert answers(both) == {GUEST: "none", OTHER: "none"}


def test_replies_are_read_out_of_whatever_file() -> None:
    found = attendance.replies_in([answer("declined", "ION@Client.example"), b"", answer()])
    assert found == [
        Reply(UID, "", GUEST, Response.DECLINED),
        Reply(UID, "", GUEST, Response.ACCEPTED),
    ]


def test_on_a_mail_server_the_answer_reaches_the_calendar_too(
    world: World, mail_servers: Servers, moment: list[dt.datetime]
) -> None:
    """Nobody else does it there: neither the mail server nor the calendar reads the mail."""
    records.save(world.actor, "mailbox", world.mailbox, None, {"two_way": True})
    invite(world)
    port = mail_servers.mailbox()
    client = mail_servers.dovecot.client()
    assert world.sync(port=port).problem is None
    moment[0] += dt.timedelta(minutes=5)
    assert world.sync(port=port).problem is None
    content = answer("DECLINED").decode()
    client.append(
        "INBOX",
        (
            "From: Ion <ion@client.example>\r\nTo: ana@firma.example\r\nSubject: Declined\r\n"
            "Message-ID: <r1@x>\r\nDate: Mon, 2 Mar 2026 08:03:00 +0000\r\nMIME-Version: 1.0\r\n"
            "Content-Type: multipart/alternative; boundary=b\r\n\r\n--b\r\n"
            "Content-Type: text/plain\r\n\r\nNo\r\n--b\r\n"
            f"Content-Type: text/calendar; method=REPLY\r\n\r\n{content}\r\n--b--\r\n"
        ).encode(),
    )
    for _ in range(3):
        assert world.sync(port=port).problem is None
        moment[0] += dt.timedelta(minutes=5)
    assert answers(world) == {GUEST: "declined", OTHER: "none"}
    folder = next(f for f in port.folders() if f.role.value == "calendar")
    (there,) = [c.item for c in port.changes(folder, None).changes]
    assert isinstance(there, MeetingItem)
    said = {a.address.address: a.response for a in there.attendees}
    assert said == {GUEST: Told.DECLINED, OTHER: Told.NONE}
    assert mail_servers.smtp.delivered == []
    before = [(a.id, a.version) for a in world.activities]
    assert world.sync(port=port).problem is None
    assert [(a.id, a.version) for a in world.activities] == before
    port.close()
    client.logout()
