"""The dry run of both directions, and everything a person decides about it."""

from __future__ import annotations

from dataclasses import replace

import pytest

from desktop_crm.core.errors import UserError, ValidationFailed
from desktop_crm.services import records
from desktop_crm.services.mail import outbox
from desktop_crm.sync.memory import CALENDAR, CONTACTS, INBOX, TASKS, MemoryMailbox
from desktop_crm.sync.port import (
    Address,
    Attendee,
    Role,
    TaskItem,
)
from desktop_crm.sync.twoway import conflicts, questions, strikes
from desktop_crm.sync.twoway.lines import Consent
from desktop_crm.sync.writes import Ability, Mark, Notify, Ref
from tests.unit.sync.conftest import World, mail, meeting
from tests.unit.sync.two_ways import SOON, appointment, deeds, go, held, lines, quiet

pytestmark = pytest.mark.usefixtures("moment")


def test_a_dry_run_says_what_a_pass_would_do_and_does_nothing(both: World) -> None:
    item = both.port.put(CALENDAR, meeting(attendees=()))
    go(both)
    (row,) = both.activities
    both.port.put(CALENDAR, replace(held(both), location="Sala 9", text="B"), item)
    records.save(both.actor, "activity", row.id, None, {"description": "A"})
    both.port.put(TASKS, TaskItem("t1", "Sarcină"))
    both.port.put(CALENDAR, meeting("u2", subject="Nouă"))
    both.port.put(INBOX, mail())
    appointment(both, subject="De aici")
    found = [(x.side, x.what, x.kind, x.title) for x in lines(both)]
    assert found == [
        ("here", "change", "meeting", "Ședință"),
        ("here", "create", "meeting", "Nouă"),
        ("here", "create", "message", "Ofertă"),
        ("here", "create", "task", "Sarcină"),
        ("mailbox", "conflict", "meeting", "Ședință"),
        ("mailbox", "create", "meeting", "De aici"),
    ]
    change = next(x for x in lines(both) if x.what == "change")
    assert change.changes == (("Location", "Sala 2", "Sala 9"),)
    assert change.reason == "Changed in the mailbox."


def test_struck_lines_are_not_done_until_their_item_changes(both: World) -> None:
    both.port.put(INBOX, mail())
    key = appointment(both)
    task = both.port.put(TASKS, TaskItem("t1", "Sarcină"))
    struck = lines(both)
    assert len(struck) == 3
    strikes.strike(both.actor, both.mailbox, struck)
    strikes.let(both.actor, both.mailbox, struck)
    assert [x.struck for x in lines(both)] == [False] * 3
    strikes.strike(both.actor, both.mailbox, struck)
    assert [x.struck for x in lines(both)] == [True] * 3
    go(both)
    assert both.messages == []
    assert both.port.held(CALENDAR) == {}
    assert [a.id for a in both.activities] == [key]
    records.save(both.actor, "activity", key, None, {"location": "Iași"})
    both.port.put(TASKS, TaskItem("t1", "Altă sarcină"), task)
    go(both)
    assert held(both).location == "Iași"
    assert len(both.activities) == 2


def test_what_a_person_agreed_to_is_done_at_once(both: World) -> None:
    both.port.put(CALENDAR, meeting(start=SOON, end=SOON))
    both.port.put(CALENDAR, meeting("u2", start=SOON, end=SOON))
    go(both)
    one, two = both.activities
    records.delete(both.actor, "activity", [one.id])
    records.save(both.actor, "activity", two.id, None, {"location": "Iași"})
    change, deletion = lines(both)
    assert (deletion.asked, change.people) == (True, 2)
    consent = Consent(frozenset({deletion.fingerprint}), frozenset({change.fingerprint}))
    go(both, consent=consent)
    assert held(both).location == "Iași"
    assert [notify for _, notify in both.port.told] == [Notify.EVERYBODY]
    quiet(both)


def test_what_cannot_be_kept_from_guests_is_told_only_when_agreed(both: World) -> None:
    both.port = MemoryMailbox(others=(TASKS,), abilities=frozenset(Ability) - {Ability.QUIET})
    both.port.put(CALENDAR, meeting(start=SOON, end=SOON))
    go(both)
    (row,) = both.activities
    records.save(both.actor, "activity", row.id, None, {"tags": "|VIP|"})
    (line,) = lines(both)
    assert (line.asked, line.people) == (True, 2)
    go(both)
    (deed,) = deeds(both)
    assert (deed.state, deed.notify, held(both).categories) == ("held", "everybody", ())
    outbox.cancel(both.actor, deed.id)
    go(both)
    quiet(both)
    records.save(both.actor, "activity", row.id, None, {"location": "Iași"})
    (line,) = lines(both)
    go(both, consent=Consent(agreed=frozenset({line.fingerprint})))
    assert (held(both).location, held(both).categories) == ("Iași", ("VIP",))
    assert [notify for _, notify in both.port.told] == [Notify.EVERYBODY]
    quiet(both)


