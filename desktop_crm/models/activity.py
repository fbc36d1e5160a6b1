"""Activities, who took part in them and what they are linked to."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal
from typing import Final

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
    percent,
    text,
)
from desktop_crm.meta.field import Choice, EntityMeta, Lines, Menu, Private, Section, Tone
from desktop_crm.models.base import (
    STAYS,
    Base,
    Owned,
    Tagged,
    Titled,
    Tracked,
    live,
    owned,
    private,
    sparse,
)


class ActivityKind(Choice):
    """What an activity is."""

    TASK = "task", N_("Task"), Tone.INFO
    PHONE_CALL = "phone_call", N_("Phone call"), Tone.OK
    APPOINTMENT = "appointment", N_("Appointment"), Tone.WARN
    EMAIL = "email", N_("E-mail"), Tone.NEUTRAL
    NOTE = "note", N_("Note"), Tone.NEUTRAL


class ActivityState(Choice):
    """Few states that drive behaviour."""

    OPEN = "open", N_("Open"), Tone.INFO
    COMPLETED = "completed", N_("Completed"), Tone.OK
    CANCELED = "canceled", N_("Canceled"), Tone.NEUTRAL


class ActivityReason(Choice):
    """Reasons within a state; which apply depends on the kind."""

    NOT_STARTED = "not_started", N_("Not started"), Tone.NEUTRAL
    IN_PROGRESS = "in_progress", N_("In progress"), Tone.INFO
    WAITING = "waiting", N_("Waiting on someone else"), Tone.WARN
    DEFERRED = "deferred", N_("Deferred"), Tone.NEUTRAL
    COMPLETED = "completed", N_("Completed"), Tone.OK
    CANCELED = "canceled", N_("Canceled"), Tone.NEUTRAL
    PLANNED = "planned", N_("Planned"), Tone.INFO
    HELD = "held", N_("Held"), Tone.OK
    NOT_HELD = "not_held", N_("Not held"), Tone.BAD
    FREE = "free", N_("Free"), Tone.NEUTRAL
    TENTATIVE = "tentative", N_("Tentative"), Tone.WARN
    BUSY = "busy", N_("Busy"), Tone.INFO
    OUT_OF_OFFICE = "out_of_office", N_("Out of office"), Tone.WARN
    DRAFT = "draft", N_("Draft"), Tone.NEUTRAL
    SENDING = "sending", N_("Being sent"), Tone.INFO
    NOT_SENT = "not_sent", N_("Not sent"), Tone.BAD
    SENT = "sent", N_("Sent"), Tone.OK
    RECEIVED = "received", N_("Received"), Tone.INFO


class Priority(Choice):
    """How urgent."""

    LOW = "low", N_("Low"), Tone.NEUTRAL
    NORMAL = "normal", N_("Normal"), Tone.INFO
    HIGH = "high", N_("High"), Tone.BAD


class Direction(Choice):
    """From whom to whom."""

    INCOMING = "incoming", N_("Incoming")
    OUTGOING = "outgoing", N_("Outgoing")


class Sensitivity(Choice):
    """Who may know the content."""

    NORMAL = "normal", N_("Normal")
    PRIVATE = "private", N_("Private")


class Participation(Choice):
    """Part of a person in an activity."""

    FROM = "from", N_("From")
    TO = "to", N_("To")
    CC = "cc", N_("Cc")
    BCC = "bcc", N_("Bcc")
    REPLY_TO = "reply_to", N_("Reply to")
    ORGANIZER = "organizer", N_("Organizer")
    REQUIRED = "required", N_("Required")
    OPTIONAL = "optional", N_("Optional")
    RESOURCE = "resource", N_("Resource")


class Response(Choice):
    """Answer to an invitation."""

    NONE = "none", N_("No answer"), Tone.NEUTRAL
    ACCEPTED = "accepted", N_("Accepted"), Tone.OK
    TENTATIVE = "tentative", N_("Tentative"), Tone.WARN
    DECLINED = "declined", N_("Declined"), Tone.BAD


FOR_ITS_WRITER: Final[Mapping[str, tuple[str, str]]] = {
    "activity_party": ("participation", Participation.BCC.value),
}
"""Child rows that only who entered them sees: by entity the field that says so, and its code.

