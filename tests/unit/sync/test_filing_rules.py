"""Rules people set (M6), and threads whose records became others (M3, R25, R52)."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from desktop_crm.models import Link, Opportunity
from desktop_crm.models.filing import FilingKind
from desktop_crm.services import records
from desktop_crm.services.duplicates.merge import MergeWish, merge
from desktop_crm.services.duplicates.unmerge import unmerge
from desktop_crm.services.mail import filing, filing_rules
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.rules.leads import ConversionWish, convert
from desktop_crm.sync.current import current_records
from desktop_crm.sync.filing import Key, Rule, first_rule
from desktop_crm.sync.memory import CALENDAR, INBOX, SENT
from tests.unit.sync.conftest import World, mail, meeting

STRANGER = "ada@new.example"
_SENDER, _DOMAIN, _THREAD, _CATEGORY = (
    FilingKind.SENDER, FilingKind.DOMAIN, FilingKind.THREAD, FilingKind.CATEGORY,
)  # fmt: skip


def rule(world: World, kind: FilingKind, value: str, record: tuple[str, int] | None) -> None:
    filing_rules.add(world.actor, world.mailbox, kind, value, record)


def firm(world: World, name: str = "New firm") -> int:
    return world.save("account", name=name)


def linked(world: World) -> list[tuple[str, int, str]]:
    """Record and rule of what is linked, of the last message."""
    last = world.activities[-1].id
    found = mail_message.message(world.actor, last).links
    return [(one.entity, one.record_id, one.rule) for one in found if one.state == "linked"]


def waiting(world: World) -> list[str]:
    last = world.activities[-1].id
    found = mail_message.message(world.actor, last).links
    return [one.entity for one in found if one.state == "suggested"]


@pytest.mark.parametrize(
    ("kind", "value", "message"),
    [
        (_SENDER, STRANGER, {}),
        (_DOMAIN, "new.example", {}),
        (_DOMAIN, "new.example", {"sender": "ada@mail.new.example"}),
        (_CATEGORY, "Proiect Nord", {"categories": ("proiect nord",)}),
        (_CATEGORY, "Inbox", {}),
    ],
)
def test_a_rule_files_mail_of_nobody_known(
    world: World, kind: FilingKind, value: str, message: dict[str, Any]
) -> None:
    account = firm(world)
    rule(world, kind, value, ("account", account))
    world.port.put(INBOX, mail(**{"sender": STRANGER, **message}))
    world.sync()
    assert linked(world) == [("account", account, "filing")]


def test_a_rule_stands_before_addresses_and_beside_the_people(world: World) -> None:
    account = firm(world)
    rule(world, _SENDER, "ion@client.example", ("account", account))
    world.port.put(INBOX, mail())
    world.sync()
    assert ("account", account, "filing") in linked(world)
    assert ("contact", world.contact, "contact") in linked(world)
    # A person decided what it is about: no opportunity is guessed.
    assert all(entity != "opportunity" for entity, _, _ in linked(world))
    assert waiting(world) == []


def test_an_answer_stays_with_its_thread_whatever_the_rule_says(world: World) -> None:
    world.port.put(INBOX, mail())
    world.sync()
    rule(world, _SENDER, STRANGER, ("account", firm(world)))
    world.port.put(INBOX, mail("m2@x", sender=STRANGER, in_reply_to="m1@x"))
    world.sync()
    assert {found[2] for found in linked(world)} == {"reply"}


def test_mail_of_a_never_filed_sender_is_set_aside(world: World) -> None:
    rule(world, _SENDER, "ion@client.example", None)
    world.port.put(INBOX, mail())
    world.port.put(INBOX, mail("m2@x", sender="other@client.example"))
    world.sync()
    first, second = world.messages
    assert (first.set_aside, second.set_aside) == (True, False)
    assert mail_message.message(world.actor, first.activity_id).links == ()
    assert mail_message.message(world.actor, second.activity_id).links != ()


def test_our_mail_to_several_is_unfiled_only_when_all_are(world: World) -> None:
    rule(world, _SENDER, STRANGER, None)
    ours = {"sender": "ana@firma.example"}
    world.port.put(SENT, mail(to=(STRANGER,), **ours))
    world.port.put(SENT, mail("m2@x", to=(STRANGER, "ion@client.example"), **ours))
    world.sync()
    first, second = world.messages
    assert (first.set_aside, second.set_aside) == (True, False)


def test_a_rule_for_a_thread_files_what_comes_in_it(world: World) -> None:
    world.port.put(INBOX, mail(sender=STRANGER))
    world.sync()
    account = firm(world)
    filing_rules.add(
        world.actor, world.mailbox, _THREAD, world.messages[0].thread_key, ("account", account)
    )
    world.port.put(INBOX, mail("m2@x", sender="else@else.example", in_reply_to="m1@x"))
    world.sync()
    assert linked(world) == [("account", account, "filing")]


@pytest.mark.parametrize("label", ["Proiect Nord", "Calendar"])
def test_a_rule_for_a_category_or_calendar_files_meetings(world: World, label: str) -> None:
    account = firm(world)
    rule(world, _CATEGORY, label, ("account", account))
    rule(world, _SENDER, STRANGER, ("account", world.client))
    world.port.put(CALENDAR, meeting(attendees=(), categories=("proiect nord",)))
    world.sync()
    assert [link[:3] for link in world.links()] == [("account", account, "filing")]


def test_a_rule_of_another_mailbox_says_nothing(world: World) -> None:
    other = world.save("mailbox", name="Dan", kind="folder", address="dan@firma.example")
    filing_rules.add(world.actor, other, _SENDER, STRANGER, ("account", firm(world)))
    world.port.put(INBOX, mail(sender=STRANGER))
    world.sync()
    assert linked(world) == []


def test_a_rule_follows_its_record_and_ends_with_it(world: World) -> None:
    account, master = firm(world, "One"), firm(world, "Two")
    rule(world, _SENDER, STRANGER, ("account", account))
    merge(world.actor, MergeWish("account", master, (account,)))
    world.port.put(INBOX, mail(sender=STRANGER))
    world.sync()
    assert linked(world) == [("account", master, "filing")]
    records.delete(world.actor, "account", [master])
    world.port.put(INBOX, mail("m2@x", sender=STRANGER))
    world.sync()
    assert linked(world) == []


# --- threads follow their records ----------------------------------------------------------------


def test_an_answer_follows_a_record_that_was_merged(world: World) -> None:
    world.port.put(INBOX, mail(sender=STRANGER))
    world.sync()
    account, master = firm(world, "One"), firm(world, "Two")
    filing.refile(world.actor, world.activities[0].id, "account", account)
    merge(world.actor, MergeWish("account", master, (account,)))
    world.port.put(INBOX, mail("m2@x", sender=STRANGER, in_reply_to="m1@x"))
    world.sync()
    assert linked(world) == [("account", master, "reply")]


def test_an_answer_follows_what_a_lead_became(world: World) -> None:
    world.port.put(INBOX, mail(sender=STRANGER))
    world.sync()
    lead = world.save("lead", subject="Interest", company="New firm", last_name="Stein")
    filing.refile(world.actor, world.activities[0].id, "lead", lead)
    became = convert(world.actor, lead, ConversionWish())
    world.port.put(INBOX, mail("m2@x", sender=STRANGER, in_reply_to="m1@x"))
    world.sync()
    assert set(linked(world)) == {
        ("account", became.account, "reply"),
        ("opportunity", became.opportunity, "reply"),
    }


def test_an_answer_does_not_follow_a_record_that_was_deleted(world: World) -> None:
    world.port.put(INBOX, mail(sender=STRANGER))
    world.sync()
    account = firm(world)
    filing.refile(world.actor, world.activities[0].id, "account", account)
    records.delete(world.actor, "account", [account])
    world.port.put(INBOX, mail("m2@x", sender=STRANGER, in_reply_to="m1@x"))
    world.sync()
    assert linked(world) == []


def test_an_answer_follows_a_thread_that_was_moved(world: World) -> None:
    world.port.put(INBOX, mail())
    world.sync()
    deal = world.save("opportunity", name="Other", account=firm(world))
    filing.refile(world.actor, world.activities[0].id, "opportunity", deal)
    world.port.put(INBOX, mail("m2@x", in_reply_to="m1@x"))
    world.sync()
    assert ("opportunity", deal, "reply") in linked(world)
    assert ("opportunity", world.deal, "reply") not in linked(world)


def test_chains_of_merges_end_in_the_record_that_lives(world: World) -> None:
    one, two, three = (firm(world, name) for name in ("One", "Two", "Three"))
    merge(world.actor, MergeWish("account", two, (one,)))
    merge(world.actor, MergeWish("account", three, (two,)))
    with world.actor.db.reading() as connection:
        found = current_records(connection, {("account", one), ("account", 9_999)})
    assert found == {("account", one): (("account", three),), ("account", 9_999): ()}


def _token(world: World, deal: int) -> str:
    return next(str(row.uid) for row in world.rows(Opportunity) if row.id == deal)


def _tagged(world: World, message_id: str, token: str, **more: Any) -> None:
    world.port.put(INBOX, mail(message_id, subject=f"About it [#{token}]", **more))
    world.sync()


def test_the_number_of_a_merged_record_names_what_took_it_in(world: World) -> None:
    """M4 by the current record: merged, merged again, put apart, deleted."""
    old, new = (
        world.save("opportunity", name=name, account=world.client) for name in ("One", "Two")
    )
    token = _token(world, old)
    merged = merge(world.actor, MergeWish("opportunity", new, (old,)))
    _tagged(world, "m1@x", token)
    merge(world.actor, MergeWish("opportunity", world.deal, (new,)))
    _tagged(world, "m2@x", token)
    named = [r.record_id for r in world.rows(Link) if r.rule == "token"]
    assert named == [world.deal, world.deal]  # links of the first went along with the merge
    records.delete(world.actor, "opportunity", [world.deal])
    _tagged(world, "m3@x", token)
    assert [r.record_id for r in world.rows(Link) if r.rule == "token"] == named
    assert merged.master == new


def test_the_number_of_a_record_that_was_put_apart_again_names_it(world: World) -> None:
    old, new = (
        world.save("opportunity", name=name, account=world.client) for name in ("One", "Two")
    )
    token = _token(world, old)
    merged = merge(world.actor, MergeWish("opportunity", new, (old,)))
    unmerge(world.actor, merged.operation)
    _tagged(world, "m1@x", token)
    assert [r.record_id for r in world.rows(Link) if r.rule == "token"] == [old]


def test_a_number_without_anybody_of_its_record_says_nothing(world: World) -> None:
    token = _token(world, world.deal)
    _tagged(world, "m1@x", token, sender=STRANGER)
    assert [r for r in world.rows(Link) if r.rule == "token"] == []


def test_the_address_of_a_merged_person_is_that_of_who_took_them_in(world: World) -> None:
    other = world.save(
        "contact", first_name="Ioan", last_name="Pop", account=world.client,
        emails=[{"address": "ioan@elsewhere.example", "is_primary": True}],
    )  # fmt: skip
    merge(world.actor, MergeWish("contact", world.contact, (other,)))
    world.port.put(INBOX, mail(sender="ioan@elsewhere.example"))
    world.sync()
    assert ("contact", world.contact, "contact") in linked(world)


# --- which rule decides --------------------------------------------------------------------------


_TARGET = st.sampled_from([(), (("account", 1),), (("account", 2),)])
_KEYS = st.sampled_from(
    [(_THREAD, "t"), (_SENDER, "a@x.example"), (_SENDER, "b@y.example"), (_CATEGORY, "c"),
     (_DOMAIN, "x.example"), (_DOMAIN, "y.example")]
)  # fmt: skip


@given(st.dictionaries(_KEYS, _TARGET))
def test_the_nearer_rule_always_decides(targets: dict[Key, tuple[tuple[str, int], ...]]) -> None:
    rules = {key: Rule(key[1], target) for key, target in targets.items()}
    asked = {"threads": ("t",), "labels": ("C",)}
    found = first_rule(rules, people=("a@x.example",), **asked)
    order = ((_THREAD, "t"), (_SENDER, "a@x.example"), (_CATEGORY, "c"), (_DOMAIN, "x.example"))
    assert found == next((rules[key] for key in order if key in rules), None)


@given(st.dictionaries(_KEYS, _TARGET))
def test_several_people_are_unfiled_only_together(
    targets: dict[Key, tuple[tuple[str, int], ...]],
) -> None:
    rules = {key: Rule(key[1], target) for key, target in targets.items()}
    people = ("a@x.example", "b@y.example")
    found = first_rule(rules, threads=(), labels=(), people=people)
    single = [first_rule(rules, threads=(), labels=(), people=(one,)) for one in people]
    if found is not None and found.is_never:
        assert all(one is not None and one.is_never for one in single)
