"""Traits of records: of one as it is typed, and of some as they stand."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.core.sameness import company_key
from desktop_crm.core.text import canonical_email, canonical_phone, fold, words_of
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField, Entity
from desktop_crm.models import Account, EmailAddress, OwnCompany, Phone
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates.declared import Identity
from desktop_crm.services.duplicates.evidence import Traits, domains_of
from desktop_crm.services.permissions import content_clause
from desktop_crm.services.query import key_clause

DEFAULT_REGION: Final = "RO"


@dataclass(frozen=True, slots=True)
class Stored:
    """A record as it stands: what it is called and what is compared of it."""

    id: int
    title: str
    subtitle: str
    traits: Traits


def region_of(connection: Connection) -> str:
    """Country of phone numbers without a prefix; one statement."""
    found = connection.execute(select(OwnCompany.phone_region).limit(1)).scalar()
    return found or DEFAULT_REGION


def name_words(identity: Identity, name: str) -> tuple[str, ...]:
    """Words of a name as they are compared."""
    if not identity.is_person and identity.key != "title_key":
        return tuple(company_key(name).split())
    return words_of(fold(name))


def of_values(
    identity: Identity, values: Mapping[str, Any], company: str = "", region: str = DEFAULT_REGION
) -> Traits:
    """Traits of a record as it is typed; no statement.

    Args:
        identity: As what it is looked at.
        values: By field name, as a form holds them; child rows as mappings, or the copies of
            their primary ones.
        company: Folded name of the company the record is linked to, where it is a link.
        region: Country of phone numbers without a prefix.
    """
    name = _typed_name(identity, values)
    linked = values.get(identity.company) if identity.company else None
    emails = _typed(values, "emails", "address", "email")
    phones = _typed(values, "phones", "number", "phone")
    places = [row for row in values.get("addresses") or () if row.get("city") or row.get("street")]
    place = places[0] if places else values
    addresses = frozenset(filter(None, map(canonical_email, emails)))
    return Traits(
        words=name_words(identity, name),
        company=company_key(linked) if isinstance(linked, str) else company,
        account=linked if isinstance(linked, int) else None,
        tax=_text(values.get(identity.tax_id)) if identity.tax_id else "",
        emails=addresses,
        domains=domains_of(addresses, [_text(values.get(n)) for n in identity.domains]),
        phones=frozenset(filter(None, (canonical_phone(text, region) for text in phones))),
        city=fold(_text(place.get("city"))) if identity.city else "",
        street=street_key(_text(place.get("street"))) if identity.street else "",
        born=_day(values.get(identity.born)) if identity.born else "",
        keys=_keys(identity, values),
        within=values.get(identity.within) if identity.within else None,
    )


def street_key(text: str) -> str:
    """Folded street without marks; ``Str. Lungă nr. 5`` and ``Strada Lungă 5`` are one."""
    short = {"str": "strada", "bd": "bulevardul", "bdul": "bulevardul", "b-dul": "bulevardul"}
    words = (short.get(word, word) for word in words_of(fold(text).replace("b-dul", "bdul")))
    return " ".join(word for word in words if word not in {"nr", "no"})


def _typed_name(identity: Identity, values: Mapping[str, Any]) -> str:
    *parts, whole = identity.name
    joined = " ".join(_text(values.get(part)) for part in parts if values.get(part))
    return joined or _text(values.get(whole))


def _text(value: object) -> str:
    return "" if value is None else str(value)


def _day(value: object) -> str:
    if isinstance(value, datetime):
        return value.date().isoformat()
    return value.isoformat() if isinstance(value, date) else ""


def _typed(values: Mapping[str, Any], lines: str, name: str, copy: str) -> list[str]:
    rows = [_text(row.get(name)) for row in values.get(lines) or ()]
    return [text for text in (*rows, _text(values.get(copy))) if text]


def _keys(identity: Identity, values: Mapping[str, Any]) -> frozenset[tuple[str, str]]:
    found = ((name, fold(_text(values.get(name)))) for name in identity.natural)
    return frozenset((name, value) for name, value in found if value)


def load(
    connection: Connection, actor: Actor, identity: Identity, ids: Collection[int]
) -> dict[int, Stored]:
    """Read living records the actor may see; one statement, and two for how to reach them."""
    if not ids:
        return {}
    entity = registry.get(identity.entity)
    table = entity.table
    fields = _compared(identity, entity)
    columns = [_column(field).label(field.name) for field in fields]
    source: Any = table
    if identity.company and entity.fields[identity.company].kind is kinds.LINK:
        account = Account.__table__
        link = _column(entity.fields[identity.company])
        columns.append(account.c.name_key.label("company_key"))
        source = table.outerjoin(account, account.c.id == link)
    statement = select(table.c.id, *columns).select_from(source)
    statement = statement.where(key_clause(connection, table.c.id, list(ids)))
    statement = statement.where(table.c.deleted_at.is_(None))
    if "converted_at" in table.c:  # it lives on in what it became
        statement = statement.where(table.c.converted_at.is_(None))
    rights = content_clause(actor, entity, table)
    if rights is not None:
        statement = statement.where(rights)
    rows = [dict(row) for row in connection.execute(statement).mappings()]
    emails, phones = _reach(connection, identity, [row["id"] for row in rows])
    return {row["id"]: _stored(actor, entity, identity, row, emails, phones) for row in rows}


def _compared(identity: Identity, entity: Entity) -> list[BoundField]:
    names = [*identity.name, identity.company, identity.tax_id, *identity.domains, identity.city,
             identity.street, identity.born, *identity.natural, identity.within, entity.title,
             entity.subtitle]  # fmt: skip
    wanted = [n for n in dict.fromkeys(names) if n and n in entity.fields]
    return [entity.fields[n] for n in wanted if entity.fields[n].column is not None]


def _column(field: BoundField) -> Any:  # noqa: ANN401  a column of any type
    assert field.column is not None  # noqa: S101  lines are read apart
    return field.column


def _reach(
    connection: Connection, identity: Identity, ids: Sequence[int]
) -> tuple[dict[int, list[str]], dict[int, list[str]]]:
    found: list[dict[int, list[str]]] = [defaultdict(list), defaultdict(list)]
    if identity.via and ids:
        tables = ((EmailAddress.__table__, "address"), (Phone.__table__, "canonical"))
        for place, (table, name) in enumerate(tables):
            via = table.c[identity.via]
            statement = select(via, table.c[name]).where(
                key_clause(connection, via, ids), table.c.deleted_at.is_(None)
            )
            for key, value in connection.execute(statement):
                if value:
                    found[place][key].append(value)
    return found[0], found[1]


def _stored(
    actor: Actor,
    entity: Entity,
    identity: Identity,
    row: Mapping[str, Any],
    emails: Mapping[int, Iterable[str]],
    phones: Mapping[int, Iterable[str]],
) -> Stored:
    key = row["id"]
    values = {**row, "emails": [{"address": text} for text in emails.get(key, ())], "phones": ()}
    traits = of_values(identity, values, row.get("company_key") or "")
    numbers = frozenset(phones.get(key, ()))
    traits = Traits(**{**{n: getattr(traits, n) for n in Traits.__slots__}, "phones": numbers})
    title = entity.fields[entity.title].display(row.get(entity.title), actor.formats)
    return Stored(key, title, _subtitle(actor, entity, row), traits)


def _subtitle(actor: Actor, entity: Entity, row: Mapping[str, Any]) -> str:
    field = entity.fields.get(entity.subtitle)
    words = ""
    if field is not None and field.column is not None and field.kind is not kinds.LINK:
        words = field.display(row.get(field.name), actor.formats)
    return " · ".join(text for text in (words, str(row.get("city") or "")) if text)
