"""Shapes of mail that most of a mailbox consists of: threads, copies, newsletters, strangers."""

from __future__ import annotations

from desktop_crm.demo.labelled.office import BEGAN, PUBLIC, Office
from desktop_crm.demo.labelled.post import NOWHERE, Clerk
from desktop_crm.sync.port import Address, Sensitivity

_LIST = (("list-id", "<stiri.example>"), ("list-unsubscribe", "<mailto:out@stiri.example>"))
_AWAY = (("auto-submitted", "auto-replied"),)


def threads(office: Office, clerk: Clerk) -> None:
    """A customer and the user write to and fro about the one deal that is open."""
    for _ in range(24):
        firm = office.firm()
        person = office.person(firm)
        goods = office.goods()
        truth = person.keys | {office.deal(firm, person, goods)}
        subject = f"Cerere de ofertă: {goods}"
        last = clerk.write(person, subject, truth)
        for turn in range(3):
            again = f"Re: {subject}"
            if turn % 2 == 0:
                last = clerk.write(office.me, again, truth, to=(person,), answers=last)
            else:
                last = clerk.write(person, again, truth, answers=last)


def copies(office: Office, clerk: Clerk) -> None:
    """A second person of the customer and a colleague of ours stand in copy."""
    for _ in range(12):
        firm = office.firm()
        first, second = office.person(firm), office.person(firm)
        truth = first.keys | second.keys
        subject = f"Stadiul comenzii, {firm.name}"
        last = clerk.write(first, subject, truth, cc=(second, office.colleague))
        clerk.write(
            office.me,
            f"Re: {subject}",
            truth,
            to=(first,),
            cc=(second, office.colleague),
            answers=last,
        )


def people_without_deals(office: Office, clerk: Clerk) -> None:
    """A contact of a firm with nothing open, and a private person at a public mail service."""
    for number in range(20):
        person = office.person(office.firm() if number % 2 else None)
        clerk.write(person, "O întrebare scurtă", person.keys)


def leads(office: Office, clerk: Clerk) -> None:
    """An enquiry, our answer, and the enquirer's answer."""
    for _ in range(8):
        lead = office.lead()
        subject = f"Interes: {office.goods()}"
        first = clerk.write(lead, subject, lead.keys)
        clerk.write(office.me, f"Re: {subject}", lead.keys, to=(lead,), answers=first)


def strangers(office: Office, clerk: Clerk) -> None:
    """Nobody knows them: an application, an offer of somebody, a private note."""
    for number in range(24):
        domain = "" if number % 2 else f"firma-noua-{number}.example"
        clerk.write(office.stranger(domain), "Prezentare", NOWHERE)


def newsletters(office: Office, clerk: Clerk) -> None:
    """Lists and newsletters; some of them come from a customer's own domain."""
    for number in range(24):
        if number % 3:
            sender = office.stranger(f"stiri-{number}.example")
            clerk.write(sender, "Noutățile lunii", NOWHERE, headers=_LIST)
        else:
            firm = office.firm()
            sender = Address(f"newsletter@{firm.domain}", firm.name)
            clerk.write(sender, "Noutățile lunii", NOWHERE, headers=_LIST, tolerated=(firm.key,))


def absences(office: Office, clerk: Clerk) -> None:
    """Programs answer in the name of people: none of it is correspondence."""
    for number in range(16):
        person = office.person(office.firm())
        subject = ("Automatic reply: ofertă", "Out of office", "Livrare nereușită")[number % 3]
        clerk.write(person, subject, NOWHERE, headers=_AWAY)


def among_us(office: Office, clerk: Clerk) -> None:
    """Colleagues among themselves, about a customer or not."""
    for _ in range(12):
        clerk.write(office.colleague, f"Despre {office.firm().name}", NOWHERE)


def confidential(office: Office, clerk: Clerk) -> None:
    """A customer writes something personal."""
    for number in range(10):
        person = office.person(office.firm())
        kind = (Sensitivity.PRIVATE, Sensitivity.PERSONAL, Sensitivity.CONFIDENTIAL)[number % 3]
        clerk.write(person, "Personal", NOWHERE, sensitivity=kind)


def unknown_at_known_firms(office: Office, clerk: Clerk) -> None:
    """Somebody new at a customer, also below its domain."""
    for number in range(20):
        firm = office.firm()
        office.person(firm)
        below = f"mail.{firm.domain}" if number % 4 == 0 else firm.domain
        clerk.write(office.stranger(below), "Noul dumneavoastră contact", (firm.key,))


def crowds(office: Office, clerk: Clerk) -> None:
    """One invitation to the people of many customers: true of each, telling of none."""
    for _ in range(4):
        people = [office.person(office.firm()) for _ in range(14)]
        everybody = frozenset().union(*(person.keys for person in people))
        clerk.write(office.me, "Invitație la târg", NOWHERE, to=people, tolerated=everybody)


def public_names(office: Office, clerk: Clerk) -> None:
    """Two firms use the same public mail service: its domain tells nothing."""
    for number in range(8):
        firm = office.firm()
        office.person(firm, f"contact.{number}.{firm.id}@{PUBLIC[0]}")
        clerk.write(office.stranger(PUBLIC[0]), "Întrebare", NOWHERE, at=BEGAN)


PLAIN = (
    threads,
    copies,
    people_without_deals,
    leads,
    strangers,
    newsletters,
    absences,
    among_us,
    confidential,
    unknown_at_known_firms,
    crowds,
    public_names,
)
