from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from desktop_crm.core import clock, turns
from desktop_crm.models import Activity
from desktop_crm.services import records
from desktop_crm.services.calendar import agenda
from tests.support.company import NOW, Company, at, small_company

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database


@pytest.fixture
def company(sqlite_db: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return small_company(sqlite_db)


def titles(company: Company, first: int, last: int) -> list[str]:
    found = agenda.events(company.actor, at(first, 0), at(last, 0))
    return [event.title for event in found]


def test_a_window_holds_single_events_series_and_whole_days(company: Company) -> None:
    assert titles(company, 23, 30) == ["Team stand-up", "Product demonstration", "Trade fair"]


def test_a_page_gives_way_to_the_window_with_each_row(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    found = agenda.events(company.actor, at(23, 0), at(30, 0))
    monkeypatch.setattr(turns, "give_way", lambda: asked.append("gave way"))
    assert agenda.events(company.actor, at(23, 0), at(30, 0)) == found
    assert len(asked) >= len({one.id for one in found}) > 1


def test_a_cancelled_occurrence_is_left_out(company: Company) -> None:
    assert "Team stand-up" not in titles(company, 23, 24)
    assert titles(company, 16, 17) == ["Team stand-up"]


def test_a_moved_occurrence_is_shown_once_where_it_is_now(company: Company) -> None:
    series = company.ids["stand-up"]
    version = records.get(company.actor, "activity", series).version
    records.save(company.actor, "activity", series, version, {"ical_uid": "stand-up@firm"})
    company.add(
        "activity", "moved",
        {"subject": "Stand-up, later", "kind": "appointment", "ical_uid": "stand-up@firm",
         "recurrence_id": "2026-11-25T07:00:00+00:00", "owner": company.actor.user_id,
         "start_at": at(25, 14), "end_at": at(25, 15)},
    )  # fmt: skip
    assert titles(company, 25, 26) == ["Product demonstration", "Stand-up, later"]


def test_private_events_of_others_are_busy_and_nothing_else(company: Company) -> None:
    assert "Busy" not in titles(company, 24, 25)
    found = agenda.events(company.actor, at(24, 0), at(25, 0), everybody=True)
    assert [event.title for event in found] == ["Busy"]
    event = found[0]
    assert event.private
    assert not event.movable
    assert (event.place, event.regarding) == ("", "")


def test_my_own_private_event_has_its_name(company: Company) -> None:
    found = agenda.events(company.other, at(24, 0), at(25, 0))
    assert [event.title for event in found] == ["Dentist"]


def test_a_meeting_i_take_part_in_is_in_my_calendar(company: Company) -> None:
    demo = company.ids["demo"]
    version = records.get(company.actor, "activity", demo).version
    parties = [{"participation": "required", "user": company.other.user_id}]
    records.save(company.actor, "activity", demo, version, {"parties": parties})
    found = agenda.events(company.other, at(25, 0), at(26, 0))
    assert [event.title for event in found] == ["Product demonstration"]


def test_occurrences_know_their_series(company: Company) -> None:
    found = agenda.events(company.actor, at(25, 0), at(26, 0))
    by_title = {event.title: event for event in found}
    assert by_title["Team stand-up"].series
    assert by_title["Team stand-up"].original == at(25, 9)
    assert by_title["Product demonstration"].movable


def test_a_meeting_somebody_else_organizes_is_not_moved_here(company: Company) -> None:
    demo = company.ids["demo"]
    version = records.get(company.actor, "activity", demo).version
    records.save(company.actor, "activity", demo, version, {"is_organizer": False})
    found = agenda.events(company.actor, at(25, 10), at(25, 13))
    assert [(event.foreign, event.movable) for event in found] == [(True, False)]


def test_an_unreadable_rule_shows_the_first_occurrence(company: Company) -> None:
    """One that stands there from before such rules were refused."""
    table = Activity.__table__
    with company.actor.db.writing() as connection:
        broken = table.update().where(table.c.id == company.ids["stand-up"])
        connection.execute(broken.values(recurrence_rule="FREQ=NEVER"))
    assert titles(company, 2, 3) == ["Team stand-up"]
    assert titles(company, 9, 10) == []


def test_an_event_without_an_end_lasts_half_an_hour(company: Company) -> None:
    company.add(
        "activity", "short",
        {"subject": "Short", "kind": "phone_call", "start_at": at(27, 9),
         "owner": company.actor.user_id},
    )  # fmt: skip
    found = agenda.events(company.actor, at(27, 8), at(27, 12))
    short = next(event for event in found if event.title == "Short")
    assert short.end == at(27, 9, 30)


def test_busy_days(company: Company) -> None:
    days = agenda.busy_days(company.actor, at(23, 0), at(28, 0))
    assert days == {date(2026, 11, 25), date(2026, 11, 26)}


@pytest.mark.parametrize("first", [1, 23, 60])
def test_a_page_and_the_small_month_beside_it_are_read_at_once(
    company: Company, first: int
) -> None:
    """What a page reads together is what both would read alone; apart they are read apart."""
    day = at(1, 0) + timedelta(days=first - 1)
    week, month = (day, day + timedelta(days=7)), (at(1, 0), at(30, 0))
    page = agenda.page(company.actor, week, month)
    assert page.events == agenda.events(company.actor, *week)
    assert page.busy == agenda.busy_days(company.actor, *month)
    people = (company.other.user_id or 0,)
    page = agenda.page(company.actor, week, month, people=people)
    assert page.events == agenda.events(company.actor, *week, people=people)


def test_an_event_that_began_before_the_window_reaches_into_it(company: Company) -> None:
    found = agenda.events(company.actor, datetime(2026, 11, 27, tzinfo=UTC), at(28, 12))
    assert [event.title for event in found] == ["Trade fair"]
