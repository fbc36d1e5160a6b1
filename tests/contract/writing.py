"""What every mailbox that can be written to must do; each adapter's test gives a driver.

An adapter's test file holds a driver and a class::

    class TestExchangeWrites(WritingContract):
        @pytest.fixture
        def driver(self) -> Iterator[WritingDriver]: ...

A mailbox that lacks an ability must refuse by a UserError and change nothing; the tests of that
ability then end there.
"""

from __future__ import annotations

import datetime as dt
from collections.abc import Iterator
from dataclasses import replace

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.core.identity import new_uid
from desktop_crm.sync.deed_form import decode, encode, kind_of, needed
from desktop_crm.sync.formats.mime import read_message
from desktop_crm.sync.port import (
    Address,
    Attendee,
    ContactItem,
    Flag,
    Folder,
    FolderRole,
    Item,
    MailItem,
    MeetingItem,
    Response,
    Role,
    TaskItem,
)
from desktop_crm.sync.writes import (
    Ability,
    Answer,
    Deed,
    Delete,
    Mark,
    Move,
    Notify,
    PutBack,
    Ref,
    Save,
    SaveDraft,
    Stale,
    Vanished,
    WritableMailbox,
)
from tests.contract.folders import FolderContract
from tests.contract.writing_driver import (
    AT,
    HOUR,
    WritingDriver,
    contact,
    meeting,
    message,
    sending,
    task,
)


