"""Trying a mailbox before it is added: finding its server, signing in, looking at its folders."""

from __future__ import annotations

from dataclasses import dataclass, field

from desktop_crm.core.i18n import tr
from desktop_crm.db.engine import Cancel
from desktop_crm.models.mail import MailboxKind
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail.mailboxes import NewMailbox
from desktop_crm.sync import scheduler
from desktop_crm.sync.port import Step


@dataclass(frozen=True, slots=True)
class Tried:
    """How a mailbox did; `secret` is its password, or what signing in left behind.

    `new` is the mailbox with the server that was found for it.
    """

    new: NewMailbox
    steps: tuple[Step, ...]
    secret: str = field(repr=False)

    @property
    def well(self) -> bool:
        """Whether every step went well."""
        return all(step.ok for step in self.steps)


def tried(actor: Actor, new: NewMailbox, secret: str, cancel: Cancel) -> Tried:
    """Try a mailbox; one of Microsoft 365 opens the browser when nobody is signed in yet.

    The server of an Exchange mailbox is looked for when none was entered.

    Raises:
        UserError: something about it is missing or wrong; nothing was asked then.
        EnvironmentProblem: no server was found, or the sign-in cannot be reached.
        Cancelled: nobody waits any more.
    """
    mailboxes.require_free(actor, new.name)
    if new.kind == MailboxKind.GRAPH.value and not secret:
        secret = scheduler.sign_in(new, cancel=cancel)
    with_server = scheduler.find_server(new, secret)
    cancel.check()
    steps = scheduler.try_mailbox(actor, with_server, secret)
    if with_server.server != new.server:
        steps = (Step(tr("Server found"), ok=True, message=with_server.server), *steps)
    return Tried(with_server, steps, secret)
