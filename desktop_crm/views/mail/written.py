"""A letter as its window holds it: plain values that a draft file keeps."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from desktop_crm.services.mail import noting
from desktop_crm.services.mail.noting import Notes
from desktop_crm.services.mail.people import Person
from desktop_crm.sync.compose import Answered, Letter
from desktop_crm.sync.port import Address
from desktop_crm.sync.posting import addresses
from desktop_crm.sync.writes import Ref
from desktop_crm.sync.writing import Enclosure, Opening, Regarding, Sender


@dataclass(frozen=True, slots=True)
class Written:
    """Everything of a letter but the window around it.

    Attributes:
        mailbox: whose mailbox it leaves; 0 while there is none.
        html: what was written with what is quoted.
        attribution: the line that introduces the quotation.
        draft: mailbox and place of the draft it takes the place of.
        notes: records to note it on once it has left.
    """

    mailbox: int = 0
    to: tuple[Person, ...] = ()
    cc: tuple[Person, ...] = ()
    bcc: tuple[Person, ...] = ()
    subject: str = ""
    html: str = ""
    attribution: str = ""
    files: tuple[Enclosure, ...] = ()
    regarding: tuple[Regarding, ...] = ()
    answers: Answered | None = None
    importance: str = "normal"
    draft: tuple[int, Ref] | None = None
    notes: Notes | None = None

    def letter(self, sender: Sender) -> Letter:
        """The letter without its files."""
        return Letter(
            Address(sender.address, sender.name),
            addresses(self.to),
            addresses(self.cc),
            addresses(self.bcc),
            subject=self.subject.strip(),
            html=self.html,
            answers=self.answers,
            importance=self.importance,
        )

    def kept(self) -> dict[str, Any]:
        """What a draft file keeps; bytes that lie nowhere else are left out."""
        return {
            "mailbox": self.mailbox,
            **{name: [_person(p) for p in getattr(self, name)] for name in ("to", "cc", "bcc")},
            "subject": self.subject,
            "html": self.html,
            "attribution": self.attribution,
            "files": [
                [file.name, file.size, file.path, file.document, file.attachment]
                for file in self.files
                if file.content is None
            ],
            "regarding": [[one.entity, one.record_id, one.title] for one in self.regarding],
            "answers": [self.answers.message_id, *self.answers.references] if self.answers else [],
            "importance": self.importance,
            "notes": self.notes and self.notes.kept(),
        }


def opened(opening: Opening) -> Written:
    """What a window begins with."""
    sender = opening.senders[0] if opening.senders else None
    return Written(
        sender.mailbox if sender else 0,
        to=_people(opening.to),
        cc=_people(opening.cc),
        bcc=_people(opening.bcc),
        subject=opening.subject,
        attribution=opening.attribution,
        files=opening.files,
        regarding=opening.regarding,
        answers=opening.answers,
        draft=opening.draft,
        notes=opening.notes,
    )


def _people(line: tuple[Address, ...]) -> tuple[Person, ...]:
    return tuple(Person(one.name, one.address) for one in line)


def restored(kept: Mapping[str, Any]) -> Written:
    """What a draft file kept."""
    message_id, *references = kept.get("answers") or [""]
    return replace(
        Written(),
        mailbox=kept["mailbox"],
        to=tuple(Person(*one) for one in kept["to"]),
        cc=tuple(Person(*one) for one in kept["cc"]),
        bcc=tuple(Person(*one) for one in kept["bcc"]),
        subject=kept["subject"],
        html=kept["html"],
        attribution=kept["attribution"],
        files=tuple(Enclosure(*one) for one in kept["files"]),
        regarding=tuple(Regarding(*one) for one in kept["regarding"]),
        answers=Answered(message_id, tuple(references)) if message_id else None,
        importance=kept["importance"],
        notes=noting.restored(kept.get("notes")),
    )


def _person(person: Person) -> list[object]:
    return [person.name, person.address, person.entity, person.record_id]