class WritingContract(FolderContract):
    """The contract; each subclass gives it an adapter."""

    @pytest.fixture
    def driver(self) -> Iterator[WritingDriver]:
        raise NotImplementedError

    # --- what the tests are made of --------------------------------------------------------

    def folder(self, driver: WritingDriver, role: str) -> Folder:
        return next(f for f in driver.port.all_folders() if f.role is FolderRole(role))

    def other_folder(self, driver: WritingDriver) -> Folder:
        """A folder of mail that nothing goes to by itself."""
        wanted = (FolderRole.ARCHIVE, FolderRole.OTHER)
        return next(f for f in driver.port.all_folders() if f.role in wanted)

    def able(self, driver: WritingDriver, deed: Deed) -> bool:
        """Whether the mailbox can; one that cannot says so and does nothing."""
        if needed(deed) <= driver.port.abilities:
            return True
        with pytest.raises(UserError) as refused:
            driver.port.do(deed)
        assert str(refused.value)
        assert driver.delivered() == []
        assert driver.told() == 0
        return False

    def saved(self, driver: WritingDriver, role: str, item: Item) -> Ref | None:
        """Where a new item lies; None when the mailbox takes none of its kind."""
        assert isinstance(item, MeetingItem | TaskItem | ContactItem)
        place = next((f.key for f in driver.port.all_folders() if f.role.value == role), role)
        deed = Save(new_uid(), place, item)
        if not self.able(driver, deed):
            return None
        written = driver.port.do(deed)
        assert written.ref is not None
        return written.ref

    def still_there(self, driver: WritingDriver, ref: Ref) -> bool:
        try:
            driver.port.image(ref)
        except Vanished:
            return False
        return True

    def sent(self, driver: WritingDriver) -> list[MailItem]:
        folder = next(f for f in driver.port.folders() if f.role is FolderRole.SENT)
        batch = driver.port.changes(folder, None)
        return [c.item for c in batch.changes if isinstance(c.item, MailItem)]

    # --- what it is -----------------------------------------------------------------------

    def test_it_is_a_writable_mailbox(self, driver: WritingDriver) -> None:
        assert isinstance(driver.port, WritableMailbox)
        assert driver.port.abilities <= frozenset(Ability)

    def test_all_folders_hold_those_that_are_read(self, driver: WritingDriver) -> None:
        driver.mail("a")
        every = driver.port.all_folders()
        assert {f.key for f in every} >= {f.key for f in driver.port.folders()}
        assert len({f.key for f in every}) == len(every)

    # --- sending --------------------------------------------------------------------------

    def test_a_message_leaves_once_and_lies_in_sent(self, driver: WritingDriver) -> None:
        deed = sending()
        if not self.able(driver, deed):
            return
        written = driver.port.do(deed)
        ((to, data),) = driver.delivered()
        assert to == {"ion@client.example"}
        assert read_message(data).message_id == deed.message_id
        (copy,) = self.sent(driver)
        assert copy.message_id == deed.message_id
        assert copy.own_key == deed.own_key
        assert copy.subject == "Ofertă"
        assert [a.name for a in copy.attachments] == ["Ofertă.pdf"]
        if written.ref is not None:
            assert isinstance(driver.port.image(written.ref).item, MailItem)

    def test_those_in_blind_copy_get_it_and_nobody_sees_them(self, driver: WritingDriver) -> None:
        deed = sending(bcc=("boss@firma.example",))
        if not self.able(driver, deed):
            return
        driver.port.do(deed)
        reached = frozenset[str]().union(*(to for to, _ in driver.delivered()))
        assert reached == {"ion@client.example", "boss@firma.example"}
        assert all(b"boss@firma.example" not in data for _, data in driver.delivered())

    def test_a_sent_message_is_found_when_the_answer_was_lost(self, driver: WritingDriver) -> None:
        deed, other = sending(), sending()
        if not self.able(driver, deed):
            return
        assert driver.port.find(deed) is None
        driver.port.do(deed)  # the answer is lost
        assert driver.port.find(deed) is not None
        assert driver.port.find(other) is None
        assert len(driver.delivered()) == 1

    def test_a_draft_is_laid_among_the_drafts_and_replaced(self, driver: WritingDriver) -> None:
        key = new_uid()
        deed = SaveDraft(key, f"{key}@firma.example", message(key))
        if not self.able(driver, deed):
            return
        assert driver.port.find(deed) is None
        first = driver.port.do(deed).ref
        assert first is not None
        found = driver.port.find(deed)
        assert found is not None
        assert found.ref is not None
        assert found.ref.item_id == first.item_id
        later = new_uid()
        again = SaveDraft(later, f"{later}@firma.example", message(later, "Altă"), first)
        second = driver.port.do(again).ref
        assert second is not None
        image = driver.port.image(second)
        assert isinstance(image.item, MailItem)
        assert image.item.subject == "Altă"
        if second.item_id != first.item_id:
            assert not self.still_there(driver, first)
        assert driver.delivered() == []

    # --- items ----------------------------------------------------------------------------

    def test_a_meeting_is_made_as_it_was_said(self, driver: WritingDriver) -> None:
        wanted = meeting()
        ref = self.saved(driver, "calendar", wanted)
        if ref is None:
            return
        item = driver.port.image(ref).item
        assert isinstance(item, MeetingItem)
        for name in ("subject", "location", "start", "end", "text", "reminder_minutes"):
            assert getattr(item, name) == getattr(wanted, name), name

    def test_a_series_and_an_all_day_meeting_are_made(self, driver: WritingDriver) -> None:
        series = meeting(rrule="FREQ=WEEKLY;COUNT=4")
        ref = self.saved(driver, "calendar", series)
        if ref is None:
            return
        item = driver.port.image(ref).item
        assert isinstance(item, MeetingItem)
        assert {"FREQ=WEEKLY", "COUNT=4"} <= set(item.rrule.split(";"))
        day = meeting(start=dt.date(2026, 3, 2), end=dt.date(2026, 3, 4), zone="")
        ref = self.saved(driver, "calendar", day)
        assert ref is not None
        item = driver.port.image(ref).item
        assert isinstance(item, MeetingItem)
        assert (item.all_day, item.start, item.end) == (True, day.start, day.end)

    def test_one_occurrence_is_deleted_and_the_others_stay(self, driver: WritingDriver) -> None:
        ref = self.saved(driver, "calendar", meeting(rrule="FREQ=DAILY;COUNT=3"))
        if ref is None:
            return
        gone = AT + dt.timedelta(days=1)
        deed = Delete(new_uid(), ref, occurrence=gone)
        if not self.able(driver, deed):
            return
        after = driver.port.do(deed).ref
        assert after is not None
        item = driver.port.image(after).item
        assert isinstance(item, MeetingItem)
        assert item.exdates == (gone,)
        assert driver.told() == 0

    def test_a_task_is_made_as_it_was_said(self, driver: WritingDriver) -> None:
        wanted = task()
        ref = self.saved(driver, "tasks", wanted)
        if ref is None:
            return
        item = driver.port.image(ref).item
        assert isinstance(item, TaskItem)
        for name in ("subject", "text", "due", "importance", "status", "completed_at"):
            assert getattr(item, name) == getattr(wanted, name), name

    def test_a_contact_is_made_as_it_was_said(self, driver: WritingDriver) -> None:
        wanted = contact()
        ref = self.saved(driver, "contacts", wanted)
        if ref is None:
            return
        item = driver.port.image(ref).item
        assert isinstance(item, ContactItem)
        for name in ("first_name", "last_name", "company", "job_title", "phones"):
            assert getattr(item, name) == getattr(wanted, name), name
        assert [e.address for e in item.emails] == ["stefan@client.example"]
        assert [(a.street, a.city) for a in item.addresses] == [("Str. Lungă 1", "București")]

    @pytest.mark.parametrize("role", ["calendar", "tasks", "contacts"])
    def test_a_saved_item_is_found_when_the_answer_was_lost(
        self, driver: WritingDriver, role: str
    ) -> None:
        item = _made(role)
        place = next((f.key for f in driver.port.all_folders() if f.role.value == role), role)
        deed = Save(new_uid(), place, item)
        if not self.able(driver, deed):
            return
        assert driver.port.find(deed) is None
        ref = driver.port.do(deed).ref
        assert ref is not None
        found = driver.port.find(deed)
        assert found is not None
        assert found.ref == ref
        change = Save(new_uid(), place, _renamed(item), ref)
        assert driver.port.find(change) is None
        driver.port.do(change)  # the answer is lost
        found = driver.port.find(change)
        assert found is not None
        assert found.ref is not None
        assert _name(driver.port.image(found.ref).item) == "Changed"

    @pytest.mark.parametrize("role", ["calendar", "tasks", "contacts"])
    def test_something_new_is_found_also_once_somebody_changed_it(
        self, driver: WritingDriver, role: str
    ) -> None:
        place = next((f.key for f in driver.port.all_folders() if f.role.value == role), role)
        deed = Save(new_uid(), place, _made(role))
        if not self.able(driver, deed):
            return
        ref = driver.port.do(deed).ref  # the answer is lost
        assert ref is not None
        driver.edit(ref)
        found = driver.port.find(deed)
        assert found is not None
        assert found.ref is not None
        assert found.ref.item_id == ref.item_id

    @pytest.mark.parametrize("role", ["calendar", "tasks", "contacts"])
    def test_what_is_newer_is_not_overwritten(self, driver: WritingDriver, role: str) -> None:
        item = _made(role)
        ref = self.saved(driver, role, item)
        if ref is None:
            return
        driver.edit(ref)
        theirs = _name(driver.port.image(ref).item)
        with pytest.raises(Stale):
            driver.port.do(Save(new_uid(), ref.folder, _renamed(item), ref))
        with pytest.raises(Stale):
            driver.port.do(Delete(new_uid(), ref))
        assert _name(driver.port.image(ref).item) == theirs
        fresh = driver.port.image(ref).ref
        after = driver.port.do(Save(new_uid(), ref.folder, _renamed(item), fresh)).ref
        assert after is not None
        assert _name(driver.port.image(after).item) == "Changed"

    @pytest.mark.parametrize("role", ["calendar", "tasks", "contacts"])
    def test_what_is_gone_is_said_to_be(self, driver: WritingDriver, role: str) -> None:
        item = _made(role)
        ref = self.saved(driver, role, item)
        if ref is None:
            return
        driver.remove(ref)
        with pytest.raises(Vanished):
            driver.port.image(ref)
        with pytest.raises(Vanished):
            driver.port.do(Save(new_uid(), ref.folder, _renamed(item), ref))
        with pytest.raises(Vanished):
            driver.port.do(Delete(new_uid(), ref))

    @pytest.mark.parametrize("role", ["calendar", "tasks", "contacts"])
    def test_an_item_deleted_comes_back_from_its_image(
        self, driver: WritingDriver, role: str
    ) -> None:
        ref = self.saved(driver, role, _made(role))
        if ref is None or Ability.DELETE not in driver.port.abilities:
            return
        image = driver.port.image(ref)
        assert driver.port.do(Delete(new_uid(), ref)).ref is None
        assert not self.still_there(driver, ref)
        back = _journalled(PutBack(new_uid(), image))
        assert driver.port.find(back) is None
        again = driver.port.do(back)
        assert again.ref is not None
        assert driver.port.find(back) is not None
        assert _told(driver.port.image(again.ref).item) == _told(image.item)
        assert driver.told() == 0

    # --- mail -----------------------------------------------------------------------------

    def test_marks_are_set_one_by_one(self, driver: WritingDriver) -> None:
        ref = driver.mail("a")
        marks: tuple[dict[str, object], ...] = (
            {"is_read": True},
            {"flag": Flag.FLAGGED},
            {"categories": ("Client", "Urgent")},
            {"is_read": False},
            {"flag": Flag.COMPLETE},
            {"flag": Flag.NONE},
            {"categories": ()},
        )
        stands: dict[str, object] = {}
        for mark in marks:
            deed = Mark(new_uid(), ref, **mark)  # type: ignore[arg-type]
            if not self.able(driver, deed):
                continue
            ref = driver.port.do(deed).ref or ref
            stands |= mark
            image = driver.port.image(ref)
            for name, value in stands.items():
                found = getattr(image, name)
                assert (set(found) if name == "categories" else found) == (
                    set(value) if isinstance(value, tuple) else value
                ), (mark, name)
            assert driver.port.find(deed) is None

    def test_mail_is_moved_with_its_content(self, driver: WritingDriver) -> None:
        ref = driver.mail("a", subject="Ofertă")
        target = self.other_folder(driver) if Ability.MOVE in driver.port.abilities else None
        deed = Move(new_uid(), ref, target.key if target else "nowhere")
        if not self.able(driver, deed):
            return
        after = driver.port.do(deed).ref
        assert after is not None
        assert after.folder == deed.folder
        item = driver.port.image(after).item
        assert isinstance(item, MailItem)
        assert (item.message_id, item.subject) == ("a@x", "Ofertă")
        assert not self.still_there(driver, ref)
        with pytest.raises(Vanished):
            driver.port.do(Move(new_uid(), ref, deed.folder))

    def test_mail_deleted_comes_back_from_its_image(self, driver: WritingDriver) -> None:
        ref = driver.mail("a", subject="Ofertă")
        if not self.able(driver, Delete(new_uid(), replace(ref, item_id="nothing"))):
            return
        if Ability.FLAG in driver.port.abilities:
            ref = driver.port.do(Mark(new_uid(), ref, flag=Flag.FLAGGED)).ref or ref
        image = driver.port.image(ref)
        assert isinstance(image.item, MailItem)
        assert driver.port.do(Delete(new_uid(), ref)).ref is None
        assert not self.still_there(driver, ref)
        with pytest.raises(Vanished):
            driver.port.do(Delete(new_uid(), ref))
        back = _journalled(PutBack(new_uid(), image))
        again = driver.port.do(back).ref
        assert again is not None
        assert again.folder == ref.folder
        assert driver.port.find(back) is not None
        found = driver.port.image(again)
        assert isinstance(found.item, MailItem)
        for name in ("message_id", "subject", "text", "sender", "sent_at"):
            assert getattr(found.item, name) == getattr(image.item, name), name
        content = [(a.name, a.content) for a in image.item.attachments]
        assert [(a.name, a.content) for a in found.item.attachments] == content
        assert found.flag is image.flag
        assert driver.delivered() == []

    # --- other people ---------------------------------------------------------------------

    def test_nobody_is_told_unless_a_person_said_so(self, driver: WritingDriver) -> None:
        guest = Attendee(Address("ion@client.example", "Ion"), Role.REQUIRED)
        host = Attendee(Address("ana@firma.example", "Ana"), Role.ORGANIZER)
        wanted = meeting(organizer=host, attendees=(guest,))
        ref = self.saved(driver, "calendar", wanted)
        if ref is None:
            return
        item = driver.port.image(ref).item
        assert isinstance(item, MeetingItem)
        assert [a.address.address for a in item.attendees] == ["ion@client.example"]
        ref = driver.port.do(Save(new_uid(), ref.folder, _renamed(wanted), ref)).ref
        assert ref is not None
        image = driver.port.image(ref)
        driver.port.do(Delete(new_uid(), ref))
        driver.port.do(PutBack(new_uid(), image))
        assert driver.told() == 0
        assert driver.delivered() == []

    def test_an_invitation_goes_out_when_a_person_said_so(self, driver: WritingDriver) -> None:
        guest = Attendee(Address("ion@client.example", "Ion"), Role.REQUIRED)
        host = Attendee(Address("ana@firma.example", "Ana"), Role.ORGANIZER)
        wanted = meeting(organizer=host, attendees=(guest,))
        calendar = next(
            (f.key for f in driver.port.all_folders() if f.role is FolderRole.CALENDAR), "calendar"
        )
        deed = Save(new_uid(), calendar, wanted, notify=Notify.EVERYBODY)
        if not self.able(driver, deed):
            return
        driver.port.do(deed)
        assert driver.told() == 1

    def test_an_invitation_is_answered_quietly(self, driver: WritingDriver) -> None:
        ref = driver.invitation("u1")
        if ref is None:
            assert Ability.INVITE not in driver.port.abilities
            return
        after = driver.port.do(Answer(new_uid(), ref, Response.ACCEPTED)).ref
        assert after is not None
        item = driver.port.image(after).item
        assert isinstance(item, MeetingItem)
        assert item.my_response is Response.ACCEPTED
        assert driver.told() == 0

    def test_busy_times_of_strangers_are_not_known(self, driver: WritingDriver) -> None:
        if Ability.FREE_BUSY not in driver.port.abilities:
            return
        found = driver.port.free_busy(["nobody@nowhere.example"], AT, AT + HOUR)
        assert found == {"nobody@nowhere.example": None}


def _made(role: str) -> MeetingItem | TaskItem | ContactItem:
    if role == "calendar":
        return meeting()
    return contact() if role == "contacts" else task()


def _renamed(item: MeetingItem | TaskItem | ContactItem) -> MeetingItem | TaskItem | ContactItem:
    if isinstance(item, ContactItem):
        return replace(item, job_title="Changed")
    return replace(item, subject="Changed")


def _name(item: Item) -> str:
    return item.job_title if isinstance(item, ContactItem) else item.subject


def _told(item: Item) -> tuple[object, ...]:
    """What an item says, apart from identity and what a server adds."""
    if isinstance(item, MeetingItem):
        return (item.subject, item.location, item.start, item.end, item.text, item.rrule)
    if isinstance(item, TaskItem):
        return (item.subject, item.text, item.due, item.importance, item.status)
    if isinstance(item, ContactItem):
        people = tuple(e.address for e in item.emails)
        return (item.first_name, item.last_name, item.company, item.phones, people)
    return (item.message_id, item.subject, item.text)


def _journalled(deed: PutBack) -> Deed:
    """The deed as it comes out of the journal: attachments only within the bytes."""
    plain, blob = encode(deed)
    return decode(kind_of(deed), plain, blob)
