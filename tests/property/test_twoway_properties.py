"""Two sides and a base under random edits: both become equal, nothing is lost, nothing doubled."""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass, replace
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule, run_state_machine_as_test

from desktop_crm.sync.port import (
    Address,
    Attendee,
    ContactItem,
    MeetingItem,
    PostalAddress,
    Response,
    Role,
    Sensitivity,
    ShowAs,
    TaskItem,
)
from desktop_crm.sync.twoway.fields import Frame, TwoWayItem, Way
from desktop_crm.sync.twoway.kinds import (
    TABLES,
    Kind,
    fields_of_item,
    fields_of_record,
    onto_item,
    onto_record,
)
from desktop_crm.sync.twoway.merge import Base, decided, merge, written
from desktop_crm.sync.twoway.plan import Local, Pair, Remote, Side, Step, StepKind, decide
from desktop_crm.sync.writes import Notify, Ref, Save

FRAME = Frame(ZoneInfo("Europe/Bucharest"), "ro")
AT = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)

words = st.sampled_from(["", "Ofertă", "Vizită la fabrică", "a  b", "Roboți\r\nși brațe"])
addresses = st.sampled_from(["ion@client.example", "Lia@Nou.example", "max@x.example"])
moments = st.integers(0, 400).map(lambda hours: AT + dt.timedelta(hours=hours))
days = st.integers(0, 400).map(lambda n: dt.date(2026, 1, 1) + dt.timedelta(n))
categories = st.sampled_from([(), ("Client",), ("client", "VIP"), ("a, b",)])
attendees = st.dictionaries(
    addresses,
    st.tuples(
        st.sampled_from([Role.REQUIRED, Role.OPTIONAL, Role.RESOURCE]), st.sampled_from(Response)
    ),
    max_size=3,
).map(lambda d: tuple(Attendee(Address(a), role, answer) for a, (role, answer) in d.items()))


@st.composite
def meetings(draw: st.DrawFn) -> MeetingItem:
    all_day = draw(st.booleans())
    start: Any = draw(days if all_day else moments)
    length = dt.timedelta(days=1) if all_day else dt.timedelta(minutes=draw(st.integers(0, 90)))
    rule_text = draw(st.sampled_from(["", "FREQ=WEEKLY;COUNT=4", "FREQ=DAILY;INTERVAL=2;COUNT=3"]))
    exdates = draw(st.lists(st.integers(1, 3), max_size=2, unique=True)) if rule_text else []
    return MeetingItem(
        uid="u",
        start=start,
        end=start + length,
        subject=draw(words),
        location=draw(words),
        text=draw(words),
        zone="" if all_day else draw(st.sampled_from(["", "Europe/Bucharest", "Europe/Vienna"])),
        rrule=rule_text,
        exdates=tuple(start + dt.timedelta(weeks=n) for n in exdates),
        organizer=Attendee(Address("ana@firma.example"), Role.ORGANIZER),
        attendees=draw(attendees),
        show_as=draw(st.sampled_from(ShowAs)),
        cancelled=draw(st.integers(0, 9)) == 0,
        sensitivity=draw(st.sampled_from([Sensitivity.NORMAL] * 4 + [Sensitivity.PRIVATE])),
        categories=draw(categories),
        reminder_minutes=draw(st.sampled_from([None, 0, 15])),
    )


@st.composite
def tasks(draw: st.DrawFn) -> TaskItem:
    return TaskItem(
        uid="u",
        subject=draw(words),
        text=draw(words),
        start=draw(st.none() | days),
        due=draw(st.none() | days),
        rrule=draw(st.sampled_from(["", "FREQ=WEEKLY", "FREQ=MONTHLY;BYMONTHDAY=5;COUNT=4"])),
        categories=draw(categories),
        status=draw(
            st.sampled_from(["not_started", "in_progress", "completed", "waiting", "deferred"])
        ),
        importance=draw(st.sampled_from(["low", "normal", "high"])),
        sensitivity=draw(st.sampled_from([Sensitivity.NORMAL] * 4 + [Sensitivity.PRIVATE])),
    )


@st.composite
def contacts(draw: st.DrawFn) -> ContactItem:
    numbers = st.sampled_from(["0722 123 456", "+40 21 300 00 00", "0733111222"])
    places = st.sampled_from(["work", "home", "other"])
    return ContactItem(
        uid="u",
        first_name=draw(words),
        last_name=draw(words),
        job_title=draw(words),
        emails=tuple(Address(a) for a in draw(st.lists(addresses, max_size=3, unique=True))),
        phones=tuple(
            (draw(st.sampled_from(["work", "mobile", "home", "fax", "other"])), n)
            for n in draw(st.lists(numbers, max_size=3, unique=True))
        ),
        addresses=tuple(
            PostalAddress(kind, draw(words), city="Cluj")
            for kind in draw(st.lists(places, max_size=3, unique=True))
        ),
        birthday=draw(st.none() | days),
        text=draw(words),
    )


