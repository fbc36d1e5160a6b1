"""Converting a lead into account, contact and opportunity (R24, R25)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.core import clock
from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.text import fold
from desktop_crm.meta import kinds, registry
from desktop_crm.meta.bound import BoundField
from desktop_crm.models import Link
from desktop_crm.models.activity import LinkState
from desktop_crm.models.lead import LeadReason, LeadState
from desktop_crm.services import checks, records, writer
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.customizing.columns import PREFIX
from desktop_crm.services.duplicates.candidates import Candidate, candidates
from desktop_crm.services.operation import Operation, operation
from desktop_crm.services.permissions import knows

_PERSON: Final = ("salutation", "first_name", "last_name", "job_title", "website", "source")
_COMPANY: Final = ("industry", "employees", "website")
_REACH: Final = ("emails", "phones", "addresses")
_CONSENTS: Final = ("do_not_email", "do_not_phone", "do_not_bulk")
_CHILD_KEYS: Final = frozenset(
    {"id", "uid", "version", "created_at", "created_by", "modified_at", "modified_by",
     "deleted_at", "lead", "account", "contact", "domain", "canonical"}
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ConversionWish:
    """What a lead shall become.

    Attributes:
        account: Existing account to use; None makes one when the lead names a company.
        contact: Existing contact to use; None makes one when the lead names a person.
        opportunity: Whether to make an opportunity.
    """

    account: int | None = None
    contact: int | None = None
    opportunity: bool = True


@dataclass(frozen=True, slots=True)
class Converted:
    """What a lead became."""

    account: int | None
    contact: int | None
    opportunity: int | None
    changes: ChangeSet


@dataclass(frozen=True, slots=True)
class Matches:
    """Existing records the lead may already be, the likeliest first."""

    accounts: tuple[Candidate, ...]
    contacts: tuple[Candidate, ...]


def matches(actor: Actor, lead_id: int) -> Matches:
    """Find existing accounts and contacts by everything the lead says of company and person.

    An address alone never decides (R26): a person chooses.
    """
    lead = records.get(actor, "lead", lead_id)
    found = candidates(actor, "lead", {**lead.values, **lead.lines}, lead_id, limit=40)
    known = [one for one in found if one.id is not None]
    return Matches(
        tuple(one for one in known if one.entity == "account"),
        tuple(one for one in known if one.entity == "contact"),
    )


def convert(actor: Actor, lead_id: int, wish: ConversionWish) -> Converted:
    """Convert a lead in one transaction; undone as one step.

    An existing account or contact only gets its empty fields filled. Fields of one's own go along
    where they have the same label and kind there. Activities and mail of the lead are linked to
    what it became; the lead stays, qualified, and points there.

    Raises:
        UserError: It was converted already, or names neither a company nor a person.
        PermissionDenied: The user may not create or change one of the records.
    """
    lead = records.get(actor, "lead", lead_id)
    if lead.values.get("converted_at") is not None:
        raise UserError(N_("This lead was converted already. Nothing was changed."))
    with operation(actor) as op:
        account = _account(op, lead, wish.account)
        contact = _contact(op, lead, wish.contact, account)
        if account is None and contact is None:
            raise UserError(
                N_("A lead needs a company or a person to be converted. Nothing was changed."),
                field="company",
            )
        opportunity = _opportunity(op, lead, account, contact) if wish.opportunity else None
        became = {"account": account, "contact": contact, "opportunity": opportunity}
        op.change(
            "lead",
            lead_id,
            {
                "state": LeadState.QUALIFIED.value,
                "status_reason": LeadReason.QUALIFIED.value,
                "converted_account": account,
                "converted_contact": contact,
                "converted_opportunity": opportunity,
                "converted_at": clock.now(),
            },
        )
        _carry_activities(op, lead_id, became)
    return Converted(account, contact, opportunity, op.report)


def _copied(lead: records.RecordValues, names: tuple[str, ...]) -> dict[str, Any]:
    return {name: lead.values[name] for name in names if lead.values.get(name) not in (None, "")}


def _own(actor: Actor, lead: records.RecordValues, target: str) -> dict[str, Any]:
    """What the lead holds in fields of one's own that the target has too, by label and kind."""
    there = {fold(field.label): field for field in _own_fields(target) if knows(actor, field)}
    found: dict[str, Any] = {}
    for field in _own_fields("lead"):
        twin, value = there.get(fold(field.label)), lead.values.get(field.name)
        alike = twin is not None and (twin.kind, twin.target) == (field.kind, field.target)
        if twin is None or not alike or value in (None, "", False):
            continue
        if field.kind is kinds.CHOICE:
            # Each list has codes of its own; what a person chose is the label.
            label = fold(field.labels.get(value, ""))
            value = next((code for code, text in twin.offered if fold(text) == label), None)
            if value is None:
                continue
        found[twin.name] = value
    return found


