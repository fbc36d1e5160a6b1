"""Links named by text: by identity, external id, number, own key or unique title (R55)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import Final

from rapidfuzz import fuzz, process
from sqlalchemy import Connection

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.core.text import fold, fold_company
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.services.context import Actor
from desktop_crm.services.imports import existing
from desktop_crm.services.imports.draft import (
    Draft,
    LinkText,
    NewRecord,
    Notice,
    NoticeKind,
    Resolution,
    RowRef,
)
from desktop_crm.services.imports.recipes import stage_state
from desktop_crm.services.imports.synonyms import (
    CREATED_BY_CARDS,
    CREATED_BY_LOOKUP,
)

_NEAR: Final = 80.0


@dataclass(slots=True)
class Links:
    """The answers for every link of a file.

    Attributes:
        found: (field, text) to what it leads to.
        notices: One sentence for each text that leads nowhere or to a new record.
    """

    found: dict[tuple[str, str], Resolution] = field(default_factory=dict)
    notices: list[Notice] = field(default_factory=list)

    def of(self, name: str, text: str) -> Resolution:
        """What one link leads to; None leaves it empty."""
        return self.found.get((name, text))


def resolve(
    connection: Connection,
    actor: Actor,
    entity: Entity,
    rows: Sequence[Draft],
    own_titles: Mapping[str, int],
    *,
    creatable: Iterable[str] = (),
    from_cards: bool = False,
) -> Links:
    """Resolve all links of a file; the number of queries does not depend on its rows.

    Args:
        connection: An open transaction.
        actor: Who imports.
        entity: What the rows are.
        rows: The drafts; their links are :class:`LinkText`.
        own_titles: Folded title to position of the file's own rows, for links within the file.
        creatable: Fields whose record may be made, beyond the declared ones.
        from_cards: The file holds contact cards, which may bring their company.
    """
    links = Links()
    declared = CREATED_BY_LOOKUP | (CREATED_BY_CARDS if from_cards else frozenset())
    for name, texts in _texts(rows).items():
        bound = entity.fields[name]
        target = registry.get(bound.target)
        may_create = (entity.key, name) in declared or name in creatable
        _resolve_field(
            links,
            bound,
            target,
            texts,
            _Finder(connection, actor, target),
            own_titles if target.key == entity.key else {},
            may_create=may_create and actor.can(target.key, "create"),
        )
    return links


def _texts(rows: Sequence[Draft]) -> dict[str, Counter[str]]:
    found: dict[str, Counter[str]] = {}
    for row in rows:
        for name, value in row.values.items():
            if isinstance(value, LinkText):
                found.setdefault(name, Counter())[value.text] += 1
    return found


class _Finder:
    """Looks texts up among the records of one entity."""

    def __init__(self, connection: Connection, actor: Actor, target: Entity) -> None:
        self._connection = connection
        self._actor = actor
        self.target = target
        self._titles: list[tuple[int, str]] | None = None

    def find(self, texts: Iterable[str]) -> dict[str, set[int]]:
        """Find each text by the first key that knows it."""
        left = list(texts)
        found: dict[str, set[int]] = {}
        for ask in self._keys():
            if not left:
                break
            found.update(ask(left))
            left = [text for text in left if text not in found]
        return found

    def _keys(self) -> list[Callable[[list[str]], dict[str, set[int]]]]:
        columns = self.target.table.c
        texts = [
            name
            for name in dict.fromkeys(("uid", "external_id", "number", *self.target.natural_key))
            if name in columns and self.target.fields[name].kind in {kinds.TEXT, kinds.EMAIL}
        ]
        asks: list[Callable[[list[str]], dict[str, set[int]]]] = [
            partial(existing.find_by, self._connection, self._actor, self.target, name)
            for name in texts
            if name != self.target.title
        ]
        if "title_key" in columns:
            asks.append(self._by_title)
        return asks

    def _by_title(self, texts: list[str]) -> dict[str, set[int]]:
        keys = {text: existing.title_key(text) for text in texts}
        found = existing.find_by(
            self._connection, self._actor, self.target, "title_key", set(keys.values())
        )
        return {text: found[key] for text, key in keys.items() if key in found}

    def near(self, text: str) -> str:
        """The title most like a text; empty when none is like it."""
        if self._titles is None:
            self._titles = existing.titles(self._connection, self._actor, self.target)
        return nearest(text, [title for _, title in self._titles])

    def stage(self, text: str) -> int | None:
        """The stage that other programs' words for won and lost mean."""
        state = stage_state(text)
        stages = existing.stages_by_state(self._connection)
        return next((key for key, found in stages if state == found != "open"), None)


