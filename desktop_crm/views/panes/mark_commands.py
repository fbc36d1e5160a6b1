"""Marks of the user on records: star and bell beside the title, and the commands for them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QHBoxLayout, QToolButton, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.models.marking import MarkKind
from desktop_crm.views.actions import Action, Place
from desktop_crm.views.icons import icon
from desktop_crm.views.widgets.buttons import tool_button

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.views.panes.command_target import Target
    from desktop_crm.views.workbench import Workbench

_LOOK: Final = {
    MarkKind.FAVOURITE: ("star", "warn"),
    MarkKind.FOLLOW: ("alert", "accent_text"),
}


def toggle(actor: Actor, kind: MarkKind, entity: str, ids: list[int]) -> tuple[bool, ChangeSet]:
    """Put a mark on records, or take it away where all have it; tells which."""
    from desktop_crm.services import marks

    have = set(marks.keys(actor, kind, entity))
    on = not set(ids) <= have
    return on, marks.put(actor, kind, entity, ids, on=on)


def _all_of(actor: Actor, entity: str) -> dict[MarkKind, frozenset[int]]:
    """Records that carry each mark; runs on a reader thread, which loads the code for it."""
    from desktop_crm.services import marks

    return marks.by_kind(actor, entity, tuple(_LOOK))


def _text(kind: MarkKind, *, on: bool) -> str:
    if kind is MarkKind.FAVOURITE:
        return tr("Added to the favourites") if on else tr("No longer a favourite")
    return tr("Followed from now on") if on else tr("No longer followed")


def press(bench: Workbench, owner: QWidget, kind: MarkKind, entity: str, ids: list[int]) -> None:
    """Put a mark on records or take it away, and say so."""

    def done(result: tuple[bool, ChangeSet]) -> None:
        on, changes = result
        bench.bus.publish(changes)
        bench.shell.toast(_text(kind, on=on))

    if ids:
        bench.tasks.write(
            toggle, bench.actor, kind, entity, ids,
            done=done, owner=owner, failed=bench.shell.show_error,
        )  # fmt: skip


class MarkButtons(QWidget):
    """Star and bell of the record shown; filled while the mark stands.

    A user's marks of an entity are few: they are read once, not with every record.

    Attributes:
        told: Marks were read; carries the records of each kind.
    """

    told = Signal(object)
    KINDS = frozenset(kind.value for kind in _LOOK)

    def __init__(self, entity_key: str, bench: Workbench) -> None:
        super().__init__()
        self._asked = False
        self._entity = entity_key
        self._bench = bench
        self._record_id: int | None = None
        self._known: dict[MarkKind, frozenset[int]] | None = None
        self.on: frozenset[MarkKind] = frozenset()
        self._buttons: dict[MarkKind, QToolButton] = {}
        box = QHBoxLayout(self)
        box.setContentsMargins(0, 0, 0, 0)
        box.setSpacing(0)
        for kind, (drawing, _tint) in _LOOK.items():
            button = tool_button(
                f"detail.{entity_key}.{kind.value}", "", drawing, partial(self.press, kind)
            )
            button.setCheckable(True)
            self._buttons[kind] = button
            box.addWidget(button)
        self._show(frozenset())

    def show_record(self, record_id: int | None) -> None:
        """Show the marks of a record."""
        self._record_id = record_id
        if self._known is not None:
            self._show_own(self._known)
        elif not self._asked:
            self.read_again()

    def read_again(self) -> None:
        """Read the marks, e.g. after some were put or taken away."""
        self._asked = True
        self._bench.tasks.read(
            _all_of, self._bench.actor, self._entity, done=self._take, owner=self, lane="marks"
        )

    def _take(self, known: dict[MarkKind, frozenset[int]]) -> None:
        self._known = known
        self._show_own(known)
        self.told.emit(known)

    def _show_own(self, known: dict[MarkKind, frozenset[int]]) -> None:
        self._show(frozenset(kind for kind, ids in known.items() if self._record_id in ids))

    def press(self, kind: MarkKind) -> None:
        """Put the mark on the record or take it away."""
        self._show(self.on)  # the button stays as it is until the mark is written
        if self._record_id is not None:
            press(self._bench, self, kind, self._entity, [self._record_id])

    def _show(self, on: frozenset[MarkKind]) -> None:
        self.on = on
        texts = {
            MarkKind.FAVOURITE: (
                tr("Add to the favourites"),
                tr("Remove from the favourites"),
            ),
            MarkKind.FOLLOW: (tr("Follow: tell me what others change"), tr("Follow no longer")),
        }
        for kind, button in self._buttons.items():
            drawing, tint = _LOOK[kind]
            stands = kind in on
            button.setChecked(stands)
            button.setIcon(icon(drawing, tint if stands else "text2", fill_on=stands))
            keys = " (Ctrl+D)" if kind is MarkKind.FAVOURITE else ""
            button.setToolTip(texts[kind][stands] + keys)
            button.setAccessibleName(texts[kind][stands])


def actions(bench: Workbench, entity_key: str, target: Target) -> list[Action]:
    """Favourite, follow, history and recycle bin, in the ribbon's menu and the palette."""

    def has_selection() -> bool:
        return bool(target.selected())

    def mark(kind: MarkKind) -> None:
        owner = target.owner
        assert isinstance(owner, QWidget)  # noqa: S101  a pane
        press(bench, owner, kind, entity_key, target.selected())

    def show_history() -> None:
        from desktop_crm.views.panes.history_page import HistoryDialog

        record = target.record()
        if record is not None:
            HistoryDialog(bench, record).open()

    def show_bin() -> None:
        from desktop_crm.views.dialogs.recycle_bin import RecycleBinDialog

        RecycleBinDialog(bench, entity_key).open()

    made = [
        Action(
            "record.favourite", tr("Favourite"), partial(mark, MarkKind.FAVOURITE), "star",
            "warn", shortcut="Ctrl+D", group="mark", place=Place.MORE, enabled=has_selection,
        ),
        Action(
            "record.follow", tr("Follow"), partial(mark, MarkKind.FOLLOW), "alert",
            group="mark", place=Place.MORE, enabled=has_selection,
        ),
        Action(
            "record.history", tr("History…"), show_history, "clock", shortcut="Ctrl+H",
            group="mark", place=Place.MORE, enabled=lambda: target.record() is not None,
        ),
    ]  # fmt: skip
    if bench.actor.can(entity_key, "remove"):
        made.append(
            Action(
                "record.bin", tr("Recycle bin…"), show_bin, "delete",
                group="pane", place=Place.MORE,
            )
        )  # fmt: skip
    return made
