"""Meetings of chosen accounts in a calendar "CRM", over every mailbox that takes meetings."""

from __future__ import annotations

from desktop_crm.services import context, records
from desktop_crm.services.calendar.series_edits import Reach, change
from desktop_crm.sync.port import MeetingItem, ShowAs
from tests.contract import test_twoway_passes as passes
from tests.contract.test_twoway_passes import DAY, HOUR, SOON

both, kind, moment = passes.both, passes.kind, passes.moment


def test_meetings_of_chosen_accounts_are_shown_in_a_calendar_of_their_own(
    both: passes.Both,
) -> None:
    """A colleague's series lies there with what is moved and left out, and goes again."""
    world = both.world
    every = {"entity": "*", "read": "all", "create": "all", "edit": "all", "remove": "all"}
    role = world.save("role", name="Sales", rights=[every])
    records.save(world.actor, "user", world.ana, None, {"role": role})
    mihai = world.save("user", name="Mihai", login="mihai", role=role)
    records.save(world.actor, "account", world.client, None, {"owner": world.ana})
    records.save(world.actor, "mailbox", world.mailbox, None, {"contact_scope": "mine"})
    world.actor = context.as_seen_by(world.actor.db, "ana")
    about = {"owner": mihai, "account": world.client}
    one = both.save(location="Cluj", reminder_minutes=30, **about)
    rule = {"recurrence_rule": "FREQ=WEEKLY;COUNT=4", "time_zone": "Europe/Bucharest"}
    series = both.save(
        subject="Săptămânal",
        start_at=SOON + DAY,
        end_at=SOON + DAY + HOUR,
        recurrence_exceptions=[(SOON + 15 * DAY).isoformat()],
        **rule,
        **about,
    )
    second = SOON + 8 * DAY
    times = {"start_at": second + 3 * HOUR, "end_at": second + 4 * HOUR}
    change(world.actor, series, second, Reach.THIS, times)
    mine = both.save(subject="A mea", account=world.client)
    for _ in range(3):
        both.go()
    shown = both.shown()
    assert [(x.subject, x.start) for x in shown] == [
        ("Vizită · Client SRL", SOON),
        ("Săptămânal · Client SRL", SOON + DAY),
        ("Săptămânal · Client SRL", second + 3 * HOUR),
    ]
    assert (shown[0].location, shown[0].show_as, shown[0].reminder_minutes) == (
        "Cluj",
        ShowAs.FREE,
        None,
    )
    assert all(not x.attendees for x in shown)
    assert SOON + 15 * DAY in shown[1].exdates
    assert [x.subject for x in both.there(MeetingItem, own=False).values()] == ["A mea"]
    both.quiet()
    both.edit(one, location="Iași")
    both.edit(series, sensitivity="private")
    both.go()
    both.go()
    assert [(x.subject, x.location) for x in both.shown()] == [("Vizită · Client SRL", "Iași")]
    both.edit(one, state="canceled")
    both.go()
    both.go()
    assert both.shown() == []
    both.quiet()
    assert len([a for a in world.activities if a.owner_id == world.ana]) == 1
    assert both.row(mine).state == "open"
