"""Leads: somebody who may become a customer."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import (
    Stored,
    boolean,
    choice,
    day,
    integer,
    link,
    moment,
    money,
    multiline,
    text,
    url,
)
from desktop_crm.meta.field import Choice, EntityMeta, Menu, Section, Tone
from desktop_crm.models.base import Base, Owned, Tagged, Titled, live, owned, sought_by, sparse
from desktop_crm.models.party import Consents, Rating, Reachable, reach_lines


class LeadState(Choice):
    """Few states that drive behaviour."""

    OPEN = "open", N_("Open"), Tone.INFO
    QUALIFIED = "qualified", N_("Qualified"), Tone.OK
    DISQUALIFIED = "disqualified", N_("Disqualified"), Tone.BAD


class LeadReason(Choice):
    """Reasons within a state."""

    NEW = "new", N_("New"), Tone.INFO
    CONTACTED = "contacted", N_("Contacted"), Tone.WARN
    QUALIFIED = "qualified", N_("Qualified"), Tone.OK
    LOST = "lost", N_("Lost"), Tone.BAD
    CANNOT_CONTACT = "cannot_contact", N_("Cannot contact"), Tone.BAD
    NO_INTEREST = "no_interest", N_("No longer interested"), Tone.BAD
    CANCELED = "canceled", N_("Canceled"), Tone.NEUTRAL


class Source(Choice):
    """Where somebody came from."""

    COLD_CALL = "cold_call", N_("Cold call")
    EXISTING_CUSTOMER = "existing_customer", N_("Existing customer")
    SELF_GENERATED = "self_generated", N_("Self generated")
    EMPLOYEE = "employee", N_("Employee")
    PARTNER = "partner", N_("Partner")
    PUBLIC_RELATIONS = "public_relations", N_("Public relations")
    DIRECT_MAIL = "direct_mail", N_("Direct mail")
    CONFERENCE = "conference", N_("Conference")
    TRADE_SHOW = "trade_show", N_("Trade show")
    WEB_SITE = "web_site", N_("Web site")
    WORD_OF_MOUTH = "word_of_mouth", N_("Word of mouth")
    EMAIL = "email", N_("E-mail")
    CAMPAIGN = "campaign", N_("Campaign")
    OTHER = "other", N_("Other")


class Lead(Titled, Tagged, Reachable, Consents, Owned, Base):
    """Person or company that may become a customer."""

    __tablename__ = "lead"
    __table_args__ = (
        *owned("lead", "modified_at"),
        *sparse(
            "lead",
            "merged_into",
            "converted_account_id",
            "converted_contact_id",
            "converted_opportunity_id",
        ),
        live("lead", "name_key"),
        live("lead", "company_key"),
    )
    __entity__ = EntityMeta(
        key="lead",
        label=N_("Lead"),
        plural=N_("Leads"),
        icon="target",
        title="subject",
        subtitle="company",
        columns=("subject", "full_name", "company", "status_reason", "rating", "email", "owner"),
        form=(
            Section(
                N_("Lead"),
                (
                    "subject",
                    ("source", "rating"),
                    ("state", "status_reason"),
                    ("owner", "score"),
                    "tags",
                ),
            ),
            Section(
                N_("Person"),
                (("first_name", "last_name"), ("salutation", "job_title"), ("company", "industry")),
            ),
            Section(N_("Contact"), ("emails", "phones", "addresses", "website")),
            Section(
                N_("Qualification"),
                (
                    ("est_amount", "currency"),
                    ("est_close_on", "budget"),
                    ("purchase_timeframe", "decision_maker"),
                    "need",
                    "description",
                ),
            ),
        ),
        natural_key=("external_id",),
        lines=reach_lines("lead_id"),
        menu=Menu.MAIN,
    )
    subject: Stored[str] = text(N_("Topic"), searchable=True, width=240)
    full_name: Stored[str | None] = text(
        N_("Person"), searchable=True, read_only=True, personal=True
    )
    salutation: Stored[str | None] = text(N_("Salutation"), length=40)
    first_name: Stored[str | None] = text(N_("First name"), length=100, personal=True)
    last_name: Stored[str | None] = text(N_("Last name"), length=100, personal=True)
    job_title: Stored[str | None] = text(N_("Job title"), length=120)
    company: Stored[str | None] = text(N_("Company"), searchable=True)
    name_key: Stored[str | None] = sought_by(N_("Name, last name first"))
    company_key: Stored[str | None] = sought_by(N_("Company without legal form"))
    industry: Stored[str | None] = text(N_("Industry"), length=120)
    employees: Stored[int | None] = integer(N_("Employees"))
    website: Stored[str | None] = url(N_("Website"))
    source: Stored[str | None] = choice(N_("Source"), Source, free=True)
    rating: Stored[str | None] = choice(N_("Rating"), Rating, free=True)
    score: Stored[int | None] = integer(N_("Score"))
    currency_id: Stored[int | None] = link(N_("Currency"), "currency.id")
    est_amount: Stored[Decimal | None] = money(N_("Estimated amount"), currency="currency")
    est_close_on: Stored[date | None] = day(N_("Estimated close"))
    budget: Stored[str | None] = text(N_("Budget"), length=120)
    need: Stored[str | None] = multiline(N_("Need"))
    purchase_timeframe: Stored[str | None] = text(N_("Purchase timeframe"), length=120)
    decision_maker: Stored[bool] = boolean(N_("Talks to the decision maker"))
    state: Stored[str] = choice(N_("State"), LeadState, default=LeadState.OPEN)
    status_reason: Stored[str] = choice(N_("Status"), LeadReason, default=LeadReason.NEW)
    converted_account_id: Stored[int | None] = link(
        N_("Became account"), "account.id", read_only=True
    )
    converted_contact_id: Stored[int | None] = link(
        N_("Became contact"), "contact.id", read_only=True
    )
    converted_opportunity_id: Stored[int | None] = link(
        N_("Became opportunity"), "opportunity.id", read_only=True
    )
    converted_at: Stored[datetime | None] = moment(N_("Converted"), read_only=True)
    description: Stored[str | None] = multiline(N_("Description"))
