"""Kinds of mailboxes: what each asks for, and whether it is written to."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.models.mail import MailboxKind, SignInBy

PROTECTED: Final = (MailboxKind.EXCHANGE.value, MailboxKind.IMAP.value)
"""Kinds of mailboxes that are opened with a password."""


_EXCHANGE, _IMAP, _GRAPH = (
    MailboxKind.EXCHANGE.value, MailboxKind.IMAP.value, MailboxKind.GRAPH.value,
)  # fmt: skip
USED: Final[Mapping[str, tuple[str, ...]]] = {
    "login": PROTECTED,
    "server": PROTECTED,
    "smtp_server": (_IMAP,),
    "dav_server": (_IMAP,),
    "ca_file": (*PROTECTED, _GRAPH),
    "client_id": (_GRAPH,),
    "tenant": (_GRAPH,),
    "sign_in": (_EXCHANGE,),
    "certificate": (_EXCHANGE,),
    "path": (MailboxKind.FOLDER.value,),
}
"""Kinds of mailboxes for which each further setting means something."""


def needs_password(kind: str, sign_in: str) -> bool:
    """Whether a mailbox of a kind cannot be opened without a secret."""
    return kind in PROTECTED and sign_in in ("", SignInBy.PASSWORD.value)


def goes_both_ways(kind: str) -> bool:
    """Whether meetings, tasks and contacts can be written to a kind of mailbox.

    A folder of files takes none: one of its calendar files may hold many meetings.
    """
    return kind != MailboxKind.FOLDER.value


def refuse_unused(kind: str, said: Mapping[str, str]) -> None:
    """Refuse what a kind of mailbox has no use for, rather than leaving it out unsaid.

    Args:
        kind: folder, exchange, graph or imap.
        said: what a person gave for each of `USED`.

    Raises:
        UserError: something is of no use; `field` names it.
    """
    given = {name: value.strip() for name, value in said.items()}
    by = given["sign_in"]
    if by == SignInBy.PASSWORD.value:
        del given["sign_in"]  # as every other kind does, too
    for name, value in given.items():
        if value and kind not in USED[name]:
            raise UserError(
                N_(
                    "A mailbox of the kind {kind} has no use for “{value}”; nothing was added. "
                    "Leave it out, or choose another kind."
                ),
                field=name,
                kind=kind,
                value=value,
            )
    if given["certificate"] and by != SignInBy.CERTIFICATE.value:
        raise UserError(
            N_(
                "A certificate is used only to sign in by certificate; nothing was added. Choose "
                "that, or leave the file out."
            ),
            field="certificate",
        )
