"""Accounts, contacts and how to reach them."""

from __future__ import annotations

from datetime import date
from decimal import Decimal

from sqlalchemy import Index

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import (
    Stored,
    boolean,
    choice,
    day,
    email,
    integer,
    link,
    loose_link,
    money,
    multiline,
    phone,
    text,
    url,
)
from desktop_crm.meta.field import (
    Choice,
    EntityMeta,
    Level,
    Lines,
    Menu,
    Section,
    Tone,
)
from desktop_crm.models.base import (
    Base,
    Owned,
    Tagged,
    Titled,
    Tracked,
    live,
    owned,
    sought_by,
    sparse,
)


class ActiveState(Choice):
    """Whether a record is worked with."""

    ACTIVE = "active", N_("Active"), Tone.OK
    INACTIVE = "inactive", N_("Inactive"), Tone.NEUTRAL


class RelationshipType(Choice):
    """What an account is to us."""

    CUSTOMER = "customer", N_("Customer"), Tone.OK
    PROSPECT = "prospect", N_("Prospect"), Tone.INFO
    PARTNER = "partner", N_("Partner"), Tone.WARN
    RESELLER = "reseller", N_("Reseller"), Tone.WARN
    SUPPLIER = "supplier", N_("Supplier"), Tone.NEUTRAL
    COMPETITOR = "competitor", N_("Competitor"), Tone.BAD
    INVESTOR = "investor", N_("Investor"), Tone.NEUTRAL
    PRESS = "press", N_("Press"), Tone.NEUTRAL
    OTHER = "other", N_("Other"), Tone.NEUTRAL


class Rating(Choice):
    """How promising somebody is."""

    HOT = "hot", N_("Hot"), Tone.BAD
    WARM = "warm", N_("Warm"), Tone.WARN
    COLD = "cold", N_("Cold"), Tone.INFO


class ContactRole(Choice):
    """What a person decides in their company."""

    DECISION_MAKER = "decision_maker", N_("Decision maker"), Tone.OK
    INFLUENCER = "influencer", N_("Influencer"), Tone.INFO
    EMPLOYEE = "employee", N_("Employee"), Tone.NEUTRAL


class ReachType(Choice):
    """Where an address or number belongs to."""

    WORK = "work", N_("Work")
    MOBILE = "mobile", N_("Mobile")
    HOME = "home", N_("Home")
    FAX = "fax", N_("Fax")
    BILLING = "billing", N_("Billing")
    SHIPPING = "shipping", N_("Shipping")
    OTHER = "other", N_("Other")


EMAILS = ("address", "type", "is_primary")
PHONES = ("number", "type", "is_primary")
ADDRESSES = ("type", "street", "postal_code", "city", "region", "country", "is_primary")


def reach_lines(via: str) -> tuple[Lines, ...]:
    """E-mail addresses, phones and postal addresses of a record."""
    return (
        Lines("emails", N_("E-mail addresses"), "email_address", via, EMAILS),
        Lines("phones", N_("Phones"), "phone", via, PHONES),
        Lines("addresses", N_("Addresses"), "postal_address", via, ADDRESSES),
    )


class Reachable:
    """Stored copies of the primary e-mail, phone and postal address, so that lists need no join."""

    email: Stored[str | None] = email(
        N_("E-mail"), searchable=True, personal=True, copy_of=("emails", "address")
    )
    phone: Stored[str | None] = phone(
        N_("Phone"), searchable=True, personal=True, copy_of=("phones", "number")
    )
    street: Stored[str | None] = text(N_("Street"), personal=True, copy_of=("addresses", "street"))
    postal_code: Stored[str | None] = text(
        N_("Postal code"), length=20, personal=True, copy_of=("addresses", "postal_code")
    )
    city: Stored[str | None] = text(
        N_("City"), length=120, searchable=True, copy_of=("addresses", "city")
    )
    region: Stored[str | None] = text(N_("Region"), length=120, copy_of=("addresses", "region"))
    country: Stored[str | None] = text(N_("Country"), length=120, copy_of=("addresses", "country"))


class Consents:
    """What a person or company asked us not to do."""

    do_not_email: Stored[bool] = boolean(N_("No e-mail"))
    do_not_phone: Stored[bool] = boolean(N_("No phone calls"))
    do_not_bulk: Stored[bool] = boolean(N_("No mass mail"))