def _own_fields(entity: str) -> Iterator[BoundField]:
    return (f for name, f in registry.get(entity).fields.items() if name.startswith(PREFIX))


def _reach(lead: records.RecordValues) -> dict[str, list[dict[str, Any]]]:
    return {
        name: [
            {k: v for k, v in row.items() if k not in _CHILD_KEYS and not k.endswith(".title")}
            for row in lead.lines.get(name, ())
        ]
        for name in _REACH
        if lead.lines.get(name)
    }


def _account(op: Operation, lead: records.RecordValues, existing: int | None) -> int | None:
    company = lead.values.get("company")
    facts = _copied(lead, _COMPANY) | _own(op.actor, lead, "account")
    if existing is not None:
        _fill_empty(op, "account", existing, facts)
        return existing
    if not company:
        return None
    reach = _reach(lead)
    reach.pop("emails", None)  # the address is the person's
    return op.create(
        "account", {"name": company, **facts, **reach, "owner": lead.values.get("owner")}
    )


def _contact(
    op: Operation, lead: records.RecordValues, existing: int | None, account: int | None
) -> int | None:
    facts = _copied(lead, _PERSON) | _own(op.actor, lead, "contact")
    if existing is not None:
        _fill_empty(op, "contact", existing, {**facts, "account": account})
        return existing
    if not (facts.get("first_name") or facts.get("last_name") or lead.values.get("email")):
        return None
    consents = {name: bool(lead.values.get(name)) for name in _CONSENTS}
    return op.create(
        "contact",
        {
            **facts,
            **consents,
            **_reach(lead),
            "account": account,
            "originating_lead": lead.id,
            "owner": lead.values.get("owner"),
        },
    )


def _opportunity(
    op: Operation, lead: records.RecordValues, account: int | None, contact: int | None
) -> int:
    values = lead.values
    return op.create(
        "opportunity",
        {
            "name": values["subject"],
            "account": account,
            "contact": contact,
            "amount": values.get("est_amount"),
            "currency": values.get("currency"),
            "close_on": values.get("est_close_on"),
            "source": values.get("source"),
            "need": values.get("need"),
            "originating_lead": lead.id,
            "owner": values.get("owner"),
            **_own(op.actor, lead, "opportunity"),
        },
    )


def _fill_empty(op: Operation, entity: str, record_id: int, facts: Mapping[str, Any]) -> None:
    stands = writer.load(op.work(entity), [record_id]).get(record_id, {})
    missing = {k: v for k, v in facts.items() if v is not None and stands.get(k) in (None, "")}
    if missing:
        op.change(entity, record_id, missing)


def _carry_activities(op: Operation, lead_id: int, became: Mapping[str, int | None]) -> None:
    """Link the lead's activities and mail to what it became; links of the lead stay."""
    linked = op.connection.execute(
        select(Link.activity_id).where(
            Link.record_type == "lead",
            Link.record_id == lead_id,
            Link.state == LinkState.LINKED,
        )
    ).scalars()
    work = op.work("activity")
    reached = checks.reachable(work, list(linked), "edit")
    targets = {name: key for name, key in became.items() if key is not None}
    op.save_many("activity", [records.Change(key, None, targets) for key in sorted(reached)])
