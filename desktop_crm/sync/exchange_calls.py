"""The SOAP calls this product makes of an Exchange server, on exchangelib's transport.

exchangelib signs in, speaks HTTP and knows the errors. Paging and items are read here as bare
XML, because there one element of an unknown class loses the whole page, a date with fractions
becomes None and an error without a sync state is hidden behind another.
"""

from __future__ import annotations

import logging
import re
import ssl
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

import requests
from exchangelib.account import DELEGATE
from exchangelib.configuration import Configuration
from exchangelib.credentials import Credentials
from exchangelib.errors import (
    ErrorInternalServerTransientError,
    ErrorInvalidSyncStateData,
    ErrorServerBusy,
    EWSWarning,
    MalformedResponseError,
    RedirectError,
    SOAPError,
    TransportError,
    UnauthorizedError,
)
from exchangelib.ewsdatetime import UTC as EWS_UTC
from exchangelib.properties import (
    ENTRY_ID,
    EWS_ID,
    AlternateId,
    DistinguishedFolderId,
    FolderId,
    Mailbox,
)
from exchangelib.protocol import BaseProtocol, FailFast
from exchangelib.services import ConvertId, GetFolder, GetItem, ResolveNames, SyncFolderItems
from exchangelib.transport import BASIC, DIGEST, NOAUTH, NTLM
from exchangelib.util import MNS, SOAPNS, TNS, ParseError, add_xml_child, create_element, to_xml
from exchangelib.version import EXCHANGE_2013_SP1, Version
from lxml import etree
from requests.adapters import HTTPAdapter
from requests.auth import HTTPBasicAuth

# Its debug lines hold the header with the password; they must never reach a log file.
logging.getLogger("exchangelib").setLevel(logging.WARNING)

T: Final = f"{{{TNS}}}"
M: Final = f"{{{MNS}}}"
GET_ITEM_CHUNK: Final = 10
"""Items in one GetItem request: what Microsoft recommends."""

# A scheme begins the header or follows a comma; a realm may be called anything.
_SCHEME: Final = re.compile(r"(?:^|,\s*)(ntlm|negotiate|digest|basic)\b(?!\s*=)")
_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
# What an item's answer may hold instead of the item; everything else stops the request.
_PER_ITEM: Final = GetItem.ERRORS_TO_CATCH_IN_RESPONSE


BadAnswer: Final = (MalformedResponseError, SOAPError)
"""Answers that are no Exchange answers: a proxy's page, half a message."""


class ShortAnswer(MalformedResponseError):  # type: ignore[misc]  # exchangelib carries no types
    """Fewer items came than were asked for."""


class NoSignIn(Exception):
    """The server offers no way of signing in that is supported; holds what it offered."""


class _Policy(FailFast):  # type: ignore[misc]  # exchangelib carries no types
    """Which answers are errors, in the order that tells the person what is wrong.

    The library looks at "Connection: close" first, and so takes a refused password for a busy
    server and asks again until the account is locked.
    """

    def raise_response_errors(self, response: requests.Response) -> None:
        """Raise what an HTTP answer means; a usable one passes."""
        status = response.status_code
        if status in (401, 403):
            raise UnauthorizedError(f"HTTP {status}")
        if status in (429, 502, 503, 504):
            error = ErrorServerBusy(f"HTTP {status}", back_off=_retry_after(response))
            raise error
        if status in (404, 405, 410):
            raise MalformedResponseError(f"HTTP {status}")
        super().raise_response_errors(response)


def _retry_after(response: requests.Response) -> float | None:
    value = response.headers.get("Retry-After", "")
    return float(value) if value.isdigit() else None


class _OwnAuthority(HTTPAdapter):
    """Trusts the certificate authority of one file, whatever the environment says."""

    def __init__(self, ca_file: str, **kwargs: Any) -> None:  # noqa: ANN401  requests' own
        self._ca_file = ca_file
        super().__init__(**kwargs)

    def cert_verify(self, conn: Any, url: str, verify: Any, cert: Any) -> None:  # noqa: ANN401
        """Verify by the file alone."""
        super().cert_verify(conn, url, self._ca_file, cert)  # type: ignore[no-untyped-call]

    def build_connection_pool_key_attributes(
        self,
        request: requests.PreparedRequest,
        verify: bool | str,
        cert: Any = None,  # noqa: ANN401  requests' own
    ) -> Any:  # noqa: ANN401
        """Verify by the file alone."""
        return super().build_connection_pool_key_attributes(request, self._ca_file, cert)


