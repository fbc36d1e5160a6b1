"""Mail about what a customer asked for or complained of: cases that are open, closed, numbered."""

from __future__ import annotations

from desktop_crm.demo.labelled.office import Office
from desktop_crm.demo.labelled.post import NOWHERE, Clerk


def cases(office: Office, clerk: Clerk) -> None:
    """One case of the person is open, and nothing else; an earlier one is settled."""
    for number in range(16):
        firm = office.firm()
        person = office.person(firm)
        office.case(firm, person, state="resolved")
        made = office.case(firm, person)
        clerk.write(person, ("Nu pornește nici azi", "Revenim")[number % 2], person.keys | {made})


def cases_beside_deals(office: Office, clerk: Clerk) -> None:
    """A case and a deal are open: the subject names one of them, or a person has to be asked."""
    for number in range(16):
        firm = office.firm()
        person = office.person(firm)
        deal = office.deal(firm, person, "pod rulant")
        case = office.case(firm, person, title="Uleiul picură pe ax")
        subject, about = (
            ("Uleiul picură pe ax: și în tura de noapte", case),
            ("Termen pentru pod rulant", deal),
            ("Scurtă întrebare", office.rng.choice((case, deal))),
        )[number % 3]
        clerk.write(person, subject, person.keys | {about})


def case_numbers(office: Office, clerk: Clerk) -> None:
    """Its number stands in the subject, also when it is settled; a stranger proves nothing."""
    for number in range(16):
        firm = office.firm()
        person = office.person(firm)
        label = f"C-2025-{number + 1:04d}"
        made = office.case(firm, person, number=label, state=("open", "resolved")[number % 2])
        if number % 4:
            clerk.write(person, f"Re: [#{label}]", person.keys | {made})
        else:
            sender = office.stranger("necunoscut.example")
            clerk.write(sender, f"Plată [#{label}]", NOWHERE)


CASES = (cases, cases_beside_deals, case_numbers)
