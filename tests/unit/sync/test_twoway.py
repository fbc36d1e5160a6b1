"""Meetings, tasks and contacts in both directions through whole passes."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace

import pytest
from sqlalchemy import select

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.models import Activity, Contact, MailboxItem, OutboxItem
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services import records
from desktop_crm.services.mail import outbox
from desktop_crm.sync.memory import CALENDAR, TASKS, MemoryMailbox
from desktop_crm.sync.port import (
    Address,
    ContactItem,
    MeetingItem,
    Sensitivity,
    TaskItem,
)
from desktop_crm.sync.twoway.lines import Consent
from desktop_crm.sync.twoway.passing import Braked
from desktop_crm.sync.writes import Notify
from tests.unit.sync.conftest import AT, CRM, World, meeting
from tests.unit.sync.two_ways import SOON, activity, appointment, deeds, go, held, quiet

pytestmark = pytest.mark.usefixtures("moment")


def test_what_is_made_here_is_made_there_once(both: World) -> None:
    key = appointment(both, location="Cluj", description="Agenda\nA doua")
    task = both.save("activity", kind="task", subject="Sună", owner=both.ana, due_at=SOON)
    go(both)
    there = held(both)
    assert (there.subject, there.location, there.start) == ("Vizită", "Cluj", SOON)
    assert there.text == "Agenda\nA doua"
    assert held(both, TASKS).due == dt.date(2026, 3, 4)
    assert activity(both, key).ical_uid == there.uid
    assert both.port.told == []
    quiet(both)
    assert {a.id for a in both.activities} == {key, task}
    assert [d.why for d in deeds(both)] == ["New here.", "New here."]


def test_a_change_of_each_side_reaches_the_other(both: World) -> None:
    item = both.port.put(CALENDAR, meeting(start=SOON, end=SOON + dt.timedelta(hours=1)))
    go(both)
    (row,) = both.activities
    both.port.put(CALENDAR, replace(held(both), location="Sala 9"), item)
    records.save(both.actor, "activity", row.id, None, {"description": "Nou"})
    go(both)
    (row,) = both.activities
    assert (row.location, row.description) == ("Sala 9", "Nou")
    later(both)
    assert (held(both).location, held(both).text) == ("Sala 9", "Nou")
    quiet(both)


def later(world: World) -> None:
    """Let the time pass in which a person could have told the other participants."""
    with world.actor.db.writing() as connection:
        from desktop_crm.services.records_kept import set_where

        own = OutboxItem.__table__.c
        set_where(connection, OutboxItem, own.state == "waiting", {"due_at": AT})
    go(world)


def test_a_change_others_could_be_told_of_waits_for_the_answer_and_then_tells_nobody(
    both: World, moment: list[dt.datetime]
) -> None:
    both.port.put(CALENDAR, meeting(start=SOON, end=SOON + dt.timedelta(hours=1)))
    go(both)
    (row,) = both.activities
    records.save(both.actor, "activity", row.id, None, {"location": "Sala 5"})
    go(both)
    (deed,) = deeds(both)
    assert (deed.state, deed.notify) == ("waiting", None)
    assert deed.why_params["people"] == 2
    assert held(both).location == "Sala 2"
    moment[0] += dt.timedelta(minutes=5)
    go(both)
    assert held(both).location == "Sala 5"
    assert both.port.told == []
    quiet(both)


def test_a_conflict_overwrites_nothing(both: World) -> None:
    item = both.port.put(CALENDAR, meeting(attendees=()))
    go(both)
    (row,) = both.activities
    both.port.put(CALENDAR, replace(held(both), subject="B", text="T"), item)
    records.save(both.actor, "activity", row.id, None, {"subject": "A"})
    go(both)
    (row,) = both.activities
    assert (row.subject, row.description, held(both).subject) == ("A", "T", "B")
    quiet(both)


def test_deleting_there_calls_off_what_is_to_come_and_keeps_what_was(both: World) -> None:
    past = both.port.put(CALENDAR, meeting("past", start=AT - dt.timedelta(days=3), end=AT))
    coming = both.port.put(CALENDAR, meeting("soon", start=SOON, end=SOON))
    go(both)
    for key in (past, coming):
        both.port.remove(CALENDAR, key)
    go(both, consent=Consent(reviewed=True))
    states = {a.ical_uid: a.state for a in both.activities}
    assert states == {"past": "open", "soon": "canceled"}
    quiet(both)


def test_a_deleted_item_that_comes_back_is_open_again(both: World) -> None:
    item = meeting("soon", start=SOON, end=SOON, attendees=())
    key = both.port.put(CALENDAR, item)
    go(both)
    both.port.remove(CALENDAR, key)
    go(both, consent=Consent(reviewed=True))
    both.port.put(CALENDAR, item)
    go(both)
    (row,) = both.activities
    assert row.state == "open"
    quiet(both)


def test_deleting_here_asks_before_it_deletes_there(both: World) -> None:
    both.port.put(CALENDAR, meeting(start=SOON, end=SOON))
    go(both)
    (row,) = both.activities
    records.delete(both.actor, "activity", [row.id])
    go(both)
    (deed,) = deeds(both)
    assert (deed.deed, deed.state) == ("delete", "held")
    assert held(both)
    quiet(both)
    outbox.release(both.actor, [deed.id])
    go(both)
    assert both.port.held(CALENDAR) == {}
    assert both.port.told == []
    quiet(both)


def test_what_is_deleted_here_while_it_goes_out_is_asked_for_there(
    both: World, moment: list[dt.datetime]
) -> None:
    key = both.save("activity", kind="task", subject="Sună", owner=both.ana, due_at=SOON)

    def lost(_deed: object) -> None:
        both.port._after = None
        raise EnvironmentProblem("gone", retryable=True)

    both.port._after = lost
    both.sync()
    records.delete(both.actor, "activity", [key])
    moment[0] += dt.timedelta(hours=1)
    go(both)
    go(both)
    assert [(d.deed, d.state) for d in deeds(both)] == [("save", "done"), ("delete", "held")]
    quiet(both)


def test_a_deletion_that_was_refused_is_not_asked_again(both: World) -> None:
    both.port.put(CALENDAR, meeting(start=SOON, end=SOON))
    go(both)
    (row,) = both.activities
    records.delete(both.actor, "activity", [row.id])
    go(both)
    outbox.cancel(both.actor, deeds(both)[0].id)
    go(both)
    quiet(both)
    assert held(both)


def test_a_refused_password_ends_the_pass_at_once(both: World) -> None:
    """Each further item would be one more refusal, and many of them lock the account."""
    keys = [appointment(both, subject=f"Vizită {n}") for n in range(3)]
    go(both)
    for key in keys:
        records.save(both.actor, "activity", key, None, {"location": "Iași"})
    asked: list[str] = []

    def refuse(call: str) -> None:
        if call == "image":
            asked.append(call)
            raise UserError("Refused.", field="password")

    both.port._fault = refuse
    result = both.sync()
    assert isinstance(result.problem, UserError)
    assert len(asked) == 1
    both.port._fault = None
    go(both)
    assert [getattr(i, "location", "") for i in both.port.held(CALENDAR).values()] == ["Iași"] * 3


def test_too_many_deletions_stop_the_pass(both: World) -> None:
    keys = [both.port.put(CALENDAR, meeting(f"u{n}", start=SOON, end=SOON)) for n in range(8)]
    go(both)
    for key in keys[:6]:
        both.port.remove(CALENDAR, key)
    result = both.sync()
    assert isinstance(result.problem, Braked)
    assert {a.state for a in both.activities} == {"open"}
    go(both, consent=Consent(reviewed=True))
    assert [a.state for a in both.activities].count("canceled") == 6


def test_a_folder_that_cannot_be_seen_calls_nothing_off(both: World) -> None:
    both.port.put(CALENDAR, meeting(start=SOON, end=SOON))
    go(both)
    port = both.port
    both.port = MemoryMailbox(folders=(), others=(TASKS,))
    go(both)
    assert {a.state for a in both.activities} == {"open"}
    both.port = port
    port.forget_tokens()
    go(both)
    quiet(both)
    assert len(both.activities) == 1


def test_tasks_of_the_phone_become_records_and_are_done_on_both_sides(both: World) -> None:
    key = both.port.put(TASKS, TaskItem("t1", "Sună clientul", due=dt.date(2026, 3, 9)))
    go(both)
    (row,) = both.activities
    assert (row.kind, row.subject, row.owner_id) == ("task", "Sună clientul", both.ana)
    both.port.put(TASKS, replace(held(both, TASKS), status="completed", percent=100), key)
    go(both)
    assert activity(both, row.id).state == "completed"
    quiet(both)
    other = both.port.put(TASKS, TaskItem("t2", "Alta"))
    go(both)
    new = next(a for a in both.activities if a.id != row.id)
    records.save(both.actor, "activity", new.id, None, {"state": "completed"})
    go(both)
    assert both.port.held(TASKS)[other].status == "completed"  # type: ignore[union-attr]
    quiet(both)


def test_an_item_made_and_changed_between_two_passes_is_one_record(both: World) -> None:
    key = both.port.put(TASKS, TaskItem("t1", "A"))
    both.port.put(TASKS, TaskItem("t1", "B"), key)
    gone = both.port.put(TASKS, TaskItem("t2", "C"))
    both.port.remove(TASKS, gone)
    go(both)
    assert [a.subject for a in both.activities] == ["B"]
    quiet(both)


def test_people_of_the_accounts_i_own_lie_in_the_folder(both: World) -> None:
    records.save(both.actor, "account", both.client, None, {"owner": both.ana})
    records.save(both.actor, "mailbox", both.mailbox, None, {"contact_scope": "mine"})
    go(both)
    there = held(both, CRM)
    assert (there.full_name, there.company) == ("Ion Pop", "Client SRL")
    assert there.emails == (Address("ion@client.example"),)
    (key,) = both.port.held(CRM)
    both.port.put(CRM, replace(there, phones=(("mobile", "0722 123 456"),)), key)
    records.save(both.actor, "contact", both.contact, None, {"job_title": "Director"})
    go(both)
    assert records.get(both.actor, "contact", both.contact).values["phone"]
    assert held(both, CRM).job_title == "Director"
    assert held(both, CRM).phones == (("mobile", "0722 123 456"),)
    quiet(both)
    both.port.remove(CRM, key)
    go(both)
    go(both)
    assert both.port.held(CRM) == {}, "what was deleted on the phone is not written again"
    assert len(both.rows(Contact)) == 1


def test_somebody_new_on_the_phone_becomes_a_contact_and_nobody_twice(both: World) -> None:
    both.port.put(CRM, ContactItem("c1", first_name="Lia", emails=(Address("lia@x.example"),)))
    same = ContactItem("c2", first_name="Ion", emails=(Address("ion@client.example"),))
    both.port.put(CRM, same)
    private = ContactItem("c3", first_name="Mama", sensitivity=Sensitivity.PRIVATE)
    both.port.put(CRM, private)
    go(both)
    assert [c.first_name for c in both.rows(Contact)] == ["Ion", "Lia"]
    quiet(both)


def test_a_private_meeting_goes_out_as_busy(both: World) -> None:
    key = appointment(both, subject="Medic", location="Clinica", sensitivity="private")
    go(both)
    there = held(both)
    assert "Medic" not in repr(there)
    assert there.sensitivity is Sensitivity.PRIVATE
    quiet(both)
    (item,) = both.port.held(CALENDAR)
    later = SOON + dt.timedelta(days=1)
    both.port.put(CALENDAR, replace(there, start=later, end=later), item)
    go(both)
    row = activity(both, key)
    assert (row.subject, row.location, row.start_at) == ("Medic", "Clinica", later)
    quiet(both)


def test_what_the_mailbox_refuses_is_said_once(both: World) -> None:

    appointment(both)

    def refuse(call: str) -> None:
        if call == "do":
            raise UserError("The mailbox is full.")

    both.port._fault = refuse
    go(both)
    both.port._fault = None
    (deed,) = deeds(both)
    assert (deed.state, deed.message) == ("failed", "The mailbox is full.")
    quiet(both)
    key = both.activities[0].id
    records.save(both.actor, "activity", key, None, {"location": "Iași"})
    go(both)
    assert held(both).location == "Iași"


def test_a_lost_answer_makes_nothing_twice(both: World, moment: list[dt.datetime]) -> None:
    appointment(both)

    def lost(_deed: object) -> None:
        both.port._after = None
        raise EnvironmentProblem("gone", retryable=True)

    both.port._after = lost
    both.sync()
    assert len(both.port.held(CALENDAR)) == 1
    both.sync()
    moment[0] += dt.timedelta(minutes=2)
    go(both)
    assert len(both.port.held(CALENDAR)) == 1
    assert len(both.activities) == 1
    quiet(both)


def test_an_edit_in_the_mailbox_at_the_last_moment_is_not_overwritten(both: World) -> None:
    key = both.port.put(CALENDAR, meeting(attendees=()))
    go(both)
    (row,) = both.activities
    records.save(both.actor, "activity", row.id, None, {"location": "Aici"})
    done: list[str] = []

    def meanwhile(call: str) -> None:
        if call == "image" and not done:
            done.append(call)
            both.port.put(CALENDAR, replace(held(both), text="Tot atunci"), key)

    both.port._fault = meanwhile
    go(both)
    assert (held(both).location, held(both).text) == ("Aici", "Tot atunci")
    go(both)
    assert activity(both, row.id).description == "Tot atunci"
    quiet(both)


def test_a_series_goes_out_with_its_moved_occurrence_and_a_left_out_day_is_asked(
    both: World,
) -> None:
    rule = {"recurrence_rule": "FREQ=WEEKLY;COUNT=4", "time_zone": "Europe/Bucharest"}
    key = appointment(both, **rule)
    go(both)
    uid = activity(both, key).ical_uid
    second = SOON + dt.timedelta(weeks=1)
    moved = appointment(
        both,
        ical_uid=uid,
        recurrence_id=second.isoformat(),
        start_at=second + dt.timedelta(hours=3),
        end_at=second + dt.timedelta(hours=4),
    )
    go(both)
    items = both.port.held(CALENDAR).values()
    assert {type(i) for i in items} == {MeetingItem}
    occurrence = next(i for i in items if isinstance(i, MeetingItem) and i.recurrence_id)
    assert occurrence.start == second + dt.timedelta(hours=3)
    quiet(both)
    third = SOON + dt.timedelta(weeks=2)
    records.save(both.actor, "activity", key, None, {"recurrence_exceptions": [third.isoformat()]})
    go(both)
    deed = deeds(both)[-1]
    assert (deed.deed, deed.state) == ("delete", "held")
    outbox.release(both.actor, [deed.id])
    go(both)
    series = next(
        i for i in both.port.held(CALENDAR).values() if isinstance(i, MeetingItem) and i.rrule
    )
    assert series.exdates == (third,)
    quiet(both)
    assert {a.id for a in both.activities} == {key, moved}


def test_a_moved_occurrence_that_passes_its_neighbour_is_not_written(both: World) -> None:
    key = appointment(both, recurrence_rule="FREQ=DAILY;COUNT=9", time_zone="Europe/Bucharest")
    go(both)
    uid, count = activity(both, key).ical_uid, len(deeds(both))
    second = SOON + dt.timedelta(days=1)
    appointment(
        both,
        ical_uid=uid,
        recurrence_id=second.isoformat(),
        start_at=second + dt.timedelta(days=3),
        end_at=second + dt.timedelta(days=3, hours=1),
    )
    go(both)
    assert len(deeds(both)) == count


def test_a_held_meeting_stays_held(both: World) -> None:
    item = both.port.put(CALENDAR, meeting(attendees=()))
    go(both)
    (row,) = both.activities
    records.save(both.actor, "activity", row.id, None, {"state": "completed"})
    both.port.put(CALENDAR, replace(held(both), location="Sala 7"), item)
    go(both)
    (row,) = both.activities
    assert (row.state, row.location) == ("completed", "Sala 7")
    quiet(both)


def test_a_mailbox_that_is_only_read_is_never_written(both: World) -> None:
    records.save(both.actor, "mailbox", both.mailbox, None, {"two_way": False})
    appointment(both)
    go(both)
    assert both.port.held(CALENDAR) == {}
    assert deeds(both) == []


def test_colleagues_records_stay_out(both: World) -> None:
    other = both.save("user", name="Dan", login="dan", email="dan@firma.example")
    appointment(both, owner=other)
    appointment(both, start_at=AT - dt.timedelta(days=60), end_at=AT - dt.timedelta(days=60))
    go(both)
    assert both.port.held(CALENDAR) == {}


def test_the_journal_keeps_what_stood_before(both: World) -> None:
    both.port.put(CALENDAR, meeting(attendees=()))
    go(both)
    (row,) = both.activities
    records.save(both.actor, "activity", row.id, None, {"location": "Aici"})
    go(both)
    (deed,) = outbox.history(both.actor, activity=row.id)
    assert (deed.state, deed.has_image, deed.why) == (OutboxState.DONE, True, "Changed here.")
    assert deed.notify in ("", Notify.NOBODY.value)


def test_rows_know_what_both_sides_agreed_on(both: World) -> None:
    appointment(both)
    go(both)
    with both.actor.db.reading() as connection:
        row = connection.execute(
            select(
                MailboxItem.base, MailboxItem.seen, MailboxItem.record_version, Activity.version
            ).join(Activity, Activity.id == MailboxItem.activity_id)
        ).one()
    assert row.seen is None
    assert row.base["local"] == row.base["mailbox"]
    assert row.record_version == row.version
