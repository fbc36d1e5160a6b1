"""Cases: what a customer asked for, complained of or wants mended, until it is settled."""

from __future__ import annotations

from datetime import datetime

from sqlalchemy import Index

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import (
    Stored,
    choice,
    integer,
    link,
    moment,
    multiline,
    text,
)
from desktop_crm.meta.field import Choice, EntityMeta, Menu, Section, Tone
from desktop_crm.models.activity import Priority
from desktop_crm.models.base import Base, Owned, Tagged, Titled, owned, sparse


class CaseState(Choice):
    """Few states that drive behaviour; the reason says more."""

    OPEN = "open", N_("Open"), Tone.INFO
    RESOLVED = "resolved", N_("Resolved"), Tone.OK
    CANCELED = "canceled", N_("Canceled"), Tone.NEUTRAL


class CaseReason(Choice):
    """Reasons within a state."""

    NEW = "new", N_("New"), Tone.INFO
    IN_PROGRESS = "in_progress", N_("In progress"), Tone.INFO
    RESEARCHING = "researching", N_("Researching"), Tone.INFO
    WAITING = "waiting", N_("Waiting for details"), Tone.WARN
    ON_HOLD = "on_hold", N_("On hold"), Tone.WARN
    PROBLEM_SOLVED = "problem_solved", N_("Problem solved"), Tone.OK
    INFORMATION_PROVIDED = "information_provided", N_("Information provided"), Tone.OK
    CANCELED = "canceled", N_("Canceled"), Tone.NEUTRAL
    MERGED = "merged", N_("Merged"), Tone.NEUTRAL


class CaseOrigin(Choice):
    """How it reached us."""

    PHONE = "phone", N_("Phone")
    EMAIL = "email", N_("E-mail")
    WEB = "web", N_("Web")
    IN_PERSON = "in_person", N_("In person")
    LETTER = "letter", N_("Letter")


class CaseType(Choice):
    """What it is."""

    QUESTION = "question", N_("Question"), Tone.INFO
    PROBLEM = "problem", N_("Problem"), Tone.BAD
    REQUEST = "request", N_("Request"), Tone.OK


class CaseSeverity(Choice):
    """How much it hinders the customer."""

    MINOR = "minor", N_("Minor"), Tone.NEUTRAL
    MAJOR = "major", N_("Major"), Tone.WARN
    CRITICAL = "critical", N_("Critical"), Tone.BAD


class Satisfaction(Choice):
    """What the customer thinks of how it was settled."""

    VERY_SATISFIED = "very_satisfied", N_("Very satisfied"), Tone.OK
    SATISFIED = "satisfied", N_("Satisfied"), Tone.OK
    NEUTRAL = "neutral", N_("Neutral"), Tone.NEUTRAL
    DISSATISFIED = "dissatisfied", N_("Dissatisfied"), Tone.WARN
    VERY_DISSATISFIED = "very_dissatisfied", N_("Very dissatisfied"), Tone.BAD


class Case(Titled, Tagged, Owned, Base):
    """Question, problem or request of a customer."""

    __tablename__ = "case"
    __table_args__ = (
        *owned("case", "number", "resolve_by", "modified_at"),
        Index("ix_case_account_id", "account_id"),
        Index("ix_case_contact_id", "contact_id"),
        Index("ix_case_number", "number", unique=True),
        *sparse("case", "merged_into", "product_id", "parent_id"),
    )
    __entity__ = EntityMeta(
        key="case",
        label=N_("Case"),
        plural=N_("Cases"),
        icon="headset",
        title="title",
        subtitle="number",
        columns=(
            "number",
            "title",
            "account",
            "status_reason",
            "priority",
            "type",
            "resolve_by",
            "owner",
        ),
        form=(
            Section(
                N_("Case"),
                (
                    "title",
                    ("number", "owner"),
                    ("account", "contact"),
                    ("state", "status_reason"),
                    ("type", "origin"),
                    ("priority", "severity"),
                    ("product", "subject"),
                    ("resolve_by", "parent"),
                    "description",
                    "tags",
                ),
            ),
            Section(
                N_("Resolution"),
                (
                    "resolution",
                    ("resolved_at", "billable_minutes"),
                    "satisfaction",
                ),
            ),
        ),
        natural_key=("external_id", "number"),
        menu=Menu.MAIN,
    )
    title: Stored[str] = text(N_("Title"), searchable=True, width=280)
    number: Stored[str | None] = text(
        N_("Number"), length=40, searchable=True, read_only=True, width=124
    )
    account_id: Stored[int | None] = link(N_("Account"), "account.id")
    contact_id: Stored[int | None] = link(N_("Contact"), "contact.id")
    state: Stored[str] = choice(N_("State"), CaseState, default=CaseState.OPEN)
    status_reason: Stored[str] = choice(N_("Status"), CaseReason, default=CaseReason.NEW)
    type: Stored[str | None] = choice(N_("Type"), CaseType, free=True)
    origin: Stored[str | None] = choice(N_("Origin"), CaseOrigin, free=True)
    priority: Stored[str] = choice(N_("Priority"), Priority, default=Priority.NORMAL)
    severity: Stored[str | None] = choice(N_("Severity"), CaseSeverity, free=True)
    subject: Stored[str | None] = text(
        N_("Subject area"), length=120, help=N_("What it is about, such as invoicing or delivery.")
    )
    product_id: Stored[int | None] = link(N_("Product"), "product.id")
    parent_id: Stored[int | None] = link(N_("Parent case"), "case.id")
    resolve_by: Stored[datetime | None] = moment(N_("Resolve by"))
    resolved_at: Stored[datetime | None] = moment(N_("Resolved"), read_only=True)
    resolution: Stored[str | None] = multiline(N_("Resolution"))
    billable_minutes: Stored[int | None] = integer(N_("Billable minutes"))
    satisfaction: Stored[str | None] = choice(N_("Satisfaction"), Satisfaction)
    description: Stored[str | None] = multiline(N_("Description"))
