"""Messages written over Microsoft Graph.

A message is laid among the drafts as it was built here, marked with the key of its deed and sent;
its id stays the same until it lies in Sent Items, so it can be told from one that never left.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from dataclasses import replace
from email import message_from_bytes, policy
from email.message import Message, MIMEPart
from typing import Any, Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.compose import hidden_recipients
from desktop_crm.sync.graph import forms, items
from desktop_crm.sync.graph.calls import Graph, segment, with_query
from desktop_crm.sync.graph.problems import GraphError
from desktop_crm.sync.port import MailItem
from desktop_crm.sync.writes import (
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

_log = logging.getLogger(__name__)

KNOWN: Final = ("inbox", "sentitems", "drafts", "deleteditems", "junkemail", "archive")
"""Folders with names of their own, which are keys here."""

WHOLE: Final = 2_900_000
"""Bytes of a message that is handed over in one request: the service takes 4 MB in base64."""

PIECE: Final = 3_276_800
"""Bytes of an attachment in one request; the service takes at most 4 MB."""

_PLACE: Final = {"$select": "id,changeKey,parentFolderId,isDraft"}


class Messages:
    """Does deeds on the messages of one mailbox."""

    def __init__(self, graph: Graph) -> None:
        self._graph = graph
        self._names: dict[str, str] = {}

    def names(self) -> dict[str, str]:
        """Keys of the well-known folders by the ids they have in this mailbox."""
        if not self._names:
            paths = [with_query(f"/me/mailFolders/{name}", select="id") for name in KNOWN]
            answers = self._graph.batch(paths)
            self._names = {
                items.text(answer.body, "id"): name
                for name, answer in zip(KNOWN, answers, strict=True)
                if answer.status < 300 and isinstance(answer.body, dict)
            }
        return self._names

    def _folder(self, entry: items.Json) -> str:
        """Key of the folder a message lies in."""
        folder = items.text(entry, "parentFolderId")
        return self.names().get(folder, folder)

    def at(self, ref: Ref, *, full: bool = False) -> items.Json:
        """A message where the reference says; its id is the same wherever it lies.

        Raises:
            Vanished: it is not there.
        """
        query = {"$select": f"{items.MAIL_FIELDS},parentFolderId", "$expand": items.MAIL_EXPAND}
        entry = self._entry(ref.item_id, query if full else _PLACE)
        if entry is None or self._folder(entry) != ref.folder:
            raise Vanished(ref.item_id[-12:])
        return entry

    def _entry(self, key: str, query: dict[str, str]) -> items.Json | None:
        try:
            return self._graph.get(f"/me/messages/{segment(key)}", query)
        except GraphError as error:
            if error.is_gone:
                return None
            raise

    def image(self, ref: Ref) -> Image:
        """A message with its bytes and marks.

        Raises:
            Vanished: it is not there.
        """
        entry = self.at(ref, full=True)
        raw = self._graph.call("GET", f"/me/messages/{segment(ref.item_id)}/$value").raw
        item = items.mail_item(entry, raw)
        here = replace(ref, change_key=items.change_key(entry))
        return Image(here, item, raw, item.is_read, item.flag, item.categories)

    # --- sending ---------------------------------------------------------------------------

    def send(self, deed: Send) -> Written:
        """Send a message; drafts an earlier try left behind make room for it.

        Raises:
            UserError: it names somebody it shall not go to.
        """
        hidden = hidden_recipients(deed)
        for left in self._carrying(deed.own_key, deed.message_id):
            if left.get("isDraft") is True:
                self._graph.call("DELETE", f"/me/messages/{segment(items.text(left, 'id'))}")
        key = self._drafted(deed.mime, deed.own_key, hidden)
        self._graph.call("POST", f"/me/messages/{segment(key)}/send", body={})
        try:
            entry = self._entry(key, _PLACE)
        except Exception:  # it was sent; where its copy lies can be asked again
            _log.warning("the copy of a sent message was not looked up", exc_info=True)
            entry = None
        if entry is None or self._folder(entry) != "sentitems":
            return Written(None)
        return Written(Ref("sentitems", key, items.change_key(entry)))

    def sent(self, deed: Send) -> Written | None:
        """The copy of a message that was sent, or word that it is on its way."""
        for entry in self._carrying(deed.own_key, deed.message_id):
            folder = self._folder(entry)
            if folder == "drafts":
                continue
            if folder != "sentitems":
                # Sent, and not laid among the sent ones yet.
                return Written(None)
            return Written(Ref(folder, items.text(entry, "id"), items.change_key(entry)))
        return None

    def _carrying(self, own_key: str, message_id: str = "") -> Iterator[items.Json]:
        """Messages in any folder with the key of a deed, else with its Message-ID."""
        filters = [items.own_filter(own_key)]
        if message_id:
            filters.append(f"internetMessageId eq {items.text_literal(f'<{message_id}>')}")
        for wanted in filters:
            answer = self._graph.get("/me/messages", {**_PLACE, "$filter": wanted, "$top": "10"})
            found = [one for one in answer.get("value") or () if isinstance(one, dict)]
            if found:
                yield from found
                return

    def _drafted(self, mime: bytes, own_key: str, hidden: tuple[str, ...] = ()) -> str:
        """Lay a message among the drafts; large attachments follow it one by one."""
        whole, large = (mime, []) if len(mime) <= WHOLE else _without_attachments(mime)
        made = self._graph.call("POST", "/me/messages", mime=whole).json
        key = items.text(made, "id")
        form: dict[str, Any] = forms.own(own_key)
        if hidden:
            form["bccRecipients"] = [{"emailAddress": {"address": one}} for one in hidden]
        self._graph.call("PATCH", f"/me/messages/{segment(key)}", body=form)
        for part in large:
            self._attach(key, part)
        return key

    def _attach(self, key: str, part: MIMEPart) -> None:
        content = part.get_content()
        data = content.encode() if isinstance(content, str) else bytes(content)
        item = {
            "attachmentType": "file",
            "name": part.get_filename() or "attachment",
            "contentType": part.get_content_type(),
            "size": len(data),
        }
        if part["content-id"]:
            item |= {"isInline": True, "contentId": str(part["content-id"]).strip("<> ")}
        path = f"/me/messages/{segment(key)}/attachments/createUploadSession"
        session = self._graph.call("POST", path, body={"AttachmentItem": item}).json
        for start in range(0, len(data), PIECE):
            piece = data[start : start + PIECE]
            self._graph.upload(items.text(session, "uploadUrl"), piece, start, len(data))

    def draft(self, deed: SaveDraft) -> Written:
        """Lay a message among the drafts, then take the one away it replaces.

        Raises:
            Vanished: the one to replace is not there.
        """
        if deed.ref is not None:
            self.at(deed.ref)
        key = self._drafted(deed.mime, deed.own_key)
        entry = self._entry(key, _PLACE)
        if deed.ref is not None:
            self._drop(deed.ref)
        return Written(Ref("drafts", key, items.change_key(entry or {})))

    def drafted(self, deed: SaveDraft) -> Written | None:
        """The draft an earlier try laid; the one it replaces is taken away."""
        for entry in self._carrying(deed.own_key):
            if self._folder(entry) == "drafts":
                if deed.ref is not None:
                    self._drop(deed.ref)
                return Written(Ref("drafts", items.text(entry, "id"), items.change_key(entry)))
        return None

    def _drop(self, ref: Ref) -> None:
        try:
            self._graph.call("DELETE", f"/me/messages/{segment(ref.item_id)}")
        except GraphError as error:
            if not error.is_gone:
                raise
            _log.info("an earlier draft was gone already")

    # --- what lies in the mailbox ----------------------------------------------------------

    def mark(self, deed: Mark) -> Written:
        """Set marks of a message.

        Raises:
            Vanished: it is not there.
        """
        self.at(deed.ref)
        form: dict[str, Any] = {}
        if deed.is_read is not None:
            form["isRead"] = deed.is_read
        if deed.flag is not None:
            form["flag"] = {"flagStatus": forms.FLAGS[deed.flag]}
        if deed.categories is not None:
            form["categories"] = list(deed.categories)
        path = f"/me/messages/{segment(deed.ref.item_id)}"
        made = self._graph.call("PATCH", path, body=form).json
        return Written(replace(deed.ref, change_key=items.change_key(made)))

    def move(self, deed: Move) -> Written:
        """Move a message.

        Raises:
            Vanished: it is not there.
        """
        self.at(deed.ref)
        return self._moved_to(deed.ref.item_id, deed.folder)

    def _moved_to(self, key: str, folder: str) -> Written:
        body = {"destinationId": folder}
        made = self._graph.call("POST", f"/me/messages/{segment(key)}/move", body=body).json
        return Written(Ref(folder, items.text(made, "id") or key, items.change_key(made)))

    def delete(self, ref: Ref) -> Written:
        """Delete a message; Microsoft 365 keeps it among the deleted ones for some time.

        Raises:
            Vanished: it is not there.
        """
        entry = self.at(ref)
        path = f"/me/messages/{segment(ref.item_id)}"
        if self._folder(entry) == "deleteditems":
            self._graph.call("DELETE", path)
        else:
            self._moved_to(ref.item_id, "deleteditems")
        return Written(None)

    def lies_in(self, key: str, folder: str) -> Written | None:
        """The message, if it lies in a folder."""
        entry = self._entry(key, _PLACE)
        if entry is None or self._folder(entry) != folder:
            return None
        return Written(Ref(folder, key, items.change_key(entry)))

    def put_back(self, deed: PutBack, item: MailItem) -> Written:
        """Take a message back from wherever it was deleted to.

        Raises:
            UserError: it is gone for good; the service lets no received message be made.
        """
        image = deed.image
        if self._entry(image.ref.item_id, _PLACE) is None:
            raise UserError(
                N_(
                    'The message "{subject}" was removed from Deleted Items as well, and Microsoft '
                    "365 lets nobody lay a received message back. Its content is kept here."
                ),
                subject=item.subject,
            )
        written = self._moved_to(image.ref.item_id, image.ref.folder)
        assert written.ref is not None  # noqa: S101  a message that was moved lies somewhere
        marks = Mark(deed.own_key, written.ref, image.is_read, image.flag, image.categories)
        return replace(self.mark(marks), item=item)

    def event_of(self, ref: Ref) -> str:
        """Id of the meeting an invitation is about.

        Raises:
            Vanished: it is not there, or its meeting is not.
        """
        query = {"$select": "id", "$expand": "microsoft.graph.eventMessage/event($select=id)"}
        entry = self._entry(ref.item_id, query) or {}
        event = entry.get("event")
        if not isinstance(event, dict) or not items.text(event, "id"):
            raise Vanished(ref.item_id[-12:])
        return items.text(event, "id")


def _without_attachments(mime: bytes) -> tuple[bytes, list[MIMEPart]]:
    """A message without its attachments, and those."""
    message = message_from_bytes(mime, policy=policy.SMTP)
    large: list[MIMEPart] = []
    for part in message.walk():
        if part.is_multipart():
            kept: list[Message | str] = []
            for child in part.iter_parts():
                inline = child.get_content_maintype() != "text" and bool(child["content-id"])
                if not child.is_multipart() and (child.is_attachment() or inline):
                    large.append(child)
                else:
                    kept.append(child)
            part.set_payload(kept)
    return message.as_bytes(), large
