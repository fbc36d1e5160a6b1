from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound, UserError
from desktop_crm.services import undo
from desktop_crm.services.mail import lines, listing
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.listing import MailQuery, Special
from tests.support.company import NOW, Company, small_company
from tests.support.post import HTML, deliver, suggest

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database
    from desktop_crm.services.context import Actor
    from desktop_crm.services.mail.message import Message


@pytest.fixture
def company(sqlite_db: Database) -> Company:
    clock.use_clock(lambda: NOW)
    made = small_company(sqlite_db)
    ids = made.ids
    offer = deliver(made, "Offer", html=HTML, files={"offer.pdf": b"%PDF"}, is_read=False,
                    contact=ids["claire"])  # fmt: skip
    deliver(made, "Delivery", hours=5, sender=("Jonas", "jonas@mueller.example"))
    deliver(made, "Answer", folder="Sent", hours=9)
    suggest(made, offer, "contact", ids["claire"], state="linked", confidence=98)
    suggest(made, offer, "opportunity", ids["Packaging line"], rule="opportunity")
    return made


def subjects(
    company: Company, query: MailQuery | None = None, actor: Actor | None = None
) -> list[str]:
    who = actor or company.actor
    keys = listing.message_keys(who, query or MailQuery())
    return [row.subject for row in lines.messages(who, keys)]


def read(company: Company, name: str = "Offer", actor: Actor | None = None) -> Message:
    return mail_message.message(actor or company.actor, company.ids[name])


def test_folders_count_what_is_unread(company: Company) -> None:
    found = listing.folders(company.actor)
    assert [(one.folder, one.total, one.unread) for one in found.folders] == [
        ("Inbox", 2, 1),
        ("Sent", 1, 0),
    ]
    # One is suggested, two are from nobody known: all of them wait to be filed.
    assert (found.review, found.unlinked) == (3, 2)


def test_lists_show_the_newest_first(company: Company) -> None:
    assert subjects(company) == ["Offer", "Delivery", "Answer"]
    box = company.ids["box"]
    assert subjects(company, MailQuery(box, "Inbox")) == ["Offer", "Delivery"]
    assert subjects(company, MailQuery(special=Special.REVIEW)) == ["Offer", "Delivery", "Answer"]
    assert subjects(company, MailQuery(special=Special.UNLINKED)) == ["Delivery", "Answer"]


@pytest.mark.parametrize(
    ("words", "found"),
    [("offer", ["Offer"]), ("JONAS", ["Delivery"]), ("mueller.ex", ["Delivery"]), ("xyz", [])],
)
def test_search_looks_at_subject_and_sender(company: Company, words: str, found: list[str]) -> None:
    assert subjects(company, MailQuery(search=words)) == found


def test_a_line_says_what_there_is(company: Company) -> None:
    keys = listing.message_keys(company.actor, MailQuery())
    offer, _, answer = lines.messages(company.actor, keys)
    assert (offer.unread, offer.has_attachments) == (True, True)
    assert (offer.linked, offer.suggested) == (1, 1)
    assert (answer.outgoing, answer.correspondent) == (True, "Mara Ionescu")


def test_a_colleague_does_not_see_my_mail(company: Company) -> None:
    assert subjects(company, actor=company.other) == []
    assert listing.folders(company.other).folders == ()
    with pytest.raises(NotFound):
        read(company, actor=company.other)


def test_a_message_says_why_it_is_linked(company: Company) -> None:
    message = read(company)
    assert message.sender is not None
    assert (message.sender.address, message.sender.known) == ("claire@rossi.example", True)
    why = [(one.title, one.rule, one.state, int(one.confidence)) for one in message.links]
    assert why == [
        ("Claire Dubois", "contact", "linked", 98),
        ("Packaging line", "opportunity", "suggested", 70),
    ]
    assert [(one.name, one.stored, one.inline) for one in message.attachments] == [
        ("offer.pdf", True, False)
    ]


def test_an_attachment_comes_with_its_bytes(company: Company) -> None:
    file = read(company).attachments[0]
    assert mail_message.attachment(company.actor, file.id).content == b"%PDF"
    with pytest.raises(NotFound):
        mail_message.attachment(company.other, file.id)


def test_accepting_keeps_the_reason(company: Company) -> None:
    suggestion = read(company).links[1]
    mail_message.accept(company.actor, suggestion)
    link = read(company).links[1]
    assert (link.state, link.rule, link.decided_by) == ("linked", "opportunity", "Mara Ionescu")
    assert link.evidence == "claire@rossi.example"


def test_rejecting_is_remembered_and_can_be_undone(company: Company) -> None:
    mail_message.reject(company.actor, read(company).links[0])
    assert read(company).links[0].state == "rejected"
    undo.undo(company.actor)
    assert read(company).links[0].state == "linked"


def test_linking_by_hand(company: Company) -> None:
    rossi = company.ids["rossi"]
    mail_message.link(company.actor, company.ids["Delivery"], "account", rossi)
    link = read(company, "Delivery").links[0]
    assert (link.title, link.rule, link.state) == ("Officine Rossi", "manual", "linked")
    assert link.decided_by == "Mara Ionescu"


def test_linking_again_what_was_rejected_makes_no_second_row(company: Company) -> None:
    mail_message.reject(company.actor, read(company).links[0])
    mail_message.link(company.actor, company.ids["Offer"], "contact", company.ids["claire"])
    links = [one for one in read(company).links if one.entity == "contact"]
    assert [(one.state, one.rule) for one in links] == [("linked", "manual")]


def test_only_some_records_can_be_linked(company: Company) -> None:
    with pytest.raises(UserError):
        mail_message.link(company.actor, company.ids["Offer"], "stage", 1)
