"""Beside a message: the records it is linked to and might be linked to, and why."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QFrame, QHBoxLayout, QScrollArea, QSizePolicy, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.models.activity import LinkState
from desktop_crm.services.link_reasons import sentence
from desktop_crm.services.mail.message import LinkRow, Message, Party
from desktop_crm.views import icons
from desktop_crm.views.widgets.buttons import LinkButton, push_button, tool_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import Elide, Pill, label
from desktop_crm.views.widgets.layout import clear, row

if TYPE_CHECKING:
    from decimal import Decimal

    from desktop_crm.views.workbench import Workbench

SURE = 80
"""Confidence from which a link counts as sure, percent; it only chooses a colour."""


class LinkCard(QFrame):
    """One link: the record, why it is here, how sure that is, and what can be done.

    Attributes:
        accepted: make the suggestion a link.
        rejected: say no to it.
        opened: open the record.
    """

    accepted = Signal(object)
    rejected = Signal(object)
    opened = Signal(object)

    def __init__(self, link: LinkRow, bench: Workbench, *, may_link: bool) -> None:
        super().__init__()
        self.link = link
        self.setObjectName(f"link.{link.id}")
        self.setProperty("kpi", True)
        entity = registry.get(link.entity)
        title = LinkButton(
            f"link.{link.id}.open", link.title or tr("(no name)"), lambda: self.opened.emit(link)
        )
        title.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        title.setAccessibleName(
            tr("Open {entity} {title}", entity=tr(entity.label), title=link.title)
        )
        head = QHBoxLayout()
        head.setSpacing(8)
        head.addWidget(Glyph(icons.entity_icon(link.entity), "text2", 18))
        head.addWidget(title, 1)
        column = QVBoxLayout(self)
        column.setContentsMargins(12, 8, 10, 10)
        column.setSpacing(4)
        column.addLayout(head)
        sure = _confidence(link.confidence, bench)
        # A link's own sentence says how sure it is; its line is for the name.
        if link.state == LinkState.SUGGESTED.value:
            tone = "ok" if link.confidence >= SURE else "warn"
            pill = Pill(sure, tone)
            pill.setToolTip(tr("How sure the rule is"))
            head.addWidget(pill)
        reason = sentence(link.reason, bench.formats)
        why = label(reason, "cap", wrap=True, name=f"link.{link.id}.why")
        why.setAccessibleName(tr("Why here: {reason}", reason=reason))
        column.addWidget(why)
        if may_link:
            self._add_decisions(column, head)

    def _add_decisions(self, column: QVBoxLayout, head: QHBoxLayout) -> None:
        link = self.link
        if link.state == LinkState.LINKED.value:
            head.addWidget(
                tool_button(
                    f"link.{link.id}.remove",
                    tr("Unlink"),
                    "dismiss",
                    lambda: self.rejected.emit(link),
                    tip=tr("This message does not belong here"),
                )
            )
            return
        suggested = link.state == LinkState.SUGGESTED.value
        accept = push_button(
            f"link.{link.id}.accept", tr("Accept") if suggested else tr("Link again"),
            lambda: self.accepted.emit(link), drawing="checkmark" if suggested else "link",
        )  # fmt: skip
        buttons: list[QWidget | None] = [accept]
        if suggested:
            buttons.append(
                push_button(
                    f"link.{link.id}.reject",
                    tr("Reject"),
                    lambda: self.rejected.emit(link),
                    kind="flat",
                )
            )
        column.addWidget(row(*buttons, None, spacing=6))


def _confidence(value: Decimal, bench: Workbench) -> str:
    return bench.formats.percent(round(value, 0))


class LinksPanel(QFrame):
    """Everything a message is linked to.

    Attributes:
        accepted: a suggestion or rejected link to make a link.
        rejected: a link or suggestion to say no to.
        link_wanted: choose another record.
        contact_wanted: make a contact of a person nobody knows.
    """

    accepted = Signal(object)
    rejected = Signal(object)
    link_wanted = Signal()
    contact_wanted = Signal(object)

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setObjectName("nav")
        self._bench = bench
        self._message: Message | None = None
        self._show_rejected = False
        self._body = QVBoxLayout()
        self._body.setContentsMargins(14, 12, 8, 12)
        self._body.setSpacing(8)
        inside = QWidget()
        inside.setObjectName("scrollbody")
        column = QVBoxLayout(inside)
        column.setContentsMargins(0, 0, 0, 0)
        column.addLayout(self._body)
        column.addStretch(1)
        area = QScrollArea()
        area.setObjectName("mailLinksScroll")
        area.setWidget(inside)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        area.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        box = QVBoxLayout(self)
        box.setContentsMargins(1, 1, 1, 1)
        box.addWidget(area)
        self.setAccessibleName(tr("Linked records"))

    def cards(self) -> list[LinkCard]:
        """The cards shown."""
        return [card for card in self.findChildren(LinkCard) if not card.isHidden()]

    def show_message(self, message: Message | None) -> None:
        """Show the links of a message."""
        if message is None or self._message is None or message.id != self._message.id:
            self._show_rejected = False
        self._message = message
        clear(self._body)
        if message is None:
            return
        self._add_head(message)
        by_state = {state: [one for one in message.links if one.state == state.value]
                    for state in LinkState}  # fmt: skip
        self._add_group(tr("Suggestions"), by_state[LinkState.SUGGESTED], message)
        self._add_group(tr("Linked records"), by_state[LinkState.LINKED], message)
        if not by_state[LinkState.LINKED] and not by_state[LinkState.SUGGESTED]:
            self._body.addWidget(
                label(tr("This message is linked to no record."), "dim", wrap=True)
            )
        self._add_unknown(message)
        self._add_rejected(by_state[LinkState.REJECTED], message)

    def _add_head(self, message: Message) -> None:
        button = push_button("mailLink", tr("Link…"), self.link_wanted.emit, drawing="link")
        button.setEnabled(message.may_link)
        button.setToolTip(tr("Link to another record (L)"))
        self._body.addWidget(row(label(tr("Why here?"), "h2"), None, button, spacing=8))

    def _add_group(self, title: str, links: list[LinkRow], message: Message) -> None:
        if not links:
            return
        self._body.addWidget(label(title, "h3"))
        for link in links:
            card = LinkCard(link, self._bench, may_link=message.may_link)
            card.accepted.connect(self.accepted)
            card.rejected.connect(self.rejected)
            card.opened.connect(self._open)
            self._body.addWidget(card)

    def _add_unknown(self, message: Message) -> None:
        unknown: dict[str, Party] = {}
        for party in message.parties:
            if not party.known and party.address:
                unknown.setdefault(party.address, party)
        if not unknown or not self._bench.actor.can("contact", "create"):
            return
        self._body.addWidget(label(tr("Not known yet"), "h3"))
        for party in unknown.values():
            text = Elide(party.name or party.address)
            text.setToolTip(party.address)
            create = tool_button(
                f"newContact.{party.address}",
                tr("New contact from {name}", name=party.name or party.address),
                "person_add",
                partial(self.contact_wanted.emit, party),
                tint="accent_text",
            )
            line = row(text, create, spacing=4)
            inner = line.layout()
            assert isinstance(inner, QHBoxLayout)  # noqa: S101  made by row()
            inner.setStretch(0, 1)
            self._body.addWidget(line)

    def _add_rejected(self, links: list[LinkRow], message: Message) -> None:
        if not links:
            return
        if self._show_rejected:
            self._add_group(tr("Not linked, by decision"), links, message)
            return
        text = tr("Rejected: {n}", n=len(links))
        self._body.addWidget(push_button("mailRejected", text, self._unfold, kind="flat"))

    def _unfold(self) -> None:
        self._show_rejected = True
        self.show_message(self._message)

    def _open(self, link: LinkRow) -> None:
        self._bench.shell.open_record(link.entity, link.record_id)
