"""Deeds on mail: drafts, marks, moves, deletions, and sending exactly once.

Sending is two servers' work, so it leaves a trace before it can be in doubt: the message is laid
among the drafts, marked the moment before it is handed to the SMTP server, and moved to the sent
mail when that confirmed it. A program that dies in between finds it there: unmarked it never left
and is sent; in Sent it left. Marked and still among the drafts, nobody knows (the connection broke
within the one answer that confirms it), and it is not sent a second time: a person decides, by
deleting the draft or by moving it to the sent mail.
"""

from __future__ import annotations

import contextlib
from typing import Final

from desktop_crm.core.errors import CrmError, EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.imap.folders import name_of
from desktop_crm.sync.imap.items import COMPLETED, DRAFT, FLAGGED, SEEN
from desktop_crm.sync.imap.mails import (
    Mails,
    Opened,
    categories_to_change,
    flags_of,
    no_keywords,
)
from desktop_crm.sync.imap.session import Session
from desktop_crm.sync.imap.smtp import Postman, Unsure
from desktop_crm.sync.port import Flag, FolderRole
from desktop_crm.sync.writes import (
    Delete,
    Image,
    Mark,
    Move,
    PutBack,
    Ref,
    SaveDraft,
    Send,
    Vanished,
    Written,
)

HANDED_OVER: Final = b"$CrmHandedOver"
"""Keyword of a message that was about to leave; without keywords it is flagged instead."""

PUT_BACK: Final = "X-CRM-Put-Back"
"""Header with the key of the deed that put a message back."""

_ID: Final = "Message-ID"


