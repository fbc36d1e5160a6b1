"""Three-way merge of one item, field by field: what both sides last agreed on decides.

What a person decides about a conflict is written into the base: their choice then is the only
side that changed (:func:`decided`).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final

from desktop_crm.sync.twoway.fields import Field, Fields, Value, Way
from desktop_crm.sync.twoway.kinds import TABLES, Kind

_EMPTY: Final[tuple[Value, ...]] = ("", None, [], {}, False)


@dataclass(frozen=True, slots=True)
class Base:
    """What both sides last agreed on, as each of them wrote it.

    A mailbox may keep a value in another form than it was given; that is no change of it.
    """

    local: Fields
    mailbox: Fields

    def stored(self) -> dict[str, Any]:
        """As JSON."""
        return {"local": dict(self.local), "mailbox": dict(self.mailbox)}


def base_of(stored: Mapping[str, Any] | None) -> Base | None:
    """The base :meth:`Base.stored` wrote."""
    return None if stored is None else Base(stored["local"], stored["mailbox"])


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge comes to.

    Attributes:
        to_local: values the record takes.
        to_mailbox: values the item takes.
        conflicts: fields both sides changed, with both values; neither is overwritten.
        returned: fields changed here that go back, since the organizer decides.
        base: what both agree on once `to_local` is stored.
    """

    to_local: dict[str, Value] = field(default_factory=dict)
    to_mailbox: dict[str, Value] = field(default_factory=dict)
    conflicts: dict[str, tuple[Value, Value]] = field(default_factory=dict)
    returned: frozenset[str] = frozenset()
    base: Base = Base({}, {})


def merge(
    kind: Kind, base: Base | None, local: Fields, mailbox: Fields, *, organizer: bool
) -> Merged:
    """Merge what both sides say; fields one of them says nothing about are left alone."""
    found = Merged()
    kept_local: dict[str, Value] = {}
    kept_mailbox: dict[str, Value] = {}
    returned: set[str] = set()
    for one in TABLES[kind].fields:
        name = one.name
        known = base is not None and name in base.local and name in base.mailbox
        if base is not None and known:
            kept_local[name], kept_mailbox[name] = base.local[name], base.mailbox[name]
        if name not in mailbox or (name not in local and one.way is not Way.IN):
            continue
        mine, theirs = local.get(name), mailbox[name]
        if one.same(mine, theirs):
            kept_local[name], kept_mailbox[name] = mine, theirs
            continue
        verdict = _verdict(one, base, mine, theirs, organizer=organizer)
        if verdict is None:
            continue
        for_local, for_mailbox, conflict = verdict
        if conflict:
            found.conflicts[name] = (mine, theirs)
            continue
        if not one.same(mine, for_local):
            found.to_local[name] = for_local
            if base is not None and known and not one.same(mine, base.local[name]):
                returned |= {name} if one.organizer and not organizer else set()
        if not one.same(theirs, for_mailbox):
            found.to_mailbox[name] = for_mailbox
        else:
            kept_local[name], kept_mailbox[name] = for_local, theirs
    return Merged(
        found.to_local,
        found.to_mailbox,
        found.conflicts,
        frozenset(returned),
        Base(kept_local, kept_mailbox),
    )


def _verdict(
    one: Field, base: Base | None, mine: Value, theirs: Value, *, organizer: bool
) -> tuple[Value, Value, bool] | None:
    """Values for both sides and whether they conflict; None where nothing is to be done."""
    take, give = (theirs, theirs, False), (mine, mine, False)
    known = base is not None and one.name in base.local and one.name in base.mailbox
    ours_changed = base is None or not known or not one.same(mine, base.local[one.name])
    theirs_changed = base is None or not known or not one.same(theirs, base.mailbox[one.name])
    if one.way is Way.OUT:
        return give if mine not in _EMPTY and ours_changed else None
    if not ours_changed and not theirs_changed:
        return None
    if one.way is Way.IN or (one.organizer and not organizer):
        return take
    if base is None or not known:
        return _first_met(one, base, mine, theirs)
    if not ours_changed:
        return take
    if not theirs_changed:
        return give
    return _both(one, base.local[one.name], mine, theirs)


def _first_met(
    one: Field, base: Base | None, mine: Value, theirs: Value
) -> tuple[Value, Value, bool]:
    """A value nothing is known of: what is empty is filled, and what was private came out."""
    if base is not None and theirs not in _EMPTY:
        return theirs, theirs, False
    if mine in _EMPTY:
        return theirs, theirs, False
    if theirs in _EMPTY:
        return mine, mine, False
    return _both(one, None, mine, theirs)


def _both(one: Field, base: Value, mine: Value, theirs: Value) -> tuple[Value, Value, bool]:
    joined = one.together(base, mine, theirs) if one.together is not None else None
    if joined is None:
        return mine, theirs, True
    return joined, joined, False


def written(kind: Kind, base: Base | None, local: Fields, seen: Fields, item: Fields) -> Base:
    """The base after an item was written.

    Args:
        kind: whose fields.
        base: the base before; None for an item that is new in the mailbox.
        local: what the record says now; it may have changed since the item was written.
        seen: what the mailbox said before; of a new item nothing.
        item: what was written.
    """
    kept_local = dict(base.local) if base else {}
    kept_mailbox = dict(base.mailbox) if base else {}
    for one in TABLES[kind].fields:
        name = one.name
        if name not in item:
            continue
        if name in local and one.same(local[name], item[name]):
            kept_local[name], kept_mailbox[name] = local[name], item[name]
        elif name not in seen or not one.same(seen[name], item[name]):
            # It was given away and has changed here since, be it back to what it was before.
            kept_local[name], kept_mailbox[name] = item[name], item[name]
    return Base(kept_local, kept_mailbox)


def decided(base: Base | None, local: Fields, mailbox: Fields, choice: Mapping[str, bool]) -> Base:
    """The base after a person decided about fields: True keeps the record's value.

    It holds for these very values: what changes afterwards is a question anew.
    """
    kept_local = dict(base.local) if base else {}
    kept_mailbox = dict(base.mailbox) if base else {}
    for name, mine in choice.items():
        if mine:
            kept_mailbox[name] = mailbox[name]
            kept_local[name] = kept_local.get(name, mailbox[name])
            if kept_local[name] == local[name]:
                kept_local[name] = mailbox[name]
        else:
            kept_local[name] = local[name]
            kept_mailbox[name] = kept_mailbox.get(name, local[name])
            if kept_mailbox[name] == mailbox[name]:
                kept_mailbox[name] = local[name]
    return Base(kept_local, kept_mailbox)
