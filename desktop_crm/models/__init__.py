"""Declared classes, one for each table; importing the package registers them in menu order."""

from __future__ import annotations

from desktop_crm.meta import registry
from desktop_crm.models.activity import Activity, ActivityParty, Link
from desktop_crm.models.base import Base
from desktop_crm.models.case import Case
from desktop_crm.models.company import (
    BankAccount,
    Currency,
    ExchangeRate,
    NumberSequence,
    OwnCompany,
)
from desktop_crm.models.customizing import ChoiceOption, CustomField, FormLayout
from desktop_crm.models.duplicate import DuplicatePair, MergeLog
from desktop_crm.models.filing import FilingRule
from desktop_crm.models.lead import Lead
from desktop_crm.models.mail import (
    Mailbox,
    MailboxItem,
    MailMessage,
    MailTemplate,
    SyncState,
    SyncStrike,
)
from desktop_crm.models.marking import Connection, ConnectionRole, RecordMark, Tag
from desktop_crm.models.office import (
    AuditEntry,
    Document,
    DocumentContent,
    ImportBatch,
    SavedView,
)
from desktop_crm.models.opportunity import Opportunity, OpportunityLine, Stage, StageHistory
from desktop_crm.models.outbox import OutboxContent, OutboxItem
from desktop_crm.models.party import Account, Contact, EmailAddress, Phone, PostalAddress
from desktop_crm.models.product import PriceList, PriceListItem, Product, TaxCode, TaxRate, Unit
from desktop_crm.models.quote import Quote, QuoteLine
from desktop_crm.models.user import Role, RoleRight, Team, User

MODELS: tuple[type[Base], ...] = (
    Contact,
    Account,
    Lead,
    Opportunity,
    Activity,
    Product,
    Quote,
    Case,
    Stage,
    TaxCode,
    PriceList,
    Unit,
    Currency,
    NumberSequence,
    Tag,
    ConnectionRole,
    MailTemplate,
    User,
    Team,
    Role,
    Mailbox,
    OwnCompany,
    BankAccount,
    EmailAddress,
    Phone,
    PostalAddress,
    OpportunityLine,
    StageHistory,
    ActivityParty,
    Link,
    MailMessage,
    MailboxItem,
    SyncState,
    SyncStrike,
    FilingRule,
    OutboxItem,
    OutboxContent,
    PriceListItem,
    TaxRate,
    ExchangeRate,
    QuoteLine,
    RoleRight,
    Document,
    DocumentContent,
    SavedView,
    CustomField,
    ChoiceOption,
    FormLayout,
    Connection,
    RecordMark,
    DuplicatePair,
    MergeLog,
    ImportBatch,
    AuditEntry,
)

registry.install(MODELS)

__all__ = [
    "MODELS",
    "Account",
    "Activity",
    "ActivityParty",
    "AuditEntry",
    "BankAccount",
    "Base",
    "Case",
    "ChoiceOption",
    "Connection",
    "ConnectionRole",
    "Contact",
    "Currency",
    "CustomField",
    "Document",
    "DocumentContent",
    "DuplicatePair",
    "EmailAddress",
    "ExchangeRate",
    "FilingRule",
    "FormLayout",
    "ImportBatch",
    "Lead",
    "Link",
    "MailMessage",
    "MailTemplate",
    "Mailbox",
    "MailboxItem",
    "MergeLog",
    "NumberSequence",
    "Opportunity",
    "OpportunityLine",
    "OutboxContent",
    "OutboxItem",
    "OwnCompany",
    "Phone",
    "PostalAddress",
    "PriceList",
    "PriceListItem",
    "Product",
    "Quote",
    "QuoteLine",
    "RecordMark",
    "Role",
    "RoleRight",
    "SavedView",
    "Stage",
    "StageHistory",
    "SyncState",
    "SyncStrike",
    "Tag",
    "TaxCode",
    "TaxRate",
    "Team",
    "Unit",
    "User",
]
