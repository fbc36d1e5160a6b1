"""Templates that could never be filled in are not kept."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_crm.core.errors import ValidationFailed
from desktop_crm.services import records
from desktop_crm.services.context import system_actor

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database


def test_a_placeholder_that_is_not_whole_is_refused_when_it_is_written(
    database: Database,
) -> None:
    actor = system_actor(database)
    known = {"name": "Letter", "kind": "letter", "language": "en"}
    with pytest.raises(ValidationFailed) as refused:
        records.save(actor, "mail_template", None, None, {**known, "body": "Dear\n{{contact."})
    (problem,) = refused.value.errors
    assert problem.field == "body"
    assert problem.message == (
        "A placeholder in line 2 is not complete. Write it in double braces, like "
        "{{contact.first_name}}."
    )
    records.save(actor, "mail_template", None, None, {**known, "body": "{{contact.first_name}}"})
