from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest

from desktop_crm.models import Link, Mailbox
from desktop_crm.models.filing import FilingKind
from desktop_crm.services import records
from desktop_crm.services.mail import filing_rules
from desktop_crm.services.mail import message as mail_message
from desktop_crm.sync.memory import INBOX, SENT
from desktop_crm.sync.port import Address, Folder, FolderRole, Sensitivity
from tests.unit.sync.conftest import World, mail


def arrives(world: World, *items: Any, folder: Folder = INBOX) -> Any:
    for item in items:
        world.port.put(folder, item)
    result = world.sync()
    assert result.problem is None, result.problem
    return next(f for f in result.folders if f.folder == folder.name)


def links_of(world: World, message_id: str) -> set[tuple[str, int, str, str]]:
    activity = next(m.activity_id for m in world.messages if m.message_id == message_id)
    return {
        (r.record_type, r.record_id, r.rule, r.state)
        for r in world.rows(Link)
        if r.activity_id == activity
    }


# --- M1 ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"sensitivity": Sensitivity.CONFIDENTIAL}, "personal, private or confidential"),
        ({"is_draft": True}, "drafts, junk"),
        ({"headers": (("x-spam-flag", "YES"),)}, "drafts, junk"),
        ({"headers": (("auto-submitted", "auto-replied"),)}, "A program sent it"),
        ({"headers": (("x-autoreply", "yes"),)}, "A program sent it"),
        ({"headers": (("return-path", "<>"),)}, "A program sent it"),
        ({"headers": (("content-type", "multipart/report; x=y"),)}, "A program sent it"),
        ({"sender": "dan@firma.example"}, "Only our own people"),
        ({"sender": "dan@sub.firma.example"}, "Only our own people"),
    ],
)
def test_exclusions(world: World, changes: dict[str, Any], reason: str) -> None:
    counts = arrives(world, mail(**changes))
    assert [key for key in counts.excluded if reason in key]
    assert world.activities == []


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": (("auto-submitted", "no"),)},
        {"headers": (("precedence", "bulk"), ("list-id", "<news.client.example>"))},
        {"sender": "dan@firma.example", "cc": ("ion@client.example",)},
        {"sender": Address("undisclosed", readable=False), "to": ()},
    ],
)
def test_what_is_not_excluded(world: World, changes: dict[str, Any]) -> None:
    assert arrives(world, mail(**changes)).created == 1


@pytest.mark.parametrize(
    "listed",
    [
        "ion@client.example",
        "client.example",
        "@client.example, x.y",
        "a.example\nION@CLIENT.EXAMPLE",
    ],
)
def test_addresses_never_to_store(world: World, listed: str) -> None:
    records.save(world.actor, "mailbox", world.mailbox, None, {"never_log": listed})
    assert arrives(world, mail()).excluded.total() == 1


def test_domains_of_the_company_are_ours(world: World) -> None:
    world.save("own_company", name="Firma SRL", mail_domains="firma.ro, grup.example")
    item = mail(sender="dan@grup.example", to=("ana@firma.ro",))
    assert arrives(world, item).excluded.total() == 1


def test_mass_mail_is_stored_and_marked(world: World) -> None:
    arrives(world, mail(headers=(("list-unsubscribe", "<mailto:x@y>"),)))
    (message,) = world.messages
    assert message.is_automatic


# --- own people first --------------------------------------------------------------------------


def test_our_own_address_is_never_a_contact(world: World) -> None:
    # Somebody entered a colleague's address with a contact.
    world.save("contact", last_name="Greșit", emails=[{"address": "ana@firma.example"}])
    arrives(world, mail())
    assert {link[:2] for link in world.links()} == {
        ("contact", world.contact),
        ("account", world.client),
        ("opportunity", world.deal),
    }
    ana = next(p for p in world.parties if p.address == "ana@firma.example")
    assert (ana.user_id, ana.contact_id) == (world.ana, None)


