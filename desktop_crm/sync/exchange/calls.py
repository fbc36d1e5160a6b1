"""The SOAP calls this product makes of an Exchange server, on exchangelib's transport.

exchangelib signs in, speaks HTTP and knows the errors. Paging and items are read here as bare
XML, because there one element of an unknown class loses the whole page, a date with fractions
becomes None and an error without a sync state is hidden behind another.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

import requests
from exchangelib.account import DELEGATE
from exchangelib.errors import (
    ErrorExceededConnectionCount,
    ErrorInternalServerTransientError,
    ErrorInvalidSyncStateData,
    ErrorServerBusy,
    ErrorTooManyObjectsOpened,
    EWSWarning,
    MalformedResponseError,
    SOAPError,
)
from exchangelib.ewsdatetime import UTC as EWS_UTC
from exchangelib.services import GetItem, ResolveNames, SyncFolderItems
from exchangelib.services.common import EWSAccountService, EWSService
from exchangelib.util import SOAPNS, ParseError, to_xml
from exchangelib.version import Version
from lxml import etree

from desktop_crm.sync.exchange.signin import Endpoint
from desktop_crm.sync.exchange.xml import Element, M, T, node, tag_of

GET_ITEM_CHUNK: Final = 10
"""Items in one GetItem request: what Microsoft recommends."""

KEY_SET: Final = "7c4f2a35-6f0b-4b0e-9d55-3a4a9f1c8e21"
"""Property set of this product: what it writes on items carries this and a name."""

OWN_KEY: Final = "OwnKey"
"""Name of the property with the key of the deed that made an item."""

OWN_UID: Final = "OwnUid"
"""Name of the property with the identity of an item that Exchange gives none."""

_PARSER: Final = etree.XMLParser(resolve_entities=False, no_network=True, huge_tree=True)
# What an item's answer may hold instead of the item; everything else stops the request.
_PER_ITEM: Final = GetItem.ERRORS_TO_CATCH_IN_RESPONSE

BadAnswer: Final = (MalformedResponseError, SOAPError)
"""Answers that are no Exchange answers: a proxy's page, half a message."""


class ShortAnswer(MalformedResponseError):  # type: ignore[misc]  # exchangelib carries no types
    """Fewer items came than were asked for."""


@dataclass(slots=True, eq=False)
class Account:
    """What exchangelib's services ask of an account, without its global caches."""

    protocol: Endpoint
    primary_smtp_address: str
    version: Version
    affinity_cookie: str | None = None
    access_type: str = DELEGATE
    default_timezone: Element = EWS_UTC


class _Complete:
    """Reads answers in one piece and takes none that was cut off.

    The library reads byte by byte, and its parser mends a truncated answer silently: of a page
    that broke in the middle the second half would be lost with its sync state already advanced.
    """

    @classmethod
    def _get_soap_parts(cls, response: requests.Response) -> tuple[Element, Element]:
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

    @staticmethod
    def _get_exception(code: str, text: str, msg_xml: Element = None, **more: Element) -> Exception:
        """The library's error, with the wait a busy server asks for in any form of answer."""
        error: Exception = EWSService._get_exception(code, text, msg_xml, **more)
        if isinstance(error, ErrorServerBusy) and msg_xml is not None:
            for value in msg_xml.findall(f"{T}Value"):
                if value.get("Name") == "BackOffMilliseconds" and (value.text or "").isdigit():
                    error.back_off = int(value.text) / 1000
        return error


class Call(_Complete, EWSAccountService):  # type: ignore[misc]  # exchangelib carries no types
    """Element operation, asked once: no other version of the protocol is tried.

    Args:
        account: whose mailbox it is about.
        name: name of the operation.
        catch: errors of single answers that are handed back in their place.
    """

    def __init__(self, account: Account, name: str, catch: tuple[Element, ...] = ()) -> None:
        self.SERVICE_NAME = name
        self.ERRORS_TO_CATCH_IN_RESPONSE = catch
        super().__init__(account=account)

    def _response_tag(self) -> str:
        return f"{M}{self.SERVICE_NAME}Response"

    def _response_message_tag(self) -> str:
        return f"{M}{self.SERVICE_NAME}ResponseMessage"

    def _api_versions_to_try(self) -> tuple[str, ...]:
        return (self._version_hint.api_version,)

    def _get_elements_in_response(self, response: Element) -> Iterator[Element]:
        for message in response:
            # Availability answers in a form of its own; its caller looks for errors.
            own = tag_of(message) == f"{self.SERVICE_NAME}Response"
            yield message if own else self._get_element_container(message=message)


