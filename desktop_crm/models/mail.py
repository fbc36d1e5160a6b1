"""Mailboxes, their messages and how far each was read."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from sqlalchemy import Index, UniqueConstraint

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import (
    Stored,
    boolean,
    choice,
    email,
    integer,
    json,
    link,
    loose_link,
    moment,
    multiline,
    text,
    url,
)
from desktop_crm.meta.field import Choice, EntityMeta, Menu, Section, Tone
from desktop_crm.models.base import (
    Base,
    PartialIndex,
    Titled,
    Tracked,
    searched,
    sparse,
    titled,
)
from desktop_crm.models.mail_policy import MailKept, MailShared, TextKept


class MailboxKind(Choice):
    """What serves a mailbox."""

    FOLDER = "folder", N_("Folder of files")
    EXCHANGE = "exchange", N_("Exchange Server")
    GRAPH = "graph", N_("Microsoft 365")
    IMAP = "imap", N_("IMAP")


class SignInBy(Choice):
    """How a person signs in to an Exchange server."""

    PASSWORD = "password", N_("Password")
    SYSTEM = "system", N_("This computer's sign-in")
    CERTIFICATE = "certificate", N_("Certificate")


class MailboxState(Choice):
    """How the last pass ended."""

    NEW = "new", N_("Not synchronised yet"), Tone.NEUTRAL
    OK = "ok", N_("Up to date"), Tone.OK
    RUNNING = "running", N_("Synchronising"), Tone.INFO
    WAITING = "waiting", N_("Waiting to try again"), Tone.WARN
    STOPPED = "stopped", N_("Stopped"), Tone.BAD


class StoredPart(Choice):
    """How much of a message is kept."""

    FULL = "full", N_("Whole message")
    HEADERS = "headers", N_("Headers only")
    SEALED = "sealed", N_("Headers only: it is encrypted")


class ItemState(Choice):
    """Where a mailbox's item stands."""

    STORED = "stored", N_("Stored"), Tone.OK
    EXCLUDED = "excluded", N_("Left out"), Tone.NEUTRAL
    QUARANTINED = "quarantined", N_("Could not be read"), Tone.BAD
    ORDERED = "ordered", N_("Being written"), Tone.INFO
    GONE = "gone", N_("No longer in the mailbox"), Tone.NEUTRAL
    WITHDRAWN = "withdrawn", N_("Withdrawn"), Tone.NEUTRAL


class MailFlag(Choice):
    """The mark for follow-up on a message."""

    NONE = "none", N_("No flag")
    FLAGGED = "flagged", N_("Flagged"), Tone.BAD
    COMPLETE = "complete", N_("Completed"), Tone.OK


class TemplateKind(Choice):
    """What a prepared text is for."""

    LETTER = "letter", N_("Whole message"), Tone.INFO
    PART = "part", N_("Quick part"), Tone.NEUTRAL


class TemplateLanguage(Choice):
    """Language a prepared text is written in."""

    EN = "en", N_("English")
    RO = "ro", N_("Romanian")


class ContactScope(Choice):
    """Which accounts' people and meetings are written to the mailbox: every phone shows them."""

    NONE = "none", N_("None")
    FAVOURITES = "favourites", N_("Those of my favourite accounts")
    MINE = "mine", N_("Those of the accounts I own")


