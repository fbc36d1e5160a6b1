"""What colleagues would see: each of them with how many messages, and the messages themselves."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.views import icons, theme
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.widgets.fact_table import Fact, FactTable, Heading
from desktop_crm.views.widgets.labels import label

if TYPE_CHECKING:
    from desktop_crm.services.mail.colleagues import Colleague, Seen
    from desktop_crm.views.workbench import Workbench


class ColleaguesDialog(Dialog):
    """A preview, asked in the way each colleague's own reading asks.

    Args:
        bench: The workbench.
        about: Name of the mailbox, or subject of the message.
        ask: What tells it; run on a reader thread.
        single: It is about one message.

    Attributes:
        people: Everybody else who may sign in.
        messages: What anybody of them sees.
    """

    def __init__(
        self, bench: Workbench, about: str, ask: Callable[..., Seen], *, single: bool = False
    ) -> None:
        super().__init__(
            bench.shell.window_widget(), "colleagues", tr("What colleagues see"),
            subtitle=about, width=760,
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._single = single
        self.said = label(
            tr("Asking for each colleague…"), "dim", wrap=True, name="colleagues.said"
        )
        seen = Heading(tr("Sees"), 260) if single else Heading(tr("Messages"), 120, is_number=True)
        texts = () if single else (Heading(tr("With text"), 120, is_number=True),)
        self.people = FactTable(
            "colleagues.people", tr("Colleagues"), (Heading(tr("Colleague")), seen, *texts)
        )
        self.people.setMinimumHeight(theme.scaled(150))
        self.messages = FactTable(
            "colleagues.messages", tr("Messages that are seen"),
            (Heading(tr("Subject")), Heading(tr("With"), 200), Heading(tr("When"), 150)),
        )  # fmt: skip
        self.messages.setMinimumHeight(theme.scaled(170))
        self.body.addWidget(self.said)
        self.body.addWidget(self.people)
        self.body.addWidget(self.messages, 1)
        self.messages.setVisible(not single)
        self.set_foot(None, self.cancel_button(tr("Close")))
        bench.tasks.read(
            ask, done=self._show, owner=self, lane="seen", failed=self.show_error,
            label=tr("Asking for each colleague"), cancellable=True,
        )  # fmt: skip

    def _show(self, seen: Seen) -> None:
        number = self._bench.formats.number
        if not seen.colleagues:
            text = tr("Nobody else may sign in to this database.")
        elif not seen.most:
            text = tr("Colleagues see nothing of it.")
        elif self._single:
            text = tr("As their roles and the settings of the mailbox let them.")
        else:
            text = ntr(
                "Of {total} stored message colleagues see at most {most}.",
                "Of {total} stored messages colleagues see at most {most}.",
                seen.total,
                total=number(seen.total, 0),
                most=number(seen.most, 0),
            )
        self.said.setText(text)
        self.people.show_facts([self._fact(one) for one in seen.colleagues])
        self.messages.show_facts(
            [
                Fact(
                    (
                        row.subject or tr("(no subject)"),
                        row.correspondent,
                        self._bench.formats.datetime(row.at) if row.at else "",
                    ),
                    row,
                    icon="mail",
                )
                for row in seen.rows
            ]
        )
        self.people.setFocus()

    def _fact(self, one: Colleague) -> Fact:
        number = self._bench.formats.number
        icon, dim = icons.entity_icon("user"), not one.messages
        if not self._single:
            cells: tuple[str, ...] = (one.name, number(one.messages, 0), number(one.texts, 0))
            return Fact(cells, one, icon=icon, is_dim=dim)
        if not one.messages:
            told, tone = tr("Nothing"), "neutral"
        elif one.texts:
            told, tone = tr("The whole message"), "warn"
        else:
            told, tone = tr("The header"), "info"
        return Fact((one.name, told), one, icon=icon, pill=1, tone=tone, is_dim=dim)
