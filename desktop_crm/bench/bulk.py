"""Changing 10,000 records: against a plain UPDATE with its audit rows, and who waits meanwhile."""

from __future__ import annotations

import itertools
import json
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from desktop_crm.bench.ground import Ground
from desktop_crm.bench.rows import Row, compared, pair, unmeasured
from desktop_crm.services import query, undo
from desktop_crm.services.bulk import edits
from desktop_crm.services.bulk.edits import FieldEdit, Mode
from desktop_crm.services.bulk.job import BulkReport, Targets
from desktop_crm.services.query import RecordQuery

MANY: Final = 10_000
_FIRST: Final = 50_000
_RUNS: Final = 5
_LONGEST_WAIT_S: Final = 0.5
AMONG: Final = {
    "sqlite": "id IN (SELECT value FROM json_each(?))",
    "postgresql": "id = ANY(?)",
}
UPDATE: Final = """UPDATE contact SET source = ?, version = version + 1,
 modified_at = @now@, modified_by_id = 1 WHERE @among@"""
AUDIT: Final = """INSERT INTO audit_entry
 (at, by_id, operation, entity, record_id, version, action, source, changes)
 VALUES (@now@, 1, ?, 'contact', ?, 2, 'update', 'bulk', ?)"""
NOW: Final = {"sqlite": "datetime('now')", "postgresql": "now()"}
_KEEP: Final = "CREATE TEMPORARY TABLE kept AS SELECT * FROM contact WHERE @among@"
_PUT_BACK: Final = """UPDATE contact SET source = kept.source, version = kept.version,
 modified_at = kept.modified_at, modified_by_id = kept.modified_by_id
 FROM kept WHERE kept.id = contact.id"""


def edit(ground: Ground) -> list[Row]:
    """Both rows; afterwards the file is as it was."""
    ids = list(query.keys(ground.everything, RecordQuery("contact", ("full_name",))))
    ids = ids[_FIRST : _FIRST + MANY]
    numbers = itertools.count()

    def ours() -> BulkReport:
        wish = FieldEdit("source", Mode.SET, f"Bulk {next(numbers)}")
        return edits.edit(ground.everything, Targets("contact", ids), [wish])

    def by_hand() -> None:
        _by_hand(ground, ids, f"Bulk {next(numbers)}")

    def there_and_back() -> None:
        undo.undo(ground.everything, ours().operation)

    operation = f"bulk edit of {MANY:,} contacts with rights, rules, audit and undo"
    with _as_it_was(ground, ids):
        report = ours()
        if report.done != MANY:
            return [unmeasured("bulk", operation, "not every record was changed", ground.database)]
        undo.undo(ground.everything, report.operation)
        measured = pair(ours, by_hand, _RUNS)
        waits = [_longest_wait(ground, there_and_back) for _ in range(3)]
    waited = sorted(waits)[1]
    reason = "" if waited <= _LONGEST_WAIT_S else "longer than half a second"
    other = "longest wait of another writer during a bulk edit and its undo"
    wait = Row("bulk wait", ground.database, other, waited, None, None, _LONGEST_WAIT_S, not reason)
    return [
        compared("bulk", operation, measured, 5, database=ground.database),
        replace(wait, reason=reason),
    ]


def _among(ground: Ground, ids: Sequence[int]) -> object:
    return json.dumps(ids) if ground.database == "sqlite" else list(ids)


def spelled(ground: Ground, statement: str) -> str:
    """A statement in the words of the ground's database."""
    whole = statement.replace("@among@", AMONG[ground.database])
    return whole.replace("@now@", NOW[ground.database])


def _by_hand(ground: Ground, ids: Sequence[int], value: str) -> None:
    audited = json.dumps({"source": ["Bulk", value]})
    ground.run("BEGIN IMMEDIATE" if ground.database == "sqlite" else "BEGIN")
    ground.run(spelled(ground, UPDATE), (value, _among(ground, ids)))
    ground.run_many(spelled(ground, AUDIT), [(value, key, audited) for key in ids])
    ground.run("COMMIT")


@contextmanager
def _as_it_was(ground: Ground, ids: Sequence[int]) -> Iterator[None]:
    """Put the records and the audit trail back afterwards: other benchmarks read them."""
    ((last,),) = ground.fetch("SELECT coalesce(max(id), 0) FROM audit_entry")
    ground.run(spelled(ground, _KEEP), (_among(ground, ids),))
    try:
        yield
    finally:
        ground.run(_PUT_BACK)
        ground.run("DROP TABLE kept")
        ground.run("DELETE FROM audit_entry WHERE id > ?", (last,))


def _longest_wait(ground: Ground, work: Callable[[], object]) -> float:
    """Longest time another connection needs for the lock of a small change while work runs."""
    waits: list[float] = [0.0]
    finished = threading.Event()

    def write_now_and_then() -> None:
        while not finished.is_set():
            started = time.perf_counter()
            with ground.db.writing() as connection:
                connection.exec_driver_sql("UPDATE stage SET position = position WHERE id = 1")
                waits.append(time.perf_counter() - started)
            time.sleep(0.005)

    other = threading.Thread(target=write_now_and_then)
    other.start()
    try:
        work()
    finally:
        finished.set()
        other.join()
    return max(waits)
