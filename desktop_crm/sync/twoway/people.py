"""Who takes part in a meeting and what they answered, for both directions."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any, Final

from desktop_crm.core.text import canonical_email
from desktop_crm.models.activity import Participation
from desktop_crm.sync.port import Address, Attendee, MeetingItem, Response, Role
from desktop_crm.sync.twoway.fields import Frame, Record, Value, line, merged_map

PARTS: Final = {
    Role.ORGANIZER: Participation.ORGANIZER,
    Role.REQUIRED: Participation.REQUIRED,
    Role.OPTIONAL: Participation.OPTIONAL,
    Role.RESOURCE: Participation.RESOURCE,
}
_ROLES: Final = {part.value: role for role, part in PARTS.items()}


def _named(address: str, name: str) -> str:
    return canonical_email(address) or line(name or address, 320)


def people_of_item(item: MeetingItem) -> Value:
    """Who an item invites: address to role and name."""
    return dict(
        sorted(
            (
                _named(one.address.address, one.address.name),
                [one.role.value, line(one.address.name, 320)],
            )
            for one in item.attendees
            if one.role is not Role.ORGANIZER
        )
    )


def _rows(record: Record) -> Iterable[Mapping[str, Any]]:
    rows: Iterable[Mapping[str, Any]] = record.get("parties") or ()
    return rows


def _row_name(row: Mapping[str, Any]) -> str:
    return _named(str(row.get("address") or ""), str(row.get("name") or ""))


def people_of_record(record: Record, _frame: Frame) -> Value:
    """Who a record invites: address to role and name."""
    return dict(
        sorted(
            (_row_name(row), [_ROLES[part].value, line(row.get("name"), 320)])
            for row in _rows(record)
            if (part := str(row.get("participation"))) in _ROLES
            and part != Participation.ORGANIZER.value
            and _row_name(row)
        )
    )


def people_to_item(item: MeetingItem, value: Value) -> MeetingItem:
    """An item with other people; who stays keeps their answer."""
    answers = {_named(one.address.address, one.address.name): one for one in item.attendees}
    found = []
    for who, (role, name) in value.items():
        known = answers.get(who)
        address = known.address if known else Address(who, name, readable="@" in who)
        response = known.response if known else Response.NONE
        found.append(Attendee(address, Role(role), response))
    return replace(item, attendees=tuple(found))


def people_to_record(value: Value, record: Record, _frame: Frame) -> dict[str, Any]:
    """What a record stores of who takes part."""
    known = {_row_name(row): row for row in _rows(record)}
    kept = [
        row
        for row in _rows(record)
        if row.get("participation") not in _ROLES
        or row.get("participation") == Participation.ORGANIZER.value
    ]
    for who, (role, name) in value.items():
        row = dict(known.get(who) or {"response": Response.NONE.value})
        row["participation"] = PARTS[Role(role)].value
        row["name"] = name or row.get("name") or (None if "@" in who else who)
        row["address"] = who if "@" in who else None
        kept.append(row)
    return {"parties": kept}


def people_key(value: Value) -> object:
    """Who takes part and how; how a name is written does not matter."""
    return {who: role for who, (role, _name) in (value or {}).items()}


def people_together(base: Value, ours: Value, theirs: Value) -> Value:
    """Both sides' changes of who takes part; None where they cannot be joined."""
    roles = merged_map(people_key(base), people_key(ours), people_key(theirs))
    if roles is None:
        return None
    names = {**ours, **theirs}
    return {who: [role, names[who][1]] for who, role in roles.items()}


def answers_of_item(item: MeetingItem) -> Value:
    """What the guests of an item answered."""
    return dict(
        sorted(
            (_named(one.address.address, one.address.name), one.response.value)
            for one in item.attendees
            if one.response is not Response.NONE and one.role is not Role.ORGANIZER
        )
    )


def answers_of_record(record: Record, _frame: Frame) -> Value:
    """What the guests of a record answered."""
    return dict(
        sorted(
            (_row_name(row), str(row["response"]))
            for row in _rows(record)
            if row.get("response") not in (None, "", Response.NONE.value)
            and str(row.get("participation")) in _ROLES
            and row.get("participation") != Participation.ORGANIZER.value
            and _row_name(row)
        )
    )


def answers_to_record(value: Value, record: Record, _frame: Frame) -> dict[str, Any]:
    """What a record stores of the answers."""
    organizer = Participation.ORGANIZER.value
    return {
        "parties": [
            dict(row)
            if row.get("participation") not in _ROLES or row.get("participation") == organizer
            else {**row, "response": value.get(_row_name(row), Response.NONE.value)}
            for row in _rows(record)
        ]
    }


def answers_to_item(item: MeetingItem, value: Value) -> MeetingItem:
    """An item with other answers."""
    said = {
        one: Response(value.get(_named(one.address.address, one.address.name), Response.NONE))
        for one in item.attendees
    }
    return replace(item, attendees=tuple(replace(a, response=r) for a, r in said.items()))


def answers_together(base: Value, ours: Value, theirs: Value) -> Value:
    """Each guest's answer from the side that heard of it; what both heard the mailbox knows."""
    found = merged_map(base, ours, theirs)
    return theirs if found is None else found
