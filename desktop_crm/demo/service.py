"""What customers asked for and complained of after they had bought."""

from __future__ import annotations

from typing import Any, Final

from desktop_crm.demo.story import Deal, Story
from desktop_crm.services.records import Change

_CASES: Final = (
    ("Outfeed stops when cartons touch", "problem", "major", "phone"),
    ("Which labels does the printer take?", "question", "minor", "email"),
    ("Second set of operating instructions", "request", "minor", "email"),
    ("Pallet leans after the third layer", "problem", "critical", "phone"),
    ("Training for two new operators", "request", "minor", "email"),
    ("Sensor at the infeed reports no product", "problem", "major", "web"),
    ("Can the speed be raised to 40 a minute?", "question", "minor", "email"),
    ("Film tears at the corner posts", "problem", "major", "phone"),
    ("Spare belt before the season", "request", "minor", "web"),
    ("Invoice does not name our order", "problem", "minor", "email"),
    ("Noise of the vacuum pump", "problem", "minor", "in_person"),
    ("How is the counter set back?", "question", "minor", "phone"),
)
_AREAS: Final = {"problem": "Operation", "question": "Use", "request": "Service"}
_ANSWERS: Final = {
    "problem": "Guide rail set anew and tried with the customer's own cartons for one shift.",
    "question": "Explained by phone, page of the manual sent.",
    "request": "Ordered, delivered and confirmed.",
}
_OPEN: Final = 9
_SOON: Final = 8
"""Days after a sale in which nothing is asked for yet."""
_PRIORITY: Final = {"critical": "high", "major": "normal", "minor": "low"}
_STATUS: Final = ("in_progress", "new", "waiting", "in_progress", "researching")
_OPINIONS: Final = ("very_satisfied", "satisfied", "satisfied", "neutral", "dissatisfied")
_TERM: Final = {"high": 2, "normal": 5, "low": 10}
"""Days in which a case should be settled, by priority."""


def help_customers(story: Story) -> None:
    """Write the cases of those who have bought: most are settled, the latest are open."""
    bought = sorted(
        (deal for deal in story.deals if deal.stage == "won" and deal.moved_days_ago > _SOON),
        key=lambda deal: deal.moved_days_ago,
    )
    settled = [(-max(_SOON, deal.moved_days_ago * 3 // 4), deal) for deal in bought]
    waiting = [(-1 - place % 6, deal) for place, deal in enumerate(bought[2::3][:_OPEN])]
    # In the order of their days, so that their numbers grow with time.
    told = sorted([*settled, *waiting], key=lambda one: (one[0], one[1].id))
    for number, (days, deal) in enumerate(told):
        opened = story.working(days)
        with story.then(opened, 9 + number % 7):
            (key,) = story.work.save_many(
                "case", [Change(None, None, _case(story, deal, number, opened))]
            )
        if days > -_SOON:
            status, on = {"status_reason": _STATUS[number % len(_STATUS)]}, 0
        else:
            status, on = _settled(number), story.working(opened + 1 + number % 5)
        with story.then(min(on, 0), 16):
            story.work.save_many("case", [Change(key, None, status)])


def _case(story: Story, deal: Deal, number: int, opened: int) -> dict[str, Any]:
    title, kind, severity, origin = _CASES[number % len(_CASES)]
    priority = _PRIORITY[severity]
    due = story.working(opened + _TERM[priority])
    return {
        "title": title,
        "account": deal.account,
        "contact": deal.contact,
        "owner": deal.owner,
        "type": kind,
        "severity": severity,
        "priority": priority,
        "origin": origin,
        "subject": _AREAS[kind],
        "product": story.ids[f"product:{deal.products[0]}"],
        "resolve_by": story.at(due, 17),
    }


def _settled(number: int) -> dict[str, Any]:
    kind = _CASES[number % len(_CASES)][1]
    return {
        "status_reason": "information_provided" if kind == "question" else "problem_solved",
        "resolution": _ANSWERS[kind],
        "billable_minutes": None if kind == "problem" else 15 * (1 + number % 6),
        "satisfaction": _OPINIONS[number % len(_OPINIONS)],
    }
