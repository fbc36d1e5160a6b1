"""What a person decides about where mail belongs; each decision is one step of undo.

Accept a suggestion, move a thread to another record, say that a message belongs to none, and
rules for what comes later.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from decimal import Decimal
from typing import Any, Final

from sqlalchemy import Connection, select

from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.meta import registry
from desktop_crm.models import Activity, MailMessage
from desktop_crm.models.activity import REGARDING, LinkRule, LinkState
from desktop_crm.models.filing import FilingKind
from desktop_crm.services import checks, writer
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail.filing_rules import put, rule_for
from desktop_crm.services.mail.filing_subject import inside, links_of, waiting
from desktop_crm.services.operation import Operation, operation
from desktop_crm.services.query import key_clause
from desktop_crm.services.records import Change

_SURE: Final = Decimal(100)
_BY_RULE: Final = Decimal(92)

Record = tuple[str, int]


# --- decisions -----------------------------------------------------------------------------------


def accept(actor: Actor, activity_id: int, link_id: int) -> ChangeSet:
    """File a message to the record of a suggestion; the other suggestions are settled with it.

    What belongs to the record comes along: the firm of a contact, the parties of a deal. Every
    other suggestion is rejected. Rule and evidence stay, so that one can still see why.

    Raises:
        NotFound: the suggestion is gone.
        PermissionDenied: the actor may not change the message.
    """
    with operation(actor) as work:
        links = links_of(work.connection, [activity_id])[activity_id]
        chosen = next((one for one in links if one.id == link_id), None)
        if chosen is None:
            raise NotFound(N_("This suggestion is no longer there. Nothing was changed."))
        key = (chosen.record_type, chosen.record_id)
        along = {key, *_belonging(work.connection, key)}
        changes: list[Change] = []
        linked: list[Record] = []
        for one in links:
            record = (one.record_type, one.record_id)
            if one.id != link_id and one.state != LinkState.SUGGESTED.value:
                continue
            yes = record in along
            changes.append(_decided(actor, one, LinkState.LINKED if yes else LinkState.REJECTED))
            if yes:
                linked.append(record)
        work.save_many("link", changes)
        _regard(work, {activity_id: linked}, instead=False)
        _aside(work, [activity_id], aside=False)
    return work.report


def refile(
    actor: Actor,
    activity_id: int,
    entity: str,
    record_id: int,
    *,
    whole_thread: bool = True,
    instead: bool = True,
) -> ChangeSet:
    """File a message, and the thread it belongs to, to a record by hand.

    Args:
        actor: who decides.
        activity_id: the message.
        entity: kind of the record.
        record_id: its key.
        whole_thread: move the whole thread; later answers follow it (M3).
        instead: take it off the other records of that kind; people stay, for they took part.

    Suggestions of the messages are settled with it.

    Raises:
        UserError: messages are not linked to such records.
        PermissionDenied: the actor may not change the message.
    """
    if entity not in REGARDING:
        raise UserError(N_("A message cannot be linked to this kind of record."))
    with operation(actor) as work:
        file_within(
            work, activity_id, (entity, record_id), whole_thread=whole_thread, instead=instead
        )
    return work.report


def file_within(
    work: Operation,
    activity_id: int,
    record: Record,
    *,
    whole_thread: bool = True,
    instead: bool = False,
) -> None:
    """The same within an open operation, so that it is undone with what else is done in it."""
    about = inside(work.actor, work.connection, activity_id)
    wanted = about.thread if whole_thread else (activity_id,)
    _file(
        work,
        _editable(work, activity_id, wanted),
        record,
        {"rule": LinkRule.MANUAL.value, "evidence": None, "confidence": _SURE},
        by_person=frozenset(wanted),
        instead=instead,
    )


def reject(actor: Actor, activity_id: int) -> ChangeSet:
    """Say that a message belongs to none of the records suggested; it no longer waits.

    Raises:
        PermissionDenied: the actor may not change the message.
    """
    with operation(actor) as work:
        links = links_of(work.connection, [activity_id])[activity_id]
        _reject_open(work, links)
        _aside(work, [activity_id], aside=True)
    return work.report


def always(
    actor: Actor, activity_id: int, kind: FilingKind, entity: str, record_id: int
) -> ChangeSet:
    """File a message to a record, and all mail like it that waits or is still to come.

    Args:
        actor: who decides.
        activity_id: the message.
        kind: what is alike: the thread, the sender or the domain.
        entity: kind of the record.
        record_id: its key.

    What a person decided about a message stays.

    Raises:
        UserError: no such rule can be made of this message.
        PermissionDenied: the actor may not change the message.
    """
    if entity not in REGARDING:
        raise UserError(N_("A message cannot be linked to this kind of record."))
    with operation(actor) as work:
        about = inside(actor, work.connection, activity_id)
        mailbox, value, shown = rule_for(about, kind)
        put(work, mailbox, kind, value, shown, (entity, record_id))
        wanted = [activity_id, *waiting(actor, work.connection, about, kind)]
        _file(
            work,
            _editable(work, activity_id, wanted),
            (entity, record_id),
            {"rule": LinkRule.FILING.value, "evidence": shown[:400], "confidence": _BY_RULE},
            by_person=frozenset({activity_id}),
            instead=True,
        )
    return work.report


def never(actor: Actor, activity_id: int, kind: FilingKind) -> ChangeSet:
    """Say that mail of a sender or domain belongs to no record: what waits, and what comes.

    Raises:
        UserError: no such rule can be made of this message.
        PermissionDenied: the actor may not change the message.
    """
    with operation(actor) as work:
        about = inside(actor, work.connection, activity_id)
        mailbox, value, shown = rule_for(about, kind)
        put(work, mailbox, kind, value, shown, None)
        wanted = [activity_id, *waiting(actor, work.connection, about, kind)]
        ids = _editable(work, activity_id, wanted)
        links = links_of(work.connection, ids)
        _reject_open(work, [one for key in ids for one in links[key]])
        _aside(work, ids, aside=True)
    return work.report


# --- writing -------------------------------------------------------------------------------------


def _editable(work: Operation, first: int, ids: Iterable[int]) -> list[int]:
    """Those of the messages that the actor may file; the first one is always among them."""
    wanted = list(dict.fromkeys((first, *ids)))
    reached = checks.reachable(work.work("activity"), wanted, "edit")
    # The writer says no to the first one in words.
    return [key for key in wanted if key == first or key in reached]


def _belonging(connection: Connection, record: Record) -> list[Record]:
    """The account and the contact of a record."""
    entity, key = record
    table = registry.get(entity).table
    names = [name for name in ("account", "contact") if f"{name}_id" in table.c]
    if not names:
        return []
    row = connection.execute(
        select(*(table.c[f"{name}_id"].label(name) for name in names)).where(table.c.id == key)
    ).one_or_none()
    if row is None:
        return []
    found = [(name, getattr(row, name)) for name in names]
    return [(name, value) for name, value in found if value is not None]


def _decided(actor: Actor, row: Any, state: LinkState) -> Change:  # noqa: ANN401  a row
    return Change(row.id, None, {"state": state.value, "linked_by": actor.user_id})


def _reject_open(work: Operation, links: Iterable[Any]) -> None:
    work.save_many(
        "link",
        [
            _decided(work.actor, one, LinkState.REJECTED)
            for one in links
            if one.state == LinkState.SUGGESTED.value
        ],
    )


def _file(
    work: Operation,
    ids: Sequence[int],
    record: Record,
    why: dict[str, Any],
    *,
    by_person: frozenset[int],
    instead: bool,
) -> None:
    """Link messages to one record, and settle what was open about them."""
    actor = work.actor
    entity, key = record
    _revive(work, record, links_of(work.connection, ids, gone=True))
    links = links_of(work.connection, ids)
    times = _moments(work.connection, ids)
    keep = {record, *_belonging(work.connection, record)}
    changes: list[Change] = []
    for activity in ids:
        by = actor.user_id if activity in by_person else None
        wanted = {**why, "state": LinkState.LINKED.value, "linked_by": by}
        found = next((o for o in links[activity] if (o.record_type, o.record_id) == record), None)
        if found is None:
            new = {"activity": activity, "record_type": entity, "record_id": key}
            changes.append(Change(None, None, {**new, **wanted, "occurred_at": times[activity]}))
        else:
            changes.append(Change(found.id, None, wanted))
        for one in links[activity]:
            other = (one.record_type, one.record_id)
            if other == record:
                continue
            if one.state == LinkState.SUGGESTED.value:
                state = LinkState.LINKED if other in keep else LinkState.REJECTED
                changes.append(_decided(actor, one, state))
            elif (
                instead
                and one.state == LinkState.LINKED.value
                and one.record_type == entity
                and entity != "contact"
            ):
                changes.append(_decided(actor, one, LinkState.REJECTED))
    work.save_many("link", changes)
    _regard(work, {activity: [record] for activity in ids}, instead=instead)
    _aside(work, ids, aside=False)


def _revive(work: Operation, record: Record, gone: dict[int, list[Any]]) -> None:
    """Bring links to a record back that an undo has taken away: each may stand only once."""
    ids = [
        one.id
        for several in gone.values()
        for one in several
        if (one.record_type, one.record_id) == record
    ]
    if ids:
        report = writer.remove(work.work("link"), ids, restore=True)
        work.report = work.report.merge(report)


def _moments(connection: Connection, ids: Sequence[int]) -> dict[int, Any]:
    table: Any = Activity.__table__
    rows = connection.execute(
        select(table.c.id, table.c.occurred_at).where(key_clause(connection, table.c.id, list(ids)))
    )
    return {row.id: row.occurred_at for row in rows}


def _regard(work: Operation, linked: dict[int, list[Record]], *, instead: bool) -> None:
    """Let the activities be about the records they were filed to, as lists and forms show it."""
    table: Any = Activity.__table__
    names = sorted(REGARDING)
    rows = work.connection.execute(
        select(table.c.id, *(table.c[f"{name}_id"].label(name) for name in names)).where(
            key_clause(work.connection, table.c.id, list(linked))
        )
    )
    changes: list[Change] = []
    for row in rows:
        wanted: dict[str, Any] = {}
        for entity, key in linked[row.id]:
            stands = getattr(row, entity) if entity in REGARDING else key
            if stands != key and (stands is None or (instead and entity != "contact")):
                wanted.setdefault(entity, key)
        if wanted:
            changes.append(Change(row.id, None, wanted))
    work.save_many("activity", changes)


def _aside(work: Operation, ids: Sequence[int], *, aside: bool) -> None:
    """Note whether messages belong to no record, where that is news."""
    table: Any = MailMessage.__table__
    found = work.connection.execute(
        select(table.c.id).where(
            key_clause(work.connection, table.c.activity_id, list(ids)),
            table.c.set_aside.is_(not aside),
        )
    ).scalars()
    work.save_many("mail_message", [Change(key, None, {"set_aside": aside}) for key in found])
