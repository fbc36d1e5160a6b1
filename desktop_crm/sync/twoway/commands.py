"""Categories set on the phone that are commands: done once here, undone like any other step."""

from __future__ import annotations

import logging
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, exists, or_, select

from desktop_crm.core import clock
from desktop_crm.core.errors import CrmError, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.core.identity import new_uid
from desktop_crm.core.text import fold
from desktop_crm.models import Activity, Contact, Link, Mailbox, MailboxItem, Stage
from desktop_crm.models.activity import REGARDING, ActivityKind, LinkState
from desktop_crm.models.mail import ItemState, MailboxKind
from desktop_crm.models.opportunity import OpportunityState
from desktop_crm.services import closing, records, undo
from desktop_crm.services.changes import NOTHING, ChangeSet
from desktop_crm.services.closing import Closing
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import filing
from desktop_crm.services.operation import operation
from desktop_crm.services.rules.mailboxes import Command, commands_of
from desktop_crm.sync import outbox_rows
from desktop_crm.sync.mapping import plain
from desktop_crm.sync.outbox_rows import Reason
from desktop_crm.sync.twoway import rows, shown
from desktop_crm.sync.twoway.rows import Settings
from desktop_crm.sync.writes import Ability, Mark, Ref, WritableMailbox

_log = logging.getLogger(__name__)

_ITEM: Final = MailboxItem.__table__
_NINE: Final = 9


NOTHING_TO_TRACK: Final = N_("“{category}”: no record was found that this may belong to.")
NOT_ONE_DEAL: Final = N_(
    "“{category}”: it belongs to no open opportunity, or to several; nothing was closed."
)
NO_AMOUNT: Final = N_("“{category}”: the opportunity has no amount; nothing was closed.")
NO_STAGE: Final = N_("“{category}”: there is no stage for what is won; nothing was closed.")
DONE: Final = N_("The command of the category “{category}” was carried out.")


def _said_by_others() -> ColumnElement[bool]:
    """Meetings of other organizers in calendars that keep no categories of the user's own.

    There they are part of the invitation, so that anybody could command by sending one.
    """
    meeting, box = Activity.__table__, Mailbox.__table__
    shared = (MailboxKind.IMAP.value, MailboxKind.FOLDER.value)
    return (
        exists()
        .where(
            meeting.c.id == _ITEM.c.activity_id,
            meeting.c.kind == ActivityKind.APPOINTMENT.value,
            meeting.c.is_organizer.is_(False),
            box.c.id == _ITEM.c.mailbox_id,
            box.c.kind.in_(shared),
        )
        .correlate(_ITEM)
    )


def _told(entry: str) -> tuple[str, str]:
    """Category of a command that was carried out, and the step that taking it away undoes."""
    name, _line, step = entry.partition("\n")
    return name, step


def _entries(done: Mapping[str, str]) -> list[str]:
    return sorted(f"{name}\n{step}" if step else name for name, step in done.items())


