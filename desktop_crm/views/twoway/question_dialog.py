"""Whom to tell of changed meetings; nobody unless a person ticks it."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QCheckBox

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.sync import scheduler
from desktop_crm.sync.results import SyncResult
from desktop_crm.sync.twoway import questions
from desktop_crm.sync.twoway.questions import Question
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.views.workbench import Workbench


def tell_and_write(
    actor: Actor, asked: Sequence[Question], told: frozenset[int], cancel: Cancel
) -> list[SyncResult]:
    """Keep the answers and write the changes at once."""
    for one in asked:
        questions.answer(actor, one.order, tell=one.order in told)
    boxes = sorted({one.mailbox for one in asked})
    return [scheduler.send_due(actor, box, cancel=cancel) for box in boxes]


def _text(one: Question) -> str:
    if one.tells:
        return ntr(
            "{title}: write it there and send to {n} person",
            "{title}: write it there and send to {n} people",
            one.people,
            title=one.title,
        )
    return ntr(
        "{title}: send to {n} person", "{title}: send to {n} people", one.people, title=one.title
    )


def _explained(asked: Sequence[Question]) -> str:
    if all(not one.tells for one in asked):
        return tr(
            "You changed meetings that you organize. Your mailbox gets the change either way; "
            "the others get a message only where you tick it."
        )
    return tr(
        "You changed meetings that you organize, and your mailbox tells guests of every change. "
        "What says “write it there” is written only where you tick it; the rest waits in the "
        "outbox."
    )


class QuestionDialog(Dialog):
    """One box for each changed meeting, none of them ticked; Esc and Enter tell nobody."""

    def __init__(self, bench: Workbench, asked: Sequence[Question]) -> None:
        super().__init__(
            bench.shell.window_widget(),
            "tellPeople",
            tr("Send the change to the other participants?"),
            subtitle=_explained(asked),
            width=620,
        )
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench, self._asked = bench, tuple(asked)
        self._boxes: dict[int, QCheckBox] = {}
        for one in asked:
            text = _text(one)
            box = QCheckBox(text)
            box.setObjectName(f"tellPeople.{one.order}")
            box.setAccessibleName(text)
            box.toggled.connect(lambda _on: self._update())
            self._boxes[one.order] = box
            self.body.addWidget(box)
        self._send = push_button("tellPeople.send", tr("Send to those ticked"), self._tell)
        nobody = push_button("tellPeople.nobody", tr("Tell nobody"), self.reject, kind="primary")
        nobody.setDefault(True)
        self.set_foot(None, self._send, nobody)
        self._update()
        nobody.setFocus()

    def _update(self) -> None:
        self._send.setEnabled(any(box.isChecked() for box in self._boxes.values()))

    def _tell(self) -> None:
        self._write(frozenset(key for key, box in self._boxes.items() if box.isChecked()))

    def reject(self) -> None:
        """Close and tell nobody; the changes are written."""
        self._write(frozenset())
        super().reject()

    def _write(self, told: frozenset[int]) -> None:
        bench = self._bench

        def done(results: list[SyncResult]) -> None:
            for result in results:
                bench.bus.publish(result.changes)
                if result.problem is not None:
                    bench.shell.show_error(result.problem)

        # The window owns it: the dialog is gone by then.
        bench.tasks.background(
            partial(tell_and_write, bench.actor, self._asked, told),
            done=done, failed=bench.shell.show_error, owner=bench.shell.window_widget(),
            label=tr("Synchronising"), cancellable=True,
        )  # fmt: skip
        if told:
            self.accept()
