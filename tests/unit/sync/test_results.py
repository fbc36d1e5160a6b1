from __future__ import annotations

from desktop_crm.services.changes import NOTHING, Changed, ChangeKind, ChangeSet
from desktop_crm.sync.results import TOLD, joined


def changed(kind: ChangeKind, first: int, count: int) -> ChangeSet:
    return ChangeSet("", (Changed("activity", frozenset(range(first, first + count)), kind),))


def test_a_long_pass_names_the_newest_records_and_stays_small() -> None:
    told = NOTHING
    for first in range(0, 10 * TOLD, 100):
        told = joined(told, changed(ChangeKind.CREATED, first, 100))
        assert len(told.ids("activity")) <= TOLD
    assert max(told.ids("activity")) == 10 * TOLD - 1
    assert told.touches("activity")


def test_what_was_changed_or_deleted_is_named_whole() -> None:
    told = joined(changed(ChangeKind.UPDATED, 0, TOLD), changed(ChangeKind.UPDATED, TOLD, TOLD))
    assert len(told.ids("activity")) == 2 * TOLD