def nearest(text: str, titles: Sequence[str]) -> str:
    """The title most like a text, spaces, case and accents apart; empty when none is like it."""
    wanted = _bare(text)
    choices = {title: _bare(title) for title in titles}
    best = process.extractOne(wanted, choices, scorer=fuzz.ratio, score_cutoff=_NEAR)
    if best is None:
        company = fold_company(text)
        best = process.extractOne(
            company,
            {title: fold_company(title) for title in titles},
            scorer=fuzz.ratio,
            score_cutoff=_NEAR,
        )
    return str(best[2]) if best is not None else ""


def _bare(text: str) -> str:
    return "".join(character for character in fold(text) if character.isalnum())


def _resolve_field(
    links: Links,
    bound: BoundField,
    target: Entity,
    texts: Counter[str],
    finder: _Finder,
    own_titles: Mapping[str, int],
    *,
    may_create: bool,
) -> None:
    found = finder.find(texts)
    created: dict[str, NewRecord] = {}
    for text, count in texts.items():
        ids = found.get(text, set())
        if len(ids) == 1:
            links.found[bound.name, text] = next(iter(ids))
        elif len(ids) > 1:
            links.notices.append(_ambiguous(bound, target, text, count, len(ids)))
        elif existing.title_key(text) in own_titles:
            links.found[bound.name, text] = RowRef(own_titles[existing.title_key(text)])
        elif target.key == "stage" and (stage := finder.stage(text)) is not None:
            links.found[bound.name, text] = stage
        elif may_create:
            new = created.setdefault(existing.title_key(text), NewRecord(target.key, text))
            links.found[bound.name, text] = new
        else:
            links.notices.append(_not_found(bound, target, text, count, finder.near(text)))
    if created:
        links.notices.append(_made(bound, target, [new.title for new in created.values()]))


def _ambiguous(bound: BoundField, target: Entity, text: str, count: int, several: int) -> Notice:
    message = ntr(
        "{field} “{text}” could be {several} of the {entity}; it stays empty in {n} row.",
        "{field} “{text}” could be {several} of the {entity}; it stays empty in {n} rows.",
        count,
        field=tr(bound.label),
        text=text,
        several=several,
        entity=tr(target.plural),
    )
    return Notice(NoticeKind.AMBIGUOUS, message, count, bound.name, text)


def _not_found(bound: BoundField, target: Entity, text: str, count: int, near: str) -> Notice:
    message = ntr(
        "{field} “{text}” is not among the {entity}; it stays empty in {n} row.",
        "{field} “{text}” is not among the {entity}; it stays empty in {n} rows.",
        count,
        field=tr(bound.label),
        text=text,
        entity=tr(target.plural),
    )
    if near:
        message = f"{message} " + tr("The nearest is “{title}”.", title=near)
    return Notice(NoticeKind.NOT_FOUND, message, count, bound.name, text, near)


def _made(bound: BoundField, target: Entity, titles: Sequence[str]) -> Notice:
    shown = ", ".join(titles[:10]) + (" …" if len(titles) > 10 else "")
    message = ntr(
        "{n} record is added to the {entity}, because {field} names it: {titles}.",
        "{n} records are added to the {entity}, because {field} names them: {titles}.",
        len(titles),
        entity=tr(target.plural),
        field=tr(bound.label),
        titles=shown,
    )
    return Notice(NoticeKind.CREATED, message, len(titles), bound.name)