class MailWriter:
    """What can be done to the mail of one mailbox."""

    def __init__(self, session: Session, postman: Postman | None) -> None:
        self._mails = Mails(session)
        self._postman = postman
        self._confirmed: set[str] = set()

    def forget(self) -> None:
        """Forget which folder is for what."""
        self._mails.forget()

    def image(self, ref: Ref) -> Image:
        """A message as it stands."""
        return self._mails.image(ref)

    # --- finding ----------------------------------------------------------------------------

    def find_sent(self, deed: Send) -> Written | None:
        """The copy in Sent; a confirmed message that did not get there yet is taken there.

        Raises:
            UserError: the message was handed over and nobody knows whether it was taken.
        """
        sent = self._mails.by_header(self._mails.of_role(FolderRole.SENT), _ID, deed.message_id)
        waiting = self._waiting(deed.message_id)
        if sent:
            return self._kept(sent[0], waiting)
        if waiting is None:
            return None
        folder, uid = self._mails.at(waiting)
        if deed.message_id in self._confirmed:
            return Written(self._to_sent(folder, uid))
        if _mark(folder) in self._mails.flags(uid):
            raise _unsure()
        return None

    def find_draft(self, deed: SaveDraft) -> Written | None:
        """The draft with the message's id."""
        place = self._mails.of_role(FolderRole.DRAFTS)
        found = self._mails.by_header(place, _ID, deed.message_id)
        return Written(found[-1]) if found else None

    def find_put_back(self, deed: PutBack) -> Written | None:
        """The message that was put back under the deed's key."""
        try:
            found = self._mails.by_header(name_of(deed.image.ref.folder), PUT_BACK, deed.own_key)
        except Vanished:
            return None
        return Written(found[-1]) if found else None

    def find_move(self, deed: Move) -> Written | None:
        """The copy an earlier try made where moving is copying and deleting; it is finished here.

        What lies in both folders alike would else be copied a second time.
        """
        target = name_of(deed.folder)
        if self._mails.session.offers("MOVE"):
            return None
        try:
            folder, uid = self._mails.at(deed.ref)
            if folder.name == target:
                return None
            copy = self._mails.copy_of(uid, target)
            if copy is None:
                return None
            _, uid = self._mails.at(deed.ref)
        except Vanished:
            return None
        self._mails.delete(uid)
        return Written(copy)

    # --- doing ------------------------------------------------------------------------------

    def send(self, deed: Send) -> Written:
        """Send a message and keep one copy of it in Sent.

        Raises:
            UserError: the server refuses it, or nobody knows whether an earlier try went out.
            EnvironmentProblem: it could not be sent now, or it is not known whether it was.
        """
        if self._postman is None:
            raise UserError(N_("This mailbox has no server to send with. Nothing was sent."))
        self._clear_drafts(deed.message_id)
        drafts = self._mails.of_role(FolderRole.DRAFTS)
        waiting = self._mails.append(drafts, deed.mime, [SEEN, DRAFT])
        folder, uid = self._mails.at(waiting)
        try:
            self._postman.submit(
                deed.sender,
                deed.recipients,
                deed.mime,
                lambda: self._mails.store(uid, add=[_mark(folder)]),
            )
        except Unsure as error:
            raise EnvironmentProblem(
                N_(
                    "The connection to {server} broke while it took the message, so nobody knows "
                    "whether it was sent. It lies among the drafts."
                ),
                retryable=True,
                server=self._postman.host,
            ) from error
        except CrmError:
            # Why it was not sent counts; what stays among the drafts goes with the next try.
            with contextlib.suppress(CrmError):
                self._drop(waiting)
            raise
        self._confirmed.add(deed.message_id)
        return self._sent(deed, waiting)

    def _clear_drafts(self, message_id: str) -> None:
        """Drop what an earlier try, or the writing of the message, left among the drafts."""
        earlier = self._waiting(message_id)
        if earlier is None:
            return
        folder, uid = self._mails.at(earlier)
        if _mark(folder) in self._mails.flags(uid):
            raise _unsure()
        self._mails.delete(uid)

    def _sent(self, deed: Send, waiting: Ref) -> Written:
        try:
            return self._keep_copy(deed, waiting)
        except EnvironmentProblem as problem:
            if not problem.retryable:
                raise
            # It left; only its copy is missing, and laying that down twice does no harm.
            return self._keep_copy(deed, waiting)

    def _keep_copy(self, deed: Send, waiting: Ref) -> Written:
        # Some servers keep a copy of what they send by themselves.
        kept = self._mails.by_header(self._mails.of_role(FolderRole.SENT), _ID, deed.message_id)
        if kept:
            return self._kept(kept[0], waiting)
        folder, uid = self._mails.at(waiting)
        return Written(self._to_sent(folder, uid))

    def _kept(self, sent: Ref, waiting: Ref | None) -> Written:
        """One copy lies in Sent: nothing more is to be known of it, and no other is needed."""
        folder, uid = self._mails.at(sent)
        self._mails.store(uid, remove=[_mark(folder), DRAFT])
        self._drop(waiting)
        return Written(sent)

    def _to_sent(self, folder: Opened, uid: int) -> Ref:
        # Marked until it lies there: without the mark among the drafts it would be sent again.
        sent = self._mails.move(folder, uid, self._mails.of_role(FolderRole.SENT))
        _, uid = self._mails.at(sent)
        self._mails.store(uid, remove=[_mark(folder), DRAFT])
        return sent

    def _waiting(self, message_id: str) -> Ref | None:
        drafts = self._mails.of_role(FolderRole.DRAFTS)
        found = self._mails.by_header(drafts, _ID, message_id)
        return found[-1] if found else None

    def _drop(self, ref: Ref | None) -> None:
        if ref is None:
            return
        try:
            _, uid = self._mails.at(ref)
        except Vanished:
            return
        self._mails.delete(uid)

    def save_draft(self, deed: SaveDraft) -> Written:
        """Lay a message among the drafts, in place of an earlier one."""
        if deed.ref is not None:
            self._mails.at(deed.ref)
        place = self._mails.of_role(FolderRole.DRAFTS)
        made = self._mails.append(place, deed.mime, [SEEN, DRAFT])
        self._drop(deed.ref)
        return Written(made)

    def mark(self, deed: Mark) -> Written:
        """Set marks of a message.

        Raises:
            Vanished: it is not there.
            UserError: the folder keeps no such marks.
        """
        folder, uid = self._mails.at(deed.ref)
        add: list[bytes] = []
        remove: list[bytes] = []
        if deed.is_read is not None:
            (add if deed.is_read else remove).append(SEEN)
        if deed.flag is not None:
            (add if deed.flag is Flag.FLAGGED else remove).append(FLAGGED)
            done = deed.flag is Flag.COMPLETE and folder.takes_keywords
            (add if done else remove).append(COMPLETED)
        if deed.categories is not None:
            more, less = categories_to_change(self._mails.flags(uid), deed.categories)
            if more and not folder.takes_keywords:
                raise no_keywords(self._mails.session.host)
            add += more
            remove += less
        self._mails.store(uid, add=add, remove=remove)
        return Written(deed.ref)

    def move(self, deed: Move) -> Written:
        """Move a message.

        Raises:
            Vanished: the message or the target is not there.
        """
        folder, uid = self._mails.at(deed.ref)
        target = name_of(deed.folder)
        if target == folder.name:
            return Written(deed.ref)
        return Written(self._mails.move(folder, uid, target))

    def delete(self, deed: Delete) -> Written:
        """Delete a message for good.

        Raises:
            Vanished: it is not there.
        """
        _, uid = self._mails.at(deed.ref)
        self._mails.delete(uid)
        return Written(None)

    def put_back(self, deed: PutBack) -> Written:
        """Lay a message down again as its image shows it.

        Raises:
            Vanished: the folder it lay in is not there.
        """
        image = deed.image
        folder = self._mails.open(name_of(image.ref.folder))
        flags = flags_of(
            folder, is_read=image.is_read, flag=image.flag, categories=image.categories
        )
        raw = f"{PUT_BACK}: {deed.own_key}\r\n".encode() + image.raw
        received = getattr(image.item, "received_at", None)
        return Written(self._mails.append(folder.name, raw, flags, received))


def _mark(folder: Opened) -> bytes:
    return HANDED_OVER if folder.takes_keywords else FLAGGED


def _unsure() -> UserError:
    return UserError(
        N_(
            "Nobody knows whether the message went out: the connection broke while the server "
            "took it. It was not sent again. It lies among the drafts: delete it there to have it "
            "sent again, or move it to the sent mail if it arrived."
        )
    )
