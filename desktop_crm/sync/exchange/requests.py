"""The requests that change an Exchange mailbox, one item each."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from desktop_crm.core.errors import UserError
from desktop_crm.core.i18n import N_
from desktop_crm.sync.exchange import calls, contacts, items, tasks
from desktop_crm.sync.exchange.fields import Field
from desktop_crm.sync.exchange.xml import Element, M, T, change_key_of, id_of, node, tag_of, text_at
from desktop_crm.sync.writes import Notify, Ref, Vanished

_INVITE: Final = {
    Notify.NOBODY: "SendToNone",
    Notify.CHANGED: "SendToAllAndSaveCopy",
    Notify.EVERYBODY: "SendToAllAndSaveCopy",
}
_UPDATE: Final = {
    Notify.NOBODY: "SendToNone",
    Notify.CHANGED: "SendToChangedAndSaveCopy",
    Notify.EVERYBODY: "SendToAllAndSaveCopy",
}
_FIELDS: Final = tuple(
    dict.fromkeys(
        (
            *items.MAIL_FIELDS,
            *items.BODY_FIELDS,
            *items.MEETING_FIELDS,
            *tasks.FIELDS,
            *contacts.FIELDS,
        )
    )
)
"""Every field that is read of any item: what lies behind an id is not known beforehand."""

OFFICIAL: Final = frozenset(
    {
        "item:Subject", "calendar:Start", "calendar:End", "calendar:IsAllDayEvent",
        "calendar:Location", "calendar:RequiredAttendees", "calendar:OptionalAttendees",
        "calendar:Resources", "calendar:Recurrence",
    }
)  # fmt: skip
"""Fields of a meeting that are its organizer's alone."""


def create(
    account: calls.Account,
    element: Element,
    folder: Element,
    disposition: str | None = "SaveOnly",
    *,
    notify: Notify | None = None,
) -> Element:
    """Make an item; the element with its id, or an empty one where the server tells none.

    Args:
        account: whose mailbox it is.
        element: the item.
        folder: what names the folder it goes to; None where the server knows.
        disposition: what becomes of a message; None for items that are none.
        notify: who is told of a meeting; None for items that are none.
    """
    options = {} if disposition is None else {"MessageDisposition": disposition}
    if notify is not None:
        options["SendMeetingInvitations"] = _INVITE[notify]
    payload = node(
        "m:CreateItem",
        node("m:SavedItemFolderId", folder) if folder is not None else None,
        node("m:Items", element),
        **options,
    )
    return _only(calls.ask(account, payload))


def send(account: calls.Account, draft: Element, folder: Element) -> None:
    """Send a draft and keep its copy in a folder."""
    payload = node(
        "m:SendItem",
        node("m:ItemIds", node("t:ItemId", Id=id_of(draft), ChangeKey=change_key_of(draft))),
        node("m:SavedItemFolderId", folder),
        SaveItemToFolder="true",
    )
    calls.ask(account, payload)


def update(
    account: calls.Account, ref: Ref, changes: Sequence[Element], notify: Notify, resolution: str
) -> Element:
    """Change fields of an item; no read receipt is sent, whatever its sender asked for."""
    version = {"ChangeKey": ref.change_key} if ref.change_key else {}
    payload = node(
        "m:UpdateItem",
        node(
            "m:ItemChanges",
            node(
                "t:ItemChange",
                node("t:ItemId", Id=ref.item_id, **version),
                node("t:Updates", *changes),
            ),
        ),
        ConflictResolution=resolution,
        MessageDisposition="SaveOnly",
        SendMeetingInvitationsOrCancellations=_UPDATE[notify],
        SuppressReadReceipts="true",
    )
    return _only(calls.ask(account, payload))


def move(account: calls.Account, item_id: str, folder: Element) -> Element:
    """Move an item; the element with its new id."""
    payload = node(
        "m:MoveItem",
        node("m:ToFolderId", folder),
        node("m:ItemIds", node("t:ItemId", Id=item_id)),
        node("m:ReturnNewItemIds", "true"),
    )
    return _only(calls.ask(account, payload))


def delete(account: calls.Account, item_id: str, notify: Notify = Notify.NOBODY) -> None:
    """Delete an item for good; no read receipt is sent."""
    payload = node(
        "m:DeleteItem",
        node("m:ItemIds", node("t:ItemId", Id=item_id)),
        DeleteType="HardDelete",
        SendMeetingCancellations=_INVITE[notify],
        AffectedTaskOccurrences="AllOccurrences",
        SuppressReadReceipts="true",
    )
    calls.ask(account, payload)


def item(account: calls.Account, item_id: str, *, mime: bool = False) -> Element:
    """One item with all that is read of items.

    Raises:
        Vanished: it is not there.
    """
    payload = node(
        "m:GetItem",
        calls.item_shape(_FIELDS, mime=mime),
        node("m:ItemIds", node("t:ItemId", Id=item_id)),
    )
    found = _only(calls.ask(account, payload))
    if not id_of(found):
        raise Vanished(item_id[-12:])
    return found


def find_own(account: calls.Account, folder: Element, own_key: str, message_id: str) -> Element:
    """An item by the key of the deed that made it, or by its Message-ID; None for none."""
    wanted = _equal(calls.key_path(calls.OWN_KEY), own_key)
    if message_id:
        path = node("t:FieldURI", FieldURI="message:InternetMessageId")
        wanted = node("t:Or", wanted, _equal(path, f"<{message_id.strip('<>')}>"))
    payload = node(
        "m:FindItem",
        node("m:ItemShape", node("t:BaseShape", "IdOnly")),
        node("m:IndexedPageItemView", MaxEntriesReturned="2", Offset="0", BasePoint="Beginning"),
        node("m:Restriction", wanted),
        node("m:ParentFolderIds", folder),
        Traversal="Shallow",
    )
    return calls.ask(account, payload).find(f"{M}RootFolder/{T}Items/*")


def must_be_organizer(element: Element, old: Sequence[Field], new: Sequence[Field]) -> None:
    """Refuse to change what is only the organizer's: Exchange would do it for this person alone.

    Raises:
        UserError: somebody else's meeting would be changed (R37).
    """
    mine = text_at(element, "MyResponseType").lower() in ("", "unknown", "organizer")
    if mine:
        return
    before = {one.key: one.written for one in old}
    if any(one.uri in OFFICIAL and before.get(one.key) != one.written for one in new):
        raise UserError(
            N_(
                "This meeting is somebody else's, so only its organizer can change it. Nothing was "
                "changed; propose another time to the organizer."
            )
        )


def _equal(path: Element, value: str) -> Element:
    constant = node("t:FieldURIOrConstant", node("t:Constant", Value=value))
    return node("t:IsEqualTo", path, constant)


def _only(message: Element) -> Element:
    found = message.find(f"{M}Items/*")
    return found if found is not None else node(f"t:{tag_of(message)}")
