"""The ready views of a list: mine, all, recently changed, one per stage or state, saved ones."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.services import filters
from desktop_crm.services import views as saved_views
from desktop_crm.services.filters import Group, Rule
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.services.list_view import ListView
from desktop_crm.services.query import Order, RecordQuery, count
from desktop_crm.services.tally import Part, tally
from desktop_crm.views.lists.navigation import NavGroup, NavItem

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor

ALL: Final = "all"
MINE: Final = "mine"
RECENT: Final = "recent"
OPEN: Final = "open"
GROUPED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "account": ("relationship_type",),
    "contact": ("role",),
    "lead": ("state", "source"),
    "opportunity": ("stage", "state"),
    "activity": ("kind", "state"),
    "product": ("type", "state"),
    "quote": ("state",),
}
"""Fields whose values become views of their own."""
_ICONS: Final = {"stage": "target", "kind": "task_list_square_ltr", "state": "flag"}
_MINE: Final = {
    "account": N_("My accounts"),
    "contact": N_("My contacts"),
    "lead": N_("My leads"),
    "opportunity": N_("My opportunities"),
    "activity": N_("My activities"),
    "quote": N_("My quotes"),
}
_ALL: Final = {
    "account": N_("All accounts"),
    "contact": N_("All contacts"),
    "lead": N_("All leads"),
    "opportunity": N_("All opportunities"),
    "activity": N_("All activities"),
    "product": N_("All products"),
    "quote": N_("All quotes"),
}
_ACTIVITY_COLUMNS: Final = ("subject", "kind", "occurred_at", "priority", "account", "contact")
# Nobody completes a meeting by hand: once it is over, nothing is left to do about it.
_NOT_OVER: Final = Group(
    "any",
    (Rule("kind", "!=", "appointment"), Rule("end_at", ">=", "today"), Rule("end_at", "empty")),
)
_MY_OPEN: Final = {
    "lead": N_("My open leads"),
    "opportunity": N_("My open opportunities"),
    "activity": N_("My open activities"),
}


@dataclass(frozen=True, slots=True)
class ViewSet:
    """All views of a list, grouped, with the counts that are known."""

    groups: tuple[tuple[str, tuple[ListView, ...]], ...]
    counts: Mapping[str, int] = field(default_factory=dict)

    def find(self, key: str) -> ListView | None:
        """View with a key."""
        return next((v for _title, views in self.groups for v in views if v.key == key), None)

    def first(self) -> ListView:
        """The view that opens first."""
        return self.groups[0][1][0]

    def nav_groups(self) -> tuple[NavGroup, ...]:
        """What the navigation tree shows."""
        return tuple(
            NavGroup(title, tuple(NavItem(v.key, v.title, v.icon) for v in views))
            for title, views in self.groups
        )

    def shown_counts(self, formats: Formats) -> dict[str, str]:
        """Counts as texts."""
        return {key: formats.number(count, 0) for key, count in self.counts.items()}


def fixed(entity: Entity, user_id: int | None) -> ViewSet:
    """Views that need no look into the database; shown at once.

    Args:
        entity: Whose list.
        user_id: The user, for "mine"; None leaves those out.
    """
    views: list[ListView] = []
    if entity.owned and user_id is not None:
        own = Rule("owner", "=", user_id)
        if entity.key in _MY_OPEN:
            both = filters.both(own, Rule("state", "=", OPEN))
            is_activity = entity.key == "activity"
            if is_activity:
                both = filters.both(both, _NOT_OVER)
            order = (Order("occurred_at"),) if is_activity else ()
            columns = _ACTIVITY_COLUMNS if is_activity else ()
            title = tr(_MY_OPEN[entity.key])
            layout = ListLayout(columns=columns, order=order, filter=both)
            views.append(ListView(OPEN, title, "star", layout))
        mine = tr(_MINE.get(entity.key, N_("Mine")))
        views.append(ListView(MINE, mine, "person", ListLayout(filter=own)))
    views.append(ListView(ALL, tr(_ALL.get(entity.key, N_("All"))), entity.icon))
    if "modified_at" in entity.fields:
        recent = ListLayout(order=(Order("modified_at", descending=True),))
        views.append(ListView(RECENT, tr("Recently changed"), "clock", recent))
    return ViewSet(((tr("Views"), tuple(views)),))


def load(actor: Actor, entity_key: str, cancel: Cancel | None = None) -> ViewSet:
    """All views with counts; runs on a reader thread, three to five statements."""
    entity = registry.get(entity_key)
    names = GROUPED_BY.get(entity_key, ())
    counted = tally(actor, entity_key, names, cancel)
    groups = list(fixed(entity, actor.user_id).groups)
    counts = {ALL: counted.total, MINE: counted.mine}
    for view in groups[0][1]:
        if view.key == OPEN:
            asked = RecordQuery(entity_key, (entity.title,), view.layout.filter)
            counts[OPEN] = count(actor, asked, cancel)
    saved = saved_views.load(actor, entity_key, cancel)
    if saved:
        groups.append((tr("Saved views"), saved))
    for name in names:
        views = []
        for part in counted.groups[name]:
            if part.value is None:
                continue
            view = _part_view(entity, name, part)
            views.append(view)
            counts[view.key] = part.count
        if views:
            groups.append((tr(entity.fields[name].label), tuple(views)))
    return ViewSet(tuple(groups), counts)


def _part_view(entity: Entity, name: str, part: Part) -> ListView:
    declared = bool(entity.fields[name].options)
    title = tr(part.label) if declared else part.label
    icon = _ICONS.get(name, "folder")
    only = ListLayout(filter=Rule(name, "=", part.value))
    return ListView(f"{name}:{part.value}", title, icon, only)
