"""All views of a list for the tree at its left: pinned, shipped, saved, one per stage or state."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.bound import Entity
from desktop_crm.services import query, saved_views
from desktop_crm.services.filters import Rule
from desktop_crm.services.list_layout import ListLayout
from desktop_crm.services.list_view import ListView
from desktop_crm.services.query import RecordQuery
from desktop_crm.services.shipped_views import shipped
from desktop_crm.services.tally import Part, tally
from desktop_crm.views.lists.navigation import NavGroup, NavItem

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor

GROUPED_BY: Final[Mapping[str, tuple[str, ...]]] = {
    "account": ("relationship_type",),
    "contact": ("role",),
    "lead": ("state", "source"),
    "opportunity": ("stage", "state"),
    "activity": ("kind", "state"),
    "product": ("type", "state"),
    "quote": ("state",),
    "case": ("state", "type"),
}
"""Fields whose values become views of their own."""
COUNTED: Final = 1_000
"""Views are counted up to here; a longer one shows a plus sign behind it."""
_ICONS: Final = {"stage": "target", "kind": "task_list_square_ltr", "state": "flag"}


Groups = tuple[tuple[str, tuple[ListView, ...]], ...]


@dataclass(frozen=True, slots=True)
class ViewSet:
    """All views of a list, grouped, with the counts that are known.

    Attributes:
        groups: Captions with their views, in order.
        parts: The same for the values of the list's groups, known once it was counted.
        counts: Records by key of the view.
        more: Keys of those that hold more than was counted.
    """

    groups: Groups
    parts: Groups = ()
    counts: Mapping[str, int] = field(default_factory=dict)
    more: frozenset[str] = frozenset()

    def all(self) -> Iterable[ListView]:
        """Every view in order."""
        return (view for _title, views in (*self.groups, *self.parts) for view in views)

    def counted_as(self, other: ViewSet) -> ViewSet:
        """These views with the counts and the parts of the list that another set knows."""
        return replace(self, parts=other.parts, counts=other.counts, more=other.more)

    def find(self, key: str) -> ListView | None:
        """View with a key."""
        return next((view for view in self.all() if view.key == key), None)

    def first(self) -> ListView:
        """The view that opens first: the person's choice, everybody's, else a shipped one."""
        saved = [view for view in self.all() if view.saved is not None]
        mine = (view for view in saved if view.saved is not None and view.saved.is_first)
        whole = (view for view in saved if view.saved and view.saved.is_everybodys_first)
        found = next(mine, None) or next(whole, None)
        return found or next(view for view in self.all() if view.saved is None)

    def chosen(self) -> ListView | None:
        """The saved view that the person lets open first."""
        return next((v for v in self.all() if v.saved is not None and v.saved.is_first), None)

    def nav_groups(self) -> tuple[NavGroup, ...]:
        """What the navigation tree shows."""
        return tuple(
            NavGroup(title, tuple(_item(view) for view in views))
            for title, views in (*self.groups, *self.parts)
        )

    def shown_counts(self, formats: Formats) -> dict[str, str]:
        """Counts as texts."""
        return {
            key: formats.number(count, 0) + ("+" if key in self.more else "")
            for key, count in self.counts.items()
        }


def _item(view: ListView) -> NavItem:
    may = view.saved is not None and view.saved.can_edit
    return NavItem(view.key, view.title, view.icon, renames=may)


def fixed(actor: Actor, entity: Entity) -> ViewSet:
    """Views that need no look into the database; shown at once."""
    return ViewSet(((tr("Views"), shipped(actor, entity)),))


def load(actor: Actor, entity_key: str, cancel: Cancel | None = None) -> ViewSet:
    """All views without counts; runs on a reader thread, two statements."""
    own = fixed(actor, registry.get(entity_key))
    saved = saved_views.load(actor, entity_key, cancel)
    pinned = tuple(view for view in saved if view.saved is not None and view.saved.is_pinned)
    rest = tuple(view for view in saved if view not in pinned)
    groups = [(tr("Pinned"), pinned), *own.groups, (tr("Saved views"), rest)]
    return ViewSet(tuple((title, views) for title, views in groups if views))


def counted(actor: Actor, entity_key: str, views: ViewSet, cancel: Cancel | None = None) -> ViewSet:
    """The same views with their counts, and one for each value of the list's groups.

    Runs on a reader thread. One statement for the fields of :data:`GROUPED_BY`, which reads every
    record the user may see, and one for the views with a condition, which stops at
    :data:`COUNTED` in each.
    """
    entity = registry.get(entity_key)
    names = GROUPED_BY.get(entity_key, ())
    found = tally(actor, entity_key, names, cancel)
    parts: list[tuple[str, tuple[ListView, ...]]] = []
    own = [view for _title, some in views.groups for view in some]
    again = counted_again(actor, entity_key, views, [view.key for view in own], cancel)
    counts = {**again.counts, **{view.key: found.total for view in own if view.filter is None}}
    for name in names:
        of_field = []
        for part in found.groups[name]:
            if part.value is not None:
                view = _part_view(entity, name, part)
                of_field.append(view)
                counts[view.key] = part.count
        if of_field:
            parts.append((tr(entity.fields[name].label), tuple(of_field)))
    return replace(again, parts=tuple(parts), counts=counts)


def counted_again(
    actor: Actor,
    entity_key: str,
    views: ViewSet,
    keys: Collection[str],
    cancel: Cancel | None = None,
) -> ViewSet:
    """The same views with the counts of a few of them taken anew; one statement."""
    entity = registry.get(entity_key)
    counts, more = dict(views.counts), set(views.more)
    wanted = [view for view in views.all() if view.key in keys and view.filter is not None]
    asked = [RecordQuery(entity_key, (entity.title,), view.filter) for view in wanted]
    found = query.counts(actor, asked, cancel, most=COUNTED)
    for view, number in zip(wanted, found, strict=True):
        counts[view.key] = min(number, COUNTED)
        (more.add if number > COUNTED else more.discard)(view.key)
    return replace(views, counts=counts, more=frozenset(more))


def _part_view(entity: Entity, name: str, part: Part) -> ListView:
    declared = bool(entity.fields[name].options)
    title = tr(part.label) if declared else part.label
    icon = _ICONS.get(name, "folder")
    layout = ListLayout(filter=Rule(name, "=", part.value))
    return ListView(f"{name}:{part.value}", title, icon, layout)
