"""One labelled message, and the clerk who writes them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import select

from desktop_crm.demo.labelled.office import Key, Office, Person
from desktop_crm.models import MailMessage
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import filing
from desktop_crm.sync.port import Address, FolderRole, MailItem, Sensitivity

NOWHERE: Final[frozenset[Key]] = frozenset()

_OPENINGS: Final = ("Bună ziua", "Good morning", "Guten Tag", "Bonjour", "Buongiorno")
_BODIES: Final = (
    "Vă rugăm să ne trimiteți detaliile discutate la telefon.",
    "Please find our remarks below; we would like to decide this month.",
    "Anbei unsere Fragen zum letzten Stand, mit der Bitte um Antwort.",
    "Mulțumim pentru vizită. Revenim după ședința de luni.",
    "The drawings are attached. When could your colleague visit us?",
    "Avem nevoie de confirmarea termenului de livrare.",
)


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message and where it belongs.

    Attributes:
        truth: the records a person who knows the office would file it to; empty for none.
        tolerated: records it is not wrong to file it to, though nobody would miss it there.
        shape: what makes it easy or hard.
        role: the folder it lies in.
        stage: messages of a later stage come after what people did with the earlier ones.
    """

    item: MailItem
    truth: frozenset[Key]
    shape: str
    tolerated: frozenset[Key] = NOWHERE
    role: FolderRole = FolderRole.INBOX
    stage: int = 0


Deed = Callable[[Actor], object]
"""What a person does after the messages of the first stage came."""


def refile(actor: Actor, *, message_id: str, record: Key) -> None:
    """Move the thread of a message to another record, as a person does in the window."""
    with actor.db.reading() as connection:
        activity = connection.execute(
            select(MailMessage.activity_id).where(MailMessage.message_id == message_id)
        ).scalar_one()
    filing.refile(actor, activity, *record)


@dataclass(slots=True)
class Clerk:
    """Writes messages and keeps them with their labels.

    Attributes:
        office: where everybody comes from.
        shape: name under which what is written now is counted.
        stage: when what is written now arrives.
        between: what people do between the stages.
    """

    office: Office
    shape: str = ""
    stage: int = 0
    written: list[Labelled] = field(default_factory=list)
    between: list[Deed] = field(default_factory=list)

    def write(
        self,
        sender: Address | Person,
        subject: str,
        truth: Iterable[Key],
        *,
        to: Sequence[Address | Person] = (),
        cc: Sequence[Address | Person] = (),
        text: str = "",
        answers: MailItem | None = None,
        at: datetime | None = None,
        headers: tuple[tuple[str, str], ...] = (),
        tolerated: Iterable[Key] = (),
        categories: tuple[str, ...] = (),
        sensitivity: Sensitivity = Sensitivity.NORMAL,
        conversation: str = "",
    ) -> MailItem:
        """Write a message; without recipients it goes to the user, with `answers` it answers."""
        rng = self.office.rng
        number = len(self.written) + 1
        author = _address(sender)
        people = tuple(_address(one) for one in to) or (self.office.me,)
        own = author == self.office.me
        before = (*answers.references, answers.message_id) if answers else ()
        if at is None:
            after = answers.sent_at if answers and answers.sent_at else None
            at = after + timedelta(minutes=rng.randint(9, 900)) if after else self.office.moment()
        words = text or rng.choice(_BODIES)
        item = MailItem(
            message_id=f"{number:04d}.{rng.getrandbits(40):010x}@{author.address.split('@')[1]}",
            subject=subject,
            sender=author,
            to=people,
            cc=tuple(_address(one) for one in cc),
            sent_at=at,
            received_at=at + timedelta(seconds=5),
            text=f"{rng.choice(_OPENINGS)},\n\n{words}\n\n{author.name}\n",
            in_reply_to=before[-1] if before else "",
            references=before,
            headers=headers,
            categories=categories,
            sensitivity=sensitivity,
            thread_key=conversation,
            size=600 + len(words),
        )
        role = FolderRole.SENT if own else FolderRole.INBOX
        self.written.append(
            Labelled(item, frozenset(truth), self.shape, frozenset(tolerated), role, self.stage)
        )
        return item


def _address(one: Address | Person) -> Address:
    return one.mail if isinstance(one, Person) else one
