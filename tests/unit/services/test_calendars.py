from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_crm.core import clock
from desktop_crm.services.calendar import agenda, calendars
from tests.support.company import NOW, Company, at, small_company
from tests.support.several_calendars import keep_calendars

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database


@pytest.fixture
def company(database: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return small_company(database)


def test_own_calendars_are_those_that_hold_meetings(company: Company) -> None:
    work, team = keep_calendars(company)
    assert [(one.key, one.title) for one in calendars.own(company.actor)] == [
        (work, "Calendar"), (team, "team plans"),
    ]  # fmt: skip


def test_folders_of_colleagues_are_theirs_to_know(company: Company) -> None:
    keep_calendars(company, company.other.user_id)
    assert calendars.own(company.actor) == ()
    assert len(calendars.own(company.other)) == 2


def test_calendars_of_two_mailboxes_are_told_apart(company: Company) -> None:
    keep_calendars(company)
    keep_calendars(company, company.actor.user_id)
    titles = [one.title for one in calendars.own(company.actor)]
    assert len(titles) == len(set(titles)) == 4
    assert titles[0].startswith("Calendar (Mara")


def test_events_of_one_calendar_and_of_people(company: Company) -> None:
    work, team = keep_calendars(company)
    week = (at(23, 0), at(30, 0))
    found = agenda.events(company.actor, *week, calendars=(team,))
    assert [(one.title, one.calendars) for one in found] == [("Workshop", (team,))]
    other = (company.other.user_id or 0,)
    found = agenda.events(company.actor, *week, calendars=(work,), people=other)
    assert [one.title for one in found] == ["Busy", "Product demonstration"]
    assert [one.calendars for one in found] == [(), (work,)]


def test_rights_hold_within_a_calendar(company: Company) -> None:
    """A seller who sees their own alone sees no more through a calendar of theirs."""
    work, team = keep_calendars(company, company.other.user_id)
    week = (at(23, 0), at(30, 0))
    assert agenda.events(company.other, *week, calendars=(work, team)) == ()


@pytest.mark.parametrize(
    ("folder", "name", "title"),
    [
        ("Calendar", None, "Calendar"),
        ("calendar", "Kalender", "Calendar"),
        ("dav:calendar:/mara/team%20plans/", None, "team plans"),
        ("dav:calendar:/mara/7f3a/", "Team plans", "Team plans"),
        ("AAMkADE3==", "Holidays", "Holidays"),
        ("Calendar/Concedii și ședințe", None, "Concedii și ședințe"),
        ("dav:calendar:/", None, "Calendar"),
    ],
)
def test_what_a_calendar_is_called(folder: str, name: str | None, title: str) -> None:
    assert calendars.title_of(folder, name) == title