# --- M3: answers -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "reply", [{"in_reply_to": "m1@x"}, {"references": ("m0@x", "m1@x", "lost@x")}]
)
def test_an_answer_follows_its_message(world: World, reply: dict[str, Any]) -> None:
    arrives(world, mail())
    arrives(world, mail("m2@x", sender="sef@alt.example", **reply))
    assert links_of(world, "m2@x") == {
        ("account", world.client, "reply", "linked"),
        ("opportunity", world.deal, "reply", "linked"),
    }
    assert {m.thread_key for m in world.messages} == {"m1@x"}


def test_an_answer_in_the_same_batch_follows_too(world: World) -> None:
    arrives(world, mail("m2@x", sender="sef@alt.example", in_reply_to="m1@x"), mail())
    assert ("opportunity", world.deal, "reply", "linked") in links_of(world, "m2@x")


def test_an_answer_goes_where_the_thread_stands_now(world: World) -> None:
    arrives(world, mail())
    other = world.save("account", name="Altul SRL")
    changes = mail_message.link(world.actor, 1, "account", other)
    assert changes
    for row in world.rows(Link):
        if row.record_id != other:
            records.save(world.actor, "link", row.id, None, {"state": "rejected"})
    arrives(world, mail("m2@x", sender="sef@alt.example", in_reply_to="m1@x"))
    assert {link for link in links_of(world, "m2@x") if link[2] == "reply"} == {
        ("account", other, "reply", "linked")
    }


# --- M4: reference numbers ---------------------------------------------------------------------


def quote(world: World) -> int:
    currency = world.save("currency", code="RON", name="Leu")
    return world.save(
        "quote",
        name="Ofertă roboți",
        account=world.client,
        contact=world.contact,
        currency=currency,
    )


def numbered(world: World, quote_id: int, number: str) -> None:
    from desktop_crm.models import Quote
    from desktop_crm.services.records_kept import update_rows

    with world.actor.db.writing() as connection:
        update_rows(connection, Quote, [(quote_id, {"number": number})], None)


def test_a_number_in_the_subject_links_its_quote(world: World) -> None:
    made = quote(world)
    numbered(world, made, "OF-2026-0042")
    arrives(world, mail(subject="Re: ofertă [#OF-2026-0042]"))
    assert ("quote", made, "token", "linked") in links_of(world, "m1@x")
    (activity,) = world.activities
    assert activity.quote_id == made


def test_a_number_from_a_stranger_links_nothing(world: World) -> None:
    numbered(world, quote(world), "OF-2026-0042")
    arrives(world, mail(subject="[#OF-2026-0042]", sender="who@else.example"))
    assert world.links() == []


def test_our_own_header_links_by_uid(world: World) -> None:
    uid = records.get(world.actor, "opportunity", world.deal).values["uid"]
    arrives(world, mail(headers=(("x-crm-ref", uid),)))
    assert ("opportunity", world.deal, "token", "linked") in links_of(world, "m1@x")


# --- M5: conversations -------------------------------------------------------------------------


def test_a_conversation_is_a_hint_that_a_participant_confirms(world: World) -> None:
    arrives(world, mail(thread_key="conv"))
    arrives(world, mail("known@x", thread_key="conv"))
    arrives(world, mail("strange@x", sender="who@else.example", thread_key="conv"))
    assert ("opportunity", world.deal, "conversation", "linked") in links_of(world, "known@x")
    assert links_of(world, "strange@x") == {
        ("account", world.client, "conversation", "suggested"),
        ("opportunity", world.deal, "conversation", "suggested"),
    }


# --- M6: folders and categories ----------------------------------------------------------------


def test_a_folder_and_a_category_belong_to_an_account(world: World) -> None:
    other = world.save("account", name="Țesătoria Română")
    for name in ("Proiecte", "VIP"):
        filing_rules.add(world.actor, world.mailbox, FilingKind.CATEGORY, name, ("account", other))
    project = Folder("Proiecte", "Proiecte", FolderRole.OTHER)
    from desktop_crm.sync.memory import MemoryMailbox

    world.port = MemoryMailbox([INBOX, project])
    world.port.put(project, mail("folder@x", sender="who@else.example"))
    world.port.put(INBOX, mail("category@x", sender="who@else.example", categories=("vip",)))
    world.port.put(INBOX, mail("neither@x", sender="who@else.example", categories=("X",)))
    world.sync()
    for message_id in ("folder@x", "category@x"):
        assert links_of(world, message_id) == {("account", other, "filing", "linked")}
    assert links_of(world, "neither@x") == set()


