"""What the user of a mailbox lets be read, kept and shown to colleagues; plain values.

Only what passes it on the user's own machine reaches a database. In a shared database everything
is closed until its user opens it; in one's own it is open until he chooses otherwise.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import Final

from sqlalchemy import ColumnElement, Connection, and_, exists, or_, select

from desktop_crm.core.sameness import public_domains
from desktop_crm.core.text import fold
from desktop_crm.models import Activity, Link, Mailbox, MailboxItem
from desktop_crm.models.activity import LinkState
from desktop_crm.models.mail import ItemState
from desktop_crm.models.mail_policy import MailKept, MailShared, TextKept

USUAL: Final = "*"


@dataclass(frozen=True, slots=True)
class MailPolicy:
    """What a mailbox lets be kept; the default is what one's own database does.

    Attributes:
        folders: folded names of the folders that are read; empty for the usual ones.
        wanted: folded categories of which a message needs one; empty for no such need.
        unwanted: folded categories that keep a message out.
        personal: domains of private mail services.
        kept: which messages are kept.
        text_kept: whose text and files are kept.
        shared: what colleagues see.
        only_linked: colleagues see of it what belongs to a record, and nothing else.
    """

    folders: frozenset[str] = frozenset()
    wanted: frozenset[str] = frozenset()
    unwanted: frozenset[str] = frozenset()
    personal: frozenset[str] = frozenset()
    kept: MailKept = MailKept.ALL
    text_kept: TextKept = TextKept.ALL
    shared: MailShared = MailShared.WHOLE
    only_linked: bool = False

    @property
    def asks_who(self) -> bool:
        """Whether it depends on who is known if a message is kept."""
        return bool(self.personal) or self.kept is not MailKept.ALL

    def reads(self, folder: str, role: str) -> bool:
        """Whether a folder is among those that are read, by its name or by what it is for."""
        return not self.folders or bool(self.folders & {fold(folder), fold(role)})

    def keeps_text(self, *, linked: bool) -> bool:
        """Whether text and files of a message are kept."""
        if self.shared is MailShared.HEADERS:
            return False
        return linked or self.text_kept is TextKept.ALL

    def withholds(self, *, linked: bool) -> bool:
        """Whether a message is its user's alone, whatever the roles of others say."""
        if self.shared is MailShared.NOBODY:
            return True
        return self.only_linked and not linked


def lines(text: str | None) -> list[str]:
    """What a person listed, one a line."""
    return [line.strip() for line in (text or "").splitlines() if line.strip()]


def personal_domains(text: str | None) -> frozenset[str]:
    """Domains of private mail services as a person listed them: name, ``-name`` and ``*``."""
    words = [word.lower() for word in (text or "").replace(",", " ").split()]
    named = {word.lstrip("@") for word in words if not word.startswith(("-", USUAL))}
    taken_out = {word[1:].lstrip("@") for word in words if word.startswith("-")}
    usual = public_domains() if USUAL in words else frozenset()
    return frozenset((named | usual) - taken_out - {""})


def of_mailbox(connection: Connection, mailbox: int) -> MailPolicy:
    """Read the policy of a mailbox; one statement."""
    row = connection.execute(
        select(
            Mailbox.read_folders,
            Mailbox.read_categories,
            Mailbox.skip_categories,
            Mailbox.personal_domains,
            Mailbox.kept,
            Mailbox.text_kept,
            Mailbox.sharing,
        ).where(Mailbox.id == mailbox)
    ).one()
    shared_db = is_shared(connection)
    text_kept, shared = (
        (TextKept.LINKED, MailShared.NOBODY) if shared_db else (TextKept.ALL, MailShared.WHOLE)
    )
    return MailPolicy(
        folders=_folded(row.read_folders),
        wanted=_folded(row.read_categories),
        unwanted=_folded(row.skip_categories),
        personal=personal_domains(row.personal_domains),
        kept=MailKept(row.kept or MailKept.ALL),
        text_kept=TextKept(row.text_kept or text_kept),
        shared=MailShared(row.sharing or shared),
        only_linked=shared_db or row.sharing is not None,
    )


def stated(*, shared_db: bool) -> dict[str, str]:
    """Fields of a new mailbox: what leaving them empty means, in words where there are any."""
    if not shared_db:
        return {"kept": MailKept.ALL.value, "text_kept": TextKept.ALL.value}
    return {
        "sharing": MailShared.NOBODY.value,
        "kept": MailKept.ALL.value,
        "text_kept": TextKept.LINKED.value,
    }


def is_shared(connection: Connection) -> bool:
    """Whether colleagues work in the same database."""
    return connection.dialect.name != "sqlite"


def _folded(text: str | None) -> frozenset[str]:
    return frozenset(fold(line) for line in lines(text))


def digest(text: str) -> str:
    """Stands for a text of which nothing may be kept, so that it is known again."""
    return f"sha256:{hashlib.sha256(text.encode('utf-8', 'replace')).hexdigest()}"


# --- as clauses -----------------------------------------------------------------------------


def is_linked(activity: ColumnElement[int]) -> ColumnElement[bool]:
    """Whether a message belongs to a record for sure."""
    link = Link.__table__
    # Said, because it stands within other subqueries as well.
    return (
        exists()
        .where(
            link.c.activity_id == activity,
            link.c.state == LinkState.LINKED.value,
            link.c.deleted_at.is_(None),
        )
        .correlate_except(link)
    )


def held_by(activity: ColumnElement[int], *conditions: ColumnElement[bool]) -> ColumnElement[bool]:
    """Whether a mailbox that meets all conditions brought a message."""
    item = MailboxItem.__table__.alias("held")
    return exists(
        select(item.c.id)
        .join(Mailbox, Mailbox.id == item.c.mailbox_id)
        .where(
            item.c.activity_id == activity,
            item.c.state.in_([ItemState.STORED.value, ItemState.GONE.value]),
            *conditions,
        )
        .correlate_except(item, Mailbox.__table__)
    )


def shares(activity: ColumnElement[int], shared_db: bool) -> ColumnElement[bool]:
    """Condition for mailboxes whose user lets colleagues see a message of theirs."""
    sharing = Mailbox.__table__.c.sharing
    chosen = sharing.in_([MailShared.HEADERS.value, MailShared.WHOLE.value])
    open_ones = and_(chosen, is_linked(activity))
    return open_ones if shared_db else or_(open_ones, sharing.is_(None))


def keeps_text(activity: ColumnElement[int], shared_db: bool) -> ColumnElement[bool]:
    """Condition for mailboxes that let text and files of a message be kept."""
    box = Mailbox.__table__.c
    all_of_them = box.text_kept == TextKept.ALL.value
    if not shared_db:
        all_of_them = or_(all_of_them, box.text_kept.is_(None))
    closed = box.sharing.is_not_distinct_from(MailShared.HEADERS.value)
    return or_(all_of_them, is_linked(activity)) & ~closed


def is_open(connection: Connection) -> ColumnElement[bool]:
    """Whether a mailbox lets colleagues see a message, as far as their roles do."""
    key = Activity.__table__.c.id
    return held_by(key, shares(key, is_shared(connection)))
