"""Speaks the part of EWS that a reading client uses, over real HTTP, with faults on demand."""

from __future__ import annotations

import base64
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from lxml import etree

from tests.ews_server import soap
from tests.ews_server.store import Refused, Store
from tests.support.scripted_http import ScriptedHandler, ScriptedServer

if TYPE_CHECKING:
    from spnego._context import ContextProxy

SOAP = f"{{{soap.S}}}"
T = f"{{{soap.T}}}"
M = f"{{{soap.M}}}"

FOLDERS = {
    "inbox": "IPF.Note",
    "sentitems": "IPF.Note",
    "calendar": "IPF.Appointment",
    "drafts": "IPF.Note",
    "tasks": "IPF.Task",
    "contacts": "IPF.Contact",
    "deleteditems": "IPF.Note",
    "junkemail": "IPF.Note",
}

FOLDER_CLASSES = {
    "ContactsFolder": "IPF.Contact",
    "CalendarFolder": "IPF.Appointment",
    "TasksFolder": "IPF.Task",
}


def _only(parent: etree._Element, path: str) -> etree._Element:
    """The element at a path, which a request always has."""
    found = parent.find(path)
    assert found is not None, path
    return found


@dataclass
class Box:
    """One folder: its items and everything that happened in it."""

    items: dict[str, str] = field(default_factory=dict)
    journal: list[tuple[str, str, str]] = field(default_factory=list)


class EwsServer(ScriptedServer):
    """A server for one mailbox; a fault names an operation.

    `offers` are the ways of signing in; `requests` records the operations that were answered.
    """

    def __init__(
        self,
        login: str = "ana@firma.example",
        password: str = "Parolă-1ș",
        offers: tuple[str, ...] = ("Basic",),
        certificate: tuple[Path, Path] | None = None,
        user_file: Path | None = None,
        people_authority: Path | None = None,
    ) -> None:
        self.login, self.password, self.offers = login, password, offers
        self.boxes = {name: Box() for name in (*FOLDERS, "clients")}
        self.folders = [(f"id-of-{name}", name, kind, "root") for name, kind in FOLDERS.items()]
        self.folders.append(("id-of-clients", "Clienți", "IPF.Note", "id-of-inbox"))
        self.store = Store(self)
        self.people: dict[str, str] = {}
        self.requests: list[str] = []
        self.bodies: list[str] = []
        self.refusals = 0
        self.realm = "mail"
        self.generation = 1
        self.told_urls: dict[str, str] = {"EXPR": "https://mail.firma.example/EWS/Exchange.asmx"}
        self.signpost = ""
        self.bindings: bytes | None = None
        self.seen_passwords = 0
        self.missing_folders: set[str] = set()
        if user_file is not None:
            domain, _, user = login.rpartition("\\")
            user_file.write_text(f"{domain}:{user}:{password}\n")
            os.environ["NTLM_USER_FILE"] = str(user_file)
        super().__init__(Handler, certificate, people_authority)
        self.url = f"{self.root}/EWS/Exchange.asmx"

    def put(self, box: str, item_id: str, xml: str) -> None:
        """Add or change an item; `xml` is its whole element."""
        known = item_id in self.boxes[box].items
        self.boxes[box].items[item_id] = xml
        tag = soap.parse(xml).tag.rpartition("}")[2]
        self.boxes[box].journal.append(("Update" if known else "Create", item_id, tag))

    def delete(self, box: str, item_id: str) -> None:
        """Remove an item."""
        del self.boxes[box].items[item_id]
        self.boxes[box].journal.append(("Delete", item_id, ""))

    def lose(self, box: str, item_id: str) -> None:
        """Remove an item without saying so: it is gone between the page and the fetch."""
        del self.boxes[box].items[item_id]

    def move(self, source: str, target: str, item_id: str, new_id: str) -> None:
        """Move an item: a new id in the target, a deletion in the source."""
        xml = self.boxes[source].items[item_id]
        self.put(target, new_id, xml.replace(f'Id="{item_id}"', f'Id="{new_id}"'))
        self.delete(source, item_id)

    def mark_read(self, box: str, item_id: str, *, is_read: bool) -> None:
        """Change the read mark as Exchange reports it."""
        word = "true" if is_read else "false"
        self.boxes[box].journal.append(("ReadFlagChange", item_id, word))