def test_a_mailbox_that_was_only_read_is_agreed_with_before_it_is_written(both: World) -> None:
    records.save(both.actor, "mailbox", both.mailbox, None, {"two_way": False})
    item = both.port.put(CALENDAR, meeting(attendees=()))
    go(both)
    (row,) = both.activities
    records.save(both.actor, "mailbox", both.mailbox, None, {"two_way": True})
    go(both)
    quiet(both)
    records.save(both.actor, "activity", row.id, None, {"location": "Iași"})
    go(both)
    assert held(both).location == "Iași"
    assert list(both.port.held(CALENDAR)) == [item]


def test_what_waits_in_the_outbox_stands_in_the_list(both: World) -> None:
    both.port.put(CALENDAR, meeting(start=SOON, end=SOON))
    go(both)
    records.delete(both.actor, "activity", [both.activities[0].id])
    go(both)
    (line,) = lines(both)
    assert (line.what, line.order, line.title) == ("delete", deeds(both)[0].id, "Ședință")
    strikes.strike(both.actor, both.mailbox, [line])
    assert deeds(both)[0].state == "cancelled"
    go(both)
    quiet(both)


def test_a_person_chooses_between_both_values(both: World) -> None:
    item = both.port.put(CALENDAR, meeting(attendees=()))
    go(both)
    (row,) = both.activities
    both.port.put(CALENDAR, replace(held(both), subject="B", text="B"), item)
    records.save(both.actor, "activity", row.id, None, {"subject": "A", "description": "A"})
    go(both)
    (found,) = conflicts.open_conflicts(both.actor, both.mailbox)
    assert [(v.field, v.mine, v.theirs) for v in found.values] == [
        ("subject", "A", "B"),
        ("text", "A", "B"),
    ]
    conflicts.choose(both.actor, found, {"subject": True, "text": False})
    assert conflicts.open_conflicts(both.actor, both.mailbox) == []
    go(both)
    (row,) = both.activities
    assert (row.subject, row.description) == ("A", "B")
    assert (held(both).subject, held(both).text) == ("A", "B")
    quiet(both)


def test_an_answer_tells_the_others_or_nobody(both: World) -> None:
    both.port.put(CALENDAR, meeting(start=SOON, end=SOON))
    both.port.put(CALENDAR, meeting("u2", start=SOON, end=SOON))
    go(both)
    for row in both.activities:
        records.save(both.actor, "activity", row.id, None, {"location": "Iași"})
    go(both)
    one, two = questions.waiting(both.actor)
    assert (one.people, one.title) == (2, "Ședință")
    questions.answer(both.actor, one.order, tell=True)
    questions.answer(both.actor, two.order, tell=False)
    assert questions.waiting(both.actor) == []
    go(both)
    assert {i.location for i in both.port.held(CALENDAR).values()} == {"Iași"}  # type: ignore[union-attr]
    assert [notify for _, notify in both.port.told] == [Notify.EVERYBODY]
    with pytest.raises(UserError):
        questions.answer(both.actor, one.order, tell=True)
    quiet(both)


def test_categories_of_the_phone_are_commands_done_once(both: World) -> None:
    text = "Urmărește = track\nCâștigat = won\nSună = call back"
    records.save(both.actor, "mailbox", both.mailbox, None, {"commands": text})
    records.save(both.actor, "opportunity", both.deal, None, {"amount": 100})
    both.save("stage", name="Won", state="won", position=9)
    key = both.port.put(CALENDAR, meeting(start=SOON, end=SOON))
    go(both)
    (row,) = both.activities
    assert ("opportunity", both.deal) in {link[:2] for link in both.links()}
    ref = both.port.image(Ref(CALENDAR.key, key)).ref
    both.port.do(Mark("k", ref, categories=("SUNĂ", "Câștigat", "Alta")))
    go(both)
    made = [a for a in both.activities if a.kind == "phone_call"]
    assert [a.subject for a in made] == ["Call back: Ședință"]
    assert made[0].owner_id == both.ana
    assert made[0].opportunity_id == row.opportunity_id
    assert records.get(both.actor, "opportunity", both.deal).values["state"] == "won"
    assert both.port.image(ref).categories == ("Alta",)
    go(both)
    assert records.get(both.actor, "activity", row.id).values["tags"] == "|Alta|"
    quiet(both)
    assert {d.why for d in deeds(both)} == {
        "The command of the category “{category}” was carried out."
    }


