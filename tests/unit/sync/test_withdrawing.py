"""What is withdrawn, or never let in, is nowhere: every byte of the database is looked at."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from desktop_crm.core.errors import PermissionDenied, UserError
from desktop_crm.models import AuditEntry, DocumentContent, Link
from desktop_crm.models.filing import FilingKind
from desktop_crm.services import context, purge, records
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail import withdrawing
from desktop_crm.services.mail.withdrawing import Which, choose, withdraw
from desktop_crm.sync.folder.mailbox import FolderMailbox
from desktop_crm.sync.memory import ARCHIVE, INBOX, SENT, MemoryMailbox
from desktop_crm.sync.outbox import order
from desktop_crm.sync.port import Address, Attachment, Flag, Folder, MailItem, Sensitivity
from desktop_crm.sync.writes import Mark, Ref
from tests.support.traces import traces
from tests.unit.sync.conftest import World, mail

SECRET = "Zqxjvwk"


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    name = "shared_world" if request.param == "postgresql" else "plain_world"
    found: World = request.getfixturevalue(name)
    return found


def secret(message_id: str = f"{SECRET}@x", **changes: Any) -> MailItem:
    """A message that says the word in every part of it."""
    values: dict[str, Any] = {
        "subject": f"{SECRET} subject",
        "sender": Address("ion@client.example", f"{SECRET} Pop"),
        "cc": (Address(f"{SECRET.lower()}@nowhere.example", SECRET),),
        "text": f"{SECRET} text",
        "html": f"<p>{SECRET} html</p>",
        "categories": (f"{SECRET} category",),
        "thread_key": f"{SECRET} thread",
        "references": (f"{SECRET}-before@x",),
        "attachments": (Attachment(f"{SECRET}.txt", "text/plain", 20, f"{SECRET} file".encode()),),
    }
    return mail(message_id, **{**values, **changes})


# --- what is never let in ---------------------------------------------------------------------

POLICIES: dict[str, tuple[dict[str, Any], dict[str, Any], Folder]] = {
    "never an address": ({"never_log": f"{SECRET}@nowhere.example"}, {}, INBOX),
    "never a domain": ({"never_log": "nowhere.example"}, {}, INBOX),
    "private": ({}, {"sensitivity": Sensitivity.PRIVATE}, INBOX),
    "personal": ({}, {"sensitivity": Sensitivity.PERSONAL}, INBOX),
    "confidential": ({}, {"sensitivity": Sensitivity.CONFIDENTIAL}, INBOX),
    "a draft": ({}, {"is_draft": True}, INBOX),
    "a program": ({}, {"headers": (("auto-submitted", "auto-replied"),)}, INBOX),
    "spam": ({}, {"headers": (("x-spam-flag", "yes"),)}, INBOX),
    "internal": ({}, {"sender": "boss@firma.example", "cc": ()}, INBOX),
    "internal by its own list": (
        {"own_domains": "client.example nowhere.example"},
        {},
        INBOX,
    ),
    "never a category": ({"skip_categories": f"Other\n{SECRET} CATEGORY"}, {}, INBOX),
    "none of the categories": ({"read_categories": "Customers"}, {}, INBOX),
    "another folder": ({"read_folders": "Inbox\nCalendar"}, {}, SENT),
    "a folder nobody reads": ({}, {}, ARCHIVE),
    "private mail service": (
        {"personal_domains": "*\nnowhere.example"},
        {"sender": f"{SECRET.lower()}@gmail.com"},
        INBOX,
    ),
    "nobody known": ({"kept": "known"}, {"sender": "who@nowhere.example"}, INBOX),
    "no answer": ({"kept": "answers"}, {}, INBOX),
    "a key of somebody else's program": (
        {"kept": "answers"},
        {"own_key": "k1", "headers": (("x-crm-ref", "k1"),)},
        INBOX,
    ),
}


@pytest.mark.parametrize("case", POLICIES)
def test_no_byte_of_what_is_left_out_is_anywhere(
    world: World, caplog: pytest.LogCaptureFixture, case: str
) -> None:
    caplog.set_level("DEBUG", logger="desktop_crm")
    policy, changes, folder = POLICIES[case]
    # What a person lists himself is in the list; the word is looked for beside it.
    records.save(world.actor, "mailbox", world.mailbox, None, policy)
    own = traces(world.actor.db, SECRET)
    key = world.port.put(folder, secret(**changes))
    radu = "radu@other.example"
    world.port.put(
        INBOX,
        mail(
            "open@x",
            categories=("Customers",),
            own_key="ours",
            text="",
            sender="ana@firma.example",
            to=(radu,),
        ),
    )
    assert world.sync().problem is None
    assert traces(world.actor.db, SECRET) == own
    assert SECRET.casefold() not in caplog.text.casefold()
    assert [m.message_id for m in world.messages] == ["open@x"]
    # Marks and a new enumeration bring nothing either.
    world.port.do(Mark("k", Ref(folder.key, key), flag=Flag.FLAGGED))
    world.sync()
    world.port.forget_tokens()
    assert world.sync().problem is None
    assert traces(world.actor.db, SECRET) == own


def test_the_same_message_without_a_policy_is_found_by_the_search_for_traces(world: World) -> None:
    """The search would see it: what it does not find is not there."""
    assert not traces(world.actor.db, SECRET)
    world.port.put(INBOX, secret())
    world.sync()
    places = traces(world.actor.db, SECRET)
    assert {"mail_message", "activity", "activity_party", "document"} <= places
    assert {"document_content", "mailbox_item", "audit_entry"} <= places


def test_a_file_called_as_its_subject_is_not_named(world: World, tmp_path: Path) -> None:
    head = "From: boss@firma.example\r\nTo: ana@firma.example\r\nMessage-ID: <a@x>\r\n\r\n"
    name = tmp_path / "Inbox" / f"{SECRET}.eml"
    name.parent.mkdir()
    name.write_bytes(head.encode())
    world.sync(port=FolderMailbox(tmp_path))
    (item,) = world.items
    assert (item.state, item.identity) == ("excluded", None)
    assert traces(world.actor.db, SECRET) == set()
    name.unlink()
    world.sync(port=FolderMailbox(tmp_path))
    assert [i.state for i in world.items] == ["gone"]


@pytest.mark.parametrize("content", [b"", b"no header at all", b"\xff\xfe\x00"])
@pytest.mark.parametrize("place", ["Drafts", "Junk E-mail", "Trash"])
def test_what_cannot_be_read_where_nothing_is_stored_is_not_named(
    world: World, tmp_path: Path, content: bytes, place: str
) -> None:
    name = tmp_path / place / f"{SECRET}.eml"
    name.parent.mkdir()
    name.write_bytes(content)
    for _ in range(2):
        assert world.sync(port=FolderMailbox(tmp_path)).problem is None
        assert [(i.state, i.activity_id) for i in world.items] == [("excluded", None)]
    # The folder's position is packed, so three letters of it may be those of the word.
    assert {name for name in traces(world.actor.db, SECRET) if not name.startswith("crm")} == set()


# --- withdrawing ------------------------------------------------------------------------------


def _full_of_traces(world: World) -> int:
    """One message with everything that can hang on it; its activity."""
    world.port.put(INBOX, secret())
    world.sync()
    (message,) = world.messages
    activity: int = message.activity_id
    mail_message.link(world.actor, activity, "opportunity", world.deal)
    return activity


@pytest.mark.parametrize("which", [Which.MESSAGE, Which.THREAD, Which.SENDER, Which.MAILBOX])
def test_no_byte_of_what_is_withdrawn_is_anywhere(
    world: World, caplog: pytest.LogCaptureFixture, which: Which
) -> None:
    caplog.set_level("DEBUG", logger="desktop_crm")
    activity = _full_of_traces(world)
    values: dict[Which, int | str] = {
        Which.MESSAGE: activity,
        Which.THREAD: activity,
        Which.SENDER: "Ion@Client.example",
        Which.MAILBOX: world.mailbox,
    }
    chosen = choose(world.actor, which, values[which])
    assert (chosen.ids, chosen.held_by_others) == ((activity,), 0)
    done = withdraw(world.actor, chosen.ids)
    assert (done.count, done.refused) == (1, ())
    assert traces(world.actor.db, SECRET) == set()
    assert SECRET.casefold() not in caplog.text.casefold()
    assert (world.messages, world.activities, world.parties) == ([], [], [])
    assert world.rows(Link) == []
    assert world.rows(DocumentContent) == []
    (item,) = world.items
    assert (item.state, item.activity_id, item.categories) == ("withdrawn", None, None)
    entry = world.rows(AuditEntry)[-1]
    assert (entry.entity, entry.record_id, entry.source, entry.changes) == (
        "activity", activity, "withdraw", {},
    )  # fmt: skip


def test_what_is_withdrawn_is_never_stored_again(world: World) -> None:
    activity = _full_of_traces(world)
    withdraw(world.actor, [activity])
    world.sync()
    world.port.forget_tokens()
    world.sync()
    key = next(iter(world.port.held(INBOX)))
    world.port.move(INBOX, SENT, key)
    world.sync()
    radu = world.save("user", name="Radu", login="radu", email="radu@firma.example")
    other = world.save(
        "mailbox", name="Radu", kind="folder", address="radu@firma.example", user=radu
    )
    port = MemoryMailbox()
    port.put(INBOX, secret())
    port.put(INBOX, mail("other@x"))
    world.sync(mailbox=other, port=port)
    assert [m.message_id for m in world.messages] == ["other@x"]
    assert traces(world.actor.db, SECRET) == set()


def test_deleted_for_good_is_never_stored_again_either(world: World) -> None:
    activity = _full_of_traces(world)
    records.delete(world.actor, "activity", [activity])
    purge.purge(world.actor, [("activity", activity)])
    world.port.forget_tokens()
    world.sync()
    assert world.messages == []


def test_bytes_that_another_message_carries_stay(world: World) -> None:
    activity = _full_of_traces(world)
    same = secret().attachments
    world.port.put(INBOX, mail("second@x", attachments=same, text="fine"))
    world.sync()
    withdraw(world.actor, [activity])
    assert [len(c.content) for c in world.rows(DocumentContent)] == [len(f"{SECRET} file")]
    assert "mail_message" not in traces(world.actor.db, SECRET)


def test_orders_and_rules_about_it_go_along(world: World) -> None:
    activity = _full_of_traces(world)
    (message,), (item,) = world.messages, world.items
    world.save(
        "filing_rule", mailbox=world.mailbox, kind=FilingKind.THREAD.value,
        value=message.thread_key, shown="a thread", record_type="account", record_id=world.client,
    )  # fmt: skip
    mark = Mark("key-1", Ref(item.folder, item.item_key), is_read=False)
    order(world.actor, world.mailbox, mark, title=f"{SECRET} subject")
    world.sync()
    assert "outbox_item" in traces(world.actor.db, SECRET)
    withdraw(world.actor, [activity])
    assert traces(world.actor.db, SECRET) == set()


def test_only_the_person_in_whose_mailbox_it_lies_withdraws(world: World) -> None:
    role = world.save("role", name="Boss", is_admin=True)
    boss = world.save("user", name="Boss", login=context.own_login(world.actor.db), role=role)
    world.port.put(INBOX, secret())
    world.sync()
    (message,) = world.messages
    actor = context.sign_in(world.actor.db)
    assert actor.user_id == boss
    for which in (Which.MESSAGE, Which.THREAD):
        with pytest.raises(PermissionDenied, match="no mailbox of yours"):
            choose(actor, which, message.activity_id)
    assert choose(actor, Which.MAILBOX, world.mailbox).ids == ()
    with pytest.raises(PermissionDenied):
        withdraw(actor, [message.activity_id])
    assert len(world.messages) == 1


def test_a_sender_is_an_address(world: World) -> None:
    with pytest.raises(UserError, match="no e-mail address"):
        choose(world.actor, Which.SENDER, "nobody")


def test_many_are_withdrawn_in_short_transactions(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(withdrawing, "CHUNK", 2)
    for n in range(5):
        world.port.put(INBOX, secret(f"{SECRET}{n}@x", subject=f"{SECRET} {n}"))
    world.sync()
    seen: list[tuple[int, int]] = []
    ids = choose(world.actor, Which.MAILBOX, world.mailbox).ids
    done = withdraw(world.actor, ids, progress=lambda n, of: seen.append((n, of)))
    assert done.count == 5
    assert seen == [(2, 5), (4, 5), (5, 5)]
    assert traces(world.actor.db, SECRET) == set()
