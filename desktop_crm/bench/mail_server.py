"""A mailbox of made-up messages behind the part of EWS that reading needs, as a process of its own.

``python -m desktop_crm.bench.mail_server COUNT`` writes its port as the first line and serves until
its input ends. Messages are made from their number, so that any count costs no memory.
"""

from __future__ import annotations

import re
import sys
import threading
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from random import Random
from typing import Final
from xml.sax.saxutils import escape

_T: Final = "http://schemas.microsoft.com/exchange/services/2006/types"
_M: Final = "http://schemas.microsoft.com/exchange/services/2006/messages"
_S: Final = "http://schemas.xmlsoap.org/soap/envelope/"
_START: Final = datetime(2026, 3, 2, 8, tzinfo=UTC)
_WORDS: Final = (
    "ofertă", "livrare", "contract", "preț", "termen", "ședință", "client", "proiect", "garanție",
    "factură", "comandă", "robot", "linie", "service", "piese", "montaj", "instruire", "semnare",
    "buget", "aprobare", "întrebare", "răspuns", "mâine", "săptămână",
)  # fmt: skip
_STYLES: Final = "".join(
    f"p.MsoNormal{n}, li.MsoNormal{n} {{margin:0cm; font-size:11.0pt; font-family:'Calibri'}}\n"
    for n in range(16)
)
_LETTER: Final = (
    "<html><head><meta name=Generator content='Microsoft Word 15'><style>"
    + _STYLES.replace("{", "{{").replace("}", "}}")
    + "</style></head><body lang=RO link='#0563C1'><div class=WordSection1>"
    "<p class=MsoNormal><span style='font-size:11.0pt;color:#1F497D'>{}<o:p></o:p></span></p>"
    + "<p class=MsoNormal><b><span style='font-size:9.0pt;color:#666666'>Ion Pop</span></b></p>"
    "<table border=0 cellpadding=0><tr><td style='padding:0cm'><p class=MsoNormal>Telefon "
    "0722 000 111</p></td><td><p class=MsoNormal>Client SRL, București</p></td></tr></table>"
    * 5
    + "</div></body></html>"
)
"""A letter as Outlook writes it: more style than text."""
SENDERS: Final = 200
"""People who write; every other one is somebody the sample company knows."""

_ID: Final = re.compile(rb'<[a-z]*:?ItemId[^>]* Id="AAMk[^"]*?(\d{8})="')


def sender(number: int) -> str:
    """Address of one of the people who write."""
    return f"ion.pop{number % SENDERS}@client{number % SENDERS // 10}.example"


def item_id(number: int) -> str:
    """Id of a message, as long as Exchange's own."""
    return f"AAMk{'AGE0NzQ1' * 16}{number:08d}="


def message(number: int) -> bytes:
    """Message as it went over the wire: text and HTML of seven kilobytes, most of it HTML."""
    random = Random(number)
    words = " ".join(random.choice(_WORDS) for _ in range(120))
    at = (_START + timedelta(minutes=number)).strftime("%a, %d %b %Y %H:%M:%S +0000")
    thread = number - number % 5
    answer = f"In-Reply-To: <m{thread}@client.example>\r\n" if number % 5 else ""
    html = _LETTER.format(words)
    return (
        f"From: Ion Pop {number % SENDERS} <{sender(number)}>\r\nTo: ana@firma.example\r\n"
        f"Subject: Oferta {thread}\r\nDate: {at}\r\nMessage-ID: <m{number}@client.example>\r\n"
        f"{answer}MIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=cut\r\n\r\n"
        "--cut\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n"
        f"\r\n{words}\r\n\r\nIon Pop\r\n--cut\r\nContent-Type: text/html; charset=utf-8\r\n"
        f"Content-Transfer-Encoding: 8bit\r\n\r\n{html}\r\n--cut--\r\n"
    ).encode()