class Mailbox(Titled, Base):
    """Mailbox of a user; its password is in the keyring, never here."""

    __tablename__ = "mailbox"
    __table_args__ = titled("mailbox")
    __entity__ = EntityMeta(
        key="mailbox",
        label=N_("Mailbox"),
        plural=N_("Mailboxes"),
        icon="mail",
        title="name",
        subtitle="address",
        columns=("name", "kind", "address", "user", "state", "last_synced_at"),
        form=(
            Section(
                N_("Mailbox"),
                (
                    ("name", "kind"),
                    ("address", "login"),
                    ("server", "ca_file"),
                    ("smtp_server", "dav_server"),
                    ("tenant", "client_id"),
                    "path",
                    "user",
                ),
            ),
            Section(
                N_("Privacy"),
                (
                    "sharing",
                    ("kept", "text_kept"),
                    ("read_folders", "never_log"),
                    ("read_categories", "skip_categories"),
                    ("own_domains", "personal_domains"),
                ),
            ),
            Section(N_("Writing"), ("signature",)),
            Section(
                N_("In both directions"),
                (("two_way", "contact_scope"), "commands", "keep_category"),
            ),
            Section(N_("Status"), (("state", "last_synced_at"), "message")),
        ),
        natural_key=("name",),
        menu=Menu.SETUP,
    )
    name: Stored[str] = text(N_("Name"), length=120, searchable=True)
    kind: Stored[str] = choice(N_("Kind"), MailboxKind, default=MailboxKind.FOLDER)
    address: Stored[str] = email(N_("Address"), searchable=True, personal=True)
    login: Stored[str | None] = text(N_("Login"), length=254)
    server: Stored[str | None] = url(N_("Server"))
    ca_file: Stored[str | None] = text(N_("Certificate authority file"), length=500)
    smtp_server: Stored[str | None] = text(
        N_("Server for sending"), length=300, help=N_("SMTP; an IMAP mailbox sends through it.")
    )
    dav_server: Stored[str | None] = text(
        N_("Calendar server"),
        length=1000,
        help=N_("CalDAV and CardDAV; several addresses are parted by blanks."),
    )
    tenant: Stored[str | None] = text(
        N_("Tenant"), length=254, help=N_("Directory of the organisation in Microsoft 365.")
    )
    client_id: Stored[str | None] = text(
        N_("Client id"), length=36, help=N_("This program as the organisation registered it.")
    )
    sign_in: Stored[str | None] = choice(
        N_("Sign-in"),
        SignInBy,
        help=N_("How an Exchange server knows you; empty is by password."),
    )
    certificate: Stored[str | None] = text(
        N_("Your certificate"), length=500, help=N_("PEM file with your certificate and its key.")
    )
    path: Stored[str | None] = text(N_("Folder"), length=1000)
    user_id: Stored[int | None] = link(N_("User"), "user.id")
    never_log: Stored[str | None] = multiline(
        N_("Never store"),
        help=N_("Addresses and domains, one a line; mail with them is never stored."),
    )
    own_domains: Stored[str | None] = text(
        N_("Own domains"),
        help=N_("A conversation only among them is internal and never stored."),
    )
    personal_domains: Stored[str | None] = multiline(
        N_("Private mail services"),
        help=N_(
            "Domains, one a line; * stands for the usual ones, -name takes one out. Mail with "
            "people there whom no record knows is never stored."
        ),
    )
    read_folders: Stored[str | None] = multiline(
        N_("Folders that are read"),
        help=N_(
            "Names, one a line; empty is Inbox, Sent and Calendar. Of other folders nothing is "
            "looked at."
        ),
    )
    read_categories: Stored[str | None] = multiline(
        N_("Only these categories"),
        help=N_("One a line; when there are any, mail without one of them is never stored."),
    )
    skip_categories: Stored[str | None] = multiline(
        N_("Never these categories"), help=N_("One a line; mail with one of them is never stored.")
    )
    kept: Stored[str | None] = choice(
        N_("What is kept"), MailKept, help=N_("Empty keeps all that nothing else leaves out.")
    )
    text_kept: Stored[str | None] = choice(
        N_("Texts and files"),
        TextKept,
        help=N_(
            "Empty is by the database: in a shared one of messages that belong to a record, in "
            "your own of all."
        ),
    )
    sharing: Stored[str | None] = choice(
        N_("Colleagues see"),
        MailShared,
        help=N_(
            "As far as their role lets them. Empty is by the database: in a shared one nothing "
            "until you choose, in your own what the role says."
        ),
    )
    signature: Stored[str | None] = multiline(
        N_("Signature"), help=N_("Stands below everything that is written from this mailbox.")
    )
    two_way: Stored[bool] = boolean(
        N_("Write to the mailbox"),
        help=N_("Meetings and tasks made or changed here are written to the mailbox, too."),
    )
    contact_scope: Stored[str] = choice(
        N_("Contacts and meetings in the mailbox"),
        ContactScope,
        default=ContactScope.NONE,
        help=N_(
            "People lie in a contacts folder called CRM, meetings of colleagues in a calendar "
            "called CRM; your own meetings are in your calendar already."
        ),
    )
    commands: Stored[str | None] = multiline(
        N_("Categories as commands"),
        help=N_("One a line, category = track, won or call back; set on the phone, done here."),
    )
    keep_category: Stored[bool] = boolean(
        N_("Leave the category"), help=N_("Otherwise it is taken away once its command is done.")
    )
    state: Stored[str] = choice(N_("State"), MailboxState, default=MailboxState.NEW, read_only=True)
    message: Stored[str | None] = text(N_("Message"), length=500, read_only=True)
    last_synced_at: Stored[datetime | None] = moment(N_("Last synchronised"), read_only=True)
    leased_by: Stored[str | None] = text(
        N_("Synchronised by"), length=120, read_only=True, hidden=True, audited=False
    )
    leased_until: Stored[datetime | None] = moment(
        N_("Reserved until"), read_only=True, hidden=True, audited=False
    )


