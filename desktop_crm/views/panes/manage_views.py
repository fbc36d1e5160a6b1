"""All saved views of a list in one dialog: order, name, circle, pin, files, and away with them."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QEvent, QKeyCombination, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QPushButton, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.services.list_view import ListView
from desktop_crm.views import theme
from desktop_crm.views.charts.line_list import Line, LineList
from desktop_crm.views.dialogs.dialog import Dialog
from desktop_crm.views.lists.view_dialog import scope_text
from desktop_crm.views.panes import view_commands
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.layout import column

if TYPE_CHECKING:
    from collections.abc import Callable

    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.panes.pane_views import PaneViews


_ALT: Final = Qt.KeyboardModifier.AltModifier
_KEYS: Final = {
    QKeyCombination(Qt.Key.Key_F2).toCombined(): "share",
    QKeyCombination(Qt.Key.Key_Delete).toCombined(): "delete",
    QKeyCombination(_ALT, Qt.Key.Key_Up).toCombined(): "up",
    QKeyCombination(_ALT, Qt.Key.Key_Down).toCombined(): "down",
}
"""Keys in the list that press a button."""


class ManageViews(Dialog):
    """Saved views in order at the left, what can be done with the selected one at the right.

    Each button works at once; undo takes it back.
    """

    def __init__(self, pane: PaneViews) -> None:
        super().__init__(
            pane.bench.shell.window_widget(), "manageViews",
            tr("Views: {records}", records=tr(pane.entity.plural)), width=680,
            subtitle=tr("Pinned ones stand first. What others share can be pinned and copied."),
        )  # fmt: skip
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._pane = pane
        self._views: tuple[ListView, ...] = ()
        self.lines = LineList("manageViews.list", tr("Saved views"))
        self.lines.shows_current = True
        self.lines.setMinimumHeight(theme.scaled(320))
        self.lines.opened.connect(lambda _line: self._run(view_commands.share))
        self.lines.selectionModel().currentChanged.connect(lambda *_: self._update())
        self._empty = EmptyState(
            "star", tr("No saved views yet"),
            tr("Arrange the list, then choose “Save view as…”, or bring a view in from a file."),
            name="manageViews.empty",
        )  # fmt: skip
        self._buttons: dict[str, QPushButton] = {}
        side = self._side()
        self.body.addWidget(self._beside(side), 1)
        close = push_button("manageViews.close", tr("Close"), self.accept, kind="primary")
        close.setDefault(True)
        self.set_foot(
            push_button("manageViews.import", tr("Import view…"), self._take_in, drawing="folder"),
            None,
            close,
        )
        self.lines.installEventFilter(self)
        self._pane.loaded.connect(self._show)
        self._show()
        self.lines.setFocus()

    def _beside(self, side: QWidget) -> QWidget:
        box = QWidget()
        layout = QHBoxLayout(box)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(12)
        layout.addWidget(self.lines, 1)
        layout.addWidget(self._empty, 1)
        layout.addWidget(side)
        return box

    def _side(self) -> QWidget:
        wanted: tuple[tuple[str, str, str, Callable[[], object]], ...] = (
            ("up", tr("Up"), "chevron_up", partial(self._move, -1)),
            ("down", tr("Down"), "chevron_down", partial(self._move, 1)),
            ("share", tr("Name and who sees it…"), "edit", partial(self._run, view_commands.share)),
            ("pin", tr("Pin to the top"), "star", partial(self._run, view_commands.pin)),
            ("first", tr("Open first"), "home", partial(self._run, view_commands.open_first)),
            ("firstForAll", tr("Open first for everybody"), "people",
             partial(self._run, view_commands.open_first_for_all)),
            ("copy", tr("Copy"), "note", partial(self._run, view_commands.copy)),
            ("export", tr("Export view…"), "arrow_download",
             partial(self._run, view_commands.export)),
            ("delete", tr("Delete"), "delete", partial(self._run, view_commands.delete)),
        )  # fmt: skip
        for name, text, drawing, run in wanted:
            self._buttons[name] = push_button(
                f"manageViews.{name}", text, run, kind="flat", drawing=drawing
            )
            self._buttons[name].setProperty("left", True)
        self._buttons["firstForAll"].setHidden(not self._pane.bench.actor.is_admin)
        return column(*self._buttons.values(), None, spacing=2)

    # --- content ---------------------------------------------------------------------------

    def _show(self) -> None:
        current = self._current()
        self._views = tuple(v for v in self._pane.views.all() if v.saved is not None)
        self.lines.show_lines([self._line(view) for view in self._views])
        place = next((n for n, v in enumerate(self._views) if current and v.key == current.key), 0)
        self.lines.setCurrentIndex(self.lines.model().index(place, 0))
        self.lines.setVisible(bool(self._views))
        self._empty.setVisible(not self._views)
        self._update()

    def _line(self, view: ListView) -> Line:
        assert view.saved is not None  # noqa: S101  only saved ones are listed
        saved = view.saved
        own = saved.owner_id == self._pane.bench.actor.user_id
        whose = scope_text(saved.scope) if own else f"{saved.owner} · {scope_text(saved.scope)}"
        notes = [
            text
            for holds, text in (
                (saved.is_pinned, tr("pinned")),
                (saved.is_first, tr("opens first")),
                (saved.is_everybodys_first, tr("opens first for everybody")),
            )
            if holds
        ]
        return Line(
            saved.id, title=view.title, subtitle=" · ".join([whose, *notes]), icon="star", data=view
        )

    def _current(self) -> ListView | None:
        line = self.lines.current_line()
        return line.data if line is not None and isinstance(line.data, ListView) else None

    def _update(self) -> None:
        view = self._current()
        saved = view.saved if view is not None else None
        may = saved is not None and saved.can_edit
        for name, button in self._buttons.items():
            needs_right = name in {"up", "down", "share", "delete", "firstForAll"}
            button.setEnabled(may if needs_right else saved is not None)
        if saved is not None:
            self._say("pin", tr("Unpin") if saved.is_pinned else tr("Pin to the top"))
            self._say("first", tr("No longer open first") if saved.is_first else tr("Open first"))
            whole = tr("Open first for everybody")
            if saved.is_everybodys_first:
                whole = tr("No longer open first for everybody")
            self._say("firstForAll", whole)

    def _say(self, name: str, text: str) -> None:
        self._buttons[name].setText(f" {text}")
        self._buttons[name].setAccessibleName(text)

    # --- doing -----------------------------------------------------------------------------

    def _run(self, command: Callable[[PaneViews, ListView], object]) -> None:
        view = self._current()
        if view is not None:
            command(self._pane, view)

    def _take_in(self) -> None:
        view_commands.take_in(self._pane)

    def _move(self, step: int) -> None:
        from desktop_crm.services import views

        here = self.lines.currentIndex().row()
        there = here + step
        if not 0 <= there < len(self._views):
            return
        order = list(self._views)
        order[here], order[there] = order[there], order[here]

        def done(changes: ChangeSet) -> None:
            self._pane.bench.bus.publish(changes)

        self._pane.bench.tasks.write(
            views.arrange, self._pane.bench.actor, order,
            done=done, failed=self.show_error, owner=self, label=tr("Saving"),
        )  # fmt: skip

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            name = _KEYS.get(event.keyCombination().toCombined())
            if name is not None:
                self._buttons[name].click()
                return True
        return super().eventFilter(watched, event)

    def done(self, result: int) -> None:
        self._pane.loaded.disconnect(self._show)
        super().done(result)
