"""``mailbox``: add, list, test and remove mailboxes."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import click

from desktop_crm.cli.call import Call, common, without_database
from desktop_crm.cli.console import Code, emit, say, table, warn
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.models.mail import MailboxKind, MailboxState
from desktop_crm.services.mail import mailbox_kinds, mailboxes
from desktop_crm.services.mail.mailboxes import MailboxRow, NewMailbox
from desktop_crm.sync import scheduler
from desktop_crm.sync.find_service import FindStep, Outcome, find_service


@click.group("mailbox", help=tr("Add, list, test and remove mailboxes."))
def group() -> None:
    """Commands about mailboxes."""


@group.command("add", help=tr("Add a mailbox."))
@click.argument("name")
@click.option(
    "--kind",
    type=click.Choice(["folder", "exchange", "graph", "imap"]),
    required=True,
    help=tr("What serves it."),
)
@click.option("--address", metavar="A", required=True, help=tr("Your own e-mail address in it."))
@click.option("--user", default="", metavar="LOGIN", help=tr("Login, when it is not the address."))
@click.option(
    "--server",
    default="",
    metavar="URL",
    help=tr("Exchange or IMAP server; an Exchange server is found when it is left out."),
)
@click.option("--smtp", default="", metavar="URL", help=tr("Server an IMAP mailbox sends through."))
@click.option(
    "--dav",
    default=(),
    multiple=True,
    metavar="URL",
    help=tr("Server of its calendars and contacts (CalDAV, CardDAV); may be given twice."),
)
@click.option(
    "--ca", default="", metavar="FILE", help=tr("Certificates of the server's own authority.")
)
@click.option(
    "--client-id",
    default="",
    metavar="ID",
    help=tr("This program as your organisation registered it in Microsoft 365."),
)
@click.option(
    "--tenant", default="", metavar="T", help=tr("Your organisation's id or domain there.")
)
@click.option(
    "--sign-in",
    type=click.Choice(["password", "system", "certificate"]),
    default="password",
    help=tr("How an Exchange server knows you: by password, as this computer, by certificate."),
)
@click.option(
    "--certificate",
    default="",
    metavar="FILE",
    help=tr("PEM file with your certificate and its key."),
)
@click.option("--path", default="", metavar="DIR", help=tr("Folder with .eml and .ics files."))
@click.option(
    "--password-stdin", is_flag=True, help=tr("Read the password from the first line of the input.")
)
@common
def add(
    call: Call,
    *,
    name: str,
    kind: str,
    address: str,
    user: str,
    server: str,
    smtp: str,
    dav: tuple[str, ...],
    ca: str,
    client_id: str,
    tenant: str,
    sign_in: str,
    certificate: str,
    path: str,
    password_stdin: bool,
) -> int:
    """Add a mailbox of the acting user."""
    password = _password() if password_stdin else None
    if mailbox_kinds.needs_password(kind, sign_in) and not password:
        raise UserError(
            N_(
                "This mailbox needs a password; nothing was added. Write it to the input "
                "and say --password-stdin."
            ),
            field="password",
        )
    new = NewMailbox(
        name, kind, address,
        login=user, server=server, ca_file=ca, path=path, client_id=client_id, tenant=tenant,
        smtp_server=smtp, dav_server=" ".join(dav),
        sign_in=sign_in, certificate=certificate,
    )  # fmt: skip
    if kind == "imap" and not server:
        new = _found(new)
    new = scheduler.find_server(new, password or "")
    with call.signed_in() as actor:
        if kind == "graph":
            password = scheduler.sign_in(new, _show_code)
            failed = [s.message for s in scheduler.try_mailbox(actor, new, password) if not s.ok]
            if failed:
                return call.refuse(" ".join(failed), Code.ENVIRONMENT)
        added = mailboxes.add(actor, new, password)
        row = mailboxes.get(actor, added.id)
    if added.notice:
        warn(added.notice)
    return call.answer(
        {"mailbox": _facts(row), "notice": added.notice},
        tr("The mailbox {name} was added; “sync” reads it.", name=row.name),
    )


def _found(new: NewMailbox) -> NewMailbox:
    """The mailbox with the servers its address leads to; said, because the password goes there.

    Raises:
        UserError: there is none, another service holds the mail, or a person must agree first.
    """
    found = find_service(new.address)
    box = found.new
    if box is None or box.kind != MailboxKind.IMAP.value:
        raise UserError(
            N_(
                "No mail server of this address was found; nothing was added. Give it by "
                "--server; “mailbox find {address}” says what answers."
            ),
            field="server",
            address=new.address,
        )
    if found.confirm:
        raise UserError(
            N_(
                "These hosts are outside the domain of the address: {hosts}. The password was not "
                "sent and nothing was added; if they are right, give {servers}."
            ),
            field="server",
            hosts=", ".join(found.confirm),
            servers=_words_for(box),
        )
    warn(tr("Found: {servers}.", servers=_words_for(box)))
    return replace(
        new,
        server=box.server,
        smtp_server=new.smtp_server or box.smtp_server,
        dav_server=new.dav_server or box.dav_server,
        login=new.login or box.login,
    )


def _words_for(box: NewMailbox) -> str:
    """The options that say what was found."""
    options = [("--server", box.server), ("--smtp", box.smtp_server), ("--user", box.login)]
    options += [("--dav", one) for one in box.dav_server.split()]
    if box.kind == MailboxKind.GRAPH.value:
        options.append(("--tenant", box.tenant))
    return " ".join(f"{name} {value}" for name, value in options if value)


@group.command("find", help=tr("Find which service holds the mail of an address."))
@click.argument("address")
@without_database
def find(call: Call, address: str) -> int:
    """Ask step by step, without a password; no database is opened."""
    found = find_service(address, tell=None if call.as_json else _say_found)
    steps = [
        {"key": s.key, "name": s.name, "ok": s.outcome is Outcome.FOUND, "message": s.message}
        for s in found.steps
    ]
    if found.new is None:
        text = tr(
            "Nobody answers for {address}: look at the network, or ask your administrator.",
            address=address,
        )
        return call.refuse(text, Code.ENVIRONMENT, steps=steps)
    facts = {
        "kind": found.new.kind,
        "server": found.new.server or None,
        "smtp_server": found.new.smtp_server or None,
        "dav_server": found.new.dav_server or None,
        "tenant": found.new.tenant or None,
        "login": found.new.login or None,
        "confirm": list(found.confirm),
        "steps": steps,
    }
    words = f"--kind {found.new.kind} {_words_for(found.new)}".rstrip()
    return call.answer(facts, tr("“mailbox add” takes: {options}", options=words))


def _say_found(step: FindStep) -> None:
    if step.outcome is not Outcome.ASKING:
        say(f"{step.name}: {step.message}")


def _show_code(address: str, code: str) -> None:
    """Say where to enter a code; not on the output, which is for the answer."""
    warn(tr("Open {address} in a browser and enter the code {code}.", address=address, code=code))


@group.command("sign-in", help=tr("Sign in to Microsoft 365 again."))
@click.argument("name")
@common
def sign_in(call: Call, name: str) -> int:
    """Renew the sign-in of a mailbox of Microsoft 365."""
    with call.signed_in() as actor:
        row = mailboxes.find(actor, name)
        if row.kind != "graph":
            raise UserError(
                N_("The mailbox {mailbox} is not one of Microsoft 365; nothing was changed."),
                mailbox=row.name,
            )
        place = mailboxes.set_password(actor, row.id, scheduler.sign_in(row, _show_code))
    notice = mailboxes.vault_notice(place)
    if notice:
        warn(notice)
    return call.answer(
        {"mailbox": row.name, "notice": notice},
        tr("You are signed in; “sync” reads the mailbox {name}.", name=row.name),
    )


def _password() -> str:
    """First line of the input, read as bytes so that no console's code page changes it."""
    stream = getattr(sys.stdin, "buffer", None)
    line = stream.readline().decode("utf-8") if stream is not None else sys.stdin.readline()
    return str(line).rstrip("\r\n")


