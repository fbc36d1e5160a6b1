from __future__ import annotations

import pytest

from desktop_crm.core import clock
from desktop_crm.models import Link
from desktop_crm.models.mail import MailboxState
from desktop_crm.services import records
from desktop_crm.services.mail import mailboxes
from desktop_crm.services.mail import message as mail_message
from desktop_crm.sync.memory import INBOX
from desktop_crm.sync.port import Address
from tests.unit.sync.conftest import World, mail


@pytest.fixture
def stranger(world: World) -> World:
    """A world in which somebody unknown has written."""
    world.port.put(INBOX, mail(sender="nou@alt.example"))
    world.sync()
    mailboxes.set_state(world.actor, world.mailbox, MailboxState.OK, "", clock.now())
    assert world.links() == []
    return world


def sender(world: World) -> tuple[int | None, int | None]:
    party = next(p for p in world.parties if p.participation == "from")
    return party.contact_id, party.account_id


def known(world: World) -> int:
    return world.save(
        "contact",
        last_name="Nou",
        account=world.client,
        emails=[{"address": "nou@alt.example"}],
    )


def test_an_address_entered_later_names_the_party_and_offers_links(stranger: World) -> None:
    contact = known(stranger)
    result = stranger.sync()
    assert sender(stranger) == (contact, stranger.client)
    assert sorted(stranger.links()) == [
        ("account", stranger.client, "contact", "suggested"),
        ("contact", contact, "contact", "suggested"),
    ]
    assert result.changes.touches("link")
    (activity,) = stranger.activities
    assert activity.contact_id is None
    before = stranger.links()
    stranger.sync()
    assert stranger.links() == before


def test_what_a_person_rejected_is_not_offered_again(stranger: World) -> None:
    contact = known(stranger)
    new = {"activity": 1, "record_type": "contact", "record_id": contact, "state": "rejected"}
    records.save(stranger.actor, "link", None, None, new)
    stranger.sync()
    states = {row.record_type: row.state for row in stranger.rows(Link)}
    assert states == {"contact": "rejected", "account": "suggested"}


def test_an_address_of_several_people_still_decides_nothing(stranger: World) -> None:
    known(stranger)
    known(stranger)
    stranger.sync()
    assert sender(stranger) == (None, None)
    assert stranger.links() == []


def test_a_dry_run_offers_nothing(stranger: World) -> None:
    known(stranger)
    stranger.sync(dry_run=True)
    assert stranger.links() == []


def test_an_answer_read_before_its_message_is_filed_with_it(world: World) -> None:
    inbox, sent, _ = world.port.folders()
    home = Address("acasa@gmail.com", "Ion")
    world.port.put(
        inbox, mail("a2@x", sender=home, in_reply_to="a1@firma", references=("a1@firma",))
    )
    world.port.put(
        inbox, mail("a3@x", sender=home, in_reply_to="a2@x", references=("a1@firma", "a2@x"))
    )
    question = mail("a1@firma", sender="ana@firma.example", to=("ion@client.example",))
    world.port.put(sent, question)
    world.sync()
    keys = {m.message_id: m.activity_id for m in world.messages}
    for answer in ("a2@x", "a3@x"):
        links = {
            (r.record_type, r.record_id): (r.rule, r.state)
            for r in world.rows(Link)
            if r.activity_id == keys[answer]
        }
        assert links["account", world.client] == ("reply", "linked")
        assert links["opportunity", world.deal] == ("reply", "linked")
        assert ("contact", world.contact) not in links


def test_what_a_person_decided_about_an_answer_stays(world: World) -> None:
    inbox, sent, _ = world.port.folders()
    home = Address("acasa@gmail.com", "Ion")
    world.port.put(
        inbox, mail("a2@x", sender=home, in_reply_to="a1@firma", references=("a1@firma",))
    )
    world.sync()
    (answer,) = world.activities
    mail_message.link(world.actor, answer.id, "lead", world.lead)
    world.port.put(sent, mail("a1@firma", sender="ana@firma.example", to=("ion@client.example",)))
    world.sync()
    links = [(r.record_type, r.rule) for r in world.rows(Link) if r.activity_id == answer.id]
    assert links == [("lead", "manual")]