@lru_cache(maxsize=2_000)
def element(number: int) -> str:
    """Message as EWS hands it over."""
    at = (_START + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    box = "<t:Mailbox><t:Name>{}</t:Name><t:EmailAddress>{}</t:EmailAddress><t:RoutingType>SMTP"
    box += "</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>"
    data = message(number)
    thread = number - number % 5
    answer = f"<t:InReplyTo>&lt;m{thread}@client.example&gt;</t:InReplyTo>" if number % 5 else ""
    person = box.format(f"Ion Pop {number % SENDERS}", sender(number))
    return (
        f'<t:Message><t:MimeContent CharacterSet="UTF-8">{b64encode(data).decode()}'
        f'</t:MimeContent><t:ItemId Id="{item_id(number)}" ChangeKey="CQAAABYAAAD{number:08d}"/>'
        f"<t:ItemClass>IPM.Note</t:ItemClass><t:Subject>Oferta {thread}</t:Subject>"
        f"<t:Sensitivity>Normal</t:Sensitivity><t:DateTimeReceived>{at}</t:DateTimeReceived>"
        f"<t:Size>{len(data)}</t:Size><t:Importance>Normal</t:Importance>{answer}"
        f"<t:IsDraft>false</t:IsDraft><t:DateTimeSent>{at}</t:DateTimeSent>"
        f'<t:ConversationId Id="AAQk{thread:08d}="/>'
        "<t:Flag><t:FlagStatus>NotFlagged</t:FlagStatus></t:Flag>"
        f"<t:Sender>{person}</t:Sender><t:ToRecipients>{box.format('Ana', 'ana@firma.example')}"
        f"</t:ToRecipients><t:From>{person}</t:From>"
        f"<t:InternetMessageId>&lt;m{number}@client.example&gt;</t:InternetMessageId>"
        "<t:IsRead>true</t:IsRead></t:Message>"
    )


@lru_cache(maxsize=2_000)
def whole(number: int) -> str:
    """The same with what Exchange adds where a program asks for every field."""
    data = message(number).decode()
    words = data.partition("8bit\r\n\r\n")[2].partition("\r\n\r\nIon Pop")[0]
    html = escape(_LETTER.format(words))
    at = (_START + timedelta(minutes=number)).strftime("%Y-%m-%dT%H:%M:%SZ")
    lines = "".join(
        f'<t:InternetMessageHeader HeaderName="{name}">{value}</t:InternetMessageHeader>'
        for name, value in (
            ("Received", f"from mail.client.example (10.0.0.7) by mail.firma.example; {at}"),
            ("From", f"Ion Pop &lt;{sender(number)}&gt;"),
            ("To", "ana@firma.example"),
            ("Subject", f"Oferta {number - number % 5}"),
            ("Message-ID", f"&lt;m{number}@client.example&gt;"),
            ("MIME-Version", "1.0"),
            ("Content-Type", "multipart/alternative; boundary=cut"),
            ("Return-Path", sender(number)),
            ("X-MS-Exchange-Organization-AuthSource", "mail.firma.example"),
            ("X-MS-Exchange-Organization-AuthAs", "Anonymous"),
            ("X-MS-Exchange-Transport-EndToEndLatency", "00:00:00.4218736"),
        )
    )
    rights = "".join(
        f"<t:{name}>true</t:{name}>"
        for name in ("CreateAssociated", "CreateContents", "CreateHierarchy", "Delete", "Modify")
    )
    head, subject, tail = element(number).partition("<t:Sensitivity>")
    received = "<t:DateTimeReceived>"
    tail = tail.replace(
        received, f'<t:Body BodyType="HTML">{html}</t:Body>{received}', 1
    ).replace(
        "<t:DateTimeSent>",
        f"<t:InternetMessageHeaders>{lines}</t:InternetMessageHeaders><t:DateTimeSent>",
        1,
    ).replace(
        "<t:ConversationId",
        f"<t:DateTimeCreated>{at}</t:DateTimeCreated><t:DisplayTo>Ana</t:DisplayTo>"
        "<t:HasAttachments>false</t:HasAttachments><t:Culture>ro-RO</t:Culture>"
        f"<t:EffectiveRights>{rights}<t:Read>true</t:Read></t:EffectiveRights>"
        f"<t:LastModifiedName>Ion Pop</t:LastModifiedName><t:LastModifiedTime>{at}"
        "</t:LastModifiedTime><t:ConversationId",
        1,
    ).replace(
        "<t:Flag>",
        f'<t:UniqueBody BodyType="HTML" IsTruncated="false">{html}</t:UniqueBody><t:Flag>',
        1,
    ).replace(
        "<t:Sender>",
        f'<t:TextBody BodyType="Text" IsTruncated="false">{escape(words)}</t:TextBody>'
        f"<t:Preview>{escape(words[:250])}</t:Preview><t:Sender>",
        1,
    )  # fmt: skip
    return head + subject + tail


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Server

    def log_message(self, *args: object) -> None:
        """Quiet."""

    def do_GET(self) -> None:
        """How many requests there were since the last time somebody asked."""
        count, self.server.requests = self.server.requests, 0
        self._answer(str(count).encode())

    def do_POST(self) -> None:
        """One operation."""
        self.server.requests += 1
        body = self.rfile.read(int(self.headers["Content-Length"]))
        for name in ("GetItem", "SyncFolderItems", "GetFolder", "FindItem", "ConvertId"):
            if f":{name}".encode() in body or f"<{name}".encode() in body:
                inner = getattr(self, f"_{name}")(body)
                break
        else:
            raise ValueError(body[:500])
        self._answer(
            f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{_S}"><s:Header>'
            f'<h:ServerVersionInfo xmlns:h="{_T}" MajorVersion="15" MinorVersion="0" '
            'MajorBuildNumber="847" MinorBuildNumber="32" Version="V2_8"/></s:Header><s:Body '
            f'xmlns:t="{_T}" xmlns:m="{_M}">{inner}</s:Body></s:Envelope>'.encode()
        )

    def _answer(self, data: bytes) -> None:
        # In one piece: a head by itself would wait for the other side's acknowledgement.
        head = f"HTTP/1.1 200 OK\r\nContent-Type: text/xml\r\nContent-Length: {len(data)}\r\n\r\n"
        self.wfile.write(head.encode() + data)

    def _GetItem(self, body: bytes) -> str:  # noqa: N802  EWS's name
        made = whole if b"item:UniqueBody" in body else element
        return _response(
            "GetItem", *(f"<m:Items>{made(int(n))}</m:Items>" for n in _ID.findall(body))
        )

    def _SyncFolderItems(self, body: bytes) -> str:  # noqa: N802  EWS's name
        state = re.search(rb"SyncState>(\d+)<", body)
        limit = int(re.search(rb"MaxChangesReturned>(\d+)<", body)[1])  # type: ignore[index]
        start = int(state[1]) if state else 0
        # Every folder but the inbox is empty.
        count = self.server.count if b'"inbox"' in body or b"folder-inbox" in body else 0
        end = min(start + limit, count)
        changes = "".join(
            f'<t:Create><t:Message><t:ItemId Id="{item_id(n)}" ChangeKey="CQAAABYAAAD{n:08d}"/>'
            "</t:Message></t:Create>"
            for n in range(start, end)
        )
        last = "true" if end >= count else "false"
        return _response(
            "SyncFolderItems",
            f"<m:SyncState>{max(start, end)}</m:SyncState><m:IncludesLastItemInRange>{last}"
            f"</m:IncludesLastItemInRange><m:Changes>{changes}</m:Changes>",
        )

    def _GetFolder(self, body: bytes) -> str:  # noqa: N802  EWS's name
        names = re.findall(rb'(?:Distinguished)?FolderId[^>]* Id="(?:folder-)?(\w+)"', body)
        return _response("GetFolder", *(_folder(name.decode()) for name in names))

    def _FindItem(self, body: bytes) -> str:  # noqa: N802  EWS's name
        limit = int(re.search(rb'MaxEntriesReturned="(\d+)"', body)[1])  # type: ignore[index]
        count = self.server.count if b"folder-inbox" in body else 0
        shown = range(count - 1, max(-1, count - 1 - limit), -1)
        items = "".join(
            f'<t:Message><t:ItemId Id="{item_id(n)}" ChangeKey="CQAAABYAAAD{n:08d}"/></t:Message>'
            for n in shown
        )
        last = "true" if count <= limit else "false"
        root = f'<m:RootFolder IncludesLastItemInRange="{last}"><t:Items>{items}</t:Items>'
        return _response("FindItem", f"{root}</m:RootFolder>")

    def _ConvertId(self, _body: bytes) -> str:  # noqa: N802  EWS's name
        return _response("ConvertId", "")


def _folder(name: str) -> str:
    kind = "CalendarFolder" if name == "calendar" else "Folder"
    return (
        f'<m:Folders><t:{kind}><t:FolderId Id="folder-{name}" ChangeKey="AQ"/>'
        f'<t:ParentFolderId Id="folder-root" ChangeKey="AQ"/><t:DisplayName>{name}</t:DisplayName>'
        f"<t:TotalCount>1</t:TotalCount></t:{kind}></m:Folders>"
    )


def _response(operation: str, *answers: str) -> str:
    inner = "".join(
        f'<m:{operation}ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError'
        f"</m:ResponseCode>{answer}</m:{operation}ResponseMessage>"
        for answer in answers
    )
    name = f"m:{operation}Response"
    return f"<{name}><m:ResponseMessages>{inner}</m:ResponseMessages></{name}>"


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    count = 0
    requests = 0


def main() -> None:
    """Serve until the input ends, which it does when the parent goes."""
    server = _Server(("127.0.0.1", 0), _Handler)
    server.count = int(sys.argv[1])
    for number in range(min(server.count, 1_000)):
        whole(number)
    print(server.server_address[1], flush=True)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    sys.stdin.read()


if __name__ == "__main__":
    main()
