"""What the palette shows: commands, settings, records, what was searched lately."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, Final

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.core.text import fold
from desktop_crm.meta import registry
from desktop_crm.services.search import ranking
from desktop_crm.services.search import typed as reading
from desktop_crm.services.search.everything import Found, Hit, Section
from desktop_crm.services.search.places import MAIL
from desktop_crm.views.icons import ENTITY_ICONS
from desktop_crm.views.modules import MODULES
from desktop_crm.views.palette_rows import Line

if TYPE_CHECKING:
    from desktop_crm.services.marks import Marked
    from desktop_crm.views.actions import Action
    from desktop_crm.views.workbench import Workbench

COMMANDS_ONLY: Final = ">"
PEOPLE_ONLY: Final = "@"
PEOPLE: Final = ("contact", "lead", "user")
_MOST_COMMANDS: Final = 12


def matching(actions: Sequence[Action], typed: str) -> list[Action]:
    """Enabled commands that contain every typed word; those that start with it come first.

    Commands that unfold below another one are found like all others.
    """
    words = fold(typed).split()
    ranked = []
    for action in (one for whole in actions for one in whole.menu or (whole,)):
        text = fold(action.text)
        if action.is_enabled and all(word in text for word in words):
            ranked.append((not text.startswith(words[0]) if words else False, action))
    return [action for _late, action in sorted(ranked, key=lambda pair: pair[0])][:_MOST_COMMANDS]


def commands(actions: Sequence[Action], typed: str) -> list[Line]:
    """Commands and settings that have the words."""
    found = matching(actions, typed)
    words = reading.read(typed).words
    lines = [
        Line(
            text=action.text,
            run=action.run,
            icon=action.icon,
            note=action.tool_tip.removeprefix(action.tip or action.text).strip(" ()"),
            ranges=ranking.ranges(action.text, words),
        )
        for action in found
    ]
    return [_heading(tr("Commands and settings")), *lines] if lines else []


def recent_searches(texts: Sequence[str], again: Callable[[str], object]) -> list[Line]:
    """What was searched for lately."""
    lines = [Line(text, partial(again, text), "clock") for text in texts]
    return [_heading(tr("Recent searches")), *lines] if lines else []


def recent_records(bench: Workbench, marked: Sequence[Marked]) -> list[Line]:
    """Records that were looked at lately."""
    lines = [
        Line(
            text=one.title,
            run=partial(bench.shell.open_record, one.entity, one.id),
            icon=icon_of(one.entity),
            note=tr(registry.get(one.entity).label),
            run_apart=partial(bench.shell.open_record, one.entity, one.id),
        )
        for one in marked
    ]
    return [_heading(tr("Recently opened")), *lines] if lines else []


class Sections:
    """Turns found records into lines.

    Args:
        bench: Tools of the window.
        more: Shows more of one kind in the palette itself.
    """

    def __init__(self, bench: Workbench, more: Callable[[str], object]) -> None:
        self._bench = bench
        self._more = more

    def lines(self, found: Found) -> Iterator[Line]:
        """A heading with the count, the best hits and the way to all of them, for each kind."""
        for section in found.sections:
            name = tr(registry.get(section.entity).plural)
            if found.is_similar:
                name = tr("Similar: {records}", records=name)
            yield _heading(name, self._count(section))
            yield from map(self._line, section.hits)
            if section.count > len(section.hits) and not found.is_similar:
                yield self._all(found.text, section)

    def _count(self, section: Section) -> str:
        number = self._bench.formats.number(section.count, 0)
        return f"{number}+" if section.is_more else number

    def _line(self, hit: Hit) -> Line:
        return Line(
            text=hit.title or tr("(no subject)"),
            run=partial(self._open, hit),
            icon=icon_of(hit.entity),
            note=self._bench.formats.date(hit.at.date()) if hit.at and hit.entity == MAIL else "",
            ranges=hit.title_ranges,
            beside=hit.subtitle,
            below=hit.snippet,
            below_ranges=hit.snippet_ranges,
            run_apart=partial(self._bench.shell.open_record, *hit.opens),
        )

    def _open(self, hit: Hit) -> None:
        if hit.entity == MAIL:
            place: dict[str, object] = {"folder": "special/all", "message": hit.opens[1]}
            self._bench.shell.show_place("mail", place)
        else:
            self._bench.shell.open_record(*hit.opens)

    def _all(self, text: str, section: Section) -> Line:
        key = section.entity
        if key == MAIL:
            run = partial(
                self._bench.shell.show_place, "mail", {"folder": "special/all", "search": text}
            )
        elif any(module.key == key and module.holds_records for module in MODULES):
            place = {"view": "all", "search": text}
            run = partial(self._bench.shell.show_place, key, place)
        else:
            return Line(tr("Show more"), partial(self._more, key), "more_horizontal")
        return Line(tr("Show all in the list"), run, "group_list", note=self._count(section))


def nothing(text: str, kinds: int) -> list[Line]:
    """What is said when nothing was found in some kinds of records; 0 looked at commands alone."""
    looked = ntr(
        "Looked in {n} kind of record, at similar spellings, commands and settings.",
        "Looked in {n} kinds of records, at similar spellings, commands and settings.",
        kinds,
    )
    below = looked if kinds else tr("Looked at commands and settings.")
    return [Line(tr("Nothing found for “{text}”", text=text), icon="search", below=below)]


def icon_of(entity_key: str) -> str:
    """Drawing of a kind of record."""
    return ENTITY_ICONS.get(entity_key) or registry.get(entity_key).icon


def _heading(text: str, note: str = "") -> Line:
    return Line(text, note=note, is_heading=True)