ITEMS: dict[Kind, st.SearchStrategy[Any]] = {
    Kind.MEETING: meetings(),
    Kind.TASK: tasks(),
    Kind.CONTACT: contacts(),
}
EMPTY: dict[Kind, TwoWayItem] = {
    Kind.MEETING: MeetingItem("u", AT, AT),
    Kind.TASK: TaskItem("u"),
    Kind.CONTACT: ContactItem("u"),
}


def same(kind: Kind, one: dict[str, Any], other: dict[str, Any]) -> list[str]:
    """Names of the fields in which two sides differ."""
    return [
        f.name
        for f in TABLES[kind].fields
        if f.name in one and f.name in other and not f.same(one[f.name], other[f.name])
    ]


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
def test_a_value_survives_the_way_to_a_record_and_back(kind: Kind, data: st.DataObject) -> None:
    item, other = data.draw(ITEMS[kind]), data.draw(ITEMS[kind])
    fields = fields_of_item(item)
    before = onto_record(kind, fields_of_item(other), {}, FRAME)
    record = {**before, **onto_record(kind, fields, before, FRAME)}
    back = fields_of_record(kind, record, FRAME)
    assert same(kind, fields, back) == []
    # What a record says nothing of (a task that was held) aside, everything is there.
    assert set(fields) - set(back) <= {"company"}


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data())
def test_a_value_survives_the_way_to_an_item_and_back(kind: Kind, data: st.DataObject) -> None:
    fields = fields_of_item(data.draw(ITEMS[kind]))
    other = data.draw(ITEMS[kind])
    back = fields_of_item(onto_item(other, fields))
    assert [n for n in same(kind, fields, back) if n != "answers"] == []


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data(), organizer=st.booleans())
def test_merging_twice_gives_nothing_more(kind: Kind, data: st.DataObject, organizer: bool) -> None:
    was, ours, theirs = (fields_of_item(data.draw(ITEMS[kind])) for _ in range(3))
    merged = merge(kind, Base(was, was), ours, theirs, organizer=organizer)
    for name, (mine, other) in merged.conflicts.items():
        assert name not in merged.to_local
        assert name not in merged.to_mailbox
        assert (mine, other) == (ours[name], theirs[name])
    for one in TABLES[kind].fields:
        name = one.name
        if one.way is not Way.BOTH or name not in ours or name not in theirs or name not in was:
            continue
        changed = not one.same(ours[name], was[name]), not one.same(theirs[name], was[name])
        if one.together is None and all(changed) and not one.same(ours[name], theirs[name]):
            mailbox_decides = one.organizer and not organizer
            assert (name in merged.to_local) == mailbox_decides
            assert (name in merged.conflicts) != mailbox_decides
        elif changed == (True, False):
            assert name in (
                merged.to_local if one.organizer and not organizer else merged.to_mailbox
            )
        elif changed == (False, True):
            assert merged.to_local[name] == theirs[name]
    local = {**ours, **merged.to_local}
    mailbox = {**theirs, **merged.to_mailbox}
    base = written(kind, merged.base, local, theirs, mailbox)
    again = merge(kind, base, local, mailbox, organizer=organizer)
    assert not again.to_local
    assert not again.to_mailbox
    assert set(again.conflicts) == set(merged.conflicts)


@pytest.mark.parametrize("kind", list(Kind))
@given(data=st.data(), mine=st.booleans())
def test_a_choice_ends_a_conflict_with_the_chosen_value(
    kind: Kind, data: st.DataObject, mine: bool
) -> None:
    was, ours, theirs = (fields_of_item(data.draw(ITEMS[kind])) for _ in range(3))
    merged = merge(kind, Base(was, was), ours, theirs, organizer=True)
    local, mailbox = {**ours, **merged.to_local}, {**theirs, **merged.to_mailbox}
    choice = dict.fromkeys(merged.conflicts, mine)
    base = decided(merged.base, local, mailbox, choice)
    after = merge(kind, base, local, mailbox, organizer=True)
    assert not after.conflicts
    for name in merged.conflicts:
        expected = ours[name] if mine else theirs[name]
        assert (after.to_mailbox if mine else after.to_local)[name] == expected


@dataclass
class Row:
    """What is kept of a pair between two passes."""

    record: int | None = None
    ref: str | None = None
    base: Base | None = None
    known: bool = False


