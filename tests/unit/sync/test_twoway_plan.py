"""Two-way plans by example: who decides, what is asked, what is refused."""

from __future__ import annotations

import datetime as dt
from dataclasses import replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from desktop_crm.sync.port import Sensitivity, TaskItem
from desktop_crm.sync.twoway.fields import Frame
from desktop_crm.sync.twoway.kinds import Kind, fields_of_item, fields_of_record, onto_record
from desktop_crm.sync.twoway.merge import Base, merge
from desktop_crm.sync.twoway.plan import Local, Pair, Remote, Side, Step, StepKind, decide
from desktop_crm.sync.twoway.series import CROSSES, SAME_DAY, refusal
from desktop_crm.sync.writes import Ref
from tests.unit.sync.conftest import AT, meeting

WAS = fields_of_item(meeting())
REF = Ref("Calendar", "i1", "1")


def pair(ours: dict[str, Any], theirs: dict[str, Any], **changes: Any) -> Pair:
    local = Local(1, {**WAS, **ours}, **changes)
    remote = Remote(REF, {**WAS, **theirs})
    return Pair(Kind.MEETING, "u1|", "Ședință", Base(WAS, WAS), local, remote, known=True)


def only(found: Pair) -> Step:
    (step,) = decide(found).steps
    return step


def when(hours: int) -> dict[str, Any]:
    moment = AT + dt.timedelta(hours=hours)
    end = moment + dt.timedelta(hours=1)
    return {"when": {**WAS["when"], "start": moment.isoformat(), "end": end.isoformat()}}


def test_different_fields_are_merged_without_a_question() -> None:
    one, two = decide(pair({"subject": "Nou"}, {"location": "Sala 9"})).steps
    assert (one.side, one.gives) == (Side.HERE, {"location": "Sala 9"})
    assert (two.side, two.gives) == (Side.MAILBOX, {"subject": "Nou"})


def test_the_same_field_on_both_sides_waits_for_a_person_and_the_rest_goes_on() -> None:
    steps = decide(pair({"subject": "A"}, {"subject": "B", "text": "C"})).steps
    assert [s.what for s in steps] == [StepKind.CHANGE, StepKind.CONFLICT]
    assert steps[0].gives == {"text": "C"}
    assert steps[1].values == {"subject": ("A", "B")}
    assert steps[1].asked


def test_the_organizer_decides_about_time() -> None:
    both = only(pair(when(5), when(9), organizer=False))
    assert (both.side, both.gives) == (Side.HERE, when(9))
    # An attendee's change of the time is never written: it goes back.
    alone = only(pair(when(5), {}, organizer=False))
    assert (alone.side, alone.gives) == (Side.HERE, {"when": WAS["when"]})
    assert "organizer" in alone.reason
    # What is only one's own is the attendee's to change.
    status = only(pair({"status": "free"}, {}, organizer=False))
    assert status.side is Side.MAILBOX
    assert status.people == 0


def test_a_change_that_others_may_be_told_of_says_how_many() -> None:
    assert only(pair(when(5), {})).people == 2
    assert only(pair({"status": "free"}, {})).people == 0


def test_a_deletion_in_the_mailbox_deletes_no_record() -> None:
    gone = replace(pair({}, {}), remote=None)
    assert only(gone).what is StepKind.CANCEL
    held = replace(gone, local=Local(1, WAS, closed=True))
    assert decide(held).steps == ()
    contact = Pair(Kind.CONTACT, "c", "Ion", Base({}, {}), Local(1, {}), None, known=True)
    assert decide(contact).steps == ()


@pytest.mark.parametrize("how", [{"present": False}, {"cancelled": True}])
def test_a_deletion_here_is_asked(how: dict[str, Any]) -> None:
    step = only(pair({}, {}, **how))
    assert (step.side, step.what, step.asked) == (Side.MAILBOX, StepKind.DELETE, True)
    assert decide(replace(pair({}, {}, **how), remote=None)).steps == ()


def test_a_deleted_occurrence_is_asked_and_leaves_the_series_alone() -> None:
    day = (AT + dt.timedelta(weeks=1)).isoformat()
    step = only(pair({"left_out": [day]}, {}))
    assert (step.what, step.asked, step.occurrences) == (StepKind.DELETE, True, (day,))
    there = only(pair({}, {"left_out": [day]}))
    assert (there.side, there.gives) == (Side.HERE, {"left_out": [day]})


