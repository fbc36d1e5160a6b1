"""The program as an organisation registered it in Microsoft 365: client id and tenant."""

from __future__ import annotations

import re
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_

ANY_TENANT: Final = "organizations"
"""Tenant of a program that is registered for the accounts of every organisation."""

_CLIENT: Final = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
_TENANT: Final = re.compile(r"[a-z0-9]+([.-][a-z0-9]+)*")


def registration(client_id: str, tenant: str) -> tuple[str, str]:
    """Client id and tenant as they are kept.

    Raises:
        UserError: one of them is missing or cannot be one; `field` names it.
    """
    client = client_id.strip().lower()
    if not client:
        raise UserError(
            N_(
                "Give the client id under which your organisation registered this program in "
                "Microsoft 365; its administrator knows it."
            ),
            field="client_id",
        )
    if not _CLIENT.fullmatch(client):
        raise UserError(
            N_(
                '"{client_id}" is no client id; it looks like 00000000-0000-0000-0000-000000000000.'
            ),
            field="client_id",
            client_id=client_id,
        )
    place = tenant.strip().lower() or ANY_TENANT
    if not _TENANT.fullmatch(place):
        raise UserError(
            N_('"{tenant}" is no tenant; write its id or a domain like company.com.'),
            field="tenant",
            tenant=tenant,
        )
    return client, place
