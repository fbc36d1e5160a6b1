"""Who somebody probably is: offered, never filed."""

from __future__ import annotations

import pytest

from desktop_crm.core.text import untagged
from desktop_crm.sync.near import authors_of_forwarded
from desktop_crm.sync.port import Address
from tests.unit.sync.conftest import World, mail


@pytest.mark.parametrize(
    ("address", "plain"),
    [("ana+crm@x.example", "ana@x.example"), ("ana@x.example", ""), ("+a@x.example", "")],
)
def test_tags_are_taken_off(address: str, plain: str) -> None:
    assert untagged(address) == plain


@pytest.mark.parametrize(
    ("subject", "head", "found"),
    [
        ("Fwd: Cerere", "De la: Ion Pop <ion@client.example>", ("ion@client.example",)),
        ("WG: Anfrage", "Von: Ion [mailto:ion@client.example]", ("ion@client.example",)),
        ("FW: x", "> From: ION@Client.Example", ("ion@client.example",)),
        ("Re: x", "From: ion@client.example", ()),
        ("Fwd: x", "To: ion@client.example", ()),
    ],
)
def test_authors_of_what_is_passed_on(subject: str, head: str, found: tuple[str, ...]) -> None:
    item = mail(subject=subject, text=f"Vezi mai jos.\n\n{head}\nSubject: Cerere\n")
    assert authors_of_forwarded(item) == found


def test_a_tagged_address_is_offered(world: World) -> None:
    world.port.put(world.port.folders()[0], mail(sender=Address("ion+crm@client.example", "x")))
    world.sync()
    assert ("contact", world.contact, "contact", "suggested") in world.links()


@pytest.mark.parametrize("name", ["Ion Pop", "Pop, Ion", "POP ION"])
def test_a_name_is_offered_with_its_account(world: World, name: str) -> None:
    world.port.put(world.port.folders()[0], mail(sender=Address("acasa@gmail.com", name)))
    world.sync()
    assert set(world.links()) == {
        ("contact", world.contact, "name", "suggested"),
        ("account", world.client, "name", "suggested"),
    }


def test_one_word_is_no_name(world: World) -> None:
    world.port.put(world.port.folders()[0], mail(sender=Address("acasa@gmail.com", "Ion")))
    world.sync()
    assert world.links() == []


def test_who_is_passed_on_is_offered(world: World) -> None:
    text = "Vezi.\n\nDe la: Ion Pop <ion@client.example>\n"
    item = mail(sender="agent@mediu.example", subject="Fwd: Cerere", text=text)
    world.port.put(world.port.folders()[0], item)
    world.sync()
    assert ("contact", world.contact, "forwarded", "suggested") in world.links()
    assert all(state == "suggested" for *_, state in world.links())


def test_the_deal_that_the_subject_names_is_filed(world: World) -> None:
    stage = world.save("stage", name="Other", probability=20)
    other = world.save(
        "opportunity", name="Bandă transportoare", account=world.client, contact=world.contact,
        stage=stage,
    )  # fmt: skip
    world.port.put(world.port.folders()[0], mail(subject="Termen bandă transportoare?"))
    world.sync()
    states = {(kind, key): state for kind, key, _, state in world.links()}
    assert states["opportunity", other] == "linked"
    assert states["opportunity", world.deal] == "suggested"