# --- M7: participants --------------------------------------------------------------------------


def test_everybody_in_a_message_counts_not_only_the_sender(world: World) -> None:
    item = mail(sender="who@else.example", cc=("ion@client.example", "lia@nou.example"))
    arrives(world, item)
    assert {link[:2] for link in world.links()} >= {
        ("contact", world.contact),
        ("lead", world.lead),
    }


def test_an_address_of_several_people_decides_nothing(world: World) -> None:
    twin = world.save("contact", last_name="Geamăn", emails=[{"address": "ion@client.example"}])
    counts = arrives(world, mail())
    assert (counts.linked, counts.suggested) == (0, 1)
    assert {link for link in world.links() if link[0] == "contact"} == {
        ("contact", world.contact, "contact", "suggested"),
        ("contact", twin, "contact", "suggested"),
    }
    sender = next(p for p in world.parties if p.participation == "from")
    assert sender.contact_id is None


def test_an_address_colleagues_share_still_tells_their_account(world: World) -> None:
    world.save(
        "contact",
        last_name="Coleg",
        account=world.client,
        emails=[{"address": "ion@client.example"}],
    )
    arrives(world, mail())
    assert ("account", world.client, "contact", "linked") in world.links()


def test_a_converted_lead_is_what_it_became(world: World) -> None:
    from desktop_crm.core import clock
    from desktop_crm.models import Lead
    from desktop_crm.services.records_kept import update_rows

    became = {"converted_contact_id": world.contact, "converted_at": clock.now()}
    with world.actor.db.writing() as connection:
        update_rows(connection, Lead, [(world.lead, became)], None)
    arrives(world, mail(sender="lia@nou.example"))
    assert ("contact", world.contact, "contact", "linked") in world.links()
    assert not any(link[0] == "lead" for link in world.links())


def test_a_domain_belongs_to_an_account(world: World) -> None:
    arrives(world, mail(sender="nou@mail.client.example"))
    assert ("account", world.client, "domain", "linked") in world.links()
    row = next(r for r in world.rows(Link) if r.record_type == "account")
    assert (row.evidence, row.confidence) == ("@mail.client.example", Decimal(75))


def test_public_domains_belong_to_nobody(world: World) -> None:
    world.save("account", name="Poștașul", domain="gmail.com")
    arrives(world, mail(sender="cineva@gmail.com"))
    assert world.links() == []


def test_deleted_records_are_not_linked(world: World) -> None:
    records.delete(world.actor, "contact", [world.contact])
    records.delete(world.actor, "account", [world.client])
    arrives(world, mail())
    assert world.links() == []


def test_a_crowd_says_nothing_about_anybody(world: World) -> None:
    crowd = [f"c{n}@multi.example" for n in range(12)]
    for address in crowd:
        world.save("contact", last_name=address, emails=[{"address": address}])
    counts = arrives(world, mail(sender="who@else.example", cc=tuple(crowd)))
    assert (counts.linked, counts.suggested) == (0, 1)


# --- M8: what it is about ----------------------------------------------------------------------


def test_the_only_open_opportunity_is_linked(world: World) -> None:
    arrives(world, mail())
    (activity,) = world.activities
    assert (activity.opportunity_id, activity.account_id, activity.contact_id) == (
        world.deal,
        world.client,
        world.contact,
    )
    row = next(r for r in world.rows(Link) if r.record_type == "opportunity")
    assert row.is_regarding
    assert row.linked_by_id is None


def test_of_several_opportunities_none_is_guessed(world: World) -> None:
    stage = records.get(world.actor, "opportunity", world.deal).values["stage"]
    for name in ("A doua", "A treia"):
        world.save("opportunity", name=name, account=world.client, stage=stage)
        world.save(
            "opportunity", name=name, account=world.client, contact=world.contact, stage=stage
        )
    arrives(world, mail())
    found = [link for link in world.links() if link[0] == "opportunity"]
    assert len(found) == 5
    assert {link[3] for link in found} == {"suggested"}
    (activity,) = world.activities
    assert activity.opportunity_id is None


