"""The texts of EWS answers, and of the items in them."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Iterable, Mapping
from typing import Any
from xml.sax.saxutils import escape, quoteattr

from lxml import etree

S = "http://schemas.xmlsoap.org/soap/envelope/"
T = "http://schemas.microsoft.com/exchange/services/2006/types"
M = "http://schemas.microsoft.com/exchange/services/2006/messages"
E = "http://schemas.microsoft.com/exchange/services/2006/errors"
NO_STATE = "<m:SyncState/><m:IncludesLastItemInRange>true</m:IncludesLastItemInRange>"


def parse(xml: str) -> Any:
    """A fragment as an element."""
    return etree.fromstring(f'<x xmlns:t="{T}" xmlns:m="{M}">{xml}</x>')[0]


def envelope(body: str) -> str:
    """The whole answer."""
    return (
        f'<?xml version="1.0" encoding="utf-8"?><s:Envelope xmlns:s="{S}"><s:Header>'
        f'<h:ServerVersionInfo xmlns:h="{T}" MajorVersion="15" MinorVersion="2" '
        'MajorBuildNumber="1544" MinorBuildNumber="9" Version="V2017_07_11"/></s:Header>'
        f'<s:Body xmlns:t="{T}" xmlns:m="{M}">{body}</s:Body></s:Envelope>'
    )


def message(operation: str, *answers: str) -> str:
    """The response of an operation; `answers` come from `success` and `error`."""
    tag = f"{operation}ResponseMessage"
    inner = "".join(
        f"<m:{tag} ResponseClass={quoteattr(kind)}>{content}</m:{tag}>"
        for kind, content in (_split(answer) for answer in answers)
    )
    return (
        f"<m:{operation}Response><m:ResponseMessages>{inner}</m:ResponseMessages>"
        f"</m:{operation}Response>"
    )


def _split(answer: str) -> tuple[str, str]:
    kind, _, content = answer.partition("|")
    return kind, content


def success(content: str) -> str:
    """A response message that went well."""
    return f"Success|<m:ResponseCode>NoError</m:ResponseCode>{content}"


def error(code: str, text: str, extra: str = "") -> str:
    """A response message that did not."""
    return (
        f"Error|<m:MessageText>{escape(text)}</m:MessageText>"
        f"<m:ResponseCode>{code}</m:ResponseCode>{extra}"
    )


def fault(code: str, text: str, back_off_ms: int = 0) -> str:
    """A SOAP fault."""
    wait = (
        f'<t:MessageXml><t:Value Name="BackOffMilliseconds">{back_off_ms}</t:Value></t:MessageXml>'
        if back_off_ms
        else ""
    )
    return (
        f'<s:Fault><faultcode xmlns:a="{T}">a:{code}</faultcode>'
        f"<faultstring>{escape(text)}</faultstring><detail>"
        f'<e:ResponseCode xmlns:e="{E}">{code}</e:ResponseCode>'
        f'<e:Message xmlns:e="{E}">{escape(text)}</e:Message>{wait}</detail></s:Fault>'
    )


def folder(name: str, count: int) -> str:
    """A folder of the mailbox."""
    tag = "CalendarFolder" if name == "calendar" else "Folder"
    return success(
        f'<m:Folders><t:{tag}><t:FolderId Id="id-of-{name}" ChangeKey="1"/>'
        f"<t:DisplayName>{name}</t:DisplayName><t:TotalCount>{count}</t:TotalCount>"
        f"</t:{tag}></m:Folders>"
    )


def all_folders(entries: Iterable[tuple[str, str, str, str]]) -> str:
    """Folders of the mailbox: id, name, class, and the id of the folder it lies in."""
    found = "".join(
        f'<t:Folder><t:FolderId Id="{key}" ChangeKey="1"/><t:ParentFolderId Id="{parent}"/>'
        f"<t:FolderClass>{kind}</t:FolderClass><t:DisplayName>{escape(name)}</t:DisplayName>"
        "</t:Folder>"
        for key, name, kind, parent in entries
    )
    return success(
        f'<m:RootFolder IncludesLastItemInRange="true"><t:Folders>{found}</t:Folders>'
        "</m:RootFolder>"
    )


def found(items: Iterable[str], *, more: bool) -> str:
    """What a search found."""
    last = "false" if more else "true"
    return success(
        f'<m:RootFolder IncludesLastItemInRange="{last}"><t:Items>{"".join(items)}</t:Items>'
        "</m:RootFolder>"
    )


def discovered(urls: Mapping[str, str], redirect: str = "") -> str:
    """What autodiscover tells: an address for each protocol, or where else to ask."""
    space = "http://schemas.microsoft.com/exchange/autodiscover"
    told = "".join(
        f"<Protocol><Type>{kind}</Type><EwsUrl>{url}</EwsUrl></Protocol>"
        for kind, url in urls.items()
    )
    return (
        f'<?xml version="1.0"?><Autodiscover xmlns="{space}/responseschema/2006"><Response '
        f'xmlns="{space}/outlook/responseschema/2006a"><Account><AccountType>email</AccountType>'
        f"<Action>settings</Action>{redirect}{told}</Account></Response></Autodiscover>"
    )


def free_busy(events: Iterable[tuple[str, str, str]] | None, merged: str = "") -> str:
    """Busy times of one person, or that nobody knows them."""
    if events is None:
        return (
            '<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Error"><m:MessageText>nobody'
            "</m:MessageText><m:ResponseCode>ErrorMailRecipientNotFound</m:ResponseCode>"
            "</m:ResponseMessage><m:FreeBusyView><t:FreeBusyViewType>None</t:FreeBusyViewType>"
            "</m:FreeBusyView></m:FreeBusyResponse>"
        )
    times = "".join(
        f"<t:CalendarEvent><t:StartTime>{start}</t:StartTime><t:EndTime>{end}</t:EndTime>"
        f"<t:BusyType>{kind}</t:BusyType></t:CalendarEvent>"
        for start, end, kind in events
    )
    view = "MergedOnly" if merged else "FreeBusy"
    return (
        '<m:FreeBusyResponse><m:ResponseMessage ResponseClass="Success"><m:ResponseCode>NoError'
        "</m:ResponseCode></m:ResponseMessage><m:FreeBusyView>"
        f"<t:FreeBusyViewType>{view}</t:FreeBusyViewType><t:MergedFreeBusy>{merged}"
        f"</t:MergedFreeBusy><t:CalendarEventArray>{times}</t:CalendarEventArray>"
        "</m:FreeBusyView></m:FreeBusyResponse>"
    )


def change(kind: str, item_id: str, tag: str, change_key: str = "CQ") -> str:
    """One change of a page; `tag` is the item's class, or the mark of a read flag change."""
    found = f'<t:ItemId Id="{item_id}" ChangeKey="{change_key}"/>'
    if kind == "Delete":
        return f"<t:Delete>{found}</t:Delete>"
    if kind == "ReadFlagChange":
        return f"<t:ReadFlagChange>{found}<t:IsRead>{tag}</t:IsRead></t:ReadFlagChange>"
    return f"<t:{kind}><t:{tag}>{found}</t:{tag}></t:{kind}>"


