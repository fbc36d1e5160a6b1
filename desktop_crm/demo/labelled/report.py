"""How well mail is linked: the labelled messages go through the real sync and are compared."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from sqlalchemy import select

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_
from desktop_crm.demo.labelled.case_shapes import CASES
from desktop_crm.demo.labelled.decided_shapes import DECIDED
from desktop_crm.demo.labelled.hard_shapes import HARD
from desktop_crm.demo.labelled.office import Key, Office
from desktop_crm.demo.labelled.plain_shapes import PLAIN
from desktop_crm.demo.labelled.post import Clerk, Labelled
from desktop_crm.demo.story import DOMAIN
from desktop_crm.models import Link, MailMessage
from desktop_crm.models.activity import LinkState
from desktop_crm.services import records, setup
from desktop_crm.services.context import Actor, sign_in, system_actor
from desktop_crm.services.mail import filing_rules
from desktop_crm.services.operation import operation
from desktop_crm.sync.engine import Engine
from desktop_crm.sync.memory import INBOX, SENT, MemoryMailbox
from desktop_crm.sync.port import Address, FolderRole

SOURCE: Final = "labelled"
LOGIN: Final = "ana"


@dataclass(slots=True)
class Counts:
    """Links of some messages.

    Attributes:
        messages: how many there are.
        filed: links made without asking, those that are neither right nor wrong left out.
        filed_right: of these, how many are where the message belongs.
        wanted: records the messages belong to.
        found: of these, how many are linked or wait in the triage.
        wrong: filed wrongly: message, entity and key, for looking closer.
    """

    messages: int = 0
    filed: int = 0
    filed_right: int = 0
    wanted: int = 0
    found: int = 0
    wrong: list[tuple[str, str, int]] = field(default_factory=list)
    missed: list[tuple[str, str, int]] = field(default_factory=list)

    @property
    def precision_filed(self) -> float:
        """Share of the links made without asking that are right; 1 when there are none."""
        return self.filed_right / self.filed if self.filed else 1.0

    @property
    def recall_with_triage(self) -> float:
        """Share of the records the messages belong to that are linked or suggested."""
        return self.found / self.wanted if self.wanted else 1.0

    def count(self, one: Labelled, filed: frozenset[Key], suggested: frozenset[Key]) -> None:
        """Add one message."""
        judged = filed - (one.tolerated - one.truth)
        self.messages += 1
        self.filed += len(judged)
        self.filed_right += len(judged & one.truth)
        self.wanted += len(one.truth)
        self.found += len(one.truth & (filed | suggested))
        self.wrong += [(one.item.message_id, *key) for key in sorted(judged - one.truth)]
        self.missed += [
            (one.item.message_id, *key) for key in sorted(one.truth - filed - suggested)
        ]


@dataclass(frozen=True, slots=True)
class Report:
    """The whole set, and each shape of mail by itself."""

    whole: Counts
    shapes: dict[str, Counts]


def measure(url: str = "") -> Report:
    """Make the labelled office in a scratch database, sync its mail and compare; some seconds.

    Args:
        url: an empty database on a server; without one a file is made and removed.

    Raises:
        EnvironmentProblem: there is no room for the scratch database.
    """
    if url:
        return _closed(setup.create(url), None)
    try:
        with tempfile.TemporaryDirectory(prefix="desktop-crm-linking-") as folder:
            actor = setup.create(f"sqlite:///{Path(folder) / 'labelled.db'}", login=LOGIN)
            return _closed(actor, LOGIN)
    except OSError as error:
        raise EnvironmentProblem(
            N_("The scratch database could not be made: {reason}. Nothing was changed."),
            reason=error.strerror or error,
        ) from error


def _closed(actor: Actor, login: str | None) -> Report:
    try:
        return _measured(actor, login)
    finally:
        actor.db.close()


def _measured(actor: Actor, login: str | None) -> Report:
    user = actor.user_id or 0
    me = Address(f"ana@{DOMAIN}", "Ana")
    with operation(system_actor(actor.db), SOURCE) as work:
        work.change("user", user, {"email": me.address, "name": me.name})
        office = Office(work, user, me)
        clerk = Clerk(office)
        for shape in (*PLAIN, *HARD, *DECIDED, *CASES):
            clerk.shape = shape.__name__
            shape(office, clerk)
    mailbox = records.save(
        system_actor(actor.db),
        "mailbox",
        None,
        None,
        {"name": "labelled", "kind": "folder", "address": me.address, "path": ".",
         "user": user, "own_domains": DOMAIN},
    ).id  # fmt: skip
    actor = sign_in(actor.db, login)
    for kind, value, record in office.rules:
        filing_rules.add(actor, mailbox, kind, value, record)
    port = MemoryMailbox((INBOX, SENT))
    folders = {FolderRole.INBOX: INBOX, FolderRole.SENT: SENT}
    for stage in range(2):
        for one in sorted(clerk.written, key=lambda m: m.item.message_id):
            if one.stage == stage:
                port.put(folders[one.role], one.item)
        result = Engine(actor, mailbox, port).run()
        if result.problem is not None:
            raise result.problem
        if stage == 0:
            for deed in clerk.between:
                deed(actor)
    return _compared(actor, clerk.written)


def _compared(actor: Actor, written: list[Labelled]) -> Report:
    by_state: dict[tuple[str, str], set[Key]] = {}
    with actor.db.reading() as connection:
        rows = connection.execute(
            select(MailMessage.message_id, Link.state, Link.record_type, Link.record_id)
            .join(Link, Link.activity_id == MailMessage.activity_id)
            .where(Link.deleted_at.is_(None))
        )
        for row in rows:
            place = by_state.setdefault((row.message_id, row.state), set())
            place.add((row.record_type, row.record_id))
    report = Report(Counts(), {})
    for one in written:
        filed = frozenset(by_state.get((one.item.message_id, LinkState.LINKED.value), ()))
        offered = frozenset(by_state.get((one.item.message_id, LinkState.SUGGESTED.value), ()))
        for counts in (report.whole, report.shapes.setdefault(one.shape, Counts())):
            counts.count(one, filed, offered)
    return report