def test_the_one_of_the_contact_stands_before_those_of_the_account(world: World) -> None:
    stage = records.get(world.actor, "opportunity", world.deal).values["stage"]
    other = world.save("opportunity", name="A doua", account=world.client, stage=stage)
    arrives(world, mail())
    found = {link[1]: link[3] for link in world.links() if link[0] == "opportunity"}
    assert found == {world.deal: "linked", other: "suggested"}


def case(world: World, **values: object) -> int:
    return world.save("case", title="Belt tears", account=world.client, **values)


def close(world: World) -> None:
    """Close the deal of the world, so that only cases are open."""
    won = world.save("stage", name="Won", state="won")
    records.save(world.actor, "opportunity", world.deal, None, {"stage": won})


def test_the_only_open_case_is_linked(world: World) -> None:
    close(world)
    made = case(world, contact=world.contact)
    case(world, contact=world.contact, state="resolved")
    arrives(world, mail())
    assert ("case", made, "case", "linked") in links_of(world, "m1@x")
    (activity,) = world.activities
    assert (activity.case_id, activity.opportunity_id) == (made, None)
    assert [link for link in world.links() if link[0] == "case"] == [
        ("case", made, "case", "linked")
    ]


def test_between_an_open_case_and_an_open_opportunity_nothing_is_guessed(world: World) -> None:
    made = case(world, contact=world.contact)
    arrives(world, mail())
    found = {link[:2]: link[3] for link in world.links() if link[0] in ("case", "opportunity")}
    assert found == {("case", made): "suggested", ("opportunity", world.deal): "suggested"}


def test_the_number_of_a_case_links_it_also_when_it_is_closed(world: World) -> None:
    made = case(world, contact=world.contact, state="resolved")
    number = records.get(world.actor, "case", made).values["number"]
    arrives(world, mail(subject=f"Re: again [#{number}]"))
    assert ("case", made, "token", "linked") in links_of(world, "m1@x")


def test_the_number_of_a_case_from_a_stranger_links_nothing(world: World) -> None:
    number = records.get(world.actor, "case", case(world)).values["number"]
    arrives(world, mail(subject=f"[#{number}]", sender="who@else.example"))
    assert world.links() == []


def test_a_number_of_a_quote_and_of_a_case_says_what_the_sender_knows(world: World) -> None:
    mine = quote(world)
    numbered(world, mine, "2026-77")
    other = world.save("account", name="Other")
    stranger = world.save("case", title="Theirs", account=other, number="2026-77")
    arrives(world, mail(subject="Re: [#2026-77]"))
    assert ("quote", mine, "token", "linked") in links_of(world, "m1@x")
    assert ("case", stranger) not in {link[:2] for link in world.links()}


def test_a_number_that_two_records_of_a_customer_have_is_asked_about(world: World) -> None:
    offer = quote(world)
    numbered(world, offer, "2026-77")
    made = case(world, number="2026-77")
    arrives(world, mail(subject="Re: [#2026-77]"))
    found = {link[:2]: link[2:] for link in world.links() if link[0] in ("case", "quote")}
    assert found == {
        ("quote", offer): ("token", "suggested"),
        ("case", made): ("token", "suggested"),
    }


def test_mass_mail_is_about_no_opportunity(world: World) -> None:
    arrives(world, mail(headers=(("list-id", "<news>"),)))
    assert {link[0] for link in world.links()} == {"contact", "account"}


def test_sent_mail_counts(world: World) -> None:
    item = mail(sender="ana@firma.example", to=("ion@client.example",))
    arrives(world, item, folder=SENT)
    assert ("contact", world.contact, "contact", "linked") in world.links()


def test_the_mailbox_form_shows_what_the_rules_ask(world: World) -> None:
    assert {"never_log", "own_domains"} <= {c.name for c in Mailbox.__table__.columns}