def test_zones_of_one_clock_are_no_change() -> None:
    weekly = {**WAS["when"], "rule": "FREQ=WEEKLY", "zone": "Europe/Vienna"}
    same = {**weekly, "zone": "Europe/Berlin", "rule": "FREQ=WEEKLY;INTERVAL=1;WKST=MO"}
    other = {**weekly, "zone": "Europe/Bucharest"}
    assert decide(pair({"when": weekly}, {"when": same})).steps == ()
    merged = merge(
        Kind.MEETING,
        Base({**WAS, "when": weekly}, {**WAS, "when": weekly}),
        {**WAS, "when": weekly},
        {**WAS, "when": other},
        organizer=True,
    )
    assert merged.to_local == {"when": other}


def test_a_private_item_shows_its_time_alone() -> None:
    item = meeting(sensitivity=Sensitivity.CONFIDENTIAL)
    fields = fields_of_item(item)
    assert set(fields) == {"when", "left_out", "status", "privacy"}
    record = onto_record(Kind.MEETING, fields, {}, Frame())
    assert "Ședință" not in str(record)


def test_a_form_the_mailbox_prefers_is_no_change() -> None:
    base = Base(WAS, {**WAS, "text": "agenda"})
    found = merge(Kind.MEETING, base, WAS, {**WAS, "text": "agenda"}, organizer=True)
    assert not found.to_local
    assert not found.to_mailbox


def test_a_due_day_keeps_the_time_of_day_it_had() -> None:
    frame = Frame(ZoneInfo("Europe/Bucharest"))
    before = {"due_at": dt.datetime(2026, 3, 2, 7, 30, tzinfo=dt.UTC)}
    changed = onto_record(Kind.TASK, {"due": "2026-07-02"}, before, frame)
    assert changed["due_at"] == dt.datetime(2026, 7, 2, 6, 30, tzinfo=dt.UTC)
    assert fields_of_record(Kind.TASK, changed, frame)["due"] == "2026-07-02"
    assert fields_of_item(TaskItem("t", due=dt.date(2026, 7, 2)))["due"] == "2026-07-02"


def test_a_struck_step_is_the_same_until_the_item_changes() -> None:
    one, same = only(pair({"subject": "A"}, {})), only(pair({"subject": "A"}, {}))
    assert one.fingerprint == same.fingerprint
    assert one.fingerprint != only(pair({"subject": "B"}, {})).fingerprint


SERIES: dict[str, Any] = {
    "when": {
        "start": "2026-03-02T07:00:00+00:00",
        "end": "2026-03-02T08:00:00+00:00",
        "zone": "Europe/Bucharest",
        "rule": "FREQ=DAILY;COUNT=30",
    },
    "left_out": [],
}


@pytest.mark.parametrize(
    ("start", "expected"),
    [
        ("2026-03-10T12:00:00+00:00", None),  # the same day, later
        ("2026-03-11T12:00:00+00:00", SAME_DAY),  # where the next one is
        ("2026-03-10T22:30:00+00:00", SAME_DAY),  # after midnight in Bucharest
        ("2026-03-20T04:00:00+00:00", CROSSES),
    ],
)
def test_a_moved_occurrence_stays_between_its_neighbours(start: str, expected: str | None) -> None:
    end = (dt.datetime.fromisoformat(start) + dt.timedelta(hours=1)).isoformat()
    found = refusal(SERIES, [("2026-03-10T07:00:00+00:00", start, end)])
    assert (found[0] if found else None) == expected


def test_a_moved_occurrence_passes_no_other() -> None:
    weekly = {**SERIES, "when": {**SERIES["when"], "rule": "FREQ=WEEKLY;COUNT=9"}}
    late = ("2026-03-09T07:00:00+00:00", "2026-03-17T07:00:00+00:00", "2026-03-17T08:00:00+00:00")
    found = refusal(weekly, [late])
    assert found is not None
    assert found[0] == CROSSES
    gone = {**weekly, "left_out": ["2026-03-16T07:00:00+00:00"]}
    assert refusal(gone, [late]) is None


def test_a_refused_series_is_not_written() -> None:
    refused = replace(pair(when(5), {}), refusal=(SAME_DAY, (("day", dt.date(2026, 3, 11)),)))
    assert only(refused).what is StepKind.REFUSED