class MailMessage(Tracked, Base):
    """One message, stored once however many mailboxes hold it."""

    __tablename__ = "mail_message"
    __table_args__ = (
        UniqueConstraint("message_id"),
        Index("ix_mail_message_activity_id", "activity_id"),
        Index("ix_mail_message_thread", "thread_key"),
        Index("ix_mail_message_sent_at", "sent_at"),
        *sparse("mail_message", "answer_by"),
    )
    __entity__ = EntityMeta(
        key="mail_message",
        label=N_("Message"),
        plural=N_("Messages"),
        icon="mail",
        title="subject",
        columns=("sent_at", "from_name", "subject", "stored", "has_attachments"),
        form=(
            Section(
                N_("Message"),
                (("sent_at", "stored"), ("from_name", "from_address"), "subject", "body_text"),
            ),
        ),
        order="-sent_at",
        parent=("activity",),
    )
    activity_id: Stored[int] = link(N_("Activity"), "activity.id", cascade=True)
    message_id: Stored[str] = text(N_("Message id"), length=500, read_only=True)
    thread_key: Stored[str | None] = text(N_("Thread"), length=500, hidden=True, read_only=True)
    conversation_id: Stored[str | None] = text(
        N_("Conversation"), length=500, hidden=True, read_only=True
    )
    in_reply_to: Stored[str | None] = text(N_("Answer to"), length=500, hidden=True, read_only=True)
    references: Stored[list[str] | None] = json(N_("References"), hidden=True, read_only=True)
    sent_at: Stored[datetime | None] = moment(N_("Sent"), read_only=True)
    from_name: Stored[str | None] = text(
        N_("Sender"), length=320, searchable=True, read_only=True, personal=True
    )
    from_address: Stored[str | None] = email(
        N_("Sender's address"), searchable=True, read_only=True, personal=True
    )
    to_line: Stored[str | None] = multiline(
        N_("To"), searchable=True, read_only=True, personal=True
    )
    cc_line: Stored[str | None] = multiline(
        N_("Cc"), searchable=True, read_only=True, personal=True
    )
    subject: Stored[str | None] = text(N_("Subject"), length=1000, searchable=True, read_only=True)
    preview: Stored[str | None] = text(N_("Preview"), length=300, read_only=True, personal=True)
    body_text: Stored[str | None] = multiline(
        N_("Text"), searchable=True, read_only=True, personal=True
    )
    body_html: Stored[str | None] = multiline(
        N_("Formatted text"), hidden=True, read_only=True, personal=True
    )
    stored: Stored[str] = choice(N_("Kept"), StoredPart, default=StoredPart.FULL, read_only=True)
    is_automatic: Stored[bool] = boolean(N_("Automatic"), read_only=True)
    has_attachments: Stored[bool] = boolean(N_("Attachments"), read_only=True)
    size_bytes: Stored[int | None] = integer(N_("Size"), read_only=True)
    withheld: Stored[bool] = boolean(
        N_("Kept from colleagues"),
        read_only=True,
        hidden=True,
        help=N_("The mailbox does not share it; nobody decided it for this message."),
    )
    answer_by: Stored[datetime | None] = moment(
        N_("Answer expected by"),
        read_only=True,
        hidden=True,
        audited=False,
        help=N_("A task reminds of it when no answer came until then."),
    )
    set_aside: Stored[bool] = boolean(
        N_("Belongs to no record"), hidden=True, help=N_("A person decided it; see Mail, To file.")
    )
    search_text: Stored[str] = searched()