class Endpoint(BaseProtocol):  # type: ignore[misc]  # exchangelib carries no types
    """One server and one login with one connection; not shared, not cached, never retried."""

    USERAGENT = "desktop-crm"

    def __init__(
        self, url: str, login: str, password: str, *, ca_file: str, timeout_s: float
    ) -> None:
        super().__init__(
            Configuration(
                service_endpoint=url,
                credentials=Credentials(login, password),
                retry_policy=_Policy(),
                version=Version(build=EXCHANGE_2013_SP1, api_version="Exchange2013_SP1"),
                max_connections=1,
            )
        )
        self.TIMEOUT = (min(15.0, timeout_s), timeout_s)
        self._ca_file = ca_file

    @property
    def version(self) -> Version:
        """Version the server speaks; a guess until its first answer."""
        return self.config.version

    def raw_session(self, prefix: str, **_unused: object) -> requests.Session:
        """Session without sign-in; trusts the mailbox's own authority where one is given."""
        session = requests.Session()
        session.headers.update(
            {"Content-Type": "text/xml; charset=utf-8", "User-Agent": self.USERAGENT}
        )
        options: dict[str, Any] = {"pool_block": True, "pool_connections": 1, "pool_maxsize": 1}
        adapter = (
            _OwnAuthority(self._ca_file, **options) if self._ca_file else HTTPAdapter(**options)
        )
        session.mount("https://", adapter)
        session.mount("http://", HTTPAdapter(**options))
        return session

    def get_auth_type(self) -> str:
        """Ask the server once, without a password, how it wants to be signed in to."""
        service = ConvertId(protocol=self)
        payload = service.get_payload(
            items=[AlternateId(id="DUMMY", format=EWS_ID, mailbox="DUMMY")],
            destination_format=ENTRY_ID,
        )
        data = service.wrap(payload, api_version=self.version.api_version)
        with self.raw_session(self.service_endpoint) as session:
            try:
                response = session.post(
                    self.service_endpoint, data=data, allow_redirects=False, timeout=self.TIMEOUT
                )
            except requests.RequestException as error:
                raise TransportError(str(error)) from error
        return auth_type_of(response)

    def create_session(self) -> requests.Session:
        """Session that signs in; a password may hold letters beyond Latin-1."""
        session: requests.Session = super().create_session()
        if isinstance(session.auth, HTTPBasicAuth):
            credentials = self.credentials
            session.auth = HTTPBasicAuth(
                credentials.username.encode(), credentials.password.encode()
            )
        return session


def auth_type_of(response: requests.Response) -> str:
    """Way of signing in that an answer without password asks for; the safest comes first.

    Raises:
        NoSignIn: none of the offered ways is supported.
    """
    if response.status_code in (301, 302, 307, 308):
        raise RedirectError(response.headers.get("Location") or response.url)
    if response.status_code not in (200, 401, 500):
        _Policy().raise_response_errors(response)
    if response.status_code != 401:
        return str(NOAUTH)
    offered = response.headers.get("WWW-Authenticate", "").lower()
    words = set(_SCHEME.findall(re.sub(r'"[^"]*"', "", offered)))
    for name, auth_type in (
        ("ntlm", NTLM),
        ("negotiate", NTLM),
        ("digest", DIGEST),
        ("basic", BASIC),
    ):
        if name in words:
            return str(auth_type)
    raise NoSignIn(offered[:100] or "-")


@dataclass(slots=True, eq=False)
class Account:
    """What exchangelib's services ask of an account, without its global caches."""

    protocol: Endpoint
    primary_smtp_address: str
    version: Version
    affinity_cookie: str | None = None
    access_type: str = DELEGATE
    default_timezone: Any = EWS_UTC


class _Complete:
    """Reads answers in one piece and takes none that was cut off.

    The library reads byte by byte, and its parser mends a truncated answer silently: of a page
    that broke in the middle the second half would be lost with its sync state already advanced.
    """

    @classmethod
    def _get_soap_parts(cls, response: requests.Response) -> tuple[Any, Any]:
        content = response.content
        if not content.rstrip().endswith(b"Envelope>"):
            raise SOAPError("the answer is cut off or is no SOAP")
        try:
            root = etree.fromstring(content, parser=_PARSER)
        except (etree.XMLSyntaxError, ValueError):
            # Complete, but with characters XML forbids: there the forgiving parser is right.
            try:
                root = to_xml(content).getroot()
            except ParseError as error:
                raise SOAPError(f"bad SOAP answer: {error}") from error
        body = root.find(f"{{{SOAPNS}}}Body")
        if body is None:
            raise MalformedResponseError("no Body in the SOAP answer")
        return root.find(f"{{{SOAPNS}}}Header"), body


class FindFolderId(_Complete, GetFolder):  # type: ignore[misc]  # exchangelib carries no types
    """The id of a distinguished folder."""

    def find(self, name: str) -> tuple[FolderId, int]:
        """Id of a folder and how many items it holds.

        Raises:
            EWSError: the server refuses, or has no such folder.
        """
        mailbox = Mailbox(email_address=self.account.primary_smtp_address)
        wanted = [DistinguishedFolderId(id=name, mailbox=mailbox)]
        payload = self.get_payload(folders=wanted, additional_fields=None, shape="Default")
        for element in self._get_elements(payload=payload):
            if isinstance(element, Exception):
                raise element
            found = element.find(f"{T}FolderId")
            count = element.findtext(f"{T}TotalCount") or "0"
            return FolderId(found.get("Id"), found.get("ChangeKey")), int(count)
        raise MalformedResponseError("GetFolder gave no folder")


