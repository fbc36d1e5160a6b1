from __future__ import annotations

import datetime as dt

import pytest

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.sync import answer_limit
from desktop_crm.sync.exchange.mailbox import CALENDAR, INBOX, SENT, ExchangeMailbox
from desktop_crm.sync.port import (
    Batch,
    ChangeKind,
    Folder,
    MailItem,
    MeetingItem,
    Response,
    Role,
    Sensitivity,
    TokenInvalid,
)
from tests.ews_server import EwsServer, soap
from tests.ews_server import faults as script
from tests.unit.sync.conftest import mailbox_of

UTC = dt.UTC


def everything(mailbox: ExchangeMailbox, folder: Folder, limit: int = 100) -> list[Batch]:
    batches = [mailbox.changes(folder, None, limit)]
    while batches[-1].more:
        batches.append(mailbox.changes(folder, batches[-1].token, limit))
    return batches


def mails(batch: Batch) -> list[MailItem]:
    return [c.item for c in batch.changes if isinstance(c.item, MailItem)]


def meetings(batch: Batch) -> list[MeetingItem]:
    return [c.item for c in batch.changes if isinstance(c.item, MeetingItem)]


# --- reading -----------------------------------------------------------------------------------


def test_a_message_arrives_with_what_the_rules_need(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    extra = (
        '<t:ConversationId Id="conv-1"/><t:InReplyTo>&lt;first@x&gt;</t:InReplyTo>'
        "<t:InternetMessageHeaders>"
        '<t:InternetMessageHeader HeaderName="Auto-Submitted">auto-replied'
        "</t:InternetMessageHeader></t:InternetMessageHeaders>"
        "<t:Categories><t:String>Client</t:String></t:Categories>"
    )
    ews.put("inbox", "A=", soap.mail("A=", "m1@x", extra=extra))
    (item,) = mails(mailbox.changes(INBOX, None))
    assert item.message_id == "m1@x"
    assert item.subject == "Ofertă"
    assert item.sender is not None
    assert item.sender.address == "client@client.example"
    assert item.to[0].address == "ana@firma.example"
    assert item.sent_at == dt.datetime(2026, 3, 2, 8, tzinfo=UTC)
    assert item.header("auto-submitted") == "auto-replied"
    assert (item.thread_key, item.in_reply_to) == ("conv-1", "first@x")
    assert item.categories == ("Client",)
    assert item.text == "Bună ziua"
    assert not item.is_read


def test_content_comes_from_the_mime_text(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    raw = (
        b"From: Client <client@client.example>\r\nMessage-ID: <m1@x>\r\nMIME-Version: 1.0\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/html\r\n\r\n'
        b'<p>Hi<img src="http://track.example/p.gif"></p>\r\n--b\r\nContent-Type: text/csv\r\n'
        b'Content-Disposition: attachment; filename="a.csv"\r\n\r\n1,2\r\n--b--\r\n'
    )
    ews.put("inbox", "A=", soap.mail("A=", "m1@x", mime=raw))
    (item,) = mails(mailbox.changes(INBOX, None))
    assert item.text == "Hi"
    assert 'src="http' not in item.html
    assert [(a.name, a.content) for a in item.attachments] == [("a.csv", b"1,2")]


def test_a_page_is_asked_by_ids_and_items_ten_at_a_time(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    for n in range(25):
        text = f"From: a@b.example\nMessage-ID: <m{n}@x>\n\nText".encode()
        ews.put("inbox", f"A{n}=", soap.mail(f"A{n}=", f"m{n}@x", mime=text))
    batch = mailbox.changes(INBOX, None)
    assert len(mails(batch)) == 25
    assert ews.requests.count("GetItem") == 3
    page = next(body for body in ews.bodies if "SyncFolderItems>" in body)
    assert "<t:BaseShape>IdOnly</t:BaseShape>" in page


def test_each_page_has_its_own_token(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    for n in range(7):
        ews.put("calendar", f"A{n}=", soap.meeting(f"A{n}=", f"u{n}"))
    batches = everything(mailbox, CALENDAR, limit=3)
    assert [len(b.changes) for b in batches] == [3, 3, 1]
    assert [b.more for b in batches] == [True, True, False]
    # A pass that broke after the first page goes on from there, and only from there.
    again = mailbox.changes(CALENDAR, batches[0].token, 3)
    assert [c.item_id for c in again.changes] == ["A3=", "A4=", "A5="]
    assert mailbox.changes(CALENDAR, batches[-1].token).changes == ()


def arrived(day: int, item_id: str) -> str:
    """A message that came on a day of March."""
    at = f"2026-03-{day:02}T08:00:01Z"
    return soap.mail(item_id, f"{item_id}@x").replace("2026-03-02T08:00:01Z", at)


def test_of_a_large_folder_the_newest_come_first_and_only_once(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    for day in range(1, 8):
        ews.put("inbox", f"D{day}", arrived(day, f"D{day}"))
    batches = everything(mailbox, INBOX, limit=3)
    assert [c.item_id for c in batches[0].changes] == ["D7", "D6", "D5"]
    rest = [c.item_id for b in batches[1:] for c in b.changes]
    assert rest == ["D1", "D2", "D3", "D4"]


def test_what_changed_or_went_while_the_newest_were_read_is_told(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    for day in range(1, 6):
        ews.put("inbox", f"D{day}", arrived(day, f"D{day}"))
    first = mailbox.changes(INBOX, None, 2)
    ews.put("inbox", "D5", arrived(5, "D5").replace('ChangeKey="CQ"', 'ChangeKey="CR"'))
    ews.boxes["inbox"].journal = [one for one in ews.boxes["inbox"].journal if one[1] != "D4"]
    del ews.boxes["inbox"].items["D4"]
    rest = mailbox.changes(INBOX, first.token, 100)
    assert {c.item_id for c in rest.changes if c.item is not None} == {"D1", "D2", "D3", "D5"}
    gone = [c.item_id for c in rest.changes if c.kind is ChangeKind.DELETE]
    assert gone == ["D4"]


def test_an_enumeration_goes_on_after_a_crash_behind_the_newest(ews: EwsServer) -> None:
    for day in range(1, 6):
        ews.put("inbox", f"D{day}", arrived(day, f"D{day}"))
    before = mailbox_of(ews)
    token = before.changes(INBOX, None, 2).token
    before.close()
    after = mailbox_of(ews)
    found = after.changes(INBOX, token, 100)
    assert {c.item_id for c in found.changes} == {f"D{day}" for day in range(1, 6)}
    after.close()


def test_ids_that_differ_by_case_are_two_items(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    ews.put("inbox", "aB=", soap.mail("aB=", "m1@x"))
    ews.put("inbox", "Ab=", soap.mail("Ab=", "m2@x"))
    assert {c.item_id for c in mailbox.changes(INBOX, None).changes} == {"aB=", "Ab="}


def test_a_move_is_a_new_id_and_a_deletion(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    ews.put("inbox", "A=", soap.mail("A=", "m1@x"))
    token = mailbox.changes(INBOX, None).token
    ews.move("inbox", "sentitems", "A=", "B=")
    (gone,) = mailbox.changes(INBOX, token).changes
    (come,) = mailbox.changes(SENT, None).changes
    assert (gone.kind, gone.item_id) == (ChangeKind.DELETE, "A=")
    assert come.item_id == "B="
    assert isinstance(come.item, MailItem)
    assert come.item.message_id == "m1@x"


def test_a_read_mark_is_a_change_without_an_item(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    ews.put("inbox", "A=", soap.mail("A=", "m1@x"))
    token = mailbox.changes(INBOX, None).token
    ews.mark_read("inbox", "A=", is_read=True)
    before = len(ews.requests)
    (change,) = mailbox.changes(INBOX, token).changes
    assert (change.kind, change.is_read, change.item) == (ChangeKind.MARKS, True, None)
    assert ews.requests[before:] == ["SyncFolderItems"]


def test_directory_names_become_addresses(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    name = "/O=FIRMA/OU=X/CN=RECIPIENTS/CN=ION"
    ews.people[name] = "Ion@Firma.example"
    item = soap.mail("A=", "m1@x").replace(
        soap.person("client@client.example", "Client"), soap.person(name, "Ion", "EX")
    )
    ews.put("inbox", "A=", item)
    ews.put("inbox", "B=", item.replace('"A="', '"B="').replace("m1@x", "m2@x"))
    found = mails(mailbox.changes(INBOX, None))
    assert [m.sender.address for m in found if m.sender] == ["ion@firma.example"] * 2
    assert ews.requests.count("ResolveNames") == 1


def test_an_unknown_directory_name_is_kept_as_text(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    item = soap.mail("A=", "m1@x").replace(
        soap.person("client@client.example", "Client"), soap.person("/O=FIRMA/CN=X", "Old", "EX")
    )
    ews.put("inbox", "A=", item)
    (found,) = mails(mailbox.changes(INBOX, None))
    assert found.sender is not None
    assert (found.sender.address, found.sender.readable) == ("/O=FIRMA/CN=X", False)


def test_encrypted_mail_is_header_only(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    item = soap.mail("A=", "m1@x", body="secret").replace("IPM.Note<", "IPM.Note.SMIME<")
    ews.put("inbox", "A=", item)
    (found,) = mails(mailbox.changes(INBOX, None))
    assert found.encrypted
    assert found.text == ""


def test_a_date_with_decimals_is_read(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    item = soap.mail("A=", "m1@x").replace("T08:00:00Z", "T08:00:00.261844700Z")
    ews.put("inbox", "A=", item)
    (found,) = mails(mailbox.changes(INBOX, None))
    assert found.sent_at == dt.datetime(2026, 3, 2, 8, tzinfo=UTC)


# --- items that cannot be read -----------------------------------------------------------------


def test_one_element_of_an_unknown_class_costs_itself_only(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ews.put("inbox", "A=", soap.mail("A=", "m1@x"))
    for n, name in enumerate(("SharingMessage", "RoleMember", "Booking", "EndTimeZone")):
        ews.put("inbox", f"X{n}=", f'<t:{name}><t:ItemId Id="X{n}="/></t:{name}>')
    ews.put("inbox", "B=", soap.mail("B=", "m2@x"))
    batch = mailbox.changes(INBOX, None)
    assert [m.message_id for m in mails(batch)] == ["m1@x", "m2@x"]
    assert {q.item_id for q in batch.quarantined} == {"X0=", "X1=", "X2=", "X3="}
    assert ("kind", "SharingMessage") in batch.quarantined[0].params
    assert not batch.more


def test_an_item_gone_before_the_fetch_is_passed_over(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ews.put("inbox", "A=", soap.mail("A=", "m1@x"))
    ews.put("inbox", "B=", soap.mail("B=", "m2@x"))
    ews.lose("inbox", "A=")
    batch = mailbox.changes(INBOX, None)
    assert [m.message_id for m in mails(batch)] == ["m2@x"]
    assert batch.quarantined == ()


def test_a_message_without_its_own_text_is_read_by_its_fields(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    text = b"From: a@b.example\nMessage-ID: <m1@x>\n\nWhole"
    ews.put("inbox", "A=", soap.mail("A=", "m1@x", mime=text))
    ews.put("inbox", "B=", soap.mail("B=", "m2@x", body="By fields"))
    assert [m.text for m in mails(mailbox.changes(INBOX, None))] == ["Whole", "By fields"]
    assert ews.requests.count("GetItem") == 2


def test_a_text_the_server_cannot_make_is_read_by_its_fields(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ews.put("inbox", "A=", soap.mail("A=", "m1@x", body="By fields"))
    ews.fault("GetItem", script.soap_error("GetItem", "ErrorMimeContentConversionFailed"))
    assert [m.text for m in mails(mailbox.changes(INBOX, None))] == ["By fields"]


def test_one_item_that_fails_the_request_is_set_aside_alone(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ews.put("inbox", "A=", soap.mail("A=", "m1@x"))
    ews.put("inbox", "B=", soap.mail("B=", "m2@x"))
    ews.fault("GetItem", script.soap_error("GetItem", "ErrorInternalServerError"), times=2)
    batch = mailbox.changes(INBOX, None)
    assert [q.item_id for q in batch.quarantined] == ["A="]
    assert [m.message_id for m in mails(batch)] == ["m2@x"]


def test_an_item_that_is_too_large_is_set_aside_alone(
    ews: EwsServer, mailbox: ExchangeMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(answer_limit, "ANSWER_LIMIT", 1_000_000)
    for key in ("A=", "B=", "C="):
        body = "x" * (600_000 if key != "B=" else 1_500_000)
        ews.put("inbox", key, soap.mail(key, f"{key[0]}@x", body=body))
    batch = mailbox.changes(INBOX, None)
    (aside,) = batch.quarantined
    assert (aside.item_id, aside.reason) == ("B=", answer_limit.ITEM_TOO_LARGE)
    # Together the others are too large for one answer, too; each comes in one of its own.
    assert [m.message_id for m in mails(batch)] == ["A@x", "C@x"]


def test_a_page_that_is_too_large_stops_the_round_and_says_so(
    ews: EwsServer, mailbox: ExchangeMailbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    ews.put("inbox", "A=", soap.mail("A=", "m1@x"))
    assert mailbox.folders()
    monkeypatch.setattr(answer_limit, "ANSWER_LIMIT", 1_000_000)
    ews.fault("FindItem", script.raw("x" * 3_000_000))
    with pytest.raises(EnvironmentProblem, match="What was read so far is kept") as problem:
        mailbox.changes(INBOX, None)
    assert not problem.value.retryable
    assert [m.message_id for m in mails(mailbox.changes(INBOX, None))] == ["m1@x"]


def test_an_answer_with_fewer_items_than_asked_for_loses_none(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    for key in ("A=", "B=", "C="):
        ews.put("inbox", key, soap.mail(key, f"{key[0]}@x"))
    items = f"<m:Items>{soap.mail('A=', 'A@x')}</m:Items>"
    answer = soap.envelope(soap.message("GetItem", soap.success(items)))
    ews.fault("GetItem", script.raw(answer))
    batch = mailbox.changes(INBOX, None)
    assert [m.message_id for m in mails(batch)] == ["A@x", "B@x", "C@x"]
    assert batch.quarantined == ()


def test_a_meeting_without_a_usable_start_is_set_aside(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ews.put("calendar", "A=", soap.meeting("A=", "u1", start="soon"))
    ews.put("calendar", "B=", soap.meeting("B=", "u2"))
    batch = mailbox.changes(CALENDAR, None)
    assert [m.uid for m in meetings(batch)] == ["u2"]
    assert [q.item_id for q in batch.quarantined] == ["A="]


# --- sync state --------------------------------------------------------------------------------


def test_a_forgotten_state_asks_for_a_new_beginning(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    token = mailbox.changes(INBOX, None).token
    ews.generation += 1
    with pytest.raises(TokenInvalid):
        mailbox.changes(INBOX, token)
    assert mailbox.changes(INBOX, None).token


def test_an_error_without_a_state_is_told_as_it_is(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    act = script.soap_error("SyncFolderItems", "ErrorInvalidSyncStateData")
    ews.fault("SyncFolderItems", act)
    with pytest.raises(TokenInvalid):
        mailbox.changes(INBOX, "1:0")


def test_an_answer_without_a_state_is_a_new_beginning(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    content = soap.success("<m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>")
    answer = soap.envelope(soap.message("SyncFolderItems", content))
    ews.fault("SyncFolderItems", script.raw(answer))
    with pytest.raises(TokenInvalid):
        mailbox.changes(INBOX, "1:0")


def test_a_server_that_repeats_its_state_is_not_asked_for_ever(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ews.fault("SyncFolderItems", script.page(state="same", last=False))
    assert not mailbox.changes(INBOX, "same").more


# --- calendar ----------------------------------------------------------------------------------


def test_a_meeting_arrives_with_its_people(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    ews.put("calendar", "A=", soap.meeting("A=", "u1"))
    (item,) = meetings(mailbox.changes(CALENDAR, None))
    assert item.organizer is not None
    assert item.organizer.address.address == "ana@firma.example"
    assert [(a.address.address, a.role, a.response) for a in item.attendees] == [
        ("client@client.example", Role.REQUIRED, Response.ACCEPTED),
        ("nobody@nowhere.example", Role.OPTIONAL, Response.NONE),
    ]
    assert item.zone == "Europe/Bucharest"
    assert (item.location, item.text) == ("Sala 2", "Agenda")


def test_a_series_keeps_rule_zone_and_exceptions(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    extra = (
        "<t:Recurrence><t:WeeklyRecurrence><t:Interval>1</t:Interval>"
        "<t:DaysOfWeek>Monday</t:DaysOfWeek></t:WeeklyRecurrence>"
        "<t:NumberedRecurrence><t:StartDate>2026-03-02</t:StartDate>"
        "<t:NumberOfOccurrences>10</t:NumberOfOccurrences></t:NumberedRecurrence></t:Recurrence>"
        '<t:ModifiedOccurrences><t:Occurrence><t:ItemId Id="O1="/>'
        "<t:Start>2026-03-10T07:00:00Z</t:Start><t:End>2026-03-10T08:00:00Z</t:End>"
        "<t:OriginalStart>2026-03-09T07:00:00Z</t:OriginalStart></t:Occurrence>"
        "</t:ModifiedOccurrences><t:DeletedOccurrences><t:DeletedOccurrence>"
        "<t:Start>2026-03-16T07:00:00Z</t:Start></t:DeletedOccurrence></t:DeletedOccurrences>"
    )
    ews.put("calendar", "A=", soap.meeting("A=", "u1", kind="RecurringMaster", extra=extra))
    occurrence = soap.meeting(
        "O1=",
        "u1",
        kind="Exception",
        start="2026-03-10T07:00:00Z",
        end="2026-03-10T08:00:00Z",
        extra="<t:OriginalStart>2026-03-09T07:00:00Z</t:OriginalStart>",
    )
    ews.boxes["calendar"].items["O1="] = occurrence
    master, moved = meetings(mailbox.changes(CALENDAR, None))
    assert master.rrule == "FREQ=WEEKLY;BYDAY=MO;WKST=MO;COUNT=10"
    assert set(master.exdates) == {
        dt.datetime(2026, 3, 16, 7, tzinfo=UTC),
        dt.datetime(2026, 3, 9, 7, tzinfo=UTC),
    }
    assert (moved.uid, moved.recurrence_id) == ("u1", dt.datetime(2026, 3, 9, 7, tzinfo=UTC))


def test_an_all_day_event_is_dates_with_an_exclusive_end(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    extra = "<t:IsAllDayEvent>true</t:IsAllDayEvent>"
    span = {"start": "2026-03-01T22:00:00Z", "end": "2026-03-03T22:00:00Z", "extra": extra}
    ews.put("calendar", "A=", soap.meeting("A=", "u1", **span))
    ews.put("calendar", "B=", soap.meeting("B=", "u2", zone="Customized Time Zone", **span))
    known, unknown = meetings(mailbox.changes(CALENDAR, None))
    for item in (known, unknown):
        assert (item.start, item.end) == (dt.date(2026, 3, 2), dt.date(2026, 3, 4))
        assert item.all_day


def test_an_unknown_zone_keeps_the_instants_and_warns(
    ews: EwsServer, mailbox: ExchangeMailbox
) -> None:
    ews.put("calendar", "A=", soap.meeting("A=", "u1", zone=""))
    (item,) = meetings(mailbox.changes(CALENDAR, None))
    assert item.start == dt.datetime(2026, 3, 2, 7, tzinfo=UTC)
    assert item.zone == ""
    assert item.remarks


def test_private_meetings_say_so(ews: EwsServer, mailbox: ExchangeMailbox) -> None:
    ews.put("calendar", "A=", soap.meeting("A=", "u1", sensitivity="Private"))
    (item,) = meetings(mailbox.changes(CALENDAR, None))
    assert item.sensitivity is Sensitivity.PRIVATE
