"""Views that come with the program, for every entity where they make sense.

They are made from the declaration and need no look into the database.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import kinds
from desktop_crm.meta.bound import Entity
from desktop_crm.models.marking import MarkKind
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import Group, Node, Related, Rule, both
from desktop_crm.services.list_layout import PLAIN, ListLayout
from desktop_crm.services.list_view import ListView
from desktop_crm.services.record_query import Order

OPEN: Final = "open"
MINE: Final = "mine"
ALL: Final = "all"
VIEWED: Final = "viewed"
RECENT: Final = "recent"
NEW: Final = "new"
QUIET: Final = "quiet"
BIRTHDAYS: Final = "birthdays"
OVERDUE: Final = "overdue"
FAVOURITES: Final = "favourites"
FOLLOWED: Final = "followed"
MARKED: Final = (VIEWED, FAVOURITES, FOLLOWED)
"""Views that ask for the user's own marks."""

_MINE: Final = {
    "account": N_("My accounts"),
    "contact": N_("My contacts"),
    "lead": N_("My leads"),
    "opportunity": N_("My opportunities"),
    "activity": N_("My activities"),
    "quote": N_("My quotes"),
    "case": N_("My cases"),
}
_ALL: Final = {
    "account": N_("All accounts"),
    "contact": N_("All contacts"),
    "lead": N_("All leads"),
    "opportunity": N_("All opportunities"),
    "activity": N_("All activities"),
    "product": N_("All products"),
    "quote": N_("All quotes"),
    "case": N_("All cases"),
}
_MY_OPEN: Final = {
    "lead": N_("My open leads"),
    "opportunity": N_("My open opportunities"),
    "activity": N_("My open activities"),
    "quote": N_("My open quotes"),
    "case": N_("My open cases"),
}
_ACTIVITY_COLUMNS: Final = ("subject", "kind", "occurred_at", "priority", "account", "contact")
# Nobody completes a meeting by hand: once it is over, nothing is left to do about it.
_NOT_OVER: Final = Group(
    "any",
    (Rule("kind", "!=", "appointment"), Rule("end_at", ">=", "today"), Rule("end_at", "empty")),
)
_IS_OPEN: Final[Mapping[str, Node]] = {
    "lead": Rule("state", "=", "open"),
    "opportunity": Rule("state", "=", "open"),
    "activity": Group("all", (Rule("state", "=", "open"), _NOT_OVER)),
    "quote": Rule("state", "in", ("draft", "active")),
    "case": Rule("state", "=", "open"),
}
_OVERDUE: Final[Mapping[str, tuple[Node, str]]] = {
    "activity": (
        Group("all", (Rule("state", "=", "open"), Rule("due_at", "<", "today"))),
        "due_at",
    ),
    "opportunity": (
        Group("all", (Rule("state", "=", "open"), Rule("close_on", "<", "today"))),
        "close_on",
    ),
    "quote": (
        Group("all", (Rule("state", "=", "active"), Rule("expires_on", "<", "today"))),
        "expires_on",
    ),
    "case": (
        Group("all", (Rule("state", "=", "open"), Rule("resolve_by", "<", "today"))),
        "resolve_by",
    ),
}
"""What is overdue, and the day that says so."""
_QUIET: Final = ("contact", "account", "lead", "opportunity")
_QUIET_FILTER: Final = Related("activity", "no", Rule("occurred_at", "=", "last 30 days"))


def shipped(actor: Actor, entity: Entity) -> tuple[ListView, ...]:
    """Views of an entity in order; what the actor may not ask for is left out. No statement.

    Args:
        actor: Whose own records, marks and team are meant.
        entity: Whose list.
    """
    views = [
        *_own(actor, entity),
        ListView(ALL, tr(_ALL.get(entity.key, N_("All"))), entity.icon, PLAIN),
        *_marked(actor, entity),
        *_of_time(entity),
        *_of_kind(entity),
    ]
    return tuple(views)


def overdue(entity: Entity) -> tuple[Node | None, str]:
    """When records of an entity are overdue, and the field of the day; None and empty: never."""
    return _OVERDUE.get(entity.key, (None, ""))


def _own(actor: Actor, entity: Entity) -> list[ListView]:
    if not entity.owned or actor.user_id is None:
        return []
    own = Rule("owner", "=", "me")
    found: list[ListView] = []
    if entity.key in _MY_OPEN:
        layout = ListLayout(filter=both(own, _IS_OPEN[entity.key]))
        if entity.key == "activity":
            layout = ListLayout(
                columns=_ACTIVITY_COLUMNS, order=(Order("occurred_at"),), filter=layout.filter
            )
        found.append(ListView(OPEN, tr(_MY_OPEN[entity.key]), "star", layout))
    mine = tr(_MINE.get(entity.key, N_("Mine")))
    return [*found, ListView(MINE, mine, "person", ListLayout(filter=own))]


def _marked(actor: Actor, entity: Entity) -> list[ListView]:
    """Records the actor put a mark on, those looked at last at the top."""
    if actor.user_id is None or "title_key" not in entity.fields:
        return []
    latest = Order(f":{MarkKind.VIEWED.value}", descending=True)
    looked = ListLayout(order=(latest,), filter=Related("viewed", "has"))
    return [
        ListView(VIEWED, tr("Recently viewed"), "clock", looked),
        ListView(
            FAVOURITES, tr("Favourites"), "star", ListLayout(filter=Related("favourite", "has"))
        ),
        ListView(FOLLOWED, tr("Followed"), "flag", ListLayout(filter=Related("followed", "has"))),
    ]


def _of_time(entity: Entity) -> list[ListView]:
    if not entity.is_record:
        return []
    changed = ListLayout(order=(Order("modified_at", descending=True),))
    new = ListLayout(
        order=(Order("created_at", descending=True),), filter=Rule("created_at", "=", "this week")
    )
    return [
        ListView(RECENT, tr("Recently changed"), "edit", changed),
        ListView(NEW, tr("New this week"), "add", new),
    ]


def _of_kind(entity: Entity) -> list[ListView]:
    found: list[ListView] = []
    if entity.key in _QUIET:
        quiet = ListLayout(filter=both(_IS_OPEN.get(entity.key), _QUIET_FILTER))
        found.append(ListView(QUIET, tr("No activity for 30 days"), "alert", quiet))
    birthday = entity.fields.get("birthday")
    if birthday is not None and birthday.kind is kinds.DATE:
        days = ListLayout(
            columns=(entity.title, "birthday", *entity.columns[1:]),
            order=(Order("birthday:day"),),
            filter=Rule("birthday", "recurs", "next 30 days"),
        )
        found.append(ListView(BIRTHDAYS, tr("Birthdays"), "calendar_ltr", days))
    if entity.key in _OVERDUE:
        condition, day = _OVERDUE[entity.key]
        late = ListLayout(order=(Order(day),), filter=condition)
        found.append(ListView(OVERDUE, tr("Overdue"), "alert", late))
    return found
