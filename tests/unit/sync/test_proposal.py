"""Proposing times by mail and booking the one that was chosen."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound
from desktop_crm.services import records, undo
from desktop_crm.services.calendar import agenda, availability
from desktop_crm.services.calendar.slots import Slot
from desktop_crm.sync import proposal
from desktop_crm.sync.formats import ical
from desktop_crm.sync.port import Address
from desktop_crm.sync.proposal import Proposal
from tests.support.company import NOW, Company, at, small_company

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database

ME = Address("mara@firm.example", "Mara Ionescu")
CLAIRE = Address("claire@rossi.example", "Claire Dubois")
SLOTS = [Slot(at(26, 9), at(26, 10)), Slot(at(26, 14), at(26, 15)), Slot(at(27, 9), at(27, 10))]


@pytest.fixture
def company(sqlite_db: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return small_company(sqlite_db)


@pytest.fixture
def made(company: Company) -> Proposal:
    return proposal.propose(company.actor, "Contract <talks>", SLOTS, ME, [CLAIRE], "Room 4")


def held(company: Company) -> list[tuple[str, str]]:
    found = agenda.events(company.actor, at(26, 0), at(28, 0))
    return [(f"{one.start:%d %H}", one.show_as) for one in found if one.title == "Contract <talks>"]


def content(made: Proposal, number: int) -> bytes:
    found = made.files[number].content
    assert found is not None
    return found


def reply(made: Proposal, number: int, answer: str) -> bytes:
    uid = next(
        line for line in content(made, number).decode().splitlines() if line.startswith("UID")
    )
    return (
        "BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nBEGIN:VEVENT\r\n"
        f"{uid}\r\nDTSTART:20261126T070000Z\r\n"
        f"ATTENDEE;PARTSTAT={answer}:mailto:claire@rossi.example\r\n"
        "END:VEVENT\r\nEND:VCALENDAR\r\n"
    ).encode()


def test_three_times_are_held_and_go_along_as_files(company: Company, made: Proposal) -> None:
    assert held(company) == [("26 07", "tentative"), ("26 12", "tentative"), ("27 07", "tentative")]
    meetings = [ical.read_calendar(content(made, n)).items[0] for n in range(3)]
    assert [one.start for one in meetings] == [slot.start for slot in SLOTS]
    assert {one.organizer.address for one in meetings if one.organizer} == {ME}
    assert [one.attendees[0].address.address for one in meetings] == [CLAIRE.address] * 3
    assert b"METHOD:REQUEST" in content(made, 0)
    assert made.html.count("<li>") == 3
    assert "<talks>" not in made.html


def test_taking_it_back_lets_go_of_all(company: Company, made: Proposal) -> None:
    undo.undo(company.actor)
    assert held(company) == []


def test_the_chosen_time_is_booked_and_the_others_let_go(company: Company, made: Proposal) -> None:
    uid = proposal.chosen([reply(made, 1, "ACCEPTED")])
    assert uid is not None
    proposal.book(company.actor, uid)
    assert held(company) == [("26 12", "busy")]
    with pytest.raises(NotFound):
        proposal.book(company.actor, uid)
    undo.undo(company.actor)
    assert len(held(company)) == 3


@pytest.mark.parametrize("answer", ["DECLINED", "TENTATIVE", "NEEDS-ACTION"])
def test_only_an_acceptance_chooses(made: Proposal, answer: str) -> None:
    assert proposal.chosen([reply(made, 0, answer)]) is None


def test_a_file_that_comes_back_alone_chooses_and_two_do_not(made: Proposal) -> None:
    assert proposal.chosen([content(made, 2)]) is not None
    assert proposal.chosen([content(made, 1), content(made, 2)]) is None
    assert proposal.chosen([reply(made, 0, "DECLINED"), reply(made, 2, "ACCEPTED")]) is not None


def test_other_calendars_choose_nothing() -> None:
    other = b"BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nUID:x@y\r\nEND:VEVENT\r\nEND:VCALENDAR\r\n"
    assert proposal.chosen([other, b"", b"\xff\xfe nonsense"]) is None
    assert proposal.siblings("proposal.@desktop-crm") == ()


def test_nobody_books_for_somebody_else(company: Company, made: Proposal) -> None:
    uid = proposal.chosen([content(made, 0)])
    assert uid is not None
    with pytest.raises(NotFound):
        proposal.book(company.other, uid)


def test_times_of_colleagues_come_without_what_is_private(company: Company) -> None:
    users = [company.other.user_id or 0]
    found = availability.of_users(company.actor, users, at(24, 0), at(25, 0))
    assert found[users[0]].busy == (Slot(at(24, 15), at(24, 16)),)


def test_whole_days_are_busy_days_of_their_owner(company: Company) -> None:
    me = company.actor.user_id or 0
    values = records.get(company.actor, "activity", company.ids["fair"]).values
    assert values["is_all_day"]
    found = availability.of_users(company.actor, [me], at(27, 0), at(27, 12))
    assert Slot(at(26, 0), at(28, 0)) in (found[me].busy or ())