class TwoSides(RuleBasedStateMachine):
    """Records here, items there, passes that lose answers; people that edit, delete and choose."""

    kind: Kind
    organizer = True

    def __init__(self) -> None:
        super().__init__()
        self.items: dict[str, TwoWayItem] = {}
        self.records: dict[int, dict[str, Any]] = {}
        self.binned: set[int] = set()
        self.rows: dict[str, Row] = {}
        self.pending: dict[str, tuple[str, dict[str, Any], Save]] = {}
        self.deeds: list[Save] = []
        self.count = 0

    # --- what people do ---------------------------------------------------------------------

    @rule(data=st.data())
    def make_there(self, data: st.DataObject) -> None:
        self.count += 1
        uid = f"u{self.count}"
        self.items[f"i{self.count}"] = replace(data.draw(ITEMS[self.kind]), uid=uid)

    @rule(data=st.data())
    def make_here(self, data: st.DataObject) -> None:
        self.count += 1
        fields = fields_of_item(data.draw(ITEMS[self.kind]))
        if fields.get("status") == "cancelled":
            fields["status"] = "busy"
        record = onto_record(self.kind, fields, {}, FRAME)
        self.records[self.count] = {**record, "uid": f"u{self.count}"}

    @rule(data=st.data())
    def edit_there(self, data: st.DataObject) -> None:
        if not self.items:
            return
        key = data.draw(st.sampled_from(sorted(self.items)))
        new = data.draw(ITEMS[self.kind])
        names = [f.name for f in TABLES[self.kind].fields]
        chosen = set(data.draw(st.lists(st.sampled_from(names), max_size=3)))
        values = {n: v for n, v in fields_of_item(new).items() if n in chosen}
        item = onto_item(self.items[key], values)
        if "answers" in chosen and isinstance(item, MeetingItem):
            answered = tuple(replace(a, response=Response.ACCEPTED) for a in item.attendees)
            item = replace(item, attendees=answered)
        self.items[key] = item

    @rule(data=st.data())
    def edit_here(self, data: st.DataObject) -> None:
        alive = sorted(set(self.records) - self.binned)
        if not alive:
            return
        key = data.draw(st.sampled_from(alive))
        names = [f.name for f in TABLES[self.kind].fields if f.name not in ("answers", "status")]
        chosen = set(data.draw(st.lists(st.sampled_from(names), max_size=3)))
        new = fields_of_item(data.draw(ITEMS[self.kind]))
        values = {n: v for n, v in new.items() if n in chosen}
        self.records[key] |= onto_record(self.kind, values, self.records[key], FRAME)

    @rule(data=st.data())
    def delete_there(self, data: st.DataObject) -> None:
        if self.items:
            del self.items[data.draw(st.sampled_from(sorted(self.items)))]

    @rule(data=st.data())
    def delete_here(self, data: st.DataObject) -> None:
        alive = sorted(set(self.records) - self.binned)
        if alive:
            self.binned.add(data.draw(st.sampled_from(alive)))

    @rule(data=st.data())
    def move_there(self, data: st.DataObject) -> None:
        if self.items:
            key = data.draw(st.sampled_from(sorted(self.items)))
            self.count += 1
            self.items[f"i{self.count}"] = self.items.pop(key)

    @rule(data=st.data(), mine=st.booleans())
    def choose(self, data: st.DataObject, mine: bool) -> None:
        """A person decides about every conflict there is now."""
        self.pass_()
        self.resolve(mine)

    # --- a pass -----------------------------------------------------------------------------

    def resolve(self, mine: bool) -> None:
        for pair, steps in self.plan():
            for step in steps:
                if step.what is StepKind.CONFLICT and pair.local and pair.remote:
                    choice = dict.fromkeys(step.values, mine)
                    row = self.rows[pair.key]
                    row.base = decided(row.base, pair.local.fields, pair.remote.fields, choice)

    def pairs(self) -> list[Pair]:
        by_uid = {item.uid: key for key, item in self.items.items()}
        for uid in {*by_uid, *(r["uid"] for r in self.records.values())}:
            self.rows.setdefault(uid, Row())
        records = {r["uid"]: key for key, r in self.records.items()}
        found = []
        for uid, row in sorted(self.rows.items()):
            row.ref, row.record = by_uid.get(uid), records.get(uid)
            row.known = row.known or row.ref is not None
            local = remote = None
            if row.record is not None:
                fields = fields_of_record(self.kind, self.records[row.record], FRAME)
                cancelled = fields.get("status") == "cancelled"
                present = row.record not in self.binned
                local = Local(row.record, fields, present, cancelled, organizer=self.organizer)
            if row.ref is not None:
                remote = Remote(Ref("f", row.ref), fields_of_item(self.items[row.ref]))
            # An item is known as soon as it is held; one that never was here is to be made.
            known = row.known and (row.record is not None or remote is None)
            if row.record is not None and row.base is None and remote is None:
                known = False
            found.append(Pair(self.kind, uid, uid, row.base, local, remote, known))
        return found

    def plan(self) -> list[tuple[Pair, tuple[Step, ...]]]:
        return [(pair, decide(pair).steps) for pair in self.pairs()]

    def pass_(self, lost: bool = False) -> int:
        """One pass; with `lost` the answer to every write is lost. Returns how much it did."""
        for uid, (ref, seen, deed) in self.pending.items():
            if ref in self.items:
                self.settle(uid, seen, deed)
        self.pending.clear()
        done = 0
        for pair in self.pairs():
            decision = decide(pair)
            for step in decision.steps:
                done += self.carry_out(pair, step, lost=lost)
            if not any(s.side is Side.MAILBOX and not s.asked for s in decision.steps):
                self.rows[pair.key].base = decision.base
        return done

    def carry_out(self, pair: Pair, step: Step, *, lost: bool) -> int:
        row = self.rows[pair.key]
        if step.asked or step.what is StepKind.REFUSED:
            return 0
        if step.side is Side.HERE:
            self.change_here(pair, step)
            return 1
        before = dict(pair.remote.fields) if pair.remote else {}
        item = self.items[row.ref] if row.ref else replace(EMPTY[self.kind], uid=pair.key)
        deed = Save("k", "f", onto_item(item, step.gives))
        self.deeds.append(deed)
        if row.ref is None:
            self.count += 1
            row.ref = f"i{self.count}"
        self.items[row.ref] = deed.item
        if lost:
            self.pending[pair.key] = (row.ref, before, deed)
        else:
            decision = decide(pair)
            row.base = decision.base
            self.settle(pair.key, before, deed)
        return 1

    def settle(self, uid: str, seen: dict[str, Any], deed: Save) -> None:
        row = self.rows[uid]
        if row.record is None:
            return
        row.known = True
        local = fields_of_record(self.kind, self.records[row.record], FRAME)
        row.base = written(self.kind, row.base, local, seen, fields_of_item(deed.item))

    def change_here(self, pair: Pair, step: Step) -> None:
        row = self.rows[pair.key]
        if step.what is StepKind.CANCEL:
            key = row.record
            assert key is not None
            self.records[key] |= onto_record(
                self.kind, {"status": "cancelled"}, self.records[key], FRAME
            )
            return
        if row.record is None:
            self.count += 1
            row.record = self.count
            self.records[row.record] = {"uid": pair.key}
        record = self.records[row.record]
        record |= onto_record(self.kind, step.gives, record, FRAME)

    @rule()
    def good_pass(self) -> None:
        self.pass_()

    @rule()
    def pass_with_lost_answers(self) -> None:
        self.pass_(lost=True)

    # --- what always holds ------------------------------------------------------------------

    @invariant()
    def nobody_is_told(self) -> None:
        assert all(deed.notify is Notify.NOBODY for deed in self.deeds)

    @invariant()
    def nothing_is_doubled(self) -> None:
        uids = [item.uid for item in self.items.values()]
        assert len(uids) == len(set(uids))
        uids = [record["uid"] for record in self.records.values()]
        assert len(uids) == len(set(uids))

    def teardown(self) -> None:
        there = {item.uid for item in self.items.values()}
        here = {r["uid"] for k, r in self.records.items()}
        for _ in range(6):
            self.resolve(True)
            if not self.pass_() and not self.pending:
                break
        assert self.pass_() == 0, "a second round does nothing"
        # Nothing is lost: an item goes only with its own side, a record never.
        assert there <= {item.uid for item in self.items.values()}
        assert here <= {record["uid"] for record in self.records.values()}
        for pair in self.pairs():
            local, remote = pair.local, pair.remote
            if local and remote and local.present and not local.cancelled:
                one, other = dict(local.fields), dict(remote.fields)
                if self.kind is Kind.MEETING:
                    # A deleted occurrence waits for a person's word, and nothing brings it back.
                    one.pop("left_out", None)
                assert same(self.kind, one, other) == [], pair.key


@pytest.mark.parametrize("kind", list(Kind))
@pytest.mark.parametrize("organizer", [True, False])
def test_both_sides_become_equal(kind: Kind, organizer: bool) -> None:
    machine = type("Machine", (TwoSides,), {"kind": kind, "organizer": organizer})
    run_state_machine_as_test(
        machine, settings=settings(max_examples=60, stateful_step_count=25, deadline=None)
    )
