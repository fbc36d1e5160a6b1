"""What happens when a person presses Send: files are read, doubts told, the order written down."""

from __future__ import annotations

import base64
import binascii
import mimetypes
import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Final

from desktop_crm.core import clock
from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.core.identity import new_uid
from desktop_crm.services import attachments
from desktop_crm.services.changes import ChangeKind, ChangeSet
from desktop_crm.services.context import Actor
from desktop_crm.services.mail import checks as mail_checks
from desktop_crm.services.mail import message as mail_message
from desktop_crm.services.mail import outbox as journal
from desktop_crm.services.mail import people as mail_people
from desktop_crm.services.mail import templates as mail_templates
from desktop_crm.services.mail.noting import Notes
from desktop_crm.sync import awaited, outbox, sending
from desktop_crm.sync.compose import Letter, build, build_draft
from desktop_crm.sync.formats.mail_body import text_of
from desktop_crm.sync.outbox_rows import Reason
from desktop_crm.sync.port import Address, Attachment
from desktop_crm.sync.sending import Sending
from desktop_crm.sync.writes import Delete, Ref
from desktop_crm.sync.writing import Enclosure

_DATA: Final = re.compile(r'src="data:(image/[a-z.+-]+);base64,([^"]+)"')
_WRITTEN: Final = N_("Written in the mail window.")


@dataclass(frozen=True, slots=True)
class Checked:
    """A letter with its files, and what should be asked before it leaves."""

    letter: Letter
    questions: tuple[str, ...]


def ready(actor: Actor, letter: Letter, files: Sequence[Enclosure], own_text: str) -> Checked:
    """Read what goes along and say what is probably forgotten; nothing is written.

    Args:
        actor: who writes.
        letter: the letter without files.
        files: what goes along.
        own_text: what was written, without what is quoted.

    Raises:
        UserError: it cannot be sent as it is; `field` names the line.
        EnvironmentProblem: a file cannot be read.
    """
    letter = enclosed(actor, letter, files)
    build(letter, clock.now())  # says what is wrong with it before anything is asked
    everybody = (*letter.to, *letter.cc, *letter.bcc)
    asked = mail_checks.questions(
        subject=letter.subject,
        text=own_text,
        files=len(letter.files),
        visible=len(letter.to) + len(letter.cc),
        gaps=mail_templates.gaps(f"{letter.subject}\n{letter.text or text_of(letter.html)}"),
        refused=mail_people.unwanted(actor, [person.address for person in everybody]),
    )
    return Checked(letter, tuple(asked))


def enclosed(actor: Actor, letter: Letter, files: Sequence[Enclosure]) -> Letter:
    """The letter with the bytes of its files, its pictures beside its HTML.

    Raises:
        UserError: the files are too large together.
        EnvironmentProblem: a file cannot be read.
        NotFound: a stored file is gone.
    """
    read = tuple(_read(actor, file) for file in files)
    limit = attachments.limit_mb(actor)
    if sum(file.size for file in read) > limit << 20:
        raise UserError(
            N_("The files have more than {limit} MB together; nothing was sent. Take some away."),
            field="files",
            limit=limit,
        )
    html, pictures = _pictures(letter.html)
    return replace(letter, html=html, pictures=pictures, files=read)


def _read(actor: Actor, file: Enclosure) -> Attachment:
    kind = file.content_type or mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    if file.content is not None:
        return Attachment(file.name, kind, len(file.content), file.content)
    if file.document:
        stored = attachments.content(actor, file.document)
        return Attachment(file.name, stored.media_type or kind, len(stored.content), stored.content)
    if file.attachment:
        came = mail_message.attachment(actor, file.attachment)
        return Attachment(file.name, came.media_type or kind, len(came.content), came.content)
    try:
        content = Path(file.path).read_bytes()
    except OSError as error:
        raise EnvironmentProblem(
            N_("“{name}” could not be read: {reason}. Nothing was sent; take it away or save it."),
            name=file.name,
            reason=error.strerror or error,
        ) from error
    return Attachment(file.name, kind, len(content), content)


def _pictures(html: str) -> tuple[str, tuple[Attachment, ...]]:
    """Pictures that stand in the HTML as data become parts of their own, as mail carries them."""
    found: list[Attachment] = []

    def part(match: re.Match[str]) -> str:
        try:
            content = base64.b64decode(match[2], validate=False)
        except binascii.Error:
            return 'src=""'
        cid = f"{new_uid()}@picture"
        ending = match[1].partition("/")[2].partition("+")[0]
        name = f"picture{len(found) + 1}.{ending}"
        found.append(Attachment(name, match[1], len(content), content, cid))
        return f'src="cid:{cid}"'

    return _DATA.sub(part, html), tuple(found)


def send(
    actor: Actor,
    mailbox: int,
    letter: Letter,
    *,
    regarding: Sequence[tuple[str, int]] = (),
    due_at: datetime | None = None,
    undo_s: float = sending.UNDO_S,
    answer_by: datetime | None = None,
    draft: tuple[int, Ref] | None = None,
    notes: Notes | None = None,
) -> Sending:
    """Order a letter to be sent; the draft it was written on goes when there is one.

    Once it has left it is noted on the records of `notes` that it goes to.

    Raises:
        UserError: it cannot be sent as it is.
        NotFound: the mailbox is gone or another's.
    """
    ordered = sending.send(
        actor,
        mailbox,
        letter,
        due_at=due_at,
        undo_s=undo_s,
        regarding=regarding,
        why=Reason(_WRITTEN),
        notes=notes,
    )
    if answer_by is not None and ordered.activity is not None:
        awaited.expect(actor, ordered.activity, answer_by)
    if draft is not None:
        deed = Delete(new_uid(), draft[1])
        due = ordered.due_at
        title = letter.subject
        outbox.order(actor, draft[0], deed, title=title, due_at=due, confirmed=True)
    return ordered


def keep_draft(
    actor: Actor,
    mailbox: int,
    letter: Letter,
    files: Sequence[Enclosure],
    draft: tuple[int, Ref] | None = None,
    notes: Notes | None = None,
) -> ChangeSet:
    """Lay a letter among the drafts of its mailbox, in place of an earlier one.

    The records of `notes` are kept with it until it is sent.

    Raises:
        UserError: an address nobody can be reached by.
        EnvironmentProblem: a file cannot be read.
    """
    whole = enclosed(actor, letter, files)
    same = draft[1] if draft is not None and draft[0] == mailbox else None
    deed = build_draft(whole, clock.now().astimezone(actor.zone), same)
    key = outbox.order(
        actor, mailbox, deed, why=Reason(_WRITTEN), title=letter.subject, notes=notes
    )
    return journal.changed([key], ChangeKind.CREATED)


def addresses(people: Sequence[mail_people.Person]) -> tuple[Address, ...]:
    """People as a letter names them."""
    return tuple(Address(person.address, person.name) for person in people)
