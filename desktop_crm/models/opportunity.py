"""Opportunities, their stages and how they moved."""

from __future__ import annotations

from datetime import date, datetime
from decimal import Decimal

from sqlalchemy import Index

from desktop_crm.core.i18n import N_
from desktop_crm.meta.columns import (
    Stored,
    boolean,
    choice,
    day,
    integer,
    link,
    loose_link,
    moment,
    money,
    multiline,
    percent,
    quantity,
    text,
)
from desktop_crm.meta.field import Choice, EntityMeta, Lines, Menu, Section, Tone
from desktop_crm.models.base import (
    Base,
    Owned,
    PartialIndex,
    Tagged,
    Titled,
    Tracked,
    live,
    owned,
    sparse,
    titled,
)
from desktop_crm.models.lead import Source


class OpportunityState(Choice):
    """Few states that drive behaviour; the stage says which."""

    OPEN = "open", N_("Open"), Tone.INFO
    WON = "won", N_("Won"), Tone.OK
    LOST = "lost", N_("Lost"), Tone.BAD


class ForecastCategory(Choice):
    """How surely a deal counts (R20)."""

    PIPELINE = "pipeline", N_("Pipeline"), Tone.NEUTRAL
    BEST_CASE = "best_case", N_("Best case"), Tone.INFO
    COMMIT = "commit", N_("Commit"), Tone.WARN
    CLOSED = "closed", N_("Closed"), Tone.OK
    OMITTED = "omitted", N_("Omitted"), Tone.BAD


class OpportunityType(Choice):
    """Whose business it is."""

    NEW = "new", N_("New business")
    EXISTING = "existing", N_("Existing business")


class Stage(Titled, Base):
    """Step of the sales process."""

    __tablename__ = "stage"
    __table_args__ = titled("stage", "position")
    __entity__ = EntityMeta(
        key="stage",
        label=N_("Stage"),
        plural=N_("Stages"),
        icon="data_trending",
        title="name",
        columns=("position", "name", "state", "probability", "forecast_category", "is_active"),
        form=(
            Section(
                N_("Stage"),
                (
                    ("name", "position"),
                    ("state", "probability"),
                    ("forecast_category", "is_active"),
                ),
            ),
        ),
        order="position",
        natural_key=("code", "name"),
        menu=Menu.SETUP,
        reference=True,
    )
    name: Stored[str] = text(N_("Name"), length=80, searchable=True)
    code: Stored[str | None] = text(N_("Code"), length=60)
    state: Stored[str] = choice(N_("State"), OpportunityState, default=OpportunityState.OPEN)
    probability: Stored[Decimal] = percent(N_("Default probability"), default=Decimal(0))
    forecast_category: Stored[str] = choice(
        N_("Forecast category"), ForecastCategory, default=ForecastCategory.PIPELINE
    )
    position: Stored[int] = integer(N_("Position"), default=0)
    is_active: Stored[bool] = boolean(N_("Active"), default=True)