class MailboxItem(Tracked, Base):
    """One item of one mailbox: which message or meeting it holds, or why it was not stored."""

    __tablename__ = "mailbox_item"
    __table_args__ = (
        UniqueConstraint("mailbox_id", "folder", "item_key"),
        Index("ix_mailbox_item_activity_id", "activity_id"),
        Index("ix_mailbox_item_identity", "mailbox_id", "identity"),
        Index("ix_mailbox_item_folder", "mailbox_id", "folder", "state", "sent_at"),
        PartialIndex("ix_mailbox_item_withdrawn", "identity", rows="state = 'withdrawn'"),
        *sparse("mailbox_item", "contact_id", "order_id"),
    )
    __entity__ = EntityMeta(
        key="mailbox_item",
        label=N_("Mailbox item"),
        plural=N_("Mailbox items"),
        icon="mail",
        title="item_key",
        columns=("mailbox", "folder", "state", "reason", "is_read", "activity"),
        form=(
            Section(N_("Mailbox item"), (("mailbox", "folder"), ("state", "reason"), "activity")),
        ),
        parent=("mailbox",),
    )
    mailbox_id: Stored[int] = link(N_("Mailbox"), "mailbox.id", cascade=True)
    folder: Stored[str] = text(N_("Folder"), length=300)
    item_key: Stored[str] = text(N_("Item"), length=1000, hidden=True)
    change_key: Stored[str | None] = text(N_("Change key"), length=500, hidden=True)
    identity: Stored[str | None] = text(
        N_("Identity"),
        length=560,
        hidden=True,
        help=N_("Message id, or calendar id and occurrence."),
    )
    content_hash: Stored[str | None] = text(N_("Content hash"), length=64, hidden=True)
    activity_id: Stored[int | None] = link(N_("Activity"), "activity.id")
    state: Stored[str] = choice(N_("State"), ItemState, default=ItemState.STORED)
    reason: Stored[str | None] = text(N_("Reason"), length=500)
    is_read: Stored[bool] = boolean(N_("Read"))
    flag: Stored[str] = choice(N_("Follow-up flag"), MailFlag, default=MailFlag.NONE)
    categories: Stored[list[str] | None] = json(N_("Categories"))
    sent_at: Stored[datetime | None] = moment(N_("Sent"))
    contact_id: Stored[int | None] = loose_link(N_("Contact"), "contact")
    base: Stored[dict[str, Any] | None] = json(
        N_("Agreed values"), hidden=True, help=N_("What both sides last agreed on, field by field.")
    )
    seen: Stored[dict[str, Any] | None] = json(
        N_("Values in the mailbox"),
        hidden=True,
        help=N_("What the mailbox says since; empty while that is what both agreed on."),
    )
    record_version: Stored[int | None] = integer(N_("Version of the record"), hidden=True)
    order_id: Stored[int | None] = integer(N_("Change on its way"), hidden=True)
    commands_done: Stored[list[str] | None] = json(N_("Commands done"), hidden=True)


class SyncStrike(Tracked, Base):
    """A line of a dry run a person struck: not done and not asked again until its item changes."""

    __tablename__ = "sync_strike"
    __table_args__ = (UniqueConstraint("mailbox_id", "line"),)
    __entity__ = EntityMeta(
        key="sync_strike",
        label=N_("Struck line"),
        plural=N_("Struck lines"),
        icon="arrow_sync",
        title="title",
        columns=("mailbox", "title"),
        form=(Section(N_("Struck line"), ("mailbox", "title")),),
        parent=("mailbox",),
    )
    mailbox_id: Stored[int] = link(N_("Mailbox"), "mailbox.id", cascade=True)
    line: Stored[str] = text(N_("Line"), length=600, hidden=True)
    fingerprint: Stored[str] = text(N_("Content hash"), length=64, hidden=True)
    title: Stored[str | None] = text(N_("Subject"), length=400)


class SyncState(Tracked, Base):
    """How far one folder of a mailbox was read."""

    __tablename__ = "sync_state"
    __table_args__ = (UniqueConstraint("mailbox_id", "folder"),)
    __entity__ = EntityMeta(
        key="sync_state",
        label=N_("Sync state"),
        plural=N_("Sync states"),
        icon="arrow_sync",
        title="folder",
        columns=("mailbox", "folder", "status", "synced_at"),
        form=(Section(N_("Sync state"), (("mailbox", "folder"), ("status", "synced_at"))),),
        parent=("mailbox",),
    )
    mailbox_id: Stored[int] = link(N_("Mailbox"), "mailbox.id", cascade=True)
    folder: Stored[str] = text(N_("Folder"), length=300)
    name: Stored[str | None] = text(
        N_("Name"), length=300, hidden=True, read_only=True, audited=False
    )
    token: Stored[str | None] = multiline(N_("Token"), hidden=True, read_only=True, audited=False)
    status: Stored[str | None] = text(N_("Status"), length=40)
    synced_at: Stored[datetime | None] = moment(N_("Last synchronised"))


class MailTemplate(Titled, Base):
    """A prepared message, or a piece of one, with placeholders for the records it is about."""

    __tablename__ = "mail_template"
    __table_args__ = titled("mail_template")
    __entity__ = EntityMeta(
        key="mail_template",
        label=N_("Mail template"),
        plural=N_("Mail templates"),
        icon="mail",
        title="name",
        subtitle="language",
        columns=("name", "kind", "language", "subject"),
        form=(Section(N_("Mail template"), (("name", "kind"), ("language", "subject"), "body")),),
        natural_key=("name",),
        menu=Menu.SETUP,
    )
    name: Stored[str] = text(N_("Name"), length=120, searchable=True)
    kind: Stored[str] = choice(N_("Kind"), TemplateKind, default=TemplateKind.LETTER)
    language: Stored[str] = choice(N_("Language"), TemplateLanguage, default=TemplateLanguage.EN)
    subject: Stored[str | None] = text(N_("Subject"), length=400, searchable=True)
    body: Stored[str | None] = multiline(
        N_("Text"),
        searchable=True,
        help=N_(
            "Placeholders in double braces are filled from the records, such as "
            "contact.first_name, account.name, opportunity.amount, quote.number or me.name."
        ),
    )
