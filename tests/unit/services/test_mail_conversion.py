"""What a message becomes: prefilled from it, linked, with its attachments, undone as one step."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_crm.core import clock
from desktop_crm.core.errors import NotFound, ValidationFailed
from desktop_crm.services import attachments, records, undo
from desktop_crm.services.mail import conversion
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail.conversion import Wanted
from tests.support.company import NOW, Company, small_company
from tests.support.post import deliver, suggest

if TYPE_CHECKING:
    from desktop_crm.db.engine import Database

TEXT = """Hello,

we need a price.

Kind regards
Jonas Müller
Head of Purchasing
Müller Maschinenbau GmbH
+49 711 2345 678

On Mon, 23 Nov 2026 at 10:12, Mara Ionescu <mara@firm.example> wrote:
> Dear Jonas
"""


@pytest.fixture
def company(database: Database) -> Company:
    clock.use_clock(lambda: NOW)
    return small_company(database)


@pytest.fixture
def asked(company: Company) -> int:
    """A message of somebody unknown with two files, filed to an account."""
    activity = deliver(
        company, "Re: AW: Price", sender=("Jonas Müller", "jonas@mueller.example"), text=TEXT,
        files={"drawing.pdf": b"%PDF", "photo.png": b"PNG"},
    )  # fmt: skip
    suggest(company, activity, "account", company.ids["rossi"], state="linked")
    suggest(company, activity, "contact", company.ids["claire"])
    return activity


def begun(company: Company, activity: int, wanted: Wanted) -> dict[str, object]:
    message = mail_message.message(company.actor, activity)
    return dict(conversion.prefilled(company.actor, message, wanted).values)


def test_a_form_begins_with_what_the_message_tells(company: Company, asked: int) -> None:
    lead = begun(company, asked, Wanted.LEAD)
    assert (lead["subject"], lead["last_name"]) == ("Price", "Müller")
    assert lead["company"] == "Müller Maschinenbau GmbH"
    assert "Dear Jonas" not in str(lead["description"])
    deal = begun(company, asked, Wanted.OPPORTUNITY)
    assert (deal["name"], deal["account"]) == ("Price", company.ids["rossi"])
    assert "contact" not in deal  # only suggested
    case = begun(company, asked, Wanted.CASE)
    assert (case["title"], case["account"], case["origin"]) == (
        "Price", company.ids["rossi"], "email",
    )  # fmt: skip
    task = begun(company, asked, Wanted.TASK)
    assert str(task["due_at"]) == "2026-11-26 09:00:00+02:00"
    meeting = begun(company, asked, Wanted.APPOINTMENT)
    assert str(meeting["end_at"]) == "2026-11-26 10:00:00+02:00"


def test_a_lead_of_what_we_wrote_is_whom_we_wrote_to(company: Company) -> None:
    us = {"name": "Mara Ionescu", "address": "mara@firm.example", "user": company.actor.user_id}
    them = {"name": "Jonas Müller", "address": "jonas@mueller.example", "user": None}
    text = (
        "Dear Jonas,\n\nhere is the price.\n\nKind regards\nMara Ionescu\nFirm SRL\n0311 234 567\n"
    )
    activity = deliver(
        company, "Price", folder="Sent", sender=("Mara Ionescu", "mara@firm.example"), text=text
    )
    parties = [
        {**who, "participation": part} for part, who in (("from", us), ("to", us), ("to", them))
    ]
    records.save(company.actor, "activity", activity, None, {"parties": parties})
    lead = begun(company, activity, Wanted.LEAD)
    assert (lead["first_name"], lead["last_name"]) == ("Jonas", "Müller")
    assert [one["address"] for one in lead["emails"]] == ["jonas@mueller.example"]  # type: ignore[attr-defined]
    assert "Firm SRL" not in str(lead.get("company"))
    assert "phones" not in lead


@pytest.mark.parametrize("wanted", list(Wanted))
def test_a_message_becomes_a_record_in_one_step(
    company: Company, asked: int, wanted: Wanted
) -> None:
    actor = company.actor
    before = [(o.entity, o.record_id, o.state) for o in mail_message.message(actor, asked).links]
    files = [company.ids["drawing.pdf"]]
    made = conversion.convert(actor, asked, wanted, begun(company, asked, wanted), files)
    record = records.get(actor, made.entity, made.id)
    assert record.title == "Price"
    assert [one.name for one in attachments.files(actor, made.entity, made.id)] == ["drawing.pdf"]
    links = {(o.entity, o.record_id): o.state for o in mail_message.message(actor, asked).links}
    if made.entity == "activity":
        assert record.values["kind"] == wanted.value
        assert record.values["account"] == company.ids["rossi"]
    else:
        assert links[made.entity, made.id] == "linked"
        assert links["account", company.ids["rossi"]] == "linked"
    undo.undo(actor)
    assert records.get(actor, made.entity, made.id).values["deleted_at"] is not None
    after = [(o.entity, o.record_id, o.state) for o in mail_message.message(actor, asked).links]
    assert after == before


def test_a_task_of_a_message_is_about_its_case(company: Company, asked: int) -> None:
    made = conversion.convert(
        company.actor, asked, Wanted.CASE, begun(company, asked, Wanted.CASE), []
    )
    task = begun(company, asked, Wanted.TASK)
    assert task["case"] == made.id


def test_nothing_is_made_when_something_is_wrong(company: Company, asked: int) -> None:
    actor = company.actor
    with pytest.raises(ValidationFailed):
        conversion.convert(actor, asked, Wanted.OPPORTUNITY, {"name": ""})
    other = deliver(company, "Other", files={"secret.pdf": b"%PDF"})
    assert other
    with pytest.raises(NotFound, match="attachment"):
        conversion.convert(
            actor, asked, Wanted.OPPORTUNITY, {"name": "Price"}, [company.ids["secret.pdf"]]
        )
    found = mail_message.message(actor, asked).links
    assert {one.entity for one in found} == {"account", "contact"}