def sync_page(state: str, events: Iterable[tuple[str, ...]], *, last: bool, extra: str = "") -> str:
    """A page of changes."""
    changes = "".join(change(*event) for event in events) + extra
    return success(
        f"<m:SyncState>{state}</m:SyncState><m:IncludesLastItemInRange>"
        f"{'true' if last else 'false'}</m:IncludesLastItemInRange><m:Changes>{changes}</m:Changes>"
    )


def resolution(address: str) -> str:
    """A name found in the directory."""
    return success(
        '<m:ResolutionSet TotalItemsInView="1" IncludesLastItemInRange="true"><t:Resolution>'
        f"<t:Mailbox><t:Name>Somebody</t:Name><t:EmailAddress>{address}</t:EmailAddress>"
        "<t:RoutingType>SMTP</t:RoutingType><t:MailboxType>Mailbox</t:MailboxType></t:Mailbox>"
        "</t:Resolution></m:ResolutionSet>"
    )


def person(address: str, name: str = "", routing: str = "SMTP") -> str:
    """A mailbox element."""
    return (
        f"<t:Mailbox><t:Name>{escape(name)}</t:Name><t:EmailAddress>{escape(address)}"
        f"</t:EmailAddress><t:RoutingType>{routing}</t:RoutingType></t:Mailbox>"
    )