class Account(Titled, Tagged, Reachable, Consents, Owned, Base):
    """Company or organisation we deal with."""

    __tablename__ = "account"
    __table_args__ = (
        *owned("account", "modified_at"),
        Index("ix_account_domain", "domain"),
        Index("ix_account_tax_id", "tax_id"),
        *sparse("account", "merged_into", "parent_id", "primary_contact_id"),
        Index("ix_account_tax_key", "tax_key"),
        live("account", "name_key"),
    )
    __entity__ = EntityMeta(
        key="account",
        label=N_("Account"),
        plural=N_("Accounts"),
        icon="building",
        title="name",
        subtitle="industry",
        columns=("name", "relationship_type", "industry", "city", "country", "phone", "owner"),
        form=(
            Section(
                N_("Account"),
                (
                    "name",
                    ("relationship_type", "state"),
                    ("industry", "rating"),
                    ("tax_id", "trade_register"),
                    ("parent", "primary_contact"),
                    ("owner", "account_number"),
                    "tags",
                ),
                tab=N_("General"),
            ),
            Section(N_("Contact"), ("emails", "phones", "addresses", ("website", "domain"))),
            Section(
                N_("Business"),
                (
                    ("annual_revenue", "currency"),
                    ("employees", "founded_year"),
                    ("price_list", "payment_terms"),
                    ("credit_limit", "language"),
                    ("do_not_email", "do_not_phone", "do_not_bulk"),
                    "description",
                ),
                tab=N_("Business"),
            ),
        ),
        natural_key=("external_id", "tax_id", "name"),
        lines=reach_lines("account_id"),
        menu=Menu.MAIN,
    )
    name: Stored[str] = text(N_("Name"), searchable=True, width=220)
    account_number: Stored[str | None] = text(N_("Account number"), length=40, searchable=True)
    parent_id: Stored[int | None] = link(N_("Parent account"), "account.id")
    primary_contact_id: Stored[int | None] = loose_link(N_("Primary contact"), "contact")
    relationship_type: Stored[str | None] = choice(N_("Type"), RelationshipType, free=True)
    industry: Stored[str | None] = text(N_("Industry"), length=120)
    tax_id: Stored[str | None] = text(N_("Tax id"), length=40, searchable=True)
    trade_register: Stored[str | None] = text(N_("Trade register number"), length=60)
    website: Stored[str | None] = url(N_("Website"))
    name_key: Stored[str | None] = sought_by(N_("Name without legal form"))
    tax_key: Stored[str | None] = sought_by(N_("Tax id without country"))
    domain: Stored[str | None] = text(
        N_("Mail domain"),
        length=120,
        help=N_("Mail from this domain belongs to the account. Taken from the website when empty."),
    )
    employees: Stored[int | None] = integer(N_("Employees"))
    founded_year: Stored[int | None] = integer(N_("Founded in"))
    currency_id: Stored[int | None] = link(N_("Currency"), "currency.id")
    annual_revenue: Stored[Decimal | None] = money(N_("Annual revenue"), currency="currency")
    rating: Stored[str | None] = choice(N_("Rating"), Rating, free=True)
    price_list_id: Stored[int | None] = link(N_("Price list"), "price_list.id")
    payment_terms: Stored[str | None] = text(N_("Payment terms"), length=120)
    credit_limit: Stored[Decimal | None] = money(
        N_("Credit limit"), currency="currency", level=Level.CONFIDENTIAL
    )
    language: Stored[str | None] = text(
        N_("Language of documents"), length=8, help=N_("en or ro; quotes are printed in it.")
    )
    state: Stored[str] = choice(N_("State"), ActiveState, default=ActiveState.ACTIVE)
    description: Stored[str | None] = multiline(N_("Description"))


class Contact(Titled, Tagged, Reachable, Consents, Owned, Base):
    """Person we deal with."""

    __tablename__ = "contact"
    __table_args__ = (
        *owned("contact", "modified_at"),
        Index("ix_contact_account_id", "account_id"),
        *sparse("contact", "merged_into", "manager_id", "assistant_id", "originating_lead_id"),
        live("contact", "name_key"),
    )
    __entity__ = EntityMeta(
        key="contact",
        label=N_("Contact"),
        plural=N_("Contacts"),
        icon="people",
        title="full_name",
        subtitle="job_title",
        columns=("full_name", "account", "job_title", "email", "phone", "city", "owner"),
        form=(
            Section(
                N_("Person"),
                (
                    ("first_name", "last_name"),
                    ("salutation", "middle_name", "suffix"),
                    ("account", "job_title"),
                    ("department", "role"),
                    ("owner", "state"),
                    "tags",
                ),
                tab=N_("General"),
            ),
            Section(N_("Contact"), ("emails", "phones", "addresses", "website")),
            Section(
                N_("More"),
                (
                    ("birthday", "anniversary"),
                    ("manager", "assistant"),
                    "source",
                    ("do_not_email", "do_not_phone", "do_not_bulk"),
                    "description",
                ),
                tab=N_("More"),
            ),
        ),
        natural_key=("external_id", "email"),
        lines=reach_lines("contact_id"),
        menu=Menu.MAIN,
    )
    full_name: Stored[str] = text(
        N_("Name"), searchable=True, read_only=True, personal=True, width=200
    )
    salutation: Stored[str | None] = text(N_("Salutation"), length=40)
    first_name: Stored[str | None] = text(N_("First name"), length=100, personal=True)
    middle_name: Stored[str | None] = text(N_("Middle name"), length=100, personal=True)
    last_name: Stored[str | None] = text(N_("Last name"), length=100, personal=True)
    suffix: Stored[str | None] = text(N_("Suffix"), length=40)
    name_key: Stored[str | None] = sought_by(N_("Name, last name first"))
    account_id: Stored[int | None] = link(N_("Account"), "account.id")
    job_title: Stored[str | None] = text(N_("Job title"), length=120)
    department: Stored[str | None] = text(N_("Department"), length=120)
    role: Stored[str | None] = choice(N_("Role"), ContactRole, free=True)
    manager_id: Stored[int | None] = link(N_("Manager"), "contact.id")
    assistant_id: Stored[int | None] = link(N_("Assistant"), "contact.id")
    birthday: Stored[date | None] = day(N_("Birthday"), personal=True)
    anniversary: Stored[date | None] = day(N_("Anniversary"), personal=True)
    website: Stored[str | None] = url(N_("Website"))
    source: Stored[str | None] = text(N_("Source"), length=60)
    originating_lead_id: Stored[int | None] = loose_link(
        N_("Originating lead"), "lead", read_only=True
    )
    state: Stored[str] = choice(N_("State"), ActiveState, default=ActiveState.ACTIVE)
    description: Stored[str | None] = multiline(N_("Description"))