class Handler(ScriptedHandler):
    """One connection; signing in by NTLM belongs to the connection, as it must."""

    @property
    def ews(self) -> EwsServer:
        """The server that is asked."""
        assert isinstance(self.script, EwsServer)
        return self.script

    def setup(self) -> None:
        super().setup()
        self._ntlm: ContextProxy | None = None
        self._known = False

    def asked(self, method: str) -> None:
        """Sign in, then answer; who only looks is told where the server of the domain is."""
        if method == "GET":
            where = self.ews.signpost
            self.answer(302 if where else 404, "", **({"Location": where} if where else {}))
            return
        body = self.content()
        ews = self.ews
        if self.path.lower().startswith("/autodiscover"):
            if self._signed_in():
                ews.requests.append("Autodiscover")
                act = ews.next_fault("Autodiscover")
                if act is None or not act(self):
                    self.answer(200, soap.discovered(ews.told_urls))
            return
        operation = _only(etree.fromstring(body), f"{SOAP}Body")[0].tag.rpartition("}")[2]
        act = ews.next_fault(operation) if operation != "ConvertId" else None
        if not self._signed_in():
            return
        ews.requests.append(operation)
        ews.bodies.append(body.decode())
        if act is not None and act(self):
            return
        root = etree.fromstring(body)
        call = _only(root, f"{SOAP}Body")[0]
        try:
            answer = getattr(self, f"_{operation}")(ews, call)
        except Refused as refused:
            answer = soap.message(operation, soap.error(refused.code, str(refused)))
        self.answer(200, soap.envelope(answer))

    def answer(self, status: int, content: str, **headers: str) -> None:
        """Send one answer."""
        self.send(status, content.encode(), "text/xml; charset=utf-8", **headers)

    def _signed_in(self) -> bool:
        ews = self.ews
        if self._known or not ews.offers:
            return True
        scheme, _, token = self.headers.get("Authorization", "").partition(" ")
        ews.seen_passwords += bool(token)
        if scheme == "Basic" and "Basic" in ews.offers:
            expected = f"{ews.login}:{ews.password}".encode()
            if base64.b64decode(token) == expected:
                return True
            ews.refusals += 1
        if scheme in ("NTLM", "Negotiate") and token:
            return self._handshake(scheme, base64.b64decode(token))
        self._challenge(*ews.offers)
        return False

    def _challenge(self, *offers: str) -> None:
        self.send_response(401)
        for offer in offers:
            value = f'Basic realm="{self.ews.realm}"' if offer == "Basic" else offer
            self.send_header("WWW-Authenticate", value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _handshake(self, scheme: str, token: bytes) -> bool:
        import spnego

        if self._ntlm is None:
            protocol = "ntlm" if scheme == "NTLM" else "negotiate"
            bound = self.ews.bindings
            self._ntlm = spnego.server(
                protocol=protocol,
                options=spnego.NegotiateOptions.use_ntlm
                if token.startswith(b"NTLMSSP")
                else spnego.NegotiateOptions.none,
                channel_bindings=spnego.channel_bindings.GssChannelBindings(application_data=bound)
                if bound
                else None,
            )
        try:
            reply = self._ntlm.step(token)
        except spnego.exceptions.SpnegoError:
            self.ews.refusals += 1
            self._ntlm = None
            self._challenge(*self.ews.offers)
            return False
        if self._ntlm.complete:
            self._known = True
            return True
        token_back = base64.b64encode(reply or b"").decode()
        self._challenge(f"{scheme} {token_back}")
        return False

    def _ConvertId(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        return soap.message("ConvertId", soap.error("ErrorInvalidIdMalformed", "DUMMY"))

    def _GetFolder(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        answers = []
        for wanted in _only(call, f"{M}FolderIds"):
            name = wanted.get("Id", "")
            if name not in ews.boxes or name in ews.missing_folders:
                answers.append(soap.error("ErrorFolderNotFound", "no such folder"))
            else:
                answers.append(soap.folder(name, len(ews.boxes[name].items)))
        return soap.message("GetFolder", *answers)

    def _FindFolder(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        return soap.message("FindFolder", soap.all_folders(ews.folders))

    def _CreateFolder(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        place = "id-of-" + _only(call, f"{M}ParentFolderId/{T}DistinguishedFolderId").get("Id", "")
        (element,) = _only(call, f"{M}Folders")
        tag = element.tag.rpartition("}")[2]
        name = element.findtext(f"{T}DisplayName", "")
        if any(one[1] == name and one[3] == place for one in ews.folders):
            return soap.message("CreateFolder", soap.error("ErrorFolderExists", name))
        box = f"made-{len(ews.folders)}"
        ews.boxes[box] = Box()
        # The class follows from the element.
        ews.folders.append((f"id-of-{box}", name, FOLDER_CLASSES[tag], place))
        made = f'<t:{tag}><t:FolderId Id="id-of-{box}" ChangeKey="1"/></t:{tag}>'
        return soap.message("CreateFolder", soap.success(f"<m:Folders>{made}</m:Folders>"))

    def _CreateItem(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        return soap.message("CreateItem", ews.store.create(call))

    def _SendItem(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        return soap.message("SendItem", ews.store.send(call))

    def _UpdateItem(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        return soap.message("UpdateItem", ews.store.update(call))

    def _MoveItem(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        return soap.message("MoveItem", ews.store.move(call))

    def _DeleteItem(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        return soap.message("DeleteItem", ews.store.delete(call))

    def _FindItem(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        return soap.message("FindItem", ews.store.find(call))

    def _GetUserAvailabilityRequest(  # noqa: N802
        self, ews: EwsServer, call: etree._Element
    ) -> str:
        return ews.store.availability(call)

    def _SyncFolderItems(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        name = _only(call, f"{M}SyncFolderId/{T}FolderId").get("Id", "").removeprefix("id-of-")
        state = call.findtext(f"{M}SyncState") or ""
        limit = int(call.findtext(f"{M}MaxChangesReturned", ""))
        box = ews.boxes[name]
        generation, _, position = state.partition(":")
        if state and generation != str(ews.generation):
            failed = soap.error("ErrorInvalidSyncStateData", "forgotten", extra=soap.NO_STATE)
            return soap.message("SyncFolderItems", failed)
        start = int(position or 0)
        events = [self._event(box, *one) for one in box.journal[start : start + limit]]
        end = start + len(events)
        page = soap.sync_page(f"{ews.generation}:{end}", events, last=end >= len(box.journal))
        return soap.message("SyncFolderItems", page)

    def _event(self, box: Box, kind: str, item_id: str, tag: str) -> tuple[str, ...]:
        xml = box.items.get(item_id, "")
        found = soap.parse(xml).find(f"{T}ItemId") if xml else None
        return (kind, item_id, tag, found.get("ChangeKey", "") if found is not None else "")

    def _GetItem(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        answers = []
        for wanted in call.findall(f"{M}ItemIds/{T}ItemId"):
            try:
                shown = _shown(
                    ews.store.element(wanted.get("Id", "")), _only(call, f"{M}ItemShape")
                )
            except Refused as refused:
                answers.append(soap.error(refused.code, str(refused), extra="<m:Items/>"))
            else:
                answers.append(soap.success(f"<m:Items>{shown}</m:Items>"))
        return soap.message("GetItem", *answers)

    def _ResolveNames(self, ews: EwsServer, call: etree._Element) -> str:  # noqa: N802
        wanted = call.findtext(f"{M}UnresolvedEntry")
        if wanted not in ews.people:
            failed = soap.error("ErrorNameResolutionNoResults", "nobody")
            return soap.message("ResolveNames", failed)
        return soap.message("ResolveNames", soap.resolution(ews.people[wanted]))


def _shown(element: Any, shape: etree._Element) -> str:
    """The item with what was asked for, and nothing else."""
    asked = {"ItemId"}
    asked |= {(one.get("FieldURI") or "").partition(":")[2] for one in shape.iter(f"{T}FieldURI")}
    names = {one.get("PropertyName") for one in shape.iter(f"{T}ExtendedFieldURI")}
    tags = {one.get("PropertyTag") for one in shape.iter(f"{T}ExtendedFieldURI")} - {None}
    whole = (shape.findtext(f"{T}IncludeMimeContent") or "") == "true"
    if whole and element.tag == f"{T}CalendarItem":
        content = base64.b64encode(etree.tostring(element)).decode()
        etree.SubElement(element, f"{T}MimeContent").text = content
    for child in list(element):
        name = child.tag.rpartition("}")[2]
        if name == "ExtendedProperty":
            path = child[0]
            keep = (
                path.get("PropertyName") in names
                if path.get("PropertyName")
                else (path.get("PropertyTag") in tags)
            )
        else:
            keep = whole if name == "MimeContent" else name in asked
        if not keep:
            element.remove(child)
    return etree.tostring(element).decode()