@group.command("list", help=tr("List the mailboxes you may see."))
@common
def show(call: Call) -> int:
    """List mailboxes."""
    with call.signed_in() as actor:
        rows = mailboxes.list_mailboxes(actor)
    if call.as_json:
        emit([_facts(row) for row in rows])
        return Code.DONE
    heads = [tr("Name"), tr("Kind"), tr("Address"), tr("State"), tr("Message")]
    kinds = [tr(MailboxKind(row.kind).label) for row in rows]
    states = [tr(MailboxState(row.state).label) for row in rows]
    body = [
        [row.name, kind, row.address, state, row.message]
        for row, kind, state in zip(rows, kinds, states, strict=True)
    ]
    say(table(heads, body))
    return Code.DONE


def _facts(row: MailboxRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row.name,
        "kind": row.kind,
        "address": row.address,
        "login": row.login,
        "server": row.server or None,
        "tenant": row.tenant or None,
        "client_id": row.client_id or None,
        "smtp_server": row.smtp_server or None,
        "dav_server": row.dav_server or None,
        "path": row.path or None,
        "state": row.state,
        "message": row.message or None,
        "last_synced_at": row.last_synced_at,
    }


@group.command("test", help=tr("Try a mailbox without changing anything."))
@click.argument("name")
@common
def test(call: Call, name: str) -> int:
    """Try address, login and folders."""
    with call.signed_in() as actor:
        row = mailboxes.find(actor, name)
        steps = scheduler.test_mailbox(actor, row.id)
    facts = [{"name": s.name, "ok": s.ok, "message": s.message} for s in steps]
    failed = [step.message for step in steps if not step.ok]
    if failed:
        if not call.as_json:
            _say_steps(facts)
        return call.refuse(" ".join(failed), Code.ENVIRONMENT, steps=facts)
    if not call.as_json:
        _say_steps(facts)
    return call.answer({"mailbox": row.name, "steps": facts})