@pytest.mark.parametrize(("kind", "obeyed"), [("imap", 0), ("folder", 0), ("graph", 1)])
def test_whoever_sends_an_invitation_commands_nothing(both: World, kind: str, obeyed: int) -> None:
    """Where a calendar keeps one object for all, its categories are the organizer's words."""
    values = {"commands": "Sună = call back", "kind": kind}
    records.save(both.actor, "mailbox", both.mailbox, None, values)
    ion = Attendee(Address("ion@client.example", "Ion"), Role.ORGANIZER)
    both.port.put(CALENDAR, meeting(organizer=ion, attendees=(), categories=("Sună",)))
    go(both)
    assert len([a for a in both.activities if a.kind == "phone_call"]) == obeyed


def test_a_category_may_stay_and_is_a_command_again_once_it_was_gone(both: World) -> None:
    values = {"commands": "Sună = call back", "keep_category": True}
    records.save(both.actor, "mailbox", both.mailbox, None, values)
    key = both.port.put(TASKS, TaskItem("t1", "Sarcină", categories=("Sună",)))
    go(both)
    go(both)
    quiet(both)
    calls = [a for a in both.activities if a.kind == "phone_call"]
    assert [a.subject for a in calls] == ["Call back: Sarcină"]
    both.port.put(TASKS, TaskItem("t1", "Sarcină"), key)
    go(both)
    both.port.put(TASKS, TaskItem("t1", "Sarcină", categories=("sună",)), key)
    go(both)
    assert len([a for a in both.activities if a.kind == "phone_call"]) == 2


def test_a_tracked_message_is_filed_and_left_again_with_its_category(both: World) -> None:
    """R30: taking a tracking category away untracks, and the record stays."""
    values = {"commands": "Urmărește = track", "keep_category": True}
    records.save(both.actor, "mailbox", both.mailbox, None, values)
    stranger = Address("ion.pop@gmail.com", "Ion Pop")
    key = both.port.put(INBOX, mail(sender=stranger))
    go(both)
    before = both.links()
    assert {link[3] for link in before} == {"suggested"}

    def mark(*categories: str) -> None:
        ref = both.port.image(Ref(INBOX.key, key)).ref
        both.port.do(Mark("k", ref, categories=categories))
        go(both)

    mark("Urmărește", "Alta")
    filed = {link[:2] for link in both.links() if link[3] == "linked"}
    assert ("contact", both.contact) in filed
    mark("Urmărește")
    assert {link[:2] for link in both.links() if link[3] == "linked"} == filed
    mark()
    assert both.links() == before
    assert len(both.activities) == 1
    mark("Urmărește")
    assert {link[:2] for link in both.links() if link[3] == "linked"} == filed, "said again"


def test_a_command_that_cannot_be_done_says_why_and_leaves_the_category(both: World) -> None:
    records.save(both.actor, "mailbox", both.mailbox, None, {"commands": "Câștigat = won"})
    key = both.port.put(CALENDAR, meeting(attendees=(), categories=("Câștigat",)))
    go(both)
    quiet(both)
    (row,) = both.items
    assert row.reason == "“Câștigat”: there is no stage for what is won; nothing was closed."
    assert both.port.held(CALENDAR)[key].categories == ("Câștigat",)


def test_a_line_that_is_no_command_is_refused(both: World) -> None:
    with pytest.raises(ValidationFailed, match="is no command"):
        records.save(both.actor, "mailbox", both.mailbox, None, {"commands": "Roșu = zboară"})


def test_contacts_without_a_folder_are_said_to_have_no_place(both: World) -> None:
    able = frozenset(Ability) - {Ability.FOLDERS}
    both.port = MemoryMailbox(others=(TASKS, CONTACTS), abilities=able)
    records.save(both.actor, "account", both.client, None, {"owner": both.ana})
    records.save(both.actor, "mailbox", both.mailbox, None, {"contact_scope": "mine"})
    (line,) = lines(both)
    assert (line.what, line.waits) == ("refused", True)
    assert line.reason.startswith("The mailbox has no contacts folder called CRM.")
    go(both)
    assert both.port.held(CONTACTS) == {}
    assert deeds(both) == []