Who got a message as a blind copy is nobody's business but the sender's. Such rows are never among
what search looks through, nor in what the history of their record says in words.
"""


class LinkState(Choice):
    """Whether a link counts."""

    LINKED = "linked", N_("Linked"), Tone.OK
    SUGGESTED = "suggested", N_("Suggested"), Tone.WARN
    REJECTED = "rejected", N_("Rejected"), Tone.BAD


class LinkRule(Choice):
    """Which rule made a link; the order of the first eight is the order of trust (M1 to M8)."""

    KNOWN_MESSAGE = "known_message", N_("The same message is known")
    REPLY = "reply", N_("Answer to a linked message")
    TOKEN = "token", N_("Reference number in the message")
    CONVERSATION = "conversation", N_("Same conversation")
    FILING = "filing", N_("Filing rule of the user")
    CONTACT = "contact", N_("Address of a contact")
    LEAD = "lead", N_("Address of a lead")
    ACCOUNT = "account", N_("Address of an account")
    DOMAIN = "domain", N_("Mail domain of an account")
    OPPORTUNITY = "opportunity", N_("Open opportunity of the participants")
    CASE = "case", N_("Open case of the participants")
    NAME = "name", N_("Name of a contact")
    FORWARDED = "forwarded", N_("Author of the forwarded message")
    MANUAL = "manual", N_("Set by a person")
    RECORD = "record", N_("Created from the record")


REGARDING: Final = ("case", "opportunity", "quote", "lead", "contact", "account")
"""Kinds of records an activity can be about, by its links of these names; the most telling first.

Mail is filed to these kinds of records and to no others.
"""


class Activity(Titled, Tagged, Owned, Base):
    """Task, call, appointment, e-mail or note."""

    __tablename__ = "activity"
    __table_args__ = (
        *owned("activity", "due_at", "occurred_at"),
        live("activity", "kind", "occurred_at"),
        Index("ix_activity_start_at", "start_at"),
        Index("ix_activity_ical_uid", "ical_uid"),
        Index("ix_activity_account_id", "account_id"),
        Index("ix_activity_contact_id", "contact_id"),
        Index("ix_activity_lead_id", "lead_id"),
        Index("ix_activity_opportunity_id", "opportunity_id"),
        *sparse("activity", "merged_into", "quote_id", "case_id", "remind_at"),
        private("activity", "sensitivity", "private"),
    )
    __entity__ = EntityMeta(
        key="activity",
        label=N_("Activity"),
        plural=N_("Activities"),
        icon="task_list_square_ltr",
        title="subject",
        subtitle="kind",
        columns=("subject", "kind", "state", "due_at", "priority", "account", "contact", "owner"),
        form=(
            Section(
                N_("Activity"),
                (
                    "subject",
                    ("kind", "priority"),
                    ("state", "status_reason"),
                    ("due_at", "owner"),
                    ("start_at", "end_at"),
                    ("is_all_day", "location"),
                    ("direction", "duration_minutes"),
                    ("reminder_minutes", "sensitivity"),
                    "tags",
                ),
            ),
            Section(
                N_("Regarding"),
                (("account", "contact"), ("opportunity", "lead"), ("quote", "case")),
            ),
            Section(N_("Details"), ("description", "result")),
        ),
        order="-occurred_at",
        natural_key=("external_id",),
        lines=(
            Lines(
                "parties",
                N_("Participants"),
                "activity_party",
                "activity_id",
                ("participation", "name", "address", "response", "contact"),
            ),
        ),
        menu=Menu.MAIN,
        private=Private(
            "sensitivity",
            "private",
            frozenset(
                {*STAYS, "kind", "state", "due_at", "start_at", "end_at", "is_all_day"}
                | {"occurred_at", "sensitivity"}
            ),
        ),
    )
    subject: Stored[str] = text(N_("Subject"), length=400, searchable=True, width=280)
    kind: Stored[str] = choice(N_("Kind"), ActivityKind, default=ActivityKind.TASK)
    state: Stored[str] = choice(N_("State"), ActivityState, default=ActivityState.OPEN)
    status_reason: Stored[str | None] = choice(N_("Status"), ActivityReason)
    priority: Stored[str] = choice(N_("Priority"), Priority, default=Priority.NORMAL)
    direction: Stored[str | None] = choice(N_("Direction"), Direction)
    due_at: Stored[datetime | None] = moment(N_("Due"))
    start_at: Stored[datetime | None] = moment(N_("Start"))
    end_at: Stored[datetime | None] = moment(N_("End"))
    is_all_day: Stored[bool] = boolean(
        N_("All day"), help=N_("Start and end are days: midnight UTC, the end not included.")
    )
    occurred_at: Stored[datetime | None] = moment(
        N_("When"), read_only=True, help=N_("When it happened or is planned; sorts timelines.")
    )
    completed_at: Stored[datetime | None] = moment(N_("Completed"), read_only=True)
    duration_minutes: Stored[int | None] = integer(N_("Minutes"))
    location: Stored[str | None] = text(N_("Location"), length=400)
    result: Stored[str | None] = multiline(N_("Result"))
    sensitivity: Stored[str] = choice(N_("Sensitivity"), Sensitivity, default=Sensitivity.NORMAL)
    account_id: Stored[int | None] = link(N_("Account"), "account.id")
    contact_id: Stored[int | None] = link(N_("Contact"), "contact.id")
    lead_id: Stored[int | None] = link(N_("Lead"), "lead.id")
    opportunity_id: Stored[int | None] = link(N_("Opportunity"), "opportunity.id")
    quote_id: Stored[int | None] = link(N_("Quote"), "quote.id")
    case_id: Stored[int | None] = link(N_("Case"), "case.id")
    ical_uid: Stored[str | None] = text(N_("Calendar id"), length=500, hidden=True)
    recurrence_id: Stored[str | None] = text(N_("Occurrence"), length=60, hidden=True)
    recurrence_rule: Stored[str | None] = text(
        N_("Recurrence"), length=1000, help=N_("RRULE of RFC 5545.")
    )
    recurrence_exceptions: Stored[list[str] | None] = json(N_("Left out dates"), hidden=True)
    time_zone: Stored[str | None] = text(N_("Time zone"), length=80)
    reminder_minutes: Stored[int | None] = integer(
        N_("Reminder"), help=N_("Minutes before the start or the due moment; empty for none.")
    )
    remind_at: Stored[datetime | None] = moment(
        N_("Next reminder"), audited=False, read_only=True, hidden=True
    )
    is_organizer: Stored[bool] = boolean(N_("Organized by us"), default=True, hidden=True)
    description: Stored[str | None] = multiline(N_("Description"))


class ActivityParty(Tracked, Base):
    """Somebody's part in an activity; kept also when nobody is known by that address (R27)."""

    __tablename__ = "activity_party"
    __table_args__ = (
        Index("ix_activity_party_activity_id", "activity_id"),
        Index("ix_activity_party_address", "address"),
        Index("ix_activity_party_contact_id", "contact_id"),
        *sparse("activity_party", "account_id", "lead_id"),
    )
    __entity__ = EntityMeta(
        key="activity_party",
        label=N_("Participant"),
        plural=N_("Participants"),
        icon="people",
        title="name",
        columns=("activity", "participation", "name", "address", "response", "contact"),
        form=(
            Section(
                N_("Participant"),
                (
                    ("activity", "participation"),
                    ("name", "address"),
                    ("response", "user"),
                    ("contact", "account"),
                    "lead",
                ),
            ),
        ),
        parent=("activity",),
    )
    activity_id: Stored[int] = link(N_("Activity"), "activity.id", cascade=True)
    participation: Stored[str] = choice(N_("Part"), Participation, default=Participation.REQUIRED)
    name: Stored[str | None] = text(N_("Name"), length=320, searchable=True, personal=True)
    address: Stored[str | None] = email(N_("Address"), searchable=True, personal=True)
    response: Stored[str] = choice(N_("Answer"), Response, default=Response.NONE)
    answered_at: Stored[datetime | None] = moment(
        N_("Answered"), hidden=True, help=N_("When the mail was sent that answered last.")
    )
    user_id: Stored[int | None] = link(N_("User"), "user.id")
    contact_id: Stored[int | None] = link(N_("Contact"), "contact.id")
    lead_id: Stored[int | None] = link(N_("Lead"), "lead.id")
    account_id: Stored[int | None] = link(N_("Account"), "account.id")


