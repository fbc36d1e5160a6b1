"""Folders of an Exchange mailbox, and when people are free."""

from __future__ import annotations

import datetime as dt

from desktop_crm.sync.exchange.mailbox import ExchangeMailbox
from desktop_crm.sync.port import Folder, FolderRole, MailItem, ShowAs
from desktop_crm.sync.writes import BusyTime
from tests.ews_server import EwsServer, soap
from tests.unit.sync.conftest import mailbox_of

AT = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
DAY = dt.timedelta(days=1)
HOUR = dt.timedelta(hours=1)


def test_every_folder_is_named_with_its_place(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    ews.folders.append(("id-of-news", "Noutăți", "IPF.Note", "id-of-clients"))
    ews.folders.append(("id-of-cache", "Cache", "IPF.Contact.RecipientCache", "root"))
    ews.folders.append(("id-of-journal", "Jurnal", "IPF.Journal", "root"))
    found = {f.name: f.role for f in mailbox.all_folders()}
    assert found["Inbox/Clienți/Noutăți"] is FolderRole.OTHER
    assert found["Tasks"] is FolderRole.TASKS
    assert found["Junk"] is FolderRole.JUNK
    assert not {"Cache", "Jurnal"} & found.keys()


def test_chosen_folders_are_read_too(ews: EwsServer) -> None:
    key = "id-of-clients"
    mailbox = mailbox_of(ews, folders=(key, "id-of-nothing"))
    assert [f.key for f in mailbox.folders()] == ["Inbox", "Sent Items", "Calendar", key]
    ews.put("clients", "A=", soap.mail("A=", "m1@x"))
    folder = Folder(key, "Inbox/Clienți")
    (change,) = mailbox.changes(folder, None).changes
    assert isinstance(change.item, MailItem)
    mailbox.close()


def test_busy_times_of_people(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    ews.store.busy["ion@firma.example"] = [
        ("2026-03-02T09:00:00", "2026-03-02T10:00:00", "Busy"),
        ("2026-03-02T11:00:00", "2026-03-02T12:00:00", "Free"),
        ("2026-03-03T09:00:00.123", "2026-03-03T10:00:00", "OOF"),
        ("2026-09-03T09:00:00", "2026-09-03T10:00:00", "Busy"),
    ]
    people = ["ion@firma.example", "nobody@nowhere.example"]
    found = mailbox.free_busy(people, AT, AT + 100 * DAY)
    assert found["nobody@nowhere.example"] is None
    assert found["ion@firma.example"] == (
        BusyTime(AT + HOUR, AT + 2 * HOUR, ShowAs.BUSY),
        BusyTime(AT + DAY + HOUR, AT + DAY + 2 * HOUR, ShowAs.OUT_OF_OFFICE),
    )
    # Six weeks at most are asked for at once.
    assert ews.requests.count("GetUserAvailabilityRequest") == 3


def test_busy_times_told_only_by_half_hours(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    def merged(handler: object) -> bool:
        answer = (
            "<m:GetUserAvailabilityResponse><m:FreeBusyResponseArray>"
            f"{soap.free_busy([], merged='0220013')}</m:FreeBusyResponseArray>"
            "</m:GetUserAvailabilityResponse>"
        )
        handler.answer(200, soap.envelope(answer))  # type: ignore[attr-defined]
        return True

    ews.fault("GetUserAvailabilityRequest", merged)
    found = mailbox.free_busy(["ion@firma.example"], AT, AT + 4 * HOUR)
    half = HOUR / 2
    assert found["ion@firma.example"] == (
        BusyTime(AT + half, AT + 3 * half, ShowAs.BUSY),
        BusyTime(AT + 5 * half, AT + 6 * half, ShowAs.TENTATIVE),
        BusyTime(AT + 6 * half, AT + 7 * half, ShowAs.OUT_OF_OFFICE),
    )
