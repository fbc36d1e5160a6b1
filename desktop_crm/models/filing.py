"""Rules people set themselves about where mail of a mailbox is filed, or that it never is."""

from __future__ import annotations

from sqlalchemy import Index

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import Stored, choice, integer, link, text
from desktop_crm.meta.field import Choice, EntityMeta, Section, Tone
from desktop_crm.models.base import Base, Tracked, unique_live


class FilingKind(Choice):
    """What a filing rule looks at; the order is the order in which the rules are asked."""

    THREAD = "thread", N_("Thread"), Tone.INFO
    SENDER = "sender", N_("Sender"), Tone.OK
    CATEGORY = "category", N_("Folder or category"), Tone.WARN
    DOMAIN = "domain", N_("Domain"), Tone.NEUTRAL


class FilingRule(Tracked, Base):
    """Where mail of a thread, sender, domain, folder or category goes; without a record: nowhere.

    It is asked after threads and before addresses (M6) and never touches what a person linked by
    hand.
    """

    __tablename__ = "filing_rule"
    __table_args__ = (
        unique_live("filing_rule", "mailbox_id", "kind", "value"),
        Index("ix_filing_rule_record", "record_type", "record_id"),
    )
    __entity__ = EntityMeta(
        key="filing_rule",
        label=N_("Filing rule"),
        plural=N_("Filing rules"),
        icon="filter",
        title="shown",
        columns=("shown", "kind", "value", "record_type", "record_id", "mailbox"),
        form=(
            Section(
                N_("Filing rule"),
                (("mailbox", "kind"), ("shown", "value"), ("record_type", "record_id")),
            ),
        ),
        parent=("mailbox",),
    )
    mailbox_id: Stored[int] = link(N_("Mailbox"), "mailbox.id", cascade=True)
    kind: Stored[str] = choice(N_("Kind"), FilingKind)
    value: Stored[str] = text(
        N_("Value"),
        length=500,
        help=N_("Key of the thread, address, domain, or folded name of the folder or category."),
    )
    shown: Stored[str] = text(N_("Mail of"), length=400, help=N_("The value as a person reads it."))
    record_type: Stored[str | None] = text(
        N_("Record kind"), length=40, help=N_("Empty: such mail is never filed.")
    )
    record_id: Stored[int | None] = integer(N_("Record"))
