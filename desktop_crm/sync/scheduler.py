"""One pass over one or all mailboxes of a user; the window's timer and the command line call it.

Nothing here starts a thread: the caller decides where a pass runs.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from desktop_crm.core import clock
from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.db.engine import Cancel
from desktop_crm.models.mail import MailboxKind, MailboxState, SignInBy
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes, outbox
from desktop_crm.services.mail.mailboxes import MailboxRow, NewMailbox
from desktop_crm.sync.engine import Engine
from desktop_crm.sync.folder.mailbox import FolderMailbox
from desktop_crm.sync.port import Mailbox, Progress, Step
from desktop_crm.sync.results import MailboxResult, SyncResult
from desktop_crm.sync.twoway.lines import Consent
from desktop_crm.sync.twoway.preview import Tell

if TYPE_CHECKING:
    from desktop_crm.sync.graph.signin import MsalTokens

_log = logging.getLogger(__name__)


def sync_once(
    actor: Actor,
    mailbox_id: int | None = None,
    *,
    dry_run: bool = False,
    cancel: Cancel | None = None,
    progress: Progress | None = None,
    automatic: bool = False,
    consent: Consent = Consent(),  # noqa: B008  a value that never changes
    began: Callable[[MailboxRow], None] | None = None,
    tell: Tell | None = None,
) -> SyncResult:
    """One pass of mail and calendar.

    Args:
        actor: who acts.
        mailbox_id: one mailbox, or None for all that are the user's own.
        dry_run: count what a pass would do and write nothing.
        cancel: stops between two batches; whole batches are kept.
        progress: called with a folder's name and how many of its items were taken over.
        automatic: nobody asked for it now: mailboxes that were stopped stay so, because trying
            a refused password again and again would lock the account.
        consent: what a person decided about the lines of a dry run.
        began: called with each mailbox before its pass.
        tell: told page by page what a dry run finds; the result has no lines then.

    Returns:
        What happened; a mailbox that could not be read has its `problem`, the others went on.

    Raises:
        Cancelled: the work was stopped.
        NotFound: there is no such mailbox.
    """
    result = SyncResult(dry_run=dry_run)
    for row in _wanted(actor, mailbox_id, automatic=automatic):
        if began is not None:
            began(row)
        done = _one(actor, row, dry_run, cancel or Cancel(), progress, consent=consent, tell=tell)
        result.mailboxes.append(done)
    return result


def send_due(
    actor: Actor, mailbox_id: int | None = None, *, cancel: Cancel | None = None
) -> SyncResult:
    """Do what the outbox holds and is due, and read nothing; what a press of “Send” calls.

    One statement when nothing is due. A mailbox that is being read does it by itself.

    Raises:
        Cancelled: the work was stopped.
        NotFound: there is no such mailbox.
    """
    result = SyncResult()
    due = outbox.due_mailboxes(actor)
    if not due:
        return result
    for row in _wanted(actor, mailbox_id, automatic=mailbox_id is None):
        if row.id not in due:
            continue
        done = _one(actor, row, False, cancel or Cancel(), None, only_write=True)
        result.mailboxes.append(done)
    return result


def _wanted(actor: Actor, mailbox_id: int | None, *, automatic: bool) -> list[MailboxRow]:
    if mailbox_id is not None:
        return [mailboxes.get(actor, mailbox_id)]
    # On a shared database the passwords of colleagues are on their computers, not on this one.
    everybody = actor.is_admin and not actor.db.is_shared
    return [
        row
        for row in mailboxes.list_mailboxes(actor)
        if (everybody or row.user_id in (None, actor.user_id))
        and not (automatic and row.state == MailboxState.STOPPED.value)
    ]


def _one(
    actor: Actor,
    row: MailboxRow,
    dry_run: bool,
    cancel: Cancel,
    progress: Progress | None,
    *,
    only_write: bool = False,
    consent: Consent = Consent(),  # noqa: B008  a value that never changes
    tell: Tell | None = None,
) -> MailboxResult:
    try:
        port = open_mailbox(actor, row)
    except CrmError as problem:
        result = MailboxResult(row.id, row.name, problem=problem)
    else:
        engine = Engine(
            actor,
            row.id,
            port,
            dry_run=dry_run,
            cancel=cancel,
            progress=progress,
            only_write=only_write,
            consent=consent,
            tell=tell,
        )
        result = engine.run()
    if not dry_run and not (only_write and _may_pass(result.problem)):
        _tell(actor, row, result)
    return result


def _may_pass(problem: CrmError | None) -> bool:
    """Whether the mailbox is as well as before: a pass that reads it does the same soon."""
    return problem is None or (isinstance(problem, EnvironmentProblem) and problem.retryable)


def _tell(actor: Actor, row: MailboxRow, result: MailboxResult) -> None:
    problem = result.problem
    if problem is None:
        mailboxes.set_state(actor, row.id, MailboxState.OK, "", clock.now())
        return
    again = isinstance(problem, EnvironmentProblem) and problem.retryable
    state = MailboxState.WAITING if again else MailboxState.STOPPED
    try:
        mailboxes.set_state(actor, row.id, state, str(problem))
    except CrmError:
        # The database itself is the problem; the result carries the first one.
        _log.warning("state of mailbox %s was not kept", row.name, exc_info=True)


def open_mailbox(actor: Actor, row: MailboxRow) -> Mailbox:
    """The adapter of a mailbox; no network yet.

    Raises:
        UserError: its password is not on this computer.
    """
    if row.kind == MailboxKind.FOLDER.value:
        return FolderMailbox(Path(row.path), actor.zone)
    password = mailboxes.password_of(row)
    if row.kind == MailboxKind.GRAPH.value:
        return _graph(row, password or "", partial(mailboxes.renew_sign_in, row))
    if not password:
        raise UserError(
            N_(
                "The password of the mailbox {mailbox} is not on this computer. Nothing was "
                "changed; enter it once here."
            ),
            field="password",
            mailbox=row.name,
        )
    box = NewMailbox(
        row.name,
        row.kind,
        row.address,
        login=row.login,
        server=row.server,
        ca_file=row.ca_file,
        smtp_server=row.smtp_server,
        dav_server=row.dav_server,
        sign_in=row.sign_in,
        certificate=row.certificate,
    )
    return _with_password(actor, box, password or "")


def _with_password(actor: Actor, box: NewMailbox, password: str) -> Mailbox:
    login = box.login or box.address
    # Libraries of one kind of server are not imported for another.
    if box.kind == MailboxKind.IMAP.value:
        from desktop_crm.sync.imap.mailbox import ImapMailbox

        return ImapMailbox(
            box.server,
            box.address,
            login=login,
            password=password,
            smtp_server=box.smtp_server,
            dav_server=box.dav_server,
            ca_file=box.ca_file,
            zone=actor.zone,
        )
    from desktop_crm.sync.exchange.mailbox import ExchangeMailbox

    by_certificate = box.sign_in == SignInBy.CERTIFICATE.value
    return ExchangeMailbox(
        box.server,
        box.address,
        login=login,
        password="" if by_certificate else password,
        ca_file=box.ca_file,
        certificate=box.certificate,
        key_password=password if by_certificate else "",
        by_system=box.sign_in == SignInBy.SYSTEM.value,
        zone=actor.zone,
    )


def _graph(
    box: MailboxRow | NewMailbox, kept: str, keep: Callable[[str], None] | None = None
) -> Mailbox:
    from desktop_crm.sync.graph.mailbox import GraphMailbox

    return GraphMailbox(box.address, tokens=_tokens(box, kept, keep), ca_file=box.ca_file)


def _tokens(
    box: MailboxRow | NewMailbox, kept: str = "", keep: Callable[[str], None] | None = None
) -> MsalTokens:
    # msal and its cryptography are for mailboxes of Microsoft 365 only.
    from desktop_crm.sync.graph.signin import MsalTokens

    return MsalTokens(
        box.client_id, box.tenant, box.address, kept=kept, keep=keep, ca_file=box.ca_file
    )


def sign_in(
    box: MailboxRow | NewMailbox,
    show: Callable[[str, str], None] | None = None,
    *,
    cancel: Cancel | None = None,
) -> str:
    """Let a person sign in to Microsoft 365; returns what is kept instead of a password.

    Args:
        box: the mailbox, as it is or as it will be.
        show: told an address and the code to enter there; without it the browser opens here.
        cancel: stops waiting for the person.

    Raises:
        Cancelled: nobody waits any more.
        UserError: something about the mailbox is wrong, or the person did not sign in.
        EnvironmentProblem: the sign-in cannot be reached, or the organisation refuses it.
    """
    checked = mailboxes.checked(box) if isinstance(box, NewMailbox) else box
    return _tokens(checked).sign_in(show, cancel)


def test_mailbox(actor: Actor, mailbox_id: int) -> tuple[Step, ...]:
    """Try a mailbox without changing anything.

    Raises:
        UserError: its password is not on this computer.
    """
    port = open_mailbox(actor, mailboxes.get(actor, mailbox_id))
    try:
        return tuple(port.test())
    finally:
        port.close()


def find_server(new: NewMailbox, password: str = "") -> NewMailbox:
    """The mailbox with the Exchange server that holds its address; others come back as they are.

    Raises:
        UserError: the login is refused, or only a person can say whether the server is right.
        EnvironmentProblem: none was found.
    """
    if new.kind != MailboxKind.EXCHANGE.value or new.server.strip():
        return new
    from desktop_crm.sync.exchange import discovery
    from desktop_crm.sync.exchange.signin import SignIn

    # What else is wrong is said before anybody is asked.
    box = mailboxes.checked(replace(new, server="https://unknown.invalid"))
    by_certificate = box.sign_in == SignInBy.CERTIFICATE.value
    sign_in = SignIn(
        box.login or box.address,
        "" if by_certificate else password,
        box.ca_file,
        box.certificate,
        password if by_certificate else "",
        box.sign_in == SignInBy.SYSTEM.value,
    )
    return replace(new, server=discovery.find_server(box.address, sign_in))


def try_mailbox(actor: Actor, new: NewMailbox, password: str = "") -> tuple[Step, ...]:
    """Try a mailbox before it is added; nothing is stored.

    Raises:
        UserError: something about it is missing or wrong.
    """
    box = mailboxes.checked(new)
    if box.kind == MailboxKind.FOLDER.value:
        return tuple(FolderMailbox(Path(box.path), actor.zone).test())
    port = (
        _graph(box, password)
        if box.kind == MailboxKind.GRAPH.value
        else _with_password(actor, box, password)
    )
    try:
        return tuple(port.test())
    finally:
        port.close()