@dataclass(slots=True)
class CommandPass:
    """Carries out the commands of one mailbox's items.

    Attributes:
        changes: what was written, for the windows.
        ordered: how many categories are to be taken away.
    """

    actor: Actor
    mailbox: int
    port: object
    chosen: Settings
    changes: ChangeSet = NOTHING
    ordered: int = 0

    def run(self) -> None:
        """Look at every item with categories; one statement when nothing is new."""
        wanted = commands_of(self.chosen.commands)
        if not wanted:
            return
        with self.actor.db.reading() as connection:
            found = connection.execute(
                select(
                    _ITEM.c.id,
                    _ITEM.c.folder,
                    _ITEM.c.item_key,
                    _ITEM.c.categories,
                    _ITEM.c.commands_done,
                    _ITEM.c.activity_id,
                    _ITEM.c.contact_id,
                    _ITEM.c.identity,
                    _ITEM.c.order_id,
                ).where(
                    _ITEM.c.mailbox_id == self.mailbox,
                    _ITEM.c.state == ItemState.STORED.value,
                    _ITEM.c.categories.is_not(None) | _ITEM.c.commands_done.is_not(None),
                    or_(
                        _ITEM.c.activity_id.is_not(None),
                        _ITEM.c.contact_id.is_not(None),
                        rows.is_shown(),
                    ),
                    ~_said_by_others(),
                )
            ).all()
            items = shown.with_records(connection, self.actor, found)
        for row in items:
            here = {fold(name): name for name in row.categories or ()}
            done = dict(_told(entry) for entry in row.commands_done or ())
            stays = {name: step for name, step in done.items() if name in here}
            for name in sorted(set(done) - set(here)):
                self._untrack(done[name])
            new = sorted((set(here) & set(wanted)) - set(done))
            if len(stays) < len(done):
                self._keep(row.id, stays)
            gone: set[str] = set()
            for name in new:
                if self._one(row, here[name], wanted[name], stays, gone):
                    gone.add(name)

    def _untrack(self, step: str) -> None:
        """The category of a tracked message was taken away: its filing is, too, the mail stays.

        What a person decided about it since is left as it is (R30).
        """
        if not step:
            return
        try:
            self.changes = self.changes.merge(undo.undo(self.actor, step))
        except CrmError as error:
            _log.info("what a command filed stays: %s", error.template)

    def _keep(self, row: int, done: Mapping[str, str]) -> None:
        with self.actor.db.writing() as connection:
            values = {"commands_done": _entries(done) or None}
            rows.keep(connection, row, values, self.actor.user_id)

    def _one(
        self,
        row: Any,  # noqa: ANN401  a row
        category: str,
        command: Command,
        done: dict[str, str],
        gone: set[str],
    ) -> bool:
        """Carry out one command and note it among those done; False when it could not be."""
        problem, step = "", ""
        if command is not Command.CALL_BACK:
            # Both can be done twice without harm, so they come before they are said to be done.
            try:
                found = self._track(row) if command is Command.TRACK else self._win(row)
                self.changes = self.changes.merge(found)
                if command is Command.TRACK and self.chosen.keep_category:
                    step = found.operation
            except CrmError as error:
                _log.info("command %s of item %d: %s", command, row.id, error.template)
                problem = tr(error.template, **{"category": category, **error.params})
        with operation(self.actor, source="sync") as work:
            if command is Command.CALL_BACK:
                work.create("activity", self._call(work.connection, row))
            done[fold(category)] = step
            values = {
                "commands_done": _entries(done),
                "reason": plain(problem, 500) or None,
            }
            rows.keep(work.connection, row.id, values, self.actor.user_id)
            if not problem:
                self._take_away(work.connection, row, category, {*gone, fold(category)})
        self.changes = self.changes.merge(work.report)
        return not problem

    def _take_away(
        self,
        connection: Connection,
        row: Any,  # noqa: ANN401  a row
        category: str,
        gone: set[str],
    ) -> None:
        """Order that the category goes, with those before it, unless it is to stay."""
        port = self.port
        able = isinstance(port, WritableMailbox) and Ability.CATEGORIES in port.abilities
        if self.chosen.keep_category or not able:
            return
        left = tuple(name for name in row.categories if fold(name) not in gone)
        outbox_rows.insert(
            connection,
            self.mailbox,
            Mark(new_uid(), Ref(row.folder, row.item_key), categories=left),
            why=Reason(DONE, (("category", category),)),
            activity=row.activity_id,
        )
        self.ordered += 1

    def _track(self, row: Any) -> ChangeSet:  # noqa: ANN401  a row
        table = Link.__table__
        with self.actor.db.reading() as connection:
            links = connection.execute(
                select(table.c.id, table.c.state)
                .where(table.c.activity_id == row.activity_id, table.c.deleted_at.is_(None))
                .order_by(table.c.confidence.desc(), table.c.id)
            ).all()
        if any(link.state == LinkState.LINKED.value for link in links):
            return NOTHING
        first = next((x.id for x in links if x.state == LinkState.SUGGESTED.value), None)
        if first is None:
            raise UserError(NOTHING_TO_TRACK)
        return filing.accept(self.actor, row.activity_id, first)

    def _win(self, row: Any) -> ChangeSet:  # noqa: ANN401  a row
        with self.actor.db.reading() as connection:
            deals = self._deals(connection, row)
            stage = connection.execute(
                select(Stage.id)
                .where(Stage.state == OpportunityState.WON.value, Stage.deleted_at.is_(None))
                .order_by(Stage.position, Stage.id)
                .limit(1)
            ).scalar()
        if stage is None:
            raise UserError(NO_STAGE)
        open_ = []
        for deal in deals:
            state = records.get(self.actor, "opportunity", deal).values.get("state")
            if state == OpportunityState.WON.value and len(deals) == 1:
                return NOTHING
            open_ += [deal] if state == OpportunityState.OPEN.value else []
        if len(open_) != 1:
            raise UserError(NOT_ONE_DEAL)
        known = closing.facts(self.actor, open_[0], stage)
        if known.amount is None:
            raise UserError(NO_AMOUNT)
        return closing.close(self.actor, known, Closing(known.today, known.amount))

    @staticmethod
    def _deals(connection: Connection, row: Any) -> list[int]:  # noqa: ANN401  a row
        table = Link.__table__
        found = connection.execute(
            select(table.c.record_id).where(
                table.c.activity_id == row.activity_id,
                table.c.record_type == "opportunity",
                table.c.state == LinkState.LINKED.value,
                table.c.deleted_at.is_(None),
            )
        )
        return sorted(set(found.scalars()))

    def _call(self, connection: Connection, row: Any) -> dict[str, Any]:  # noqa: ANN401  a row
        """A call for tomorrow morning about what the item is about."""
        tomorrow = clock.now().astimezone(self.actor.zone) + timedelta(days=1)
        due = datetime(tomorrow.year, tomorrow.month, tomorrow.day, _NINE, tzinfo=self.actor.zone)
        about = self._about(connection, row)
        return {
            "kind": ActivityKind.PHONE_CALL.value,
            "subject": tr("Call back: {subject}", subject=about.pop("title"))[:400],
            "due_at": due,
            "owner": self.chosen.user,
            **about,
        }

    @staticmethod
    def _about(connection: Connection, row: Any) -> dict[str, Any]:  # noqa: ANN401  a row
        if row.activity_id is None:
            own = Contact.__table__
            person = connection.execute(
                select(own.c.full_name, own.c.account_id).where(own.c.id == row.contact_id)
            ).one()
            return {
                "title": person.full_name,
                "contact": row.contact_id,
                "account": person.account_id,
            }
        table = Activity.__table__
        columns = [table.c[f"{name}_id"].label(name) for name in REGARDING]
        about = connection.execute(
            select(table.c.subject, *columns).where(table.c.id == row.activity_id)
        ).one()
        named = {name: getattr(about, name) for name in REGARDING}
        return {"title": about.subject, **named}