class Link(Tracked, Base):
    """Why an activity stands on a record: rule, evidence, confidence, by whom and when."""

    __tablename__ = "link"
    __table_args__ = (
        UniqueConstraint("activity_id", "record_type", "record_id"),
        Index("ix_link_record", "record_type", "record_id", "state", "occurred_at"),
    )
    __entity__ = EntityMeta(
        key="link",
        label=N_("Link"),
        plural=N_("Links"),
        icon="link",
        title="rule",
        columns=("activity", "record_type", "record_id", "rule", "evidence", "confidence", "state"),
        form=(
            Section(
                N_("Link"),
                (
                    "activity",
                    ("record_type", "record_id"),
                    ("rule", "state"),
                    ("evidence", "confidence"),
                ),
            ),
        ),
        parent=("activity",),
    )
    activity_id: Stored[int] = link(N_("Activity"), "activity.id", cascade=True)
    record_type: Stored[str] = text(N_("Record kind"), length=40)
    record_id: Stored[int] = integer(N_("Record"))
    rule: Stored[str] = choice(N_("Rule"), LinkRule, default=LinkRule.MANUAL)
    evidence: Stored[str | None] = text(N_("Evidence"), length=400)
    confidence: Stored[Decimal] = percent(N_("Confidence"), default=Decimal(100))
    state: Stored[str] = choice(N_("State"), LinkState, default=LinkState.LINKED)
    is_regarding: Stored[bool] = boolean(N_("Main record"))
    linked_by_id: Stored[int | None] = loose_link(
        N_("Linked by"), "user", help=N_("The person who decided; empty when a rule did.")
    )
    occurred_at: Stored[datetime | None] = moment(N_("When"), audited=False, read_only=True)
