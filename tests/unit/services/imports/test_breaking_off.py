"""An import that ends in the middle."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.services import query, records, undo
from desktop_crm.services.query import RecordQuery

if TYPE_CHECKING:
    from desktop_crm.services.context import Actor
    from tests.unit.services.imports.conftest import Take


def objects(actor: Actor, entity: str, *columns: str) -> list[dict[str, object]]:
    return query.objects(actor, RecordQuery(entity, columns))


@pytest.mark.parametrize("interrupted", [False, True])
def test_an_import_that_breaks_off_says_what_stands(
    actor: Actor,
    take: Take,
    monkeypatch: pytest.MonkeyPatch,
    interrupted: bool,
) -> None:
    whole = records.save_many
    calls: list[int] = []

    def save_many(*args: Any, **options: Any) -> records.SavedMany:
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt if interrupted else EnvironmentProblem("The disk is full.")
        return whole(*args, **options)

    monkeypatch.setattr(records, "save_many", save_many)
    text = "Name\n" + "".join(f"Company {n}\n" for n in range(700))
    with pytest.raises(EnvironmentProblem) as told:
        take("account", text)
    reason = "The work was stopped." if interrupted else "The disk is full."
    assert str(told.value).startswith("The import ended after 500 of 700 rows.")
    assert str(told.value).endswith(reason)
    monkeypatch.undo()
    (batch,) = objects(actor, "import_batch", "id", "state", "created_count")
    assert (batch["state"], batch["created_count"]) == ("stopped", 500)
    _, again = take("account", text)
    assert (again.created, again.same) == (200, 500)
    undo.undo_batch(actor, int(str(batch["id"])))
    assert len(objects(actor, "account", "name")) == 200
