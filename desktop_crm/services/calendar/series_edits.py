"""Changing a series: this occurrence, this and the following ones, or all; each one step of undo.

One occurrence that differs becomes an activity of its own, a left-out one a date of the series.
"This and following" parts the series in two: the old one ends before, a new one goes on. Moving
all keeps what was said about single dates: left-out and changed occurrences follow the series.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import select

from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid
from desktop_crm.core.recurrence import first_by_rule, walls
from desktop_crm.core.recurrence_pattern import (
    Shift,
    parts_of,
    shifted,
    with_count,
    with_until,
)
from desktop_crm.meta import registry
from desktop_crm.models import Activity, ActivityParty
from desktop_crm.services import line_rows, writer
from desktop_crm.services.calendar import series
from desktop_crm.services.calendar.series import Series
from desktop_crm.services.changes import ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.operation import Operation, operation
from desktop_crm.services.permissions import row_clause
from desktop_crm.services.records import Change

Values = Mapping[str, Any]

NO_SERIES: Final = N_("This series does not exist any more. Nothing was changed.")
NO_DATE: Final = N_("This recurrence gives no date at all. Choose other days; nothing was changed.")
NO_OCCURRENCE: Final = N_("This date is no longer part of the series. Nothing was changed.")

_OWN: Final = frozenset({
    "id", "uid", "version", "created_at", "created_by", "modified_at", "modified_by",
    "deleted_at", "merged_into", "import_batch", "external_id", "source_system", "search_text",
    "title_key", "name_key", "ical_uid", "recurrence_id", "recurrence_rule",
    "recurrence_exceptions", "occurred_at", "completed_at", "remind_at", "parties",
})  # fmt: skip
"""Fields that an occurrence or the rest of a parted series does not take over."""

_TIMES: Final = frozenset({
    "start_at", "end_at", "is_all_day", "time_zone", "recurrence_rule", "duration_minutes",
})  # fmt: skip


class Reach(StrEnum):
    """How much of a series is meant."""

    THIS = "this"
    FOLLOWING = "following"
    ALL = "all"


@dataclass(frozen=True, slots=True)
class Edited:
    """What became of a change; `activity` is the record that now stands for what was meant."""

    activity: int
    changes: ChangeSet


def change(actor: Actor, activity: int, original: datetime, reach: Reach, values: Values) -> Edited:
    """Change occurrences of a series.

    Args:
        actor: who acts.
        activity: the series, or a changed occurrence of it.
        original: start of the occurrence that was taken hold of, as the rule gives it.
        reach: how much is meant.
        values: by field name; `start_at` and `end_at` are those the occurrence shall have, the
            others follow. Empty values part the series and change nothing else.

    Raises:
        UserError: the rule cannot follow, or the date is no longer part of it.
        PermissionDenied, ValidationFailed: as for every record.
    """
    with operation(actor) as work:
        edit = _Edit(work, activity, original)
        if reach is Reach.THIS:
            key = edit.this(values)
        elif reach is Reach.ALL or edit.is_first:
            key = edit.all(values)
        else:
            key = edit.following(values)
    return Edited(key, work.report)


def delete(actor: Actor, activity: int, original: datetime, reach: Reach) -> ChangeSet:
    """Delete occurrences of a series; see :func:`change` for the arguments and errors."""
    with operation(actor) as work:
        edit = _Edit(work, activity, original)
        if reach is Reach.THIS:
            edit.leave_out()
        elif reach is Reach.ALL or edit.is_first:
            work.remove("activity", [edit.series.key, *edit.changed])
        else:
            edit.end_before()
    return work.report


class _Edit:
    """One change of one series, inside an open operation."""

    def __init__(self, work: Operation, activity: int, original: datetime) -> None:
        self._work = work
        self._entity = registry.get("activity")
        row = self._load([activity]).get(activity)
        master = row if row is not None and row["recurrence_rule"] else self._master_of(row)
        found = None if master is None else series.of_row(master, work.actor.zone)
        if master is None or found is None or master["deleted_at"] is not None:
            raise NotFound(NO_SERIES)
        self._master = master
        self.series = found
        self.wall = found.wall(original)
        self.uid: str | None = master["ical_uid"]
        self.changed: dict[int, dict[str, Any]] = self._changed()

    # --- reading -------------------------------------------------------------------------

    def _load(self, ids: list[int]) -> dict[int, dict[str, Any]]:
        return writer.load(self._work.work("activity"), ids)

    def _master_of(self, row: Values | None) -> dict[str, Any] | None:
        if row is None or not row["ical_uid"] or not row["recurrence_id"]:
            return None
        statement = select(Activity.id).where(
            Activity.ical_uid == row["ical_uid"],
            Activity.recurrence_rule.is_not(None),
            Activity.deleted_at.is_(None),
        )
        rights = row_clause(self._work.actor, self._entity, Activity.__table__, "read")
        if rights is not None:
            statement = statement.where(rights)
        key = self._work.connection.execute(statement.order_by(Activity.id)).scalar()
        return None if key is None else self._load([key])[key]

    def _changed(self) -> dict[int, dict[str, Any]]:
        if not self.uid:
            return {}
        statement = select(Activity.id).where(
            Activity.ical_uid == self.uid,
            Activity.recurrence_id.is_not(None),
            Activity.deleted_at.is_(None),
        )
        return self._load(list(self._work.connection.execute(statement).scalars()))

    def _walls_before(self) -> list[datetime]:
        own = self.series
        return walls(own.rule, own.first, own.zone, self.wall)

    @property
    def is_first(self) -> bool:
        """Whether the rule gives no occurrence before this one."""
        return not self._walls_before()

    def _instance(self) -> dict[str, Any] | None:
        """The record of this occurrence, when it is one of its own."""
        return next(
            (
                row
                for row in self.changed.values()
                if self.series.named(row["recurrence_id"]) == self.wall
            ),
            None,
        )

    def _copied(self, row: Values) -> dict[str, Any]:
        fields = self._entity.fields
        found = {
            name: value
            for name, value in row.items()
            if name in fields and name not in _OWN and not fields[name].read_only
        }
        parties = registry.get("activity_party")
        columns = {
            name: bound.column for name, bound in parties.stored.items() if bound.column is not None
        }
        kept = [name for name in columns if name not in line_rows.KEPT and name != "activity"]
        statement = select(*(columns[name] for name in kept)).where(
            ActivityParty.activity_id == row["id"], ActivityParty.deleted_at.is_(None)
        )
        rows = self._work.connection.execute(statement.order_by(ActivityParty.id))
        found["parties"] = [dict(zip(kept, one, strict=True)) for one in rows]
        return found

    # --- this one ------------------------------------------------------------------------

    def this(self, values: Values) -> int:
        """Let this occurrence be what it should be; the key of its record."""
        instance = self._instance()
        if instance is not None:
            self._work.change("activity", instance["id"], values)
            return int(instance["id"])
        self._must_be_there()
        start = self.series.instant(self.wall)
        uid = self._uid()
        copied = self._copied(self._master)
        if "state" in values:
            # The reason follows the new state, not the other way round.
            copied.pop("status_reason", None)
        return self._work.create(
            "activity",
            {
                **copied,
                "start_at": start,
                "end_at": start + self.series.length,
                "ical_uid": uid,
                "recurrence_id": self.series.name_of(self.wall),
                **values,
            },
        )

    def _must_be_there(self) -> None:
        start = self.series.instant(self.wall)
        if not any(one.wall == self.wall for one in self.series.between(start, start + _MOMENT)):
            raise UserError(NO_OCCURRENCE)

    def _uid(self) -> str:
        """The name that ties changed occurrences to the series; given when it has none yet."""
        if self.uid is None:
            self.uid = f"{new_uid()}@desktop-crm"
            self._work.change("activity", self.series.key, {"ical_uid": self.uid})
        return self.uid

    def leave_out(self) -> None:
        """Take this occurrence out of the series."""
        instance = self._instance()
        if instance is not None:
            self._work.remove("activity", [instance["id"]])
        else:
            self._must_be_there()
        names = [*(self._master["recurrence_exceptions"] or ()), self.series.name_of(self.wall)]
        self._work.change("activity", self.series.key, {"recurrence_exceptions": names})

    # --- all -----------------------------------------------------------------------------

    def all(self, values: Values) -> int:
        """Change the series as a whole."""
        plan = self._plan(values)
        self._work.change("activity", self.series.key, {**values, **plan.values})
        self._carry_over(list(self.changed.values()), plan, values)
        return self.series.key

    def _plan(self, values: Values) -> _Plan:
        """What the series becomes when its occurrence gets these values."""
        given = "recurrence_rule" in values
        rule = values["recurrence_rule"] if given else self.series.rule
        old = self.series.instant(self.wall)
        start = values.get("start_at", old)
        end = values.get("end_at", start + self.series.length)
        frame = {**self._master, **values, "start_at": start, "end_at": end}
        if not rule:
            single = {"recurrence_rule": None, "recurrence_exceptions": None}
            return _Plan({**single, "start_at": start, "end_at": end}, None, None)
        frame["recurrence_rule"] = rule
        after = series.of_row(frame, self._work.actor.zone)
        assert after is not None  # noqa: S101  it has a rule and a start
        new = after.wall(start)
        if given:
            days = (new.date() - self.wall.date()).days
            begin = datetime.combine(self.series.first.date() + timedelta(days=days), new.time())
            shift = Shift(rule, begin, days, new.time())
        else:
            shift = shifted(rule, self.series.first, self.wall, new)
            rule = self._ended(shift, after)
        first = _first_by_rule(rule, shift.first, after)
        strays = self._strays(shift, rule, after.wall(first), self.series.first)
        if strays and "COUNT" in parts_of(rule):
            rule = with_count(rule, int(parts_of(rule)["COUNT"]) + len(strays))
        moved = {
            "start_at": first,
            "end_at": first + (end - start),
            "recurrence_rule": rule,
        }
        after = series.of_row({**frame, **moved}, self._work.actor.zone)
        assert after is not None  # noqa: S101  as before
        names = [after.name_of(shift.follow(wall)) for wall in self._left_out()]
        names += [after.name_of(wall) for wall in strays if after.name_of(wall) not in names]
        return _Plan({**moved, "recurrence_exceptions": names or None}, shift, after)

    def _left_out(self) -> list[datetime]:
        texts = self._master["recurrence_exceptions"] or ()
        found = (self.series.named(str(text)) for text in texts)
        return [wall for wall in found if wall is not None]

    def _strays(
        self, shift: Shift, rule: str, begin: datetime, old_begin: datetime
    ) -> list[datetime]:
        """Dates of the first week that a rule gives and none of the old ones became.

        They come up when one weekday moves behind another in a week that began between them.
        """
        if shift.weekday is None:
            return []
        week = timedelta(days=7)
        own = self.series
        meant = {
            shift.follow(wall)
            for wall in walls(own.rule, own.first, own.zone, old_begin + 3 * week)
            if wall >= old_begin
        }
        return [wall for wall in walls(rule, begin, own.zone, begin + week) if wall not in meant]

    def _ended(self, shift: Shift, after: Series) -> str:
        """The shifted rule with its end, which follows the series, too."""
        parts = parts_of(self.series.rule)
        if "UNTIL" not in parts:
            return shift.rule
        last = self.series.last()
        if last is None:
            return shift.rule
        wall = shift.follow(self.series.wall(last))
        return with_until(shift.rule, wall.date() if after.zone is None else after.instant(wall))

    def _carry_over(self, rows: list[dict[str, Any]], plan: _Plan, values: Values) -> None:
        """Let changed occurrences follow; those that no longer fall on a date go."""
        changes: list[Change] = []
        gone: list[int] = []
        for row in rows:
            wall = self.series.named(row["recurrence_id"])
            target = plan.target(wall)
            if target is None or plan.after is None:
                gone.append(row["id"])
                continue
            same = {
                name: value
                for name, value in values.items()
                if name not in _TIMES
                and name in self._master
                and row.get(name) == self._master[name]
            }
            same["recurrence_id"] = plan.after.name_of(target)
            same["ical_uid"] = plan.uid or self.uid
            changes.append(Change(row["id"], None, same))
        self._work.save_many("activity", changes)
        self._work.remove("activity", gone)

    # --- this and following --------------------------------------------------------------

    def following(self, values: Values) -> int:
        """Part the series before this occurrence and change the rest; the key of the rest."""
        before = self._walls_before()
        plan = self._plan(values)
        rest = dict(plan.values)
        shift_to = values.get("start_at", self.series.instant(self.wall))
        if plan.after is not None and plan.shift is not None:
            rule = rest["recurrence_rule"]
            parts = parts_of(rule)
            if "COUNT" in parts and "recurrence_rule" not in values:
                rule = with_count(
                    rule, max(1, int(parts_of(self.series.rule)["COUNT"]) - len(before))
                )
            begin = _first_by_rule(rule, self._rest_begins(plan, shift_to), plan.after)
            strays = self._strays(plan.shift, rule, plan.after.wall(begin), self.wall)
            if strays and "COUNT" in parts_of(rule):
                rule = with_count(rule, int(parts_of(rule)["COUNT"]) + len(strays))
            length = rest["end_at"] - rest["start_at"]
            rest.update(start_at=begin, end_at=begin + length, recurrence_rule=rule)
        split = self.wall
        mine, theirs = [], []
        for text in self._master["recurrence_exceptions"] or ():
            wall = self.series.named(str(text))
            if wall is not None and wall >= split:
                theirs.append(wall)
            else:
                mine.append(text)
        if plan.after is not None and plan.shift is not None:
            gone = dict.fromkeys([*(plan.shift.follow(wall) for wall in theirs), *strays])
            names = [plan.after.name_of(wall) for wall in gone]
            rest["recurrence_exceptions"] = names or None
        uid = f"{new_uid()}@desktop-crm"
        later = [row for row in self.changed.values() if self._is_later(row)]
        created = self._work.create(
            "activity", {**self._copied(self._master), **values, **rest, "ical_uid": uid}
        )
        self._end(before, mine)
        self._carry_over(later, plan.named(uid, rest, self._work.actor), values)
        return created

    def _rest_begins(self, plan: _Plan, start: datetime) -> datetime:
        """Earliest wall-clock time at which the rest may begin."""
        assert plan.after is not None  # noqa: S101  asked of series alone
        own, shift = self.series, plan.shift
        assert shift is not None  # noqa: S101  the same
        soon = [
            wall
            for wall in walls(own.rule, own.first, own.zone, self.wall + timedelta(days=7))
            if wall >= self.wall
        ]
        if shift.weekday is None:
            return plan.after.wall(start)
        return min(shift.follow(wall) for wall in soon)

    def _is_later(self, row: Values) -> bool:
        wall = self.series.named(row["recurrence_id"])
        return wall is not None and wall >= self.wall

    def end_before(self) -> None:
        """Let the series end before this occurrence."""
        names = [
            text
            for text in self._master["recurrence_exceptions"] or ()
            if (wall := self.series.named(str(text))) is None or wall < self.wall
        ]
        self._work.remove(
            "activity", [key for key, row in self.changed.items() if self._is_later(row)]
        )
        self._end(self._walls_before(), names)

    def _end(self, before: list[datetime], names: list[str]) -> None:
        rule = self.series.rule
        if "COUNT" in parts_of(rule):
            rule = with_count(rule, len(before))
        else:
            last = before[-1]
            zone = self.series.zone
            rule = with_until(rule, last.date() if zone is None else self.series.instant(last))
        values = {"recurrence_rule": rule, "recurrence_exceptions": names or None}
        self._work.change("activity", self.series.key, values)


@dataclass(frozen=True, slots=True)
class _Plan:
    """What a series becomes.

    Attributes:
        values: of its record.
        shift: how its other dates follow; None when it stops repeating.
        after: the series then; None when it stops repeating.
        uid: calendar id its changed occurrences get; empty for the one they have.
    """

    values: dict[str, Any]
    shift: Shift | None
    after: Series | None
    uid: str = ""

    def target(self, wall: datetime | None) -> datetime | None:
        """Where an original start lies afterwards; None when the rule gives no such date."""
        if wall is None or self.shift is None or self.after is None:
            return None
        moved = self.shift.follow(wall)
        start = self.after.instant(moved)
        return moved if moved in self.after.by_rule(start, start + _MOMENT) else None

    def named(self, uid: str, values: dict[str, Any], actor: Actor) -> _Plan:
        """The plan for the rest of a parted series, with its own calendar id."""
        after = None
        if self.after is not None:
            frame = {
                "id": 0,
                "is_all_day": self.after.zone is None,
                "time_zone": self.after.clock.key,
                **values,
            }
            after = series.of_row(frame, actor.zone)
        return _Plan(values, self.shift, after, uid)


_MOMENT: Final = timedelta(seconds=1)


def _first_by_rule(rule: str, wall: datetime, like: Series) -> datetime:
    """Instant of the first date at or after a wall-clock time that a rule gives."""
    found = first_by_rule(rule, wall, like.zone)
    if found is None:
        raise UserError(NO_DATE)
    return like.instant(found)
