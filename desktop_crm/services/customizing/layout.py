"""How an entity's form is arranged: tabs, sections in them, rows of one to three fields."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import kinds
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.meta.field import Section

WIDEST_ROW: Final = 3
LONGEST_LABEL: Final = 80
MORE: Final = N_("Fields of our own")
"""Title of the section of fields that no layout names."""
_ALONE: Final = (kinds.MULTILINE, kinds.LINES, kinds.JSON, kinds.IMAGE)
"""Kinds that take the width of the form."""


@dataclass(frozen=True, slots=True)
class Part:
    """One section: its title and its rows of field names."""

    label: str
    rows: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class Tab:
    """One tab of a form; a form of one tab shows none."""

    label: str
    parts: tuple[Part, ...] = ()


@dataclass(frozen=True, slots=True)
class Layout:
    """A whole form; fields that are neither placed nor ``hidden`` stand in a last section."""

    tabs: tuple[Tab, ...]
    hidden: tuple[str, ...] = ()

    @property
    def placed(self) -> tuple[str, ...]:
        """Names of the fields in the form, in order."""
        return tuple(n for tab in self.tabs for part in tab.parts for row in part.rows for n in row)


def standard(entity: Entity) -> Layout:
    """The declared arrangement as a layout; ``entity`` is the declared one."""
    tabs: list[tuple[str, list[Part]]] = []
    for section in entity.form:
        if section.tab or not tabs:
            tabs.append((section.tab or N_("General"), []))
        rows = tuple((row,) if isinstance(row, str) else row for row in section.rows)
        tabs[-1][1].append(Part(section.label, rows))
    return Layout(tuple(Tab(label, tuple(parts)) for label, parts in tabs))


def complete(
    layout: Layout, entity: Entity, active: Mapping[str, BoundField], own: Sequence[str]
) -> Layout:
    """The layout with what it leaves open: retired fields gone, unnamed ones at the end.

    Args:
        layout: As stored, or the standard one.
        entity: The declared entity.
        active: Fields there are now.
        own: Names of the fields of one's own among them.
    """
    tabs = [
        Tab(tab.label, tuple(Part(p.label, tuple(_known(p.rows, active))) for p in tab.parts))
        for tab in layout.tabs
    ]
    settled = {*layout.placed, *layout.hidden}
    wanted = [*names(entity.form), *own]
    rest = [name for name in wanted if name not in settled and name in active]
    if rest:
        last = tabs[-1] if tabs else Tab(N_("General"))
        more = Part(MORE, tuple(_paired(rest, active)))
        tabs[-1:] = [Tab(last.label, (*last.parts, more))]
    return Layout(tuple(tabs), tuple(n for n in layout.hidden if n in active))


def sections(
    layout: Layout, entity: Entity, active: Mapping[str, BoundField], own: Sequence[str]
) -> tuple[Section, ...]:
    """The layout as the form of an entity; empty sections and tabs are left out."""
    tabs = [
        (tab.label, [part for part in tab.parts if part.rows])
        for tab in complete(layout, entity, active, own).tabs
    ]
    shown = [(label, parts) for label, parts in tabs if parts]
    several = len(shown) > 1
    return tuple(
        Section(part.label, part.rows, label if several and part is parts[0] else "")
        for label, parts in shown
        for part in parts
    )


def names(form: Iterable[Section]) -> tuple[str, ...]:
    """Names of the fields in a form, in order."""
    rows = [row for section in form for row in section.rows]
    return tuple(name for row in rows for name in ((row,) if isinstance(row, str) else row))


def placeable(entity: Entity) -> tuple[BoundField, ...]:
    """Fields a layout may name."""
    return tuple(field for field in entity.fields.values() if not field.hidden)


def check(layout: Layout, entity: Entity) -> None:
    """Refuse a layout that names what is not there, or a field twice.

    Raises:
        UserError: Naming the field or the label.
    """
    allowed = {field.name for field in placeable(entity)}
    unknown = [n for n in (*layout.placed, *layout.hidden) if n not in allowed]
    if unknown:
        raise UserError(
            N_("{entity} has no field “{field}” for the form. Take it out of the form."),
            entity=tr(entity.label),
            field=unknown[0],
        )
    seen: set[str] = set()
    for name in (*layout.placed, *layout.hidden):
        if name in seen:
            raise UserError(
                N_("{field} stands twice in the form. Take one of them out."),
                field=tr(entity.fields[name].label),
            )
        seen.add(name)
    _check_needed(layout, entity)
    _check_shape(layout)


def _check_needed(layout: Layout, entity: Entity) -> None:
    for name in layout.hidden:
        field = entity.fields[name]
        if field.required:
            raise UserError(
                N_("{field} must be filled in, so it cannot be hidden."),
                field=tr(field.label),
            )


def _check_shape(layout: Layout) -> None:
    labels = [tab.label for tab in layout.tabs]
    labels += [part.label for tab in layout.tabs for part in tab.parts]
    if not layout.placed:
        raise UserError(N_("A form needs at least one field."))
    if any(not label.strip() or len(label) > LONGEST_LABEL for label in labels):
        raise UserError(
            N_("Tabs and sections need a title of at most {limit} characters."), limit=LONGEST_LABEL
        )
    if any(len(row) > WIDEST_ROW for tab in layout.tabs for p in tab.parts for row in p.rows):
        raise UserError(
            N_("A row holds at most {limit} fields. Put the others into another row."),
            limit=WIDEST_ROW,
        )


def to_json(layout: Layout) -> dict[str, Any]:
    """Plain form that is stored."""
    return {
        "tabs": [
            {
                "label": tab.label,
                "sections": [
                    {"label": part.label, "rows": [list(row) for row in part.rows if row]}
                    for part in tab.parts
                ],
            }
            for tab in layout.tabs
        ],
        "hidden": list(layout.hidden),
    }


def from_json(data: Mapping[str, Any]) -> Layout:
    """Read the stored form; what is no layout gives an empty one."""
    tabs = tuple(
        Tab(
            str(tab.get("label") or ""),
            tuple(
                Part(str(part.get("label") or ""), tuple(_rows(part)))
                for part in tab.get("sections") or ()
            ),
        )
        for tab in data.get("tabs") or ()
    )
    return Layout(tabs, tuple(str(name) for name in data.get("hidden") or ()))


def _rows(part: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for row in part.get("rows") or ():
        if row:
            yield tuple(str(name) for name in row)


def _known(rows: Iterable[Sequence[str]], active: Collection[str]) -> Iterator[tuple[str, ...]]:
    for row in rows:
        left = tuple(name for name in row if name in active)
        if left:
            yield left


def _paired(rest: Sequence[str], active: Mapping[str, BoundField]) -> Iterator[tuple[str, ...]]:
    """Two fields in a row, those that take the width alone."""
    waiting = ""
    for name in rest:
        if active[name].kind in _ALONE:
            if waiting:
                yield (waiting,)
            waiting = ""
            yield (name,)
        elif waiting:
            yield (waiting, name)
            waiting = ""
        else:
            waiting = name
    if waiting:
        yield (waiting,)
