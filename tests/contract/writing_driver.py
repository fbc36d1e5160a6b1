"""What an adapter's test does to a writable mailbox behind its back, and what is written to it."""

from __future__ import annotations

import datetime as dt
from abc import ABC, abstractmethod
from email.message import EmailMessage

from desktop_crm.core.identity import new_uid
from desktop_crm.sync.port import (
    Address,
    ContactItem,
    MeetingItem,
    PostalAddress,
    TaskItem,
)
from desktop_crm.sync.writes import Ref, Send, WritableMailbox

AT = dt.datetime(2026, 3, 2, 8, tzinfo=dt.UTC)
HOUR = dt.timedelta(hours=1)


class WritingDriver(ABC):
    """What a test does to a writable mailbox behind the adapter's back."""

    port: WritableMailbox

    @abstractmethod
    def mail(self, key: str, subject: str = "Hi") -> Ref:
        """Put the message :func:`received` makes in the inbox, unread or read.

        Its reference carries the change key, where the mailbox has such a thing.
        """

    @abstractmethod
    def edit(self, ref: Ref) -> None:
        """Change the subject of the meeting, task or contact, as somebody's phone would."""

    @abstractmethod
    def remove(self, ref: Ref) -> None:
        """Take an item out, as somebody's phone would."""

    @abstractmethod
    def delivered(self) -> list[tuple[frozenset[str], bytes]]:
        """Every message that left: to whom, and its bytes."""

    @abstractmethod
    def told(self) -> int:
        """How many invitations, updates and cancellations participants were sent."""

    def invitation(self, key: str) -> Ref | None:
        """Put a meeting somebody else invited the mailbox's owner to; None where that is not."""
        return None


def message(
    key: str, subject: str = "Ofertă", to: tuple[str, ...] = ("ion@client.example",)
) -> bytes:
    """A message that is built whole, with the header that carries its own key."""
    built = EmailMessage()
    built["Message-ID"] = f"<{key}@firma.example>"
    built["X-CRM-Ref"] = key
    built["From"] = "ana@firma.example"
    built["To"] = ", ".join(to)
    built["Date"] = "Mon, 02 Mar 2026 08:00:00 +0000"
    built["Subject"] = subject
    built.set_content("Bună ziua, ștampilă.")
    built.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="Ofertă.pdf")
    return built.as_bytes()


def received(key: str, subject: str = "Hi") -> bytes:
    """A message as :meth:`WritingDriver.mail` puts it."""
    built = EmailMessage()
    built["Message-ID"] = f"<{key}@x>"
    built["From"] = "ion@client.example"
    built["To"] = "ana@firma.example"
    built["Date"] = "Mon, 02 Mar 2026 08:00:00 +0000"
    built["Subject"] = subject
    built.set_content("Text")
    built.add_attachment(b"%PDF-1", maintype="application", subtype="pdf", filename="Ofertă.pdf")
    return built.as_bytes()


def sending(subject: str = "Ofertă", bcc: tuple[str, ...] = ()) -> Send:
    key = new_uid()
    to = ("ion@client.example",)
    mime = message(key, subject, to)
    return Send(key, f"{key}@firma.example", mime, "ana@firma.example", (*to, *bcc))


def meeting(subject: str = "Ședință", **changes: object) -> MeetingItem:
    values: dict[str, object] = {
        "uid": new_uid(),
        "start": AT,
        "end": AT + HOUR,
        "subject": subject,
        "location": "Sala 2",
        "text": "Agenda",
        "zone": "Europe/Bucharest",
        "reminder_minutes": 15,
    }
    return MeetingItem(**{**values, **changes})  # type: ignore[arg-type]


def task(subject: str = "De sunat", **changes: object) -> TaskItem:
    values: dict[str, object] = {
        "uid": new_uid(),
        "subject": subject,
        "text": "Despre ofertă",
        "due": dt.date(2026, 3, 9),
        "importance": "high",
    }
    return TaskItem(**{**values, **changes})  # type: ignore[arg-type]


def contact(name: str = "Ștefan Țiriac") -> ContactItem:
    first, _, last = name.partition(" ")
    return ContactItem(
        uid=new_uid(),
        full_name=name,
        first_name=first,
        last_name=last,
        company="Client SRL",
        job_title="Director",
        emails=(Address("stefan@client.example"),),
        phones=(("mobile", "+40 722 000 111"),),
        addresses=(PostalAddress("work", "Str. Lungă 1", "010101", "București", "", "România"),),
    )
