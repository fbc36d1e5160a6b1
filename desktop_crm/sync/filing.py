"""Rules people set about a thread, sender, folder, category or domain (M6).

They are asked after threads and reference numbers and before anybody's address, and only about
what is new: what a person linked by hand they never touch.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from sqlalchemy import Connection, select

from desktop_crm.core.text import email_domain, fold
from desktop_crm.models import FilingRule
from desktop_crm.models.filing import FilingKind
from desktop_crm.sync.current import Record, current_records

Key = tuple[FilingKind, str]


@dataclass(frozen=True, slots=True)
class Rule:
    """Where mail goes; `records` is empty where it is never filed."""

    shown: str
    records: tuple[Record, ...]

    @property
    def is_never(self) -> bool:
        """Whether such mail belongs to no record."""
        return not self.records


def rules_of(connection: Connection, mailbox: int) -> dict[Key, Rule]:
    """The rules of a mailbox by what they look at; two statements, a few more for merged records.

    A rule whose record was deleted says nothing any more.
    """
    table = FilingRule.__table__
    rows = connection.execute(
        select(
            table.c.kind, table.c.value, table.c.shown, table.c.record_type, table.c.record_id
        ).where(table.c.mailbox_id == mailbox, table.c.deleted_at.is_(None))
    ).all()
    named = {(row.record_type, row.record_id) for row in rows if row.record_id is not None}
    now = current_records(connection, named) if named else {}
    found: dict[Key, Rule] = {}
    for row in rows:
        records = now.get((row.record_type, row.record_id), ())
        if row.record_id is None or records:
            found[FilingKind(row.kind), row.value] = Rule(row.shown, records)
    return found


def first_rule(
    rules: Mapping[Key, Rule],
    *,
    threads: tuple[str, ...],
    people: tuple[str, ...],
    labels: tuple[str, ...],
) -> Rule | None:
    """The rule that decides: of the thread, then a sender, a folder or category, a domain.

    Args:
        rules: all rules of the mailbox.
        threads: keys the thread is known by.
        people: addresses of the correspondents.
        labels: names of the folder and the categories.

    Mail to several people belongs nowhere only when a rule says so of each of them.
    """
    if not rules:
        return None
    for key in threads:
        if (rule := rules.get((FilingKind.THREAD, key))) is not None:
            return rule
    by_sender = [rules.get((FilingKind.SENDER, person)) for person in people]
    by_domain = [_of_domain(rules, person) for person in people]
    if (rule := _of_people(by_sender)) is not None:
        return rule
    for label in labels:
        if (rule := rules.get((FilingKind.CATEGORY, fold(label)))) is not None:
            return rule
    return _of_people([one or other for one, other in zip(by_sender, by_domain, strict=True)])


def _of_people(found: list[Rule | None]) -> Rule | None:
    filing = next((rule for rule in found if rule is not None and not rule.is_never), None)
    if filing is not None or not found or any(rule is None for rule in found):
        return filing
    return found[0]


def _of_domain(rules: Mapping[Key, Rule], address: str) -> Rule | None:
    return next(
        (
            rule
            for domain in domains_above(email_domain(address))
            if (rule := rules.get((FilingKind.DOMAIN, domain))) is not None
        ),
        None,
    )


def domains_above(domain: str) -> Iterator[str]:
    """A domain and those it lies below, the nearest first."""
    while domain:
        yield domain
        domain = domain.partition(".")[2]