def _say_steps(facts: Sequence[dict[str, Any]]) -> None:
    for step in facts:
        mark = tr("ok") if step["ok"] else tr("failed")
        say(f"{step['name']}: {mark}. {step['message']}".rstrip())


@group.command("remove", help=tr("Remove a mailbox and its password; its mail stays."))
@click.argument("name")
@common
def remove(call: Call, name: str) -> int:
    """Remove a mailbox."""
    with call.signed_in() as actor:
        row = mailboxes.find(actor, name)
        mailboxes.remove(actor, row.id)
    return call.answer(
        {"mailbox": row.name},
        tr("The mailbox {name} was removed; the mail it brought stays.", name=row.name),
    )


@group.command("two-way", help=tr("Write meetings and tasks to the mailbox, too, or only read it."))
@click.argument("name")
@click.option("--on/--off", "on", required=True, default=None, help=tr("Write to it or not."))
@common
def two_way(call: Call, name: str, on: bool) -> int:
    """The next pass goes both ways, or only reads."""
    with call.signed_in() as actor:
        box = mailboxes.find(actor, name)
        if on and not mailbox_kinds.goes_both_ways(box.kind):
            raise UserError(
                N_(
                    "The mailbox {mailbox} is a folder of files, which takes no meetings and no "
                    "tasks; nothing was changed."
                ),
                mailbox=box.name,
            )
        mailboxes.set_two_way(actor, box.id, on=on)
    text = (
        tr("Meetings and tasks go both ways in {mailbox} from now on.", mailbox=box.name)
        if on
        else tr("{mailbox} is only read from now on.", mailbox=box.name)
    )
    return call.answer({"mailbox": box.name, "two_way": on}, text)
