"""Shapes that other programs file wrongly: shared addresses, lost threads, people who moved."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from functools import partial

from desktop_crm.demo.labelled.office import PUBLIC, Office
from desktop_crm.demo.labelled.post import NOWHERE, Clerk, refile
from desktop_crm.models.filing import FilingKind
from desktop_crm.sync.port import Address


def shared_in_one_firm(office: Office, clerk: Clerk) -> None:
    """Two people of a firm write from the office's one address, each under their own name."""
    for _ in range(10):
        firm = office.firm()
        office_address = f"office@{firm.domain}"
        first = office.person(firm, office_address)
        second = office.person(firm, office_address)
        for person in (first, second):
            clerk.write(Address(office_address, person.name), "Program de lucru", person.keys)


def shared_by_firms(office: Office, clerk: Clerk) -> None:
    """A bookkeeper writes for two firms; which one only the subject says."""
    for _ in range(8):
        first, second = office.firm(), office.firm()
        book = office.stranger(f"contabilitate-{first.id}.example")
        for firm in (first, second):
            office.person(firm, book.address)
        clerk.write(book, f"Balanța lunii, {second.name}", (second.key,))


def tagged_addresses(office: Office, clerk: Clerk) -> None:
    """A known person writes from an address with a tag that no record has."""
    for _ in range(10):
        person = office.person(office.firm())
        local, _, domain = person.address.partition("@")
        clerk.write(Address(f"{local}+crm@{domain}", person.name), "Confirmare", person.keys)


def private_addresses(office: Office, clerk: Clerk) -> None:
    """A known person writes from home, under the name everybody knows."""
    for number in range(12):
        person = office.person(office.firm())
        home = f"{person.name.split()[-1].lower()}.{number}@{PUBLIC[number % 3]}"
        clerk.write(Address(home.encode("ascii", "ignore").decode(), person.name), "De acasă",
                    person.keys)  # fmt: skip


def other_subjects(office: Office, clerk: Clerk) -> None:
    """The answer has another subject and another address, but it names what it answers."""
    for number in range(10):
        firm = office.firm()
        person = office.person(firm)
        truth = person.keys | {office.deal(firm, person)}
        first = clerk.write(office.me, "Oferta noastră", truth, to=(person,))
        home = Address(f"acasa.{number}.{firm.id}@{PUBLIC[0]}", person.name)
        clerk.write(home, "alte detalii", truth, answers=first)


def lost_threads(office: Office, clerk: Clerk) -> None:
    """The answer names nothing; two deals are open, and only the subject tells which."""
    for _ in range(10):
        firm = office.firm()
        person = office.person(firm)
        one, other = office.rng.sample(("linie de sortare", "cântar de pod", "cuptor tunel",
                                        "bandă transportoare", "cabină de vopsire"), 2)  # fmt: skip
        deal = office.deal(firm, person, one)
        office.deal(firm, person, other)
        truth = person.keys | {deal}
        first = clerk.write(office.me, f"Oferta pentru {one}", truth, to=(person,))
        at = (first.sent_at or office.moment()) + timedelta(hours=5)
        clerk.write(person, f"RE: Oferta pentru {one}", truth, at=at)


def forwarded(office: Office, clerk: Clerk) -> None:
    """A stranger passes on what a customer wrote to them."""
    for _ in range(10):
        person = office.person(office.firm())
        text = (
            "Vă trimit mesajul de mai jos.\n\n-------- Mesaj redirecționat --------\n"
            f"De la: {person.name} <{person.address}>\nCătre: agentie@mediu.example\n"
            "Subiect: Cerere\n\nAvem nevoie de o ofertă."
        )
        clerk.write(office.stranger("mediu.example"), "Fwd: Cerere", person.keys, text=text)


def several_deals(office: Office, clerk: Clerk) -> None:
    """Three deals are open with the person; the subject names one in its own words."""
    for number in range(24):
        firm = office.firm()
        person = office.person(firm)
        goods = office.rng.sample(("hală frigorifică", "software de depozit", "pod rulant",
                                   "stație de epurare", "rafturi metalice"), 3)  # fmt: skip
        deals = [office.deal(firm, person, one) for one in goods]
        which = number % 3
        wording = ("Termen pentru {}", "{}: câteva întrebări", "Despre proiectul „{}”")[which]
        clerk.write(person, wording.format(goods[which]), person.keys | {deals[which]})


