from __future__ import annotations

import pytest

from desktop_crm.core import clock
from desktop_crm.models import Link
from desktop_crm.models.mail import MailboxState
from desktop_crm.services import mailboxes, records
from desktop_crm.sync.memory import INBOX
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
