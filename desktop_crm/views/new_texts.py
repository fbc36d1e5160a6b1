"""What the commands that make a record are called.

A sentence per entity, not a pattern: many languages bend "new" to the noun.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from desktop_crm.core.i18n import N_, tr

if TYPE_CHECKING:
    from desktop_crm.meta.bound import Entity

_NEW: Final = {
    "account": N_("New account"),
    "activity": N_("New activity"),
    "case": N_("New case"),
    "contact": N_("New contact"),
    "connection_role": N_("New connection role"),
    "currency": N_("New currency"),
    "lead": N_("New lead"),
    "number_sequence": N_("New number sequence"),
    "opportunity": N_("New opportunity"),
    "price_list": N_("New price list"),
    "product": N_("New product"),
    "quote": N_("New quote"),
    "role": N_("New role"),
    "stage": N_("New stage"),
    "tag": N_("New tag"),
    "tax_code": N_("New tax code"),
    "team": N_("New team"),
    "unit": N_("New unit"),
    "user": N_("New user"),
}


_NEW_OF_KIND: Final = {
    "task": N_("New task"),
    "phone_call": N_("New phone call"),
    "appointment": N_("New appointment"),
    "note": N_("New note"),
}


def new_record(entity: Entity, kind: object = "") -> str:
    """Caption of the command that makes a record, translated; also the title of its form.

    Args:
        entity: What is made.
        kind: Kind of activity when it is known from the start.
    """
    known = _NEW_OF_KIND.get(str(kind)) or _NEW.get(entity.key)
    return tr(known) if known else tr("New: {entity}", entity=tr(entity.label))
