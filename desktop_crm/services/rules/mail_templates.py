"""Rules of mail templates."""

from __future__ import annotations

from collections.abc import Sequence

from desktop_crm.core.i18n import N_
from desktop_crm.services.drafts import Draft, Work


def whole_placeholders(work: Work, drafts: Sequence[Draft]) -> None:
    """Refuse a text that could never be filled in: better when it is written than when needed."""
    # jinja2 is loaded when a template is written, not when records are.
    from desktop_crm.services.mail.templates import mistake

    for draft in drafts:
        for field in ("subject", "body"):
            line = mistake(draft.get(field) or "")
            if line:
                draft.fail(
                    field,
                    N_(
                        "A placeholder in line {line} is not complete. Write it in double braces, "
                        "like {{{{contact.first_name}}}}."
                    ),
                    line=line,
                )