class Opportunity(Titled, Tagged, Owned, Base):
    """Possible sale."""

    __tablename__ = "opportunity"
    __table_args__ = (
        *owned("opportunity", "close_on", "modified_at"),
        Index("ix_opportunity_account_id", "account_id"),
        Index("ix_opportunity_contact_id", "contact_id"),
        # Covers the pipeline totals: they are answered from the index alone.
        PartialIndex(
            "ix_opportunity_pipeline",
            "stage_id",
            "state",
            "currency_id",
            "owner_id",
            "forecast_category",
            "amount",
            "probability",
            "deleted_at",
            rows="deleted_at IS NULL",
        ),
        live("opportunity", "stage_id", "title_key"),
        *sparse("opportunity", "merged_into", "product_id", "originating_lead_id"),
    )
    __entity__ = EntityMeta(
        key="opportunity",
        label=N_("Opportunity"),
        plural=N_("Opportunities"),
        icon="data_trending",
        title="name",
        subtitle="account",
        columns=("name", "account", "stage", "amount", "probability", "close_on", "owner"),
        form=(
            Section(
                N_("Opportunity"),
                (
                    "name",
                    ("account", "contact"),
                    ("stage", "probability"),
                    ("amount", "currency"),
                    ("close_on", "forecast_category"),
                    ("owner", "type"),
                    ("source", "next_step"),
                    "tags",
                ),
                tab=N_("General"),
            ),
            Section(
                N_("Products"),
                (("price_list", "is_system_calculated"), "lines"),
                tab=N_("Products"),
            ),
            Section(
                N_("Details"),
                ("need", "proposed_solution", "competitors", "description"),
                tab=N_("Details"),
            ),
            Section(
                N_("Close"),
                (
                    ("state", "opened_on"),
                    ("closed_on", "actual_revenue"),
                    "close_reason",
                ),
            ),
        ),
        natural_key=("external_id",),
        lines=(
            Lines(
                "lines",
                N_("Products"),
                "opportunity_line",
                "opportunity_id",
                ("product", "description", "quantity", "unit_price"),
            ),
        ),
        menu=Menu.MAIN,
    )
    name: Stored[str] = text(N_("Name"), searchable=True, width=240)
    account_id: Stored[int | None] = link(N_("Account"), "account.id")
    contact_id: Stored[int | None] = link(N_("Contact"), "contact.id")
    stage_id: Stored[int] = link(N_("Stage"), "stage.id")
    last_open_stage_id: Stored[int | None] = link(
        N_("Last open stage"), "stage.id", read_only=True, hidden=True
    )
    state: Stored[str] = choice(
        N_("State"), OpportunityState, default=OpportunityState.OPEN, read_only=True
    )
    probability: Stored[Decimal | None] = percent(N_("Probability"))
    is_probability_overridden: Stored[bool] = boolean(
        N_("Probability was set by hand"), read_only=True, hidden=True
    )
    forecast_category: Stored[str | None] = choice(N_("Forecast category"), ForecastCategory)
    currency_id: Stored[int | None] = link(N_("Currency"), "currency.id")
    amount: Stored[Decimal | None] = money(N_("Amount"), currency="currency")
    is_system_calculated: Stored[bool] = boolean(
        N_("Amount from products"), help=N_("The amount is the sum of the product lines.")
    )
    actual_revenue: Stored[Decimal | None] = money(N_("Actual revenue"), currency="currency")
    close_on: Stored[date | None] = day(N_("Estimated close"))
    opened_on: Stored[date | None] = day(N_("Opened on"))
    closed_on: Stored[date | None] = day(N_("Closed on"))
    close_reason: Stored[str | None] = text(N_("Close reason"))
    type: Stored[str | None] = choice(N_("Type"), OpportunityType, free=True)
    source: Stored[str | None] = choice(N_("Source"), Source, free=True)
    price_list_id: Stored[int | None] = link(N_("Price list"), "price_list.id")
    product_id: Stored[int | None] = link(N_("Product"), "product.id", copy_of=("lines", "product"))
    next_step: Stored[str | None] = text(N_("Next step"))
    need: Stored[str | None] = multiline(N_("Need"))
    proposed_solution: Stored[str | None] = multiline(N_("Proposed solution"))
    competitors: Stored[str | None] = text(N_("Competitors"))
    originating_lead_id: Stored[int | None] = loose_link(
        N_("Originating lead"), "lead", read_only=True
    )
    description: Stored[str | None] = multiline(N_("Description"))


class OpportunityLine(Tracked, Base):
    """Product in an opportunity."""

    __tablename__ = "opportunity_line"
    __table_args__ = (
        Index("ix_opportunity_line_opportunity_id", "opportunity_id"),
        Index("ix_opportunity_line_product_id", "product_id"),
    )
    __entity__ = EntityMeta(
        key="opportunity_line",
        label=N_("Opportunity line"),
        plural=N_("Opportunity lines"),
        icon="box",
        title="description",
        columns=("opportunity", "position", "product", "description", "quantity", "unit_price"),
        form=(
            Section(
                N_("Line"),
                (
                    ("opportunity", "position"),
                    ("product", "description"),
                    ("quantity", "unit_price"),
                    "is_primary",
                ),
            ),
        ),
        parent=("opportunity",),
    )
    opportunity_id: Stored[int] = link(N_("Opportunity"), "opportunity.id", cascade=True)
    position: Stored[int] = integer(N_("Position"), default=1)
    product_id: Stored[int | None] = link(N_("Product"), "product.id")
    description: Stored[str | None] = text(N_("Description"))
    quantity: Stored[Decimal] = quantity(N_("Quantity"), default=Decimal(1))
    unit_price: Stored[Decimal | None] = money(N_("Unit price"), unit=True)
    is_primary: Stored[bool] = boolean(N_("Primary"))


class StageHistory(Base):
    """One move of an opportunity between stages; written once, never changed."""

    __tablename__ = "stage_history"
    __table_args__ = (Index("ix_stage_history_opportunity_id", "opportunity_id", "at"),)
    __entity__ = EntityMeta(
        key="stage_history",
        label=N_("Stage change"),
        plural=N_("Stage history"),
        icon="clock",
        title="at",
        columns=("at", "opportunity", "from_stage", "to_stage", "amount", "probability", "by"),
        order="-at",
        parent=("opportunity",),
    )
    opportunity_id: Stored[int] = link(N_("Opportunity"), "opportunity.id", cascade=True)
    from_stage_id: Stored[int | None] = link(N_("From stage"), "stage.id")
    to_stage_id: Stored[int] = link(N_("To stage"), "stage.id")
    amount: Stored[Decimal | None] = money(N_("Amount"))
    probability: Stored[Decimal | None] = percent(N_("Probability"))
    close_on: Stored[date | None] = day(N_("Estimated close"))
    forecast_category: Stored[str | None] = choice(N_("Forecast category"), ForecastCategory)
    at: Stored[datetime] = moment(N_("At"))
    by_id: Stored[int | None] = loose_link(N_("By"), "user")
    seconds_in_stage: Stored[int | None] = integer(N_("Seconds in the old stage"))
