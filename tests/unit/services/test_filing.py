"""Decisions about where mail belongs: each is one step, and each can be taken back."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select, update

from desktop_crm.core import clock
from desktop_crm.core.errors import CrmError, UserError
from desktop_crm.models import Activity, Link, MailMessage
from desktop_crm.models.filing import FilingKind
from desktop_crm.services import records, undo
from desktop_crm.services.mail import filing, filing_rules, filing_subject
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.listing import MailQuery, Special, message_keys
from tests.support.company import NOW, Company, small_company
from tests.support.post import deliver, suggest

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_crm.db.engine import Database
    from desktop_crm.services.changes import ChangeSet


@pytest.fixture
def company(database: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return small_company(database)


def states(company: Company, activity: int) -> dict[str, str]:
    """Title of each linked or suggested record with the state of the link."""
    found = mail_message.message(company.actor, activity).links
    return {one.title: one.state for one in found}


def to_file(company: Company) -> list[int]:
    return list(message_keys(company.actor, MailQuery(special=Special.REVIEW)))


def thread(company: Company, *names: str) -> list[int]:
    """Messages of one thread, the first one oldest."""
    ids = [deliver(company, name, hours=20 - place) for place, name in enumerate(names)]
    with company.actor.db.writing() as connection:
        table = MailMessage.__table__
        connection.execute(
            update(table)
            .where(table.c.activity_id.in_(ids))
            .values(thread_key=f"{names[0]}@rossi.example")
        )
    return ids


@pytest.fixture
def offer(company: Company) -> int:
    """A message with three suggestions: a person, her firm and another firm."""
    activity = deliver(company, "Offer")
    ids = company.ids
    suggest(company, activity, "contact", ids["claire"], confidence=60)
    account = records.get(company.actor, "contact", ids["claire"]).values["account"]
    suggest(company, activity, "account", account, confidence=55)
    other = company.add("account", "Other", {"name": "Other firm"})
    suggest(company, activity, "account", other, confidence=50)
    return activity


def first_link(company: Company, activity: int) -> int:
    return mail_message.message(company.actor, activity).links[0].id


def test_accepting_settles_the_message(company: Company, offer: int) -> None:
    assert to_file(company) == [offer]
    filing.accept(company.actor, offer, first_link(company, offer))
    found = states(company, offer)
    assert found.pop("Other firm") == "rejected"
    assert found.pop("Claire Dubois") == "linked"
    assert list(found.values()) == ["linked"]  # her firm comes along
    assert to_file(company) == []
    values = records.get(company.actor, "activity", offer).values
    assert values["contact"] == company.ids["claire"]


def test_each_decision_is_one_step_of_undo(company: Company, offer: int) -> None:
    before = states(company, offer)
    decisions: tuple[Callable[[], ChangeSet], ...] = (
        lambda: filing.accept(company.actor, offer, first_link(company, offer)),
        lambda: filing.reject(company.actor, offer),
        lambda: filing.refile(company.actor, offer, "opportunity", company.ids["Packaging line"]),
        lambda: filing.never(company.actor, offer, FilingKind.SENDER),
        lambda: filing.always(
            company.actor, offer, FilingKind.DOMAIN, "account", company.ids["Other"]
        ),
    )
    for _ in range(2):  # a decision that was taken back can be made again
        for decide in decisions:
            decide()
            assert to_file(company) == []
            undo.undo(company.actor)
            assert states(company, offer) == before
            assert to_file(company) == [offer]
            assert filing_rules.rules(company.actor) == ()
            assert records.get(company.actor, "activity", offer).values["contact"] is None


def test_refiling_moves_the_thread_and_takes_it_off_the_other_deal(company: Company) -> None:
    ids = thread(company, "One", "Two", "Three")
    first, second = (
        company.ids["Packaging line"],
        company.add(
            "opportunity", "Right deal", {"name": "Right deal", "stage": company.ids["Proposal"]}
        ),
    )
    for activity in ids:
        mail_message.link(company.actor, activity, "opportunity", first)
        mail_message.link(company.actor, activity, "contact", company.ids["claire"])
    assert filing_subject.subject(company.actor, ids[0]).thread == (ids[0], ids[2], ids[1])
    filing.refile(company.actor, ids[1], "opportunity", second)
    for activity in ids:
        assert states(company, activity) == {
            "Packaging line": "rejected", "Right deal": "linked", "Claire Dubois": "linked",
        }  # fmt: skip
        assert records.get(company.actor, "activity", activity).values["opportunity"] == second
    undo.undo(company.actor)
    for activity in ids:
        assert states(company, activity)["Packaging line"] == "linked"
        assert "Right deal" not in states(company, activity)


def test_only_one_message_can_be_moved(company: Company) -> None:
    ids = thread(company, "One", "Two")
    deal = company.ids["Packaging line"]
    filing.refile(company.actor, ids[0], "opportunity", deal, whole_thread=False)
    assert states(company, ids[0]) == {"Packaging line": "linked"}
    assert states(company, ids[1]) == {}


def test_a_record_can_be_added_beside_the_present_one(company: Company, offer: int) -> None:
    deal = company.add(
        "opportunity", "Second", {"name": "Second", "stage": company.ids["Proposal"]}
    )
    filing.refile(company.actor, offer, "opportunity", company.ids["Packaging line"])
    filing.refile(company.actor, offer, "opportunity", deal, instead=False)
    found = states(company, offer)
    assert (found["Packaging line"], found["Second"]) == ("linked", "linked")


def test_a_message_of_nobody_known_waits_until_it_is_set_aside(company: Company) -> None:
    activity = deliver(company, "Question", sender=("Stranger", "who@new.example"))
    assert to_file(company) == [activity]
    filing.reject(company.actor, activity)
    assert to_file(company) == []
    filing.refile(company.actor, activity, "contact", company.ids["claire"])
    assert states(company, activity) == {"Claire Dubois": "linked"}


def test_never_clears_what_waits_of_the_domain(company: Company) -> None:
    one = deliver(company, "One", sender=("News", "news@shop.example"))
    two = deliver(company, "Two", sender=("Offers", "offers@mail.shop.example"))
    other = deliver(company, "Three", sender=("Else", "else@shopping.example"))
    filing.never(company.actor, one, FilingKind.DOMAIN)
    assert to_file(company) == [other]
    (rule,) = filing_rules.rules(company.actor)
    assert (rule.shown, rule.entity, rule.messages, rule.filed) == ("@shop.example", "", 2, 0)
    filing.refile(company.actor, two, "contact", company.ids["claire"])
    assert states(company, two) == {"Claire Dubois": "linked"}


def test_always_files_what_waits_but_not_what_a_person_decided(company: Company) -> None:
    sender = ("Office", "office@new.example")
    ids = [deliver(company, name, hours=n, sender=sender) for n, name in enumerate("ABC")]
    mail_message.link(company.actor, ids[1], "contact", company.ids["claire"])
    firm = company.add("account", "New firm", {"name": "New firm"})
    filing.always(company.actor, ids[0], FilingKind.SENDER, "account", firm)
    assert states(company, ids[0]) == {"New firm": "linked"}
    assert states(company, ids[1]) == {"Claire Dubois": "linked"}
    assert states(company, ids[2]) == {"New firm": "linked"}
    by = {key: mail_message.message(company.actor, key).links[0].decided_by for key in ids}
    assert bool(by[ids[0]])
    assert not by[ids[2]]
    (rule,) = filing_rules.rules(company.actor)
    assert (rule.title, rule.messages, rule.filed) == ("New firm", 3, 2)


def test_a_second_rule_of_a_sender_replaces_the_first(company: Company) -> None:
    activity = deliver(company, "A", sender=("Office", "office@new.example"))
    filing.never(company.actor, activity, FilingKind.SENDER)
    firm = company.add("account", "New firm", {"name": "New firm"})
    filing.always(company.actor, activity, FilingKind.SENDER, "account", firm)
    (rule,) = filing_rules.rules(company.actor)
    assert rule.title == "New firm"
    filing_rules.change(company.actor, rule.id, None)
    assert filing_rules.rules(company.actor)[0].entity == ""
    filing_rules.remove(company.actor, [rule.id])
    assert filing_rules.rules(company.actor) == ()


def test_no_rule_is_made_of_a_public_mail_service(company: Company) -> None:
    activity = deliver(company, "A", sender=("Ion", "ion@gmail.com"))
    with pytest.raises(UserError, match="public mail service"):
        filing.never(company.actor, activity, FilingKind.DOMAIN)
    with pytest.raises(UserError, match="service of everybody"):
        filing_rules.add(company.actor, company.ids["box"], FilingKind.DOMAIN, "@gmail.com", None)
    assert filing_rules.rules(company.actor) == ()
    assert to_file(company) == [activity]


def test_rules_are_their_users_alone(company: Company) -> None:
    activity = deliver(company, "A", sender=("Office", "office@new.example"))
    filing.never(company.actor, activity, FilingKind.SENDER)
    (rule,) = filing_rules.rules(company.actor)
    assert filing_rules.rules(company.other) == ()
    with pytest.raises(CrmError):
        filing_rules.change(company.other, rule.id, None)


def test_what_is_out_of_sight_is_settled_with_the_rest(company: Company) -> None:
    """A rule suggests whatever fits; a seller files mail without knowing of others' records."""
    dan = company.other
    mine = company.add("account", "dans", {"name": "Dan's firm", "owner": dan.user_id})
    deeds: tuple[Callable[[int], object], ...] = (
        lambda key: filing.accept(dan, key, first_link(replace(company, actor=dan), key)),
        lambda key: filing.refile(dan, key, "account", mine),
        lambda key: filing.reject(dan, key),
    )
    for number, deed in enumerate(deeds):
        activity = deliver(company, f"Offer {number}")
        hidden = suggest(company, activity, "account", company.ids["rossi"], confidence=60)
        suggest(company, activity, "account", mine, confidence=70)
        with company.actor.db.writing() as connection:
            table = Activity.__table__
            given = update(table).where(table.c.id == activity)
            connection.execute(given.values(owner_id=dan.user_id))
        assert [one.title for one in mail_message.message(dan, activity).links] == ["Dan's firm"]
        deed(activity)
        with dan.db.reading() as connection:
            state = connection.execute(select(Link.state).where(Link.id == hidden)).scalar_one()
        assert state == "rejected"