class SyncPage(_Complete, SyncFolderItems):  # type: ignore[misc]  # exchangelib carries no types
    """One page of changes, as bare elements."""

    def page(self, folder: FolderId, state: str | None, limit: int) -> list[Any]:
        """Change elements of one page; `sync_state` and `includes_last_item_in_range` follow.

        Raises:
            EWSError: the server refuses; an answer without a sync state is its own error.
        """
        elements = self.call(
            folder=folder,
            shape="IdOnly",
            additional_fields=None,
            sync_state=state,
            ignore=None,
            max_changes_returned=limit,
            sync_scope=None,
        )
        found = []
        for element in elements:
            if isinstance(element, Exception):
                raise element
            if element is not True:
                found.append(element)
        return found

    def _elem_to_obj(self, elem: Any) -> Any:  # noqa: ANN401  an lxml element
        return elem

    def _get_element_container(self, message: Any, name: str | None = None) -> Any:  # noqa: ANN401
        if message.get("ResponseClass") == "Success" and not message.findtext(f"{M}SyncState"):
            raise ErrorInvalidSyncStateData("the answer holds no sync state")
        if message.find(f"{M}SyncState") is None:
            # An error without a state: the library would stumble over it and hide the reason.
            etree.SubElement(message, f"{M}SyncState")
        if message.find(self.last_in_range_name) is None:
            etree.SubElement(message, self.last_in_range_name).text = "true"
        return super()._get_element_container(message=message, name=name)


class FetchItems(_Complete, GetItem):  # type: ignore[misc]  # exchangelib carries no types
    """Items with the fields this product reads, as bare elements or errors, one per id."""

    ERRORS_TO_CATCH_IN_RESPONSE = (*_PER_ITEM, EWSWarning)

    def fetch(self, ids: Sequence[str], fields: Sequence[str], *, mime: bool) -> list[Any]:
        """Elements and per-item errors in the order of the ids; one request.

        Raises:
            EWSError: the request as a whole failed.
        """
        payload = create_element("m:GetItem")
        shape = create_element("m:ItemShape")
        add_xml_child(shape, "t:BaseShape", "IdOnly")
        if mime:
            add_xml_child(shape, "t:IncludeMimeContent", "true")
        properties = create_element("t:AdditionalProperties")
        for uri in fields:
            properties.append(create_element("t:FieldURI", attrs={"FieldURI": uri}))
        shape.append(properties)
        payload.append(shape)
        wanted = create_element("m:ItemIds")
        for item_id in ids:
            wanted.append(create_element("t:ItemId", attrs={"Id": item_id}))
        payload.append(wanted)
        found = list(self._get_elements(payload=payload))
        if len(found) != len(ids):
            raise ShortAnswer(f"asked for {len(ids)} items, got {len(found)}")
        by_id = {
            element.find(f"{T}ItemId").get("Id"): element
            for element in found
            if not isinstance(element, Exception)
            and element is not True
            and element.find(f"{T}ItemId") is not None
        }
        # In the order asked for, as every server answers; by id where one does not.
        return [by_id.get(key, answer) for key, answer in zip(ids, found, strict=True)]

    def _elem_to_obj(self, elem: Any) -> Any:  # noqa: ANN401  an lxml element
        return elem


class FindAddress(_Complete, ResolveNames):  # type: ignore[misc]  # exchangelib carries no types
    """The SMTP address behind a directory name."""

    def find(self, name: str) -> str:
        """SMTP address of a legacy directory name; empty when the server knows none."""
        payload = self.get_payload([name], None, False, None, None)
        for element in self._get_elements(payload=payload):
            if isinstance(element, Exception) or element is True:
                continue
            address = element.findtext(f"{T}Mailbox/{T}EmailAddress") or ""
            if "@" in address:
                return address
        return ""

    def _get_element_container(self, message: Any, name: str | None = None) -> Any:  # noqa: ANN401
        # One candidate is enough; the library warns when the server has more.
        resolved = message.find(f"{M}ResolutionSet")
        if resolved is not None:
            resolved.set("IncludesLastItemInRange", "true")
        return super()._get_element_container(message=message, name=name)


def chunks(ids: Sequence[str], size: int = GET_ITEM_CHUNK) -> Iterator[Sequence[str]]:
    """Cut a list of ids into requests."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def is_certificate_problem(error: BaseException) -> bool:
    """Whether an error, or one it came from, is a certificate that is not trusted."""
    seen: BaseException | None = error
    while seen is not None:
        if isinstance(seen, ssl.SSLError | requests.exceptions.SSLError):
            return True
        if "CERTIFICATE_VERIFY_FAILED" in str(seen):
            return True
        seen = seen.__cause__ or seen.__context__
    return False


def is_busy(error: BaseException) -> bool:
    """Whether the server asked to come back later."""
    return isinstance(error, ErrorServerBusy | ErrorInternalServerTransientError)


def host_of(url: str) -> str:
    """Host name of an address, for messages."""
    return urlsplit(url).hostname or url
