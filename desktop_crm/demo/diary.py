"""Activities: what was done, what is due today, what is late and what comes next."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Final

from desktop_crm.demo.story import Deal, Story
from desktop_crm.services.setup import add

_DONE: Final = 156
_AHEAD: Final = 44
_CALLS: Final = (
    "Call about the offer", "Ask for the delivery date", "Follow up after the visit",
    "Clarify the voltage of the line", "Sună pentru confirmarea comenzii", "Check who decides",
    "Discută condițiile de plată", "Ask for feedback on the sample run",
)  # fmt: skip
_TASKS: Final = (
    "Prepare the offer", "Send the drawings", "Pregătește contractul", "Check the spare parts list",
    "Collect references", "Compare the two layouts", "Trimite fișele tehnice",
    "Update the price calculation",
)  # fmt: skip
_MEETINGS: Final = (
    "Site visit", "Product demonstration", "Întâlnire la fabrică", "Contract talks",
    "Acceptance of the machine", "Kick-off",
)  # fmt: skip
_NOTES: Final = (
    "They want to decide before the end of the quarter.",
    "Second shift from next month; throughput has to rise by a fifth.",
    "Linia veche rămâne ca rezervă; preferă service local.",
    "The new plant engineer knows our machines from an earlier job.",
    "Budget is approved in principle, the board meets at the end of the month.",
)
_RESULTS: Final = (
    "Agreed the next step.", "Reached the assistant, calls back.", "Au cerut o nouă ofertă.",
    "Very interested, wants a visit.", "Wants the price per metre.",
)  # fmt: skip
_PLACES: Final = ("Customer's plant", "Sala 4, Cluj-Napoca", "Video call", "Our showroom")


def keep(story: Story) -> None:
    """Write about 250 activities around today."""
    past, coming = _past(story), [*_late(story), *_today(story), *_ahead(story)]
    for start in range(0, len(past), 40):
        part = past[start : start + 40]
        with story.then(-150 + start):
            add(story.work, "activity", part)
    with story.then(-1, 18):
        add(story.work, "activity", [*coming, *_calendar(story)])


def _about(story: Story, deal: Deal) -> dict[str, Any]:
    return {
        "opportunity": deal.id,
        "account": deal.account,
        "contact": deal.contact,
        "owner": deal.owner,
    }


def _open_deals(story: Story) -> list[Deal]:
    return [deal for deal in story.deals if deal.stage not in {"won", "lost"}]


def _mine(story: Story) -> list[Deal]:
    mine = [deal for deal in _open_deals(story) if deal.owner == story.team[0]]
    return mine or _open_deals(story)


def _others(story: Story) -> list[Deal]:
    others = [deal for deal in _open_deals(story) if deal.owner != story.team[0]]
    return others or _open_deals(story)


def _past(story: Story) -> list[dict[str, Any]]:
    rows = []
    for number in range(_DONE):
        deal = story.deals[(number * 7) % len(story.deals)]
        days = story.working(-story.rng.randint(1, max(2, min(deal.opened_days_ago, 170))))
        moment = story.at(days, 8 + number % 9, 15 * (number % 4))
        rows.append(_done(story, number, moment) | _about(story, deal))
    return rows


def _done(story: Story, number: int, moment: datetime) -> dict[str, Any]:
    kind = ("phone_call", "task", "note", "phone_call", "appointment")[number % 5]
    row: dict[str, Any] = {"kind": kind, "state": "completed", "completed_at": moment}
    if kind == "note":
        text = _NOTES[number % len(_NOTES)]
        return {"kind": kind, "subject": text.partition(";")[0].rstrip("."), "description": text,
                "occurred_at": moment}  # fmt: skip
    if kind == "task":
        return row | {"subject": _TASKS[number % len(_TASKS)], "due_at": moment}
    if kind == "appointment":
        return row | {
            "subject": _MEETINGS[number % len(_MEETINGS)],
            "start_at": moment,
            "end_at": moment + timedelta(minutes=60 + 30 * (number % 3)),
            "location": _PLACES[number % len(_PLACES)],
            "result": _RESULTS[number % len(_RESULTS)],
        }
    return row | {
        "subject": _CALLS[number % len(_CALLS)],
        "direction": "outgoing" if number % 3 else "incoming",
        "due_at": moment,
        "duration_minutes": story.rng.randint(3, 28),
        "result": _RESULTS[number % len(_RESULTS)],
    }


def _late(story: Story) -> list[dict[str, Any]]:
    """What should have been done: some of the user's own, some of the colleagues'."""
    mine, others = _mine(story), _others(story)
    rows = []
    for number in range(12):
        deal = mine[number % len(mine)] if number < 3 else others[number * 3 % len(others)]
        due = story.at(story.working(-1 - number % 8), 9 + number % 7)
        rows.append(_planned(number, due, high=number % 4 == 0) | _about(story, deal))
    return rows


def _today(story: Story) -> list[dict[str, Any]]:
    mine, others = _mine(story), _others(story)
    rows = []
    for number, (hour, minute) in enumerate(((9, 0), (10, 30), (14, 0), (15, 30), (17, 0))):
        deal = mine[(number + 5) % len(mine)]
        row = _planned(number + 3, story.at(0, hour, minute), high=number == 1)
        rows.append(row | _about(story, deal))
    for number, (hour, subject) in enumerate(((11, "Product demonstration"),
                                              (16, "Contract talks"))):  # fmt: skip
        deal = mine[(number + 11) % len(mine)]
        rows.append(_meeting(story, subject, story.at(0, hour), deal, 1))
    for number in range(8):
        deal = others[(number * 5 + 2) % len(others)]
        rows.append(_planned(number, story.at(0, 9 + number)) | _about(story, deal))
    return rows


def _ahead(story: Story) -> list[dict[str, Any]]:
    mine, all_open = _mine(story), _open_deals(story)
    rows = []
    for number in range(_AHEAD):
        pool = mine if number % 3 == 0 else all_open
        deal = pool[(number * 5) % len(pool)]
        days = story.working(1 + number % 24)
        moment = story.at(days, 9 + number % 8, 30 * (number % 2))
        if number % 4 == 0:
            subject = _MEETINGS[number % len(_MEETINGS)]
            rows.append(_meeting(story, subject, moment, deal, number))
        else:
            rows.append(_planned(number, moment) | _about(story, deal))
    return rows


def _planned(number: int, due: datetime, *, high: bool = False) -> dict[str, Any]:
    call = number % 2 == 0
    pool: Sequence[str] = _CALLS if call else _TASKS
    row: dict[str, Any] = {
        "kind": "phone_call" if call else "task",
        "subject": pool[number % len(pool)],
        "due_at": due,
        "priority": "high" if high else "normal",
    }
    if not call and number % 3 == 0:
        row["status_reason"] = "in_progress"
    return row


def _meeting(
    story: Story, subject: str, start: datetime, deal: Deal, number: int
) -> dict[str, Any]:
    person = next(p for p in story.contacts if p.id == deal.contact)
    return {
        "kind": "appointment",
        "subject": subject,
        "start_at": start,
        "end_at": start + timedelta(minutes=60),
        "location": _PLACES[number % len(_PLACES)],
        "status_reason": "tentative" if number % 5 == 4 else "busy",
        "parties": [
            {
                "participation": "required",
                "name": person.name,
                "address": person.email,
                "contact": person.id,
                "response": ("accepted", "none", "tentative")[number % 3],
            }
        ],
    } | _about(story, deal)


def _calendar(story: Story) -> list[dict[str, Any]]:
    """The user's week without customers: a series, days off, and a colleague's private hour."""
    monday = -story.today.weekday()
    first = story.at(monday - 28, 8, 30)
    off = datetime.combine(story.today + timedelta(days=11), datetime.min.time(), UTC)
    rows: list[dict[str, Any]] = [
        {
            "kind": "appointment",
            "subject": "Pipeline review",
            "start_at": first,
            "end_at": first + timedelta(minutes=45),
            "recurrence_rule": "FREQ=WEEKLY;BYDAY=MO",
            "time_zone": str(story.zone),
            "owner": story.team[0],
            "status_reason": "busy",
        },
        {
            "kind": "appointment",
            "subject": "Day off",
            "start_at": off,
            "end_at": off + timedelta(days=2),
            "is_all_day": True,
            "owner": story.team[0],
            "status_reason": "out_of_office",
        },
    ]
    for number, (owner, subject) in enumerate(
        zip(story.team[1:4], ("Site visit", "Contract talks", "Întâlnire la fabrică"), strict=False)
    ):
        # Colleagues have their days, too: beside one another they show who is free.
        for days in (0, 1 + number):
            start = story.at(story.working(days), 9 + 2 * number, 30)
            rows.append(
                {
                    "kind": "appointment",
                    "subject": subject,
                    "start_at": start,
                    "end_at": start + timedelta(minutes=90),
                    "location": _PLACES[number],
                    "owner": owner,
                    "status_reason": "busy",
                }
            )
    if len(story.team) > 1:
        start = story.at(story.working(1), 13)
        rows.append(
            {
                "kind": "appointment",
                "subject": "Dentist",
                "start_at": start,
                "end_at": start + timedelta(hours=1),
                "sensitivity": "private",
                "owner": story.team[1],
            }
        )
    return rows
