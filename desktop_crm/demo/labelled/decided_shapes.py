"""Shapes that follow what people decided: rules, moved threads, merged records, converted leads."""

from __future__ import annotations

from functools import partial

from desktop_crm.demo.labelled.office import PUBLIC, Office
from desktop_crm.demo.labelled.post import NOWHERE, Clerk, refile
from desktop_crm.models.filing import FilingKind
from desktop_crm.services.context import Actor
from desktop_crm.services.duplicates.merge import MergeWish, merge
from desktop_crm.services.rules.leads import ConversionWish, convert
from desktop_crm.sync.port import Address


def always_a_sender(office: Office, clerk: Clerk) -> None:
    """Nobody knows the bookkeeper's address, but the user said whose mail it is."""
    for number in range(8):
        firm = office.firm()
        sender = office.stranger("" if number % 2 else f"contabil-{firm.id}.example")
        office.rules.append((FilingKind.SENDER, sender.address, firm.key))
        clerk.write(sender, "Balanță", (firm.key,))
        clerk.write(office.me, "Re: Balanță", (firm.key,), to=(sender,))


def always_a_domain(office: Office, clerk: Clerk) -> None:
    """Everybody at an agency, also below its domain, works for one customer."""
    for number in range(4):
        firm = office.firm()
        domain = f"agentia-{number}.example"
        office.rules.append((FilingKind.DOMAIN, domain, firm.key))
        for below in ("", "mail."):
            clerk.write(office.stranger(f"{below}{domain}"), "Plan media", (firm.key,))


def always_beside_people(office: Office, clerk: Clerk) -> None:
    """The rule says what it is about; whoever takes part stands beside it."""
    for _ in range(6):
        firm = office.firm()
        person = office.person(firm)
        deal = office.deal(office.firm())
        office.deal(firm, person)
        office.rules.append((FilingKind.SENDER, person.address, deal))
        clerk.write(person, "Proiectul comun", person.keys | {deal})


def never_a_sender(office: Office, clerk: Clerk) -> None:
    """A customer's secretariat sends the menu of the week; the user does not want it there."""
    for _ in range(8):
        firm = office.firm()
        address = Address(f"meniu@{firm.domain}", "Meniu")
        office.rules.append((FilingKind.SENDER, address.address, None))
        clerk.write(address, "Meniul săptămânii", NOWHERE)
        # Others at that customer are filed as ever.
        clerk.write(office.stranger(firm.domain), "Întrebare", (firm.key,))


def never_a_domain(office: Office, clerk: Clerk) -> None:
    """A firm we know only as a seller of advertising; one of its people is a customer's."""
    for number in range(4):
        firm = office.firm()
        office.rules.append((FilingKind.DOMAIN, firm.domain, None))
        clerk.write(office.stranger(firm.domain), "Reclamă", NOWHERE)
        own = Address(f"proiect.{number}@{firm.domain}", "Proiect")
        office.rules.append((FilingKind.SENDER, own.address, firm.key))
        clerk.write(own, "Proiect", (firm.key,))


def threads_before_rules(office: Office, clerk: Clerk) -> None:
    """An answer belongs to its thread, whatever a rule says about who wrote it."""
    for number in range(6):
        firm = office.firm()
        person = office.person(firm)
        helper = Address(f"sef.{number}.{firm.id}@{PUBLIC[0]}", "Șef de proiect")
        office.rules.append((FilingKind.SENDER, helper.address, office.firm().key))
        first = clerk.write(person, "Întâlnire", person.keys)
        clerk.write(helper, "Re: Întâlnire", (firm.key,), answers=first)


def moved_threads(office: Office, clerk: Clerk) -> None:
    """A person moved the whole thread by its second message; a later answer to either follows."""
    for _ in range(8):
        firm = office.firm()
        person = office.person(firm)
        office.deal(firm, person)  # where it was filed first
        right = office.deal(office.firm())
        truth = person.keys | {right}
        first = clerk.write(person, "Specificație", truth)
        second = clerk.write(office.me, "Re: Specificație", truth, to=(person,), answers=first)
        clerk.between.append(partial(refile, message_id=second.message_id, record=right))
        clerk.stage = 1
        clerk.write(person, "Re: Specificație", truth, answers=first)
        clerk.write(person, "Re: Specificație", truth, answers=second)
        clerk.stage = 0


def merged_records(office: Office, clerk: Clerk) -> None:
    """Two records turned out to be one; the thread goes on with the one that is left."""
    for _ in range(8):
        loser, master = office.firm(), office.firm()
        sender = office.stranger(f"partener-{loser.id}.example")
        office.rules.append((FilingKind.SENDER, sender.address, loser.key))
        first = clerk.write(sender, "Contract", (master.key,))
        clerk.between.append(partial(_merge, master=master.id, loser=loser.id))
        clerk.stage = 1
        other = office.stranger(f"alt-partener-{loser.id}.example")
        clerk.write(other, "Re: Contract", (master.key,), answers=first)
        clerk.write(sender, "Anexă", (master.key,))
        clerk.stage = 0


def leads_converted_meanwhile(office: Office, clerk: Clerk) -> None:
    """The enquirer became a customer before they answered."""
    for _ in range(8):
        lead = office.lead()
        firm = office.firm()
        person = office.person(firm)
        first = clerk.write(lead, "Cerere", lead.keys, tolerated=person.keys)
        wish = ConversionWish(firm.id, person.key[1], opportunity=False)
        clerk.between.append(partial(_convert, lead=lead.key[1], wish=wish))
        clerk.stage = 1
        # The address is still the lead's alone; what it became is who writes now.
        clerk.write(lead, "Re: Cerere", person.keys, answers=first)
        clerk.stage = 0


def _merge(actor: Actor, *, master: int, loser: int) -> None:
    merge(actor, MergeWish("account", master, (loser,)))


def _convert(actor: Actor, *, lead: int, wish: ConversionWish) -> None:
    convert(actor, lead, wish)


DECIDED = (
    always_a_sender,
    always_a_domain,
    always_beside_people,
    never_a_sender,
    never_a_domain,
    threads_before_rules,
    moved_threads,
    merged_records,
    leads_converted_meanwhile,
)