def mail(
    item_id: str,
    message_id: str,
    *,
    subject: str = "Ofertă",
    sender: str = "client@client.example",
    to: tuple[str, ...] = ("ana@firma.example",),
    body: str = "Bună ziua",
    mime: bytes = b"",
    extra: str = "",
    tag: str = "Message",
) -> str:
    """A message."""
    content = (
        f'<t:MimeContent CharacterSet="UTF-8">{b64encode(mime).decode()}</t:MimeContent>'
        if mime
        else ""
    )
    recipients = "".join(person(address) for address in to)
    return (
        f'<t:{tag}>{content}<t:ItemId Id="{item_id}" ChangeKey="CQ"/>'
        f"<t:ItemClass>IPM.Note</t:ItemClass><t:Subject>{escape(subject)}</t:Subject>"
        f'<t:Sensitivity>Normal</t:Sensitivity><t:Body BodyType="Text">{escape(body)}</t:Body>'
        "<t:DateTimeReceived>2026-03-02T08:00:01Z</t:DateTimeReceived><t:Size>2048</t:Size>"
        f"<t:DateTimeSent>2026-03-02T08:00:00Z</t:DateTimeSent>{extra}"
        f"<t:ToRecipients>{recipients}</t:ToRecipients><t:From>{person(sender, 'Client')}</t:From>"
        f"<t:InternetMessageId>&lt;{escape(message_id)}&gt;</t:InternetMessageId>"
        f"<t:IsRead>false</t:IsRead></t:{tag}>"
    )


def meeting(
    item_id: str,
    uid: str,
    *,
    subject: str = "Ședință",
    start: str = "2026-03-02T07:00:00Z",
    end: str = "2026-03-02T08:00:00Z",
    kind: str = "Single",
    zone: str = "GTB Standard Time",
    extra: str = "",
    sensitivity: str = "Normal",
) -> str:
    """A meeting with an organizer and two attendees."""
    return (
        f'<t:CalendarItem><t:ItemId Id="{item_id}" ChangeKey="DQ"/>'
        f"<t:ItemClass>IPM.Appointment</t:ItemClass><t:Subject>{escape(subject)}</t:Subject>"
        f"<t:Sensitivity>{sensitivity}</t:Sensitivity>"
        f'<t:Body BodyType="HTML">&lt;p&gt;Agenda&lt;/p&gt;</t:Body><t:UID>{uid}</t:UID>'
        f"<t:Start>{start}</t:Start><t:End>{end}</t:End>"
        "<t:LegacyFreeBusyStatus>Busy</t:LegacyFreeBusyStatus><t:Location>Sala 2</t:Location>"
        f"<t:CalendarItemType>{kind}</t:CalendarItemType>"
        "<t:MyResponseType>Organizer</t:MyResponseType>"
        f"<t:Organizer>{person('ana@firma.example', 'Ana')}</t:Organizer><t:RequiredAttendees>"
        f"<t:Attendee>{person('client@client.example', 'Client')}"
        "<t:ResponseType>Accept</t:ResponseType></t:Attendee></t:RequiredAttendees>"
        f"<t:OptionalAttendees><t:Attendee>{person('nobody@nowhere.example')}"
        "<t:ResponseType>Unknown</t:ResponseType></t:Attendee></t:OptionalAttendees>"
        f'{extra}<t:StartTimeZone Id="{zone}"/></t:CalendarItem>'
    )