class Reach:
    """The record an address or number belongs to: exactly one of the three."""

    type: Stored[str] = choice(N_("Type"), ReachType, default=ReachType.WORK)
    is_primary: Stored[bool] = boolean(N_("Primary"))
    account_id: Stored[int | None] = link(N_("Account"), "account.id", cascade=True)
    contact_id: Stored[int | None] = link(N_("Contact"), "contact.id", cascade=True)
    lead_id: Stored[int | None] = link(N_("Lead"), "lead.id", cascade=True)


def _reach_indexes(table: str) -> tuple[Index, ...]:
    return tuple(Index(f"ix_{table}_{c}", c) for c in ("account_id", "contact_id", "lead_id"))


class EmailAddress(Tracked, Reach, Base):
    """One e-mail address of a record, as it is compared."""

    __tablename__ = "email_address"
    __table_args__ = (
        *_reach_indexes("email_address"),
        Index("ix_email_address_address", "address"),
        Index("ix_email_address_domain", "domain"),
    )
    __entity__ = EntityMeta(
        key="email_address",
        label=N_("E-mail address"),
        plural=N_("E-mail addresses"),
        icon="mail",
        title="address",
        columns=("address", "type", "account", "contact", "lead", "is_primary"),
        form=(
            Section(
                N_("E-mail address"),
                ("address", ("type", "is_primary"), ("account", "contact"), "lead", "is_invalid"),
            ),
        ),
        parent=("account", "contact", "lead"),
    )
    address: Stored[str] = email(N_("Address"), searchable=True, personal=True, width=230)
    domain: Stored[str | None] = text(N_("Domain"), length=190, read_only=True)
    is_invalid: Stored[bool] = boolean(N_("Undeliverable"))


class Phone(Tracked, Reach, Base):
    """One phone number of a record."""

    __tablename__ = "phone"
    __table_args__ = (*_reach_indexes("phone"), Index("ix_phone_canonical", "canonical"))
    __entity__ = EntityMeta(
        key="phone",
        label=N_("Phone"),
        plural=N_("Phones"),
        icon="call",
        title="number",
        columns=("number", "type", "account", "contact", "lead", "is_primary"),
        form=(
            Section(
                N_("Phone"), ("number", ("type", "is_primary"), ("account", "contact"), "lead")
            ),
        ),
        parent=("account", "contact", "lead"),
    )
    number: Stored[str] = phone(N_("Number"), searchable=True, personal=True, width=180)
    canonical: Stored[str | None] = text(N_("Canonical number"), length=20, read_only=True)


class PostalAddress(Tracked, Reach, Base):
    """One postal address of a record."""

    __tablename__ = "postal_address"
    __table_args__ = _reach_indexes("postal_address")
    __entity__ = EntityMeta(
        key="postal_address",
        label=N_("Address"),
        plural=N_("Addresses"),
        icon="location",
        title="street",
        columns=("type", "street", "postal_code", "city", "country", "account", "contact"),
        form=(
            Section(
                N_("Address"),
                (
                    ("type", "is_primary"),
                    "street",
                    ("postal_code", "city"),
                    ("region", "country"),
                    ("account", "contact"),
                    "lead",
                ),
            ),
        ),
        parent=("account", "contact", "lead"),
    )
    street: Stored[str | None] = text(N_("Street"), personal=True)
    postal_code: Stored[str | None] = text(N_("Postal code"), length=20, personal=True)
    city: Stored[str | None] = text(N_("City"), length=120)
    region: Stored[str | None] = text(N_("Region"), length=120)
    country: Stored[str | None] = text(N_("Country"), length=120)
