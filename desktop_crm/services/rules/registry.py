"""Which rules each entity has; one place, read by the writer."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from desktop_crm.services.drafts import Rules
from desktop_crm.services.mail import sharing
from desktop_crm.services.rules import (
    accounts,
    activities,
    addresses,
    cases,
    connections,
    contacts,
    currencies,
    customizing,
    documents,
    keeping,
    mail_templates,
    mailboxes,
    opportunities,
    quote_rules,
    reminding,
    users,
    views,
)

_NONE: Final = Rules()

RULES: Final[Mapping[str, Rules]] = {
    "account": Rules(
        before=(accounts.mail_domain, accounts.own_parent, accounts.one_tax_id),
        after_remove=(accounts.still_one_tax_id,),
        before_purge=(keeping.parties_of_issued_quotes,),
    ),
    "contact": Rules(
        before=(contacts.full_name,), before_purge=(keeping.parties_of_issued_quotes,)
    ),
    "document": Rules(
        before=(documents.own_bytes,), before_purge=(keeping.files_of_issued_quotes,)
    ),
    "lead": Rules(before=(contacts.full_name, contacts.lead_state)),
    "opportunity": Rules(
        before=(opportunities.stage_rules,),
        after=(opportunities.stage_history,),
        put_back=(opportunities.stage_history,),
    ),
    "activity": Rules(
        before=(activities.state_and_time,),
        after=(
            activities.links_of_regarding,
            reminding.next_reminder,
            reminding.of_the_series,
        ),
        put_back=(
            activities.links_put_back,
            reminding.next_reminder,
            reminding.of_the_series,
        ),
        after_remove=(reminding.of_the_series,),
        before_purge=(keeping.activities_on_their_way,),
    ),
    "case": Rules(before=(cases.state_and_status, cases.own_parent, cases.minutes, cases.numbers)),
    "mail_template": Rules(before=(mail_templates.whole_placeholders,)),
    "quote": Rules(before=(quote_rules.complete,), before_purge=(keeping.issued_quotes,)),
    "quote_line": Rules(after=(quote_rules.recalculate,), after_remove=(quote_rules.recalculate,)),
    "link": Rules(
        after=(sharing.links_changed,),
        put_back=(sharing.links_changed,),
        after_remove=(sharing.links_changed,),
    ),
    "connection": Rules(before=(connections.two_records,)),
    "custom_field": Rules(
        before=(customizing.only_administrators, customizing.own_field),
        put_back=(customizing.fold_later,),
        before_remove=(customizing.only_administrators,),
        before_purge=(keeping.custom_fields,),
    ),
    "choice_option": Rules(
        before=(customizing.only_administrators, customizing.choice_value),
        before_remove=(customizing.only_administrators,),
    ),
    "form_layout": Rules(
        before=(customizing.only_administrators, customizing.form_layout),
        before_remove=(customizing.only_administrators,),
    ),
    "currency": Rules(before=(currencies.code,)),
    "email_address": Rules(before=(addresses.email_domain,)),
    "phone": Rules(before=(addresses.canonical_phone,)),
    "saved_view": Rules(before=(views.first_for_all,)),
    "mailbox": Rules(before=(mailboxes.known_commands, mailboxes.by_its_user)),
    "filing_rule": Rules(before=(mailboxes.rules_by_its_user,)),
    "user": Rules(
        before=(users.languages, users.administrators),
        before_remove=(users.last_administrator,),
        before_purge=(keeping.users_with_deeds,),
    ),
    "role": Rules(
        before=(users.only_administrators, users.administrator_role),
        before_remove=(users.only_administrators, users.administrator_role),
    ),
    "role_right": Rules(
        before=(users.only_administrators,), before_remove=(users.only_administrators,)
    ),
}


def rules_of(entity: str) -> Rules:
    """Rules of an entity; none for most."""
    return RULES.get(entity, _NONE)