def several_deals_unnamed(office: Office, clerk: Clerk) -> None:
    """Three deals are open and nothing says which is meant: a person has to be asked."""
    for _ in range(10):
        firm = office.firm()
        person = office.person(firm)
        deals = [office.deal(firm, person) for _ in range(3)]
        clerk.write(person, "Scurtă întrebare", person.keys | {office.rng.choice(deals)})


def moved_people(office: Office, clerk: Clerk) -> None:
    """A contact went to another firm; the old address still stands with them."""
    for number in range(12):
        old, new = office.firm(), office.firm()
        office.deal(old)
        person = office.person(new, "", f"fost.{number}@{old.domain}")
        clerk.write(person, "Noul meu loc de muncă", person.keys)


def new_address_after_a_move(office: Office, clerk: Clerk) -> None:
    """They write from the new firm before anybody told the records."""
    for _ in range(10):
        old, new = office.firm(), office.firm()
        person = office.person(old)
        local = person.address.partition("@")[0]
        moved = Address(f"{local}@{new.domain}", person.name)
        clerk.write(moved, "Adresa mea nouă", (new.key, person.key))


def numbers(office: Office, clerk: Clerk) -> None:
    """Our number stands in the subject; a stranger who writes it proves nothing."""
    for number in range(16):
        firm = office.firm()
        person = office.person(firm)
        label = f"Q-2026-{number + 1:04d}"
        quote = office.quote(firm, person, label)
        if number % 4:
            clerk.write(person, f"Aprobat [#{label}]", person.keys | {quote})
        else:
            sender = office.stranger("necunoscut.example")
            clerk.write(sender, f"Plată [#{label}]", NOWHERE)


def converted_leads(office: Office, clerk: Clerk) -> None:
    """What was a lead is a contact now, and so is what it wrote."""
    for _ in range(10):
        firm = office.firm()
        person = office.person(firm)
        lead = office.lead(
            converted_account=firm.id,
            converted_contact=person.key[1],
            converted_at=office.moment(),
            status_reason="qualified",
        )
        clerk.write(lead, "După prima discuție", person.keys)


def folders_and_categories(office: Office, clerk: Clerk) -> None:
    """The user said that a category belongs to an account; who writes is nobody known."""
    firm = office.firm()
    office.rules.append((FilingKind.CATEGORY, f"Proiect {firm.id}", firm.key))
    for _ in range(8):
        sender = office.stranger("consultanta.example")
        clerk.write(sender, "Avize", (firm.key,), categories=(f"Proiect {firm.id}",))


def refiled(office: Office, clerk: Clerk) -> None:
    """A person moved the thread to another deal; what comes later follows it there."""
    for _ in range(10):
        firm = office.firm()
        person = office.person(firm)
        wrong = office.deal(firm, person)
        right = office.deal(office.firm())
        first = clerk.write(person, "Discuția de ieri", person.keys, tolerated=(wrong, right))
        clerk.between.append(partial(refile, message_id=first.message_id, record=right))
        clerk.stage = 1
        clerk.write(person, "Re: Discuția de ieri", person.keys | {right}, answers=first)
        clerk.stage = 0


def other_clients(office: Office, clerk: Clerk) -> None:
    """The same message lies in two folders, and the case of an address differs."""
    for _ in range(8):
        person = office.person(office.firm())
        shouted = replace(person, address=person.address.upper())
        clerk.write(Address(person.address, shouted.name.upper()), "URGENT", person.keys)


HARD = (
    shared_in_one_firm,
    shared_by_firms,
    tagged_addresses,
    private_addresses,
    other_subjects,
    lost_threads,
    forwarded,
    several_deals,
    several_deals_unnamed,
    moved_people,
    new_address_after_a_move,
    numbers,
    converted_leads,
    folders_and_categories,
    refiled,
    other_clients,
)
