"""One view of a list as a value, and what is left of its layout where a field is not there."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import Any

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import ntr, tr
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.models.office import ViewScope
from desktop_crm.services import clauses, grouping
from desktop_crm.services.columns import Paths
from desktop_crm.services.context import Actor
from desktop_crm.services.filters import NEVER, Group, Node, Rule
from desktop_crm.services.list_layout import ListLayout, Summary, summaries
from desktop_crm.services.record_query import Order


@dataclass(frozen=True, slots=True)
class Saved:
    """What only a saved view has.

    Attributes:
        id: Key of the record.
        version: Version read.
        scope: Who sees it.
        owner_id: Whose it is.
        owner: The owner's name.
        is_pinned: Stands first in the actor's tree.
        is_first: Opens first for the actor.
        is_everybodys_first: Opens first for everybody who chose nothing else.
        can_edit: The actor may change, share and delete it.
        position: Place among the others.
        stored: The layout as it is kept, with what cannot be used here.
        missing: Fields it names that are unknown here, retired or out of sight.
        missing_names: The same as a person knows them: a retired one by its label.
        damaged: Its stored form cannot be read at all.
    """

    id: int
    version: int
    scope: ViewScope
    owner_id: int | None = None
    owner: str = ""
    is_pinned: bool = False
    is_first: bool = False
    is_everybodys_first: bool = False
    can_edit: bool = False
    position: int = 0
    stored: ListLayout = field(default_factory=ListLayout)
    missing: tuple[str, ...] = ()
    missing_names: tuple[str, ...] = ()
    damaged: bool = False


@dataclass(frozen=True, slots=True)
class ListView:
    """One view of a list, shipped or saved.

    Attributes:
        key: Stable name.
        title: Shown text, translated.
        icon: Name of a drawing.
        layout: How it arranges the list.
        saved: What a saved view has besides; None for a shipped one.
    """

    key: str
    title: str
    icon: str = "folder"
    layout: ListLayout = field(default_factory=ListLayout)
    saved: Saved | None = None

    @property
    def filter(self) -> Node | None:
        """Conditions, None for all."""
        return self.layout.filter

    @property
    def saved_id(self) -> int | None:
        """Key of the saved view it comes from."""
        return None if self.saved is None else self.saved.id

    @property
    def note(self) -> str:
        """One sentence about what could not be opened; empty when all could."""
        if self.saved is None:
            return ""
        if self.saved.damaged:
            return tr("The view “{name}” could not be read; the list opens without it.",
                      name=self.title)  # fmt: skip
        if not self.saved.missing:
            return ""
        return ntr(
            "“{name}” uses a field that is not there: {fields}. It opens without it and keeps it.",
            "“{name}” uses fields that are not there: {fields}. It opens without them and "
            "keeps them.",
            len(self.saved.missing),
            name=self.title,
            fields=", ".join(self.saved.missing_names),
        )


def usable(actor: Actor, entity: Entity, layout: ListLayout) -> tuple[ListLayout, tuple[str, ...]]:
    """The part of a layout that can be used here, and what it names that is not there.

    A field may be retired, of another installation, or out of the actor's sight. A format whose
    condition is not whole any more never holds.
    """
    test = _Test(actor, entity)
    columns = tuple(path for path in layout.columns if test.column(path))
    found = replace(
        layout,
        columns=columns,
        widths=MappingProxyType({p: w for p, w in layout.widths.items() if p in columns}),
        order=tuple(order for order in layout.order if test.order(order)),
        filter=None if layout.filter is None else test.condition(layout.filter),
        group=layout.group if layout.group and test.group(layout.group) else "",
        totals=MappingProxyType({p: s for p, s in layout.totals.items() if test.total(p, s)}),
        formats=tuple(
            f if test.condition(f.filter) == f.filter else replace(f, filter=NEVER)
            for f in layout.formats
        ),
        board=layout.board if layout.board and test.column(layout.board) else "",
    )
    return found, tuple(test.missing)


def called(entity: Entity, path: str) -> str:
    """What a person calls a field that is not there: a retired one by its label."""
    retired = entity.retired.get(path)
    return path if retired is None else tr(retired.label)


class _Test:
    """Tries the parts of a layout and notes what is missing."""

    def __init__(self, actor: Actor, entity: Entity) -> None:
        self._paths = Paths(actor, entity)
        self.missing: dict[str, None] = {}

    def _field(self, path: str) -> BoundField | None:
        try:
            return self._paths.field(path)[0]
        except UserError:
            self.missing[path] = None
            return None

    def column(self, path: str) -> bool:
        return self._field(path) is not None

    def group(self, group: str) -> bool:
        field = self._field(grouping.parts(group)[0])
        return field is not None and grouping.is_groupable(field)

    def total(self, path: str, summary: Summary) -> bool:
        field = self._field(path)
        return field is not None and summary in summaries(field)

    def order(self, order: Order) -> bool:
        try:
            self._paths.sort_key(order.field)
        except UserError:
            self.missing[order.field] = None
            return False
        return True

    def condition(self, node: Node) -> Node | None:
        """What is left of a condition without the parts that cannot be asked here."""
        if isinstance(node, Group):
            if not node.members:
                return node  # it holds for nothing, not for everything
            members = tuple(m for one in node.members if (m := self.condition(one)) is not None)
            return replace(node, members=members) if members else None
        try:
            clauses.clause(node, self._paths)
        except UserError as error:
            # Of related records it may be a field of theirs that is not there.
            inner = error.params.get("name") or error.params.get("field") or node
            self.missing[node.field if isinstance(node, Rule) else str(inner)] = None
            return None
        return node


def joined(stored: ListLayout, opened: ListLayout, shown: ListLayout) -> ListLayout:
    """Layout to keep when a view is saved again: what was missing here stays in it.

    Args:
        stored: As it was kept.
        opened: The usable part it was opened with.
        shown: As the person leaves it.
    """

    def part(name: str) -> Any:  # noqa: ANN401  any attribute of a layout
        before, now = getattr(opened, name), getattr(shown, name)
        return getattr(stored, name) if before == now else now

    hidden = tuple(path for path in stored.columns if path not in opened.columns)
    columns = stored.columns
    if shown.columns != opened.columns:
        columns = (*shown.columns, *(path for path in hidden if path not in shown.columns))
    rest = {p: w for p, w in stored.widths.items() if p in hidden}
    totals = {p: s for p, s in stored.totals.items() if p not in opened.totals}
    return replace(
        shown,
        columns=columns,
        widths=MappingProxyType({**rest, **shown.widths}),
        totals=MappingProxyType({**totals, **shown.totals}),
        order=part("order"),
        filter=part("filter"),
        group=part("group"),
        formats=part("formats"),
        board=part("board"),
    )
