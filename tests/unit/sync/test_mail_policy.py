"""What a mailbox keeps and shares follows its policy and the links of each message."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.models import Document, DocumentContent, Link
from desktop_crm.services import context, records
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import colleagues
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail import policy as mail_policy
from desktop_crm.services.mail import sharing as mail_sharing
from desktop_crm.services.mail.listing import MailQuery, message_keys
from desktop_crm.services.query import RecordQuery, first_page
from desktop_crm.sync.memory import ARCHIVE, INBOX
from desktop_crm.sync.policy_review import left_out_now
from desktop_crm.sync.port import Attachment, Sensitivity
from desktop_crm.sync.writes import Mark, Ref
from tests.support.traces import traces
from tests.unit.sync.conftest import AT, World, mail

BODY = "Zqxjvwk"
FILE = Attachment("offer.txt", "text/plain", 9, f"{BODY}!!".encode())


@pytest.fixture(params=["sqlite", "postgresql"])
def world(request: pytest.FixtureRequest) -> World:
    name = "shared_world" if request.param == "postgresql" else "plain_world"
    found: World = request.getfixturevalue(name)
    return found


def policy(world: World, **values: Any) -> None:
    records.save(world.actor, "mailbox", world.mailbox, None, values)


def _colleague(world: World, name: str = "Radu", *, admin: bool = False) -> Actor:
    every = {"entity": "*", "read": "all", "create": "all", "edit": "all", "remove": "all"}
    role = world.save("role", name=name, is_admin=admin, rights=[every])
    world.save("user", name=name, login=name.lower(), role=role)
    return context.as_seen_by(world.actor.db, name.lower())


def _link(world: World, activity: int) -> int:
    mail_message.link(world.actor, activity, "opportunity", world.deal)
    found: int = next(r.id for r in world.rows(Link) if r.activity_id == activity)
    return found


def stranger(message_id: str = "s@x", **more: Any) -> Any:
    """A message of somebody nobody knows, with a text and a file."""
    more = {"attachments": (FILE,), "text": BODY, "sender": "who@nowhere.example", **more}
    return mail(message_id, **more)


# --- texts follow links -----------------------------------------------------------------------


def test_the_text_comes_when_a_message_is_linked_and_goes_with_the_last_link(world: World) -> None:
    policy(world, text_kept="linked", sharing="whole")
    world.port.put(INBOX, stranger())
    world.sync()
    (message,) = world.messages
    assert (message.stored, message.body_text, message.has_attachments) == ("headers", None, True)
    # Another that stays linked changes nothing for this one.
    world.port.put(INBOX, mail("other@x", text="", sent_at=AT.replace(hour=9)))
    world.sync()
    assert not traces(world.actor.db, BODY)
    link = _link(world, message.activity_id)
    world.sync()
    message = world.messages[0]
    assert (message.stored, message.body_text, message.preview) == ("full", BODY, BODY)
    assert BODY.casefold() in message.search_text
    assert [d.name for d in world.rows(Document)] == ["offer.txt"]
    records.delete(world.actor, "link", [link])
    world.sync()
    message = world.messages[0]
    assert (message.stored, message.body_text, message.preview) == ("headers", None, None)
    assert (world.rows(Document), world.rows(DocumentContent)) == ([], [])
    assert not {name for name in traces(world.actor.db, BODY) if not name.startswith("crm")}


def test_an_empty_pass_fetches_no_text_again(world: World) -> None:
    policy(world, text_kept="linked")
    world.port.put(INBOX, stranger(encrypted=True))
    world.sync()
    _link(world, world.messages[0].activity_id)
    world.sync()
    calls = world.port.calls
    world.sync()
    asked = world.port.calls - calls
    world.sync()
    assert world.port.calls - calls == 2 * asked
    assert world.messages[0].stored == "sealed"


def test_a_text_that_is_no_longer_in_the_mailbox_is_not_asked_for_for_ever(world: World) -> None:
    policy(world, text_kept="linked")
    key = world.port.put(INBOX, stranger())
    world.sync()
    _link(world, world.messages[0].activity_id)
    world.port._boxes[INBOX.key].items.pop(key)
    world.sync()
    assert [i.state for i in world.items] == ["gone"]
    assert world.messages[0].stored == "headers"


def test_headers_alone_are_shared_when_no_text_is_kept(world: World) -> None:
    policy(world, sharing="headers")
    world.port.put(INBOX, stranger(sender="ion@client.example"))
    world.sync()
    (message,) = world.messages
    assert (message.stored, message.withheld) == ("headers", False)
    assert not traces(world.actor.db, BODY)
    policy(world, sharing="whole")
    world.sync()
    assert world.messages[0].body_text == BODY
    policy(world, sharing="headers")
    world.sync()
    assert world.messages[0].body_text is None


# --- who sees what ----------------------------------------------------------------------------


def seen(world: World, actor: Actor) -> list[int]:
    return list(message_keys(actor, MailQuery()))


@pytest.mark.parametrize("admin", [False, True])
def test_colleagues_see_nothing_until_it_is_shared(world: World, admin: bool) -> None:
    radu = _colleague(world, admin=admin)
    policy(world, sharing="nobody")
    world.port.put(INBOX, mail("linked@x"))
    world.port.put(INBOX, stranger("free@x", subject="Free"))
    world.sync()
    by_id = {m.message_id: m.activity_id for m in world.messages}
    assert seen(world, radu) == []
    listed = first_page(radu, RecordQuery("activity", ("subject", "kind")), 10)
    told = [row.values[0] for row in listed]
    assert told == ([] if world.actor.db.is_shared else ["Private", "Private"])
    policy(world, sharing="whole")
    world.sync()
    assert seen(world, radu) == [by_id["linked@x"]]
    policy(world, sharing="nobody")
    world.sync()
    assert seen(world, radu) == []


def test_by_default_a_shared_database_is_closed_and_ones_own_is_open(world: World) -> None:
    radu = _colleague(world)
    world.port.put(INBOX, mail())
    world.sync()
    assert len(seen(world, radu)) == (0 if world.actor.db.is_shared else 1)


def test_a_message_is_seen_at_once_when_it_is_linked_and_unseen_when_not(
    world: World,
) -> None:
    radu = _colleague(world)
    policy(world, sharing="whole")
    world.port.put(INBOX, stranger())
    world.sync()
    key = world.messages[0].activity_id
    assert seen(world, radu) == []
    link = _link(world, key)
    assert seen(world, radu) == [key]
    records.delete(world.actor, "link", [link])
    assert seen(world, radu) == []
    records.restore(world.actor, "link", [link])
    assert seen(world, radu) == [key]


def test_more_than_one_statement_takes_are_closed(
    shared_world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(mail_sharing, "MOST", 2)
    world = shared_world
    radu = _colleague(world)
    policy(world, sharing="whole")
    for n in range(5):
        world.port.put(INBOX, mail(f"{n}@x"))
    world.sync()
    assert len(seen(world, radu)) == 5
    policy(world, sharing="nobody")
    world.sync()
    assert seen(world, radu) == []


def test_a_message_that_cannot_be_read_again_stops_nothing(world: World) -> None:
    policy(world, text_kept="linked")
    world.port.put(INBOX, stranger())
    world.sync()
    _link(world, world.messages[0].activity_id)

    def fault(call: str) -> None:
        if call == "image":
            raise UserError("It cannot be read.")

    world.port._fault = fault
    assert world.sync().problem is None
    assert world.messages[0].stored == "headers"
    world.port._fault = None
    world.sync()
    assert world.messages[0].stored == "full"


def test_what_a_person_made_private_is_not_opened_by_a_link(shared_world: World) -> None:
    world = shared_world
    radu = _colleague(world)
    policy(world, sharing="whole")
    world.port.put(INBOX, mail())
    world.sync()
    key = world.messages[0].activity_id
    assert seen(world, radu) == [key]
    records.save(world.actor, "activity", key, None, {"sensitivity": "private"})
    _link(world, key)
    world.sync()
    assert seen(world, radu) == []


def test_the_preview_says_what_the_reading_of_each_colleague_gives(world: World) -> None:
    radu, boss = _colleague(world), _colleague(world, "Boss", admin=True)
    policy(world, sharing="whole", text_kept="linked")
    for n in range(4):
        world.port.put(INBOX, mail(f"{n}@x") if n % 2 else stranger(f"{n}@x"))
    world.sync()
    told = colleagues.seen_of_mailbox(world.actor, world.mailbox)
    assert (told.total, told.most) == (4, 2)
    by_name = {one.name: one for one in told.colleagues}
    for actor in (radu, boss):
        assert by_name[actor.name].messages == len(seen(world, actor))
        assert by_name[actor.name].texts == 2
    assert {row.id for row in told.rows} == set(seen(world, radu))
    policy(world, sharing="nobody")
    world.sync()
    told = colleagues.seen_of_mailbox(world.actor, world.mailbox)
    assert (told.most, told.rows) == (0, ())
    one = colleagues.seen_of_messages(world.actor, [world.messages[0].activity_id])
    assert (one.total, one.most) == (1, 0)
    with pytest.raises(NotFound, match="another person"):
        colleagues.seen_of_mailbox(boss, world.mailbox)


# --- threads, folders, private services -------------------------------------------------------


def test_an_internal_answer_within_a_thread_of_a_customer_is_kept(world: World) -> None:
    inside = {"sender": "boss@firma.example"}
    world.port.put(INBOX, mail("alone@x", **inside))
    world.port.put(INBOX, mail("answer@x", in_reply_to="alone@x", **inside))
    world.port.put(INBOX, mail("customer@x"))
    world.port.put(INBOX, mail("inside@x", in_reply_to="customer@x", **inside))
    world.sync()
    assert {m.message_id for m in world.messages} == {"customer@x", "inside@x"}
    world.port.put(INBOX, mail("later@x", references=("inside@x",), **inside))
    world.sync()
    assert "later@x" in {m.message_id for m in world.messages}


def test_only_the_chosen_folders_are_read(world: World) -> None:
    world.port.put(INBOX, mail("inbox@x"))
    world.port.put(ARCHIVE, mail("archive@x"))
    policy(world, read_folders="  ARCHIVE \n")
    world.sync()
    assert [m.message_id for m in world.messages] == ["archive@x"]
    policy(world, read_folders="Inbox")
    world.sync()
    assert left_out_now(world.actor, world.mailbox).reasons == (
        ("It lies in a folder that is not read.", 1),
    )


def test_answers_to_tracked_mail_are_kept(world: World) -> None:
    policy(world, kept="answers")
    ours = mail("ours@x", own_key="k", sender="ana@firma.example", to=("ion@client.example",))
    world.port.put(INBOX, ours)
    world.port.put(INBOX, mail("answer@x", in_reply_to="ours@x"))
    world.port.put(INBOX, mail("other@x"))
    world.sync()
    assert {m.message_id for m in world.messages} == {"ours@x", "answer@x"}


def test_private_mail_services_are_a_list_the_user_edits() -> None:
    every = mail_policy.personal_domains("*")
    assert "gmail.com" in every
    assert mail_policy.personal_domains("*\n-gmail.com\n@mine.example") == (
        every - {"gmail.com"} | {"mine.example"}
    )
    assert mail_policy.personal_domains(None) == frozenset()


def test_known_people_at_private_services_are_kept(world: World) -> None:
    policy(world, personal_domains="client.example, *")
    world.port.put(INBOX, mail("known@x"))
    world.port.put(INBOX, mail("unknown@x", sender="x@client.example", cc=("y@gmail.com",)))
    world.port.put(INBOX, mail("mixed@x", sender="x@gmail.com", cc=("z@firm.example",)))
    world.sync()
    # The domain is that of an account: its people are known.
    assert {m.message_id for m in world.messages} == {"known@x", "unknown@x", "mixed@x"}
    world.port.put(INBOX, mail("private@x", sender="x@gmail.com"))
    world.sync()
    assert "private@x" not in {m.message_id for m in world.messages}


@pytest.mark.parametrize(
    ("values", "reason"),
    [
        ({"never_log": "client.example"}, "An address or domain"),
        ({"skip_categories": "Family"}, "It has a category"),
        ({"own_domains": "client.example"}, "Only our own people"),
        ({"kept": "known"}, "Nobody in it is known"),
    ],
)
def test_what_a_stricter_policy_leaves_out_is_offered(
    world: World, values: dict[str, Any], reason: str
) -> None:
    item = mail("a@x", categories=("Family",))
    if "kept" in values:
        item = replace(item, sender=replace(item.participants[0], address="who@nowhere.example"))
    world.port.put(INBOX, item)
    world.sync()
    assert left_out_now(world.actor, world.mailbox).ids == ()
    policy(world, **values)
    told = left_out_now(world.actor, world.mailbox)
    assert told.ids == (world.messages[0].activity_id,)
    assert told.reasons[0][0].startswith(reason)


@pytest.mark.parametrize("how", ["category", "sensitivity"])
def test_what_its_user_marks_as_private_later_is_closed_to_colleagues(
    world: World, how: str
) -> None:
    """On the phone, say: nothing is deleted by it, and no link opens it again."""
    radu = _colleague(world)
    policy(world, sharing="whole", skip_categories="Own affairs")
    key = world.port.put(INBOX, mail())
    world.port.put(INBOX, mail("other@x"))
    world.sync()
    first, other = (m.activity_id for m in world.messages)
    assert set(seen(world, radu)) == {first, other}
    if how == "category":
        world.port.do(Mark("k", Ref(INBOX.key, key), categories=("OWN affairs",)))
    else:
        world.port.put(INBOX, mail(sensitivity=Sensitivity.PRIVATE), key)
    world.sync()
    assert seen(world, radu) == [other]
    _link(world, first)
    world.sync()
    assert seen(world, radu) == [other]
    assert (world.messages[0].body_text, len(world.links())) == ("Bună ziua", 6)
