"""What is special about importing some entities: keys, derived values, company of a person."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from typing import Final

from desktop_crm.core.text import fold
from desktop_crm.meta.bound import Entity
from desktop_crm.services.excel.table import ChildRows
from desktop_crm.services.imports.draft import Draft, LinkText, NewRecord, Unset
from desktop_crm.services.imports.synonyms import STAGE_WORDS

KeyFields = tuple[str, ...]

_KEYS: Final[Mapping[str, tuple[KeyFields, ...]]] = {
    "contact": (
        ("external_id",),
        ("email", "full_name"),
        ("email",),
        ("full_name", "account"),
        ("full_name", "phone"),
        ("full_name",),
    ),
    "lead": (
        ("external_id",),
        ("email", "full_name"),
        ("full_name", "company"),
        ("subject", "full_name"),
        ("subject",),
    ),
    "opportunity": (("external_id",), ("name", "account"), ("name",)),
    "activity": (("external_id",), ("subject", "start_at"), ("subject", "due_at"), ("subject",)),
}
"""Fields that identify a record, tried in this order."""

_MAY_DIFFER: Final[Mapping[tuple[str, KeyFields], frozenset[str]]] = {
    ("contact", ("email",)): frozenset({"full_name"})
}
"""A person known by e-mail may have another name by now."""

_NAME_PARTS: Final = ("first_name", "middle_name", "last_name", "suffix")

FILLED_BY_RULES: Final = frozenset({("opportunity", "stage")})
"""Required fields that the product fills in itself when a file lacks them."""

CONSENTS: Final = frozenset({"do_not_email", "do_not_phone", "do_not_bulk"})
"""A file may record a refusal, never take one back (R50)."""


def keys_of(entity: Entity) -> tuple[KeyFields, ...]:
    """Keys by which rows of a file find their records, best first."""
    declared = _KEYS.get(entity.key)
    if declared is not None:
        return declared
    natural = tuple((name,) for name in entity.natural_key)
    title = (entity.title,)
    return natural if title in natural else (*natural, title)


def must_lack(entity: Entity, fields: KeyFields) -> tuple[str, ...]:
    """Name the better identities that a record found by a weaker key may not have.

    A row with a tax id is found by its name only among records without one: those with another
    tax id are somebody else.
    """
    chain = keys_of(entity)
    better = chain[: chain.index(fields)] if fields in chain else ()
    may_differ = _MAY_DIFFER.get((entity.key, fields), frozenset())
    names = dict.fromkeys(name for key in better for name in key)
    return tuple(name for name in names if name not in fields and name not in may_differ)


def key_value(entity: Entity, row: Draft, name: str, links: Mapping[str, object]) -> str:
    """The folded text of one key field of a row; empty when the row lacks it."""
    if name == "full_name":
        return full_name(row.values)
    value = row.values.get(name)
    if value is None and name in {"email", "phone"}:
        value = _first_child(row.values.get(f"{name}s"), "address" if name == "email" else "number")
    if isinstance(value, LinkText):
        resolved = links.get(name)
        return "" if resolved is None else f"→{resolved}"
    if value is None or isinstance(value, Unset):
        return ""
    return fold(value.isoformat() if isinstance(value, date) else str(value))


def _first_child(value: object, name: str) -> object:
    return value.rows[0].get(name) if isinstance(value, ChildRows) and value.rows else None


def full_name(values: Mapping[str, object]) -> str:
    """Folded name of a person, put together as the stored one is."""
    parts = (values.get(name) for name in _NAME_PARTS)
    return fold(" ".join(str(part) for part in parts if part and not isinstance(part, Unset)))


def own_title(entity: Entity, row: Draft) -> str:
    """What a row of the file calls itself, for links within the file."""
    if entity.title == "full_name":
        names = (row.values.get("first_name"), row.values.get("last_name"))
        return " ".join(str(name) for name in names if name)
    return _plain(row.values.get(entity.title))


def title(entity: Entity, row: Draft) -> str:
    """What the row is about, for a person."""
    shown = own_title(entity, row) or _plain(row.values.get("name"))
    return shown or _plain(row.values.get("external_id")) or _plain(row.values.get("company"))


def derive(entity: Entity, row: Draft, links: Mapping[str, object], open_stage: bool) -> None:
    """Fill in what a new record needs and the file says in other words.

    Args:
        entity: What the row is.
        row: The draft; its values are completed in place.
        links: What the row's links lead to, by field.
        open_stage: The row's stage is an open one (opportunities only).
    """
    if entity.key == "opportunity":
        _derive_opportunity(row)
        _place_close_date(row, open_stage)
    elif entity.key == "lead" and not row.values.get("subject"):
        person = own_name(row)
        company = _plain(row.values.get("company"))
        subject = " – ".join(filter(None, (company, person))) or _plain(row.values.get("email"))
        if subject:
            row.values["subject"] = subject[:200]
    elif entity.key == "activity" and "start_at" in row.values and "kind" not in row.values:
        row.values["kind"] = "appointment"


def makes_title(entity: Entity) -> bool:
    """Say whether a record of the entity gets its title from other values of the row."""
    return entity.key in {"opportunity", "lead", "contact"}


def own_name(row: Draft) -> str:
    """First and last name of a row as written."""
    names = (row.values.get("first_name"), row.values.get("last_name"))
    return " ".join(str(name) for name in names if name and not isinstance(name, Unset))


def _derive_opportunity(row: Draft) -> None:
    """Name a deal by product and account, else by what there is of them and the id."""
    if row.values.get("name"):
        return
    product = _plain(row.values.get("product"))
    account = _plain(row.values.get("account"))
    key = _plain(row.values.get("external_id"))
    name = " – ".join(filter(None, (product, account or key))) or key
    if name:
        row.values["name"] = name[:200]


def _place_close_date(row: Draft, open_stage: bool) -> None:
    """Read the close date of an open deal as the expected one, as most programs keep it."""
    closed = row.values.get("closed_on")
    if open_stage and isinstance(closed, date):
        del row.values["closed_on"]
        row.values.setdefault("close_on", closed)


def stage_state(text: str) -> str:
    """State that the name of a stage means: ``won``, ``lost``, else ``open``."""
    word = " ".join(fold(text).replace("-", " ").replace("_", " ").split())
    return next((state for state, words in STAGE_WORDS.items() if word in words), "open")


def _plain(value: object) -> str:
    if isinstance(value, LinkText):
        return value.text
    if value is None or isinstance(value, Unset | ChildRows | NewRecord):
        return ""
    return str(value)