def ask_each(account: Account, payload: Element, catch: tuple[Element, ...]) -> list[Element]:
    """Response messages of a request, one for each thing asked for, caught errors among them.

    Raises:
        EWSError: the server refuses the request, or one thing with another error.
    """
    name = tag_of(payload).removesuffix("Request")
    return list(Call(account, name, catch)._get_elements(payload=payload))


def ask(account: Account, payload: Element) -> Element:
    """The one response message of a request.

    Raises:
        EWSError: the server refuses it.
    """
    answers = ask_each(account, payload, ())
    if len(answers) != 1 or answers[0] is True:
        raise ShortAnswer(f"no answer to {tag_of(payload)}")
    return answers[0]


class SyncPage(_Complete, SyncFolderItems):  # type: ignore[misc]  # exchangelib carries no types
    """One page of changes, as bare elements."""

    def page(self, folder: Element, state: str | None, limit: int) -> list[Element]:
        """Change elements of one page; `sync_state` and `includes_last_item_in_range` follow.

        Raises:
            EWSError: the server refuses; an answer without a sync state is its own error.
        """
        payload = node(
            "m:SyncFolderItems",
            node("m:ItemShape", node("t:BaseShape", "IdOnly")),
            node("m:SyncFolderId", folder),
            node("m:SyncState", state) if state else None,
            node("m:MaxChangesReturned", str(limit)),
        )
        elements = self._get_elements(payload=payload)
        found = []
        for element in elements:
            if isinstance(element, Exception):
                raise element
            if element is not True:
                found.append(element)
        return found

    def _elem_to_obj(self, elem: Element) -> Element:
        return elem

    def _get_element_container(self, message: Element, name: str | None = None) -> Element:
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

    def fetch(self, ids: Sequence[str], fields: Sequence[str], *, mime: bool) -> list[Element]:
        """Elements and per-item errors in the order of the ids; one request.

        Args:
            ids: ids of the items.
            fields: URIs of the fields to hand over beyond the id.
            mime: hand over the exchange format, too.

        Raises:
            EWSError: the request as a whole failed.
        """
        payload = node(
            "m:GetItem",
            item_shape(fields, mime=mime),
            node("m:ItemIds", *(node("t:ItemId", Id=item_id) for item_id in ids)),
        )
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

    def _elem_to_obj(self, elem: Element) -> Element:
        return elem


def key_path(name: str) -> Element:
    """What names a property of this product's own."""
    return node(
        "t:ExtendedFieldURI", PropertySetId=KEY_SET, PropertyName=name, PropertyType="String"
    )


def field_path(uri: str) -> Element:
    """What names a field: `item:Subject`, or `tag:` and a MAPI tag with its type."""
    if uri.startswith("tag:"):
        number, kind = uri.removeprefix("tag:").split()
        return node("t:ExtendedFieldURI", PropertyTag=number, PropertyType=kind)
    if uri.startswith("own:"):
        return key_path(uri.removeprefix("own:"))
    return node("t:FieldURI", FieldURI=uri)


def item_shape(fields: Sequence[str], *, mime: bool = False) -> Element:
    """Which fields of items to hand over; own keys are always among them."""
    wanted = [field_path(uri) for uri in fields]
    wanted += [key_path(name) for name in (OWN_KEY, OWN_UID)]
    return node(
        "m:ItemShape",
        node("t:BaseShape", "IdOnly"),
        node("t:IncludeMimeContent", "true") if mime else None,
        node("t:AdditionalProperties", *wanted),
    )


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

    def _get_element_container(self, message: Element, name: str | None = None) -> Element:
        # One candidate is enough; the library warns when the server has more.
        resolved = message.find(f"{M}ResolutionSet")
        if resolved is not None:
            resolved.set("IncludesLastItemInRange", "true")
        return super()._get_element_container(message=message, name=name)


def chunks(ids: Sequence[str], size: int = GET_ITEM_CHUNK) -> Iterator[Sequence[str]]:
    """Cut a list of ids into requests."""
    for start in range(0, len(ids), size):
        yield ids[start : start + size]


def is_busy(error: BaseException) -> bool:
    """Whether the server asked to come back later."""
    return isinstance(
        error,
        ErrorServerBusy
        | ErrorInternalServerTransientError
        | ErrorExceededConnectionCount
        | ErrorTooManyObjectsOpened,
    )
