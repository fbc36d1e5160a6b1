from __future__ import annotations

from datetime import timedelta

from desktop_crm.core import clock
from desktop_crm.db.engine import Database
from desktop_crm.meta import registry
from desktop_crm.services import query, records, setup
from desktop_crm.views.lists import views


def test_a_meeting_that_is_over_is_no_open_activity(database: Database) -> None:
    actor = setup.initialise(database)
    now = clock.now()
    for subject, kind, days in (
        ("Old task", "task", -3),
        ("Old meeting", "appointment", -3),
        ("Next meeting", "appointment", 3),
    ):
        start = now + timedelta(days=days)
        values = {"subject": subject, "kind": kind, "start_at": start, "end_at": start}
        records.save(actor, "activity", None, None, values)

    mine = views.fixed(actor, registry.get("activity")).first()
    asked = query.RecordQuery("activity", ("subject",), mine.filter, mine.layout.order)

    assert [row.values[0] for row in query.first_page(actor, asked)] == ["Old task", "Next meeting"]
