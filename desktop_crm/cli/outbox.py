"""``outbox``: what mailboxes were asked to change, and a say in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import click

from desktop_crm.cli.call import Call, common
from desktop_crm.cli.console import Code, emit, say, table
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.models.outbox import OutboxState
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes, outbox
from desktop_crm.services.mail.outbox import OutboxRow
from desktop_crm.sync.outbox import restore as order_restore

_STATES = [state.value for state in OutboxState]


@click.group("outbox", help=tr("What your mailboxes were asked to change and to send."))
def group() -> None:
    """Root of the commands about the outbox."""


@group.command("list", help=tr("List it, the latest first."))
@click.option("--mailbox", metavar="NAME", help=tr("Only this mailbox."))
@click.option("--state", "states", type=click.Choice(_STATES), multiple=True,
              help=tr("Only what stands so; may be said several times."))  # fmt: skip
@click.option("--limit", type=click.IntRange(min=1), default=50, metavar="N",
              help=tr("At most so many."))  # fmt: skip
@common
def show_all(call: Call, mailbox: str | None, states: Sequence[str], limit: int) -> int:
    """List the user's own outbox."""
    with call.signed_in() as actor:
        chosen = mailboxes.find(actor, mailbox).id if mailbox else None
        wanted = [OutboxState(state) for state in states]
        rows = outbox.list_items(actor, mailbox=chosen, states=wanted, limit=limit)
        formats = actor.formats
    if call.as_json:
        emit([_facts(row) for row in rows])
        return Code.DONE
    heads = [tr("Key"), tr("Ordered"), tr("Mailbox"), tr("What"), tr("Subject"), tr("State"),
             tr("Message")]  # fmt: skip
    body = table(heads, [_line(row, formats) for row in rows], [True] + [False] * 6)
    say(f"{body}\n\n{ntr('{n} entry', '{n} entries', len(rows))}")
    return Code.DONE


def _line(row: OutboxRow, formats: Formats) -> list[str]:
    ordered = formats.datetime(row.ordered_at)
    return [str(row.id), ordered, row.mailbox, tr(row.deed.label), row.title, tr(row.state.label),
            row.message]  # fmt: skip


def _facts(row: OutboxRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "mailbox": row.mailbox,
        "deed": row.deed.value,
        "title": row.title or None,
        "state": row.state.value,
        "activity": row.activity_id,
        "folder": row.folder or None,
        "item": row.item_key or None,
        "ordered_at": row.ordered_at,
        "due_at": row.due_at,
        "done_at": row.done_at,
        "attempts": row.attempts,
        "message": row.message or None,
        "why": row.why or None,
        "notify": row.notify or None,
        "has_image": row.has_image,
    }


@group.command("show", help=tr("Show one entry with all that was done to its item."))
@click.argument("key", type=int)
@common
def show(call: Call, key: int) -> int:
    """Show one entry and the history of its item."""
    with call.signed_in() as actor:
        row = outbox.get(actor, key)
        past = outbox.history(actor, mailbox=row.mailbox_id, item_key=row.item_key)
        formats = actor.formats
    history = [one for one in past if row.item_key and one.id != row.id]
    if call.as_json:
        emit({**_facts(row), "history": [_facts(one) for one in history]})
        return Code.DONE
    say("\n".join(_told(row, formats)))
    for one in history:
        say("  " + "  ".join(filter(None, [*_line(one, formats), one.why])))
    return Code.DONE


def _told(row: OutboxRow, formats: Formats) -> list[str]:
    moments = [
        (tr("Ordered"), row.ordered_at),
        (tr("Due"), row.due_at),
        (tr("Done"), row.done_at),
    ]
    words = [
        (tr("What"), tr(row.deed.label)),
        (tr("Subject"), row.title),
        (tr("Mailbox"), row.mailbox),
        (tr("Folder"), row.folder),
        (tr("State"), tr(row.state.label)),
        (tr("Message"), row.message),
        (tr("Why"), row.why),
        (tr("Attempts"), str(row.attempts)),
    ]
    words += [(name, formats.datetime(at)) for name, at in moments if at is not None]
    return [f"{name}: {value}" for name, value in words if value]


def _changed(call: Call, key: int, work: Callable[[Actor, int], ChangeSet], sentence: str) -> int:
    with call.signed_in() as actor:
        work(actor, key)
        row = outbox.get(actor, key)
    said = row.message or tr(sentence, key=key)
    return call.answer({"entry": _facts(row)}, said)


@group.command("cancel", help=tr("Give up what has not gone out yet."))
@click.argument("key", type=int)
@common
def cancel(call: Call, key: int) -> int:
    """Cancel one entry."""
    return _changed(call, key, outbox.cancel, N_("Entry {key} was cancelled; nothing went out."))


@group.command("retry", help=tr("Have it done with the next “sync”; lets go what was held."))
@click.argument("key", type=int)
@common
def retry(call: Call, key: int) -> int:
    """Try one entry again."""
    return _changed(call, key, outbox.retry, N_("Entry {key} is done with the next “sync”."))


@group.command("restore", help=tr("Take back what was done, as it stood before."))
@click.argument("key", type=int)
@common
def restore(call: Call, key: int) -> int:
    """Order what takes an entry back."""
    with call.signed_in() as actor:
        back = order_restore(actor, key)
        row = outbox.get(actor, back)
    sentence = tr("Entry {key} takes it back with the next “sync”.", key=back)
    return call.answer({"entry": _facts(row)}, sentence)
