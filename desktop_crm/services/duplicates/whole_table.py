"""Every record of a table in memory, normalised column by column, for the scan."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from typing import Any, Final

from sqlalchemy import String, select, type_coerce

from desktop_crm.core.sameness import domain_of, public_domains, tax_key
from desktop_crm.core.text import fold, words_of
from desktop_crm.db.engine import Cancel
from desktop_crm.meta import kinds, registry
from desktop_crm.models import EmailAddress, Phone
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates.declared import Identity
from desktop_crm.services.duplicates.evidence import Traits
from desktop_crm.services.duplicates.traits import street_key
from desktop_crm.services.permissions import content_clause
from desktop_crm.services.prepared import Prepared

PROVIDER: Final = 100
"""A domain with more people than this says as little as a public one."""

_folded = lru_cache(maxsize=50_000)(fold)
_street = lru_cache(maxsize=50_000)(street_key)
_domain = lru_cache(maxsize=50_000)(domain_of)

Column = Sequence[Any]
Groups = Iterable[list[int]]


class WholeTable:
    """Columns of all living records an actor may see.

    Attributes:
        ids: Key of each record by its place.
        words: Words of each name.
    """

    def __init__(
        self, actor: Actor, identity: Identity, cancel: Cancel | None, *, by_phone: bool
    ) -> None:
        self._identity = identity
        labels, rows = _records(actor, identity, cancel)
        columns: list[Column] = list(zip(*rows, strict=True)) if rows else [()] * len(labels)
        self._columns = dict(zip(labels, columns, strict=True))
        self.ids: Column = self._columns["id"]
        part = words_of if identity.key == "title_key" else _parts
        self.words = [part(key) if key else () for key in self._columns["key"]]
        self._emails: dict[int, list[str]] = {}
        self._phones: dict[int, list[str]] = {}
        if identity.via:
            places = {key: place for place, key in enumerate(self.ids)}
            self._emails = _reach(actor, identity, EmailAddress, "address", places, cancel)
            if by_phone:
                self._phones = _reach(actor, identity, Phone, "canonical", places, cancel)
        self._domains = self._own_domains()
        self._traits: dict[int, Traits] = {}

    def decisive(self) -> Iterator[list[int]]:
        """Groups of places that share what says much without a name."""
        yield from _shared(_pairs_of(self._emails))
        for name in self._identity.natural:
            yield from _shared(_filled(self._columns[name], _folded))
        if self._identity.tax_id:
            yield from _shared(_filled(self._columns["tax"], tax_key))

    def supporting(self) -> Iterator[list[int]]:
        """Groups of places that share what says something beside a name that is alike."""
        columns, identity = self._columns, self._identity
        yield from _shared(_pairs_of(self._phones))
        yield from _shared(_pairs_of(self._domains))
        if identity.company:
            yield from _shared(_filled(columns["company"]))
        if identity.born:
            yield from _shared(_filled(columns["born"]))
        if identity.street:
            both = zip(columns["street"], columns["city"], strict=True)
            keys = [(_street(s), _folded(c or "")) if s else None for s, c in both]
            yield from _shared(_filled(keys))
        if identity.city and not identity.is_person:
            yield from _shared(_filled(columns["city"], _folded))
        if identity.key == "title_key":
            yield from _shared(_filled(columns["key"]))

    def traits(self, place: int) -> Traits:
        """Traits of a record, made when it is first compared."""
        found = self._traits.get(place)
        if found is None:
            found = self._traits[place] = self._made(place)
        return found

    def _own_domains(self) -> dict[int, list[str]]:
        """Domains of each record; those of providers left out, whoever they are."""
        found: dict[int, set[str]] = defaultdict(set)
        for place, addresses in self._emails.items():
            found[place].update(address.rpartition("@")[2] for address in addresses)
        for name in self._identity.domains:
            for place, written in enumerate(self._columns[name]):
                if written:
                    found[place].add(_domain(written.lower().lstrip("@")))
        shared = Counter(domain for domains in found.values() for domain in domains)
        empty = {"", *public_domains()}
        if self._identity.is_person:
            empty.update(domain for domain, count in shared.items() if count > PROVIDER)
        return {place: sorted(domains - empty) for place, domains in found.items()}

    def _value(self, name: str, place: int) -> Any:  # noqa: ANN401  any kind
        return self._columns[name][place] if name in self._columns else None

    def _made(self, place: int) -> Traits:
        linked = self._value("company", place)
        keys = ((name, self._value(name, place)) for name in self._identity.natural)
        return Traits(
            words=self.words[place],
            company=linked if isinstance(linked, str) else "",
            account=linked if isinstance(linked, int) else None,
            tax=self._value("tax", place) or "",
            emails=frozenset(self._emails.get(place, ())),
            domains=frozenset(self._domains.get(place, ())),
            phones=frozenset(self._phones.get(place, ())),
            city=_folded(self._value("city", place) or ""),
            street=_street(self._value("street", place) or ""),
            born=str(self._value("born", place) or ""),
            keys=frozenset((name, _folded(value)) for name, value in keys if value),
            within=self._value("within", place),
        )


def _parts(key: str) -> tuple[str, ...]:
    return tuple(key.split())


def _records(
    actor: Actor, identity: Identity, cancel: Cancel | None
) -> tuple[list[str], list[tuple[Any, ...]]]:
    """Labels and rows of all living records within sight; one statement."""
    entity = registry.get(identity.entity)
    table = entity.table
    wanted = {
        "id": "id", "key": identity.key, "company": identity.company, "tax": identity.tax_id,
        "city": identity.city, "street": identity.street, "within": identity.within,
        **{name: name for name in (*identity.domains, *identity.natural)},
    }  # fmt: skip
    if identity.company and entity.fields[identity.company].kind is not kinds.LINK:
        wanted["company"] = "company_key"
    chosen = {label: entity.fields[name].column for label, name in wanted.items() if name}
    columns: list[Any] = list(chosen.values())
    labels = list(chosen)
    if identity.born:
        # As the driver has it: a hundred thousand dates cost more to make than to compare.
        labels.append("born")
        columns.append(type_coerce(entity.fields[identity.born].column, String))
    statement = select(*columns).where(table.c.deleted_at.is_(None))
    if "converted_at" in table.c:
        statement = statement.where(table.c.converted_at.is_(None))
    rights = content_clause(actor, entity, table)
    if rights is not None:
        statement = statement.where(rights)
    return labels, Prepared(actor.db, statement).tuples(actor.db, cancel)


def _reach(
    actor: Actor,
    identity: Identity,
    model: type[EmailAddress | Phone],
    name: str,
    places: dict[int, int],
    cancel: Cancel | None,
) -> dict[int, list[str]]:
    """Addresses or numbers by the place of their record; one statement."""
    table = model.__table__
    via = table.c[identity.via]
    statement = select(via, table.c[name]).where(
        via.is_not(None), table.c[name].is_not(None), table.c.deleted_at.is_(None)
    )
    found: dict[int, list[str]] = {}
    for key, text in Prepared(actor.db, statement).tuples(actor.db, cancel):
        place = places.get(key)
        if place is not None:
            found.setdefault(place, []).append(text)
    return found


def _filled(column: Column, key_of: Any = None) -> list[tuple[Any, int]]:  # noqa: ANN401  a function
    """Value and place of each that is not empty."""
    if key_of is None:
        return [(value, place) for place, value in enumerate(column) if value]
    return [(key, place) for place, value in enumerate(column) if value and (key := key_of(value))]


def _pairs_of(several: dict[int, list[str]]) -> list[tuple[Any, int]]:
    return [(text, place) for place, texts in several.items() for text in texts]


def _shared(pairs: Sequence[tuple[Any, int]]) -> Groups:
    """Places of each value that more than one has; most values are one record's alone."""
    counts = Counter([value for value, _place in pairs])
    groups: dict[Any, list[int]] = defaultdict(list)
    for value, place in pairs:
        if counts[value] > 1:
            groups[value].append(place)
    return groups.values()
