"""The tabs of a form: sections that stand together, and pages that are more than fields."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt, QTimer, Signal, Slot
from PySide6.QtGui import QIcon, QKeySequence, QShortcut
from PySide6.QtWidgets import (
    QApplication,
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.i18n import tr
from desktop_crm.views.forms.sections import SectionBox
from desktop_crm.views.icons import icon
from desktop_crm.views.widgets.fitting_tabs import FittingTabBar
from desktop_crm.views.widgets.layout import clear, separator

if TYPE_CHECKING:
    from desktop_crm.meta.field import Section


def tab_labels(form: Sequence[Section]) -> list[str]:
    """English label of the tab of each section; empty texts when the form has no tabs."""
    if not any(section.tab for section in form):
        return [""] * len(form)
    labels: list[str] = []
    for section in form:
        labels.append(section.tab or (labels[-1] if labels else section.label))
    return labels


class FormPages(QWidget):
    """A tab bar above one scrolled column of sections; those of other tabs are hidden.

    Attributes:
        body: Layout of the column.
        turned: Another tab is in front; carries the widget of a page, None for fields.
    """

    turned = Signal(object)

    def __init__(self, name: str, columns: int, *, scrolls: bool = True) -> None:
        super().__init__()
        self._sections: list[tuple[SectionBox, int]] = []
        self._labels: list[str] = []
        self._more: list[QWidget] = []
        self._fields_label = ""
        self._before = 0
        self._margin = 24 if columns > 1 else 20
        self.tabs = FittingTabBar(f"{name}.tabs", tr("Parts of the form"))
        self.tabs.currentChanged.connect(self._chosen)
        self._bar = QWidget()
        bar = QHBoxLayout(self._bar)
        bar.setContentsMargins(self._margin, 0, self._margin, 0)
        bar.addWidget(self.tabs, 1)
        bar.addWidget(self.tabs.more)
        self._line = separator()
        inner = QWidget()
        inner.setObjectName("scrollbody")
        self.body = QVBoxLayout(inner)
        self.body.setContentsMargins(self._margin, 8, self._margin, 16)
        self.body.setSpacing(4)
        self._stack = QStackedWidget()
        self._area = _scrolled(f"{name}.area", inner) if scrolls else None
        self._fields: QWidget = inner if self._area is None else self._area
        self._stack.addWidget(self._fields)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(self._bar)
        layout.addWidget(self._line)
        layout.addWidget(self._stack, 1)
        for keys, step in (("Ctrl+Tab", 1), ("Ctrl+Shift+Tab", -1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.setContext(Qt.ShortcutContext.WidgetWithChildrenShortcut)
            shortcut.activated.connect(self._next if step > 0 else self._previous)
        self.show_fields()

    # --- building --------------------------------------------------------------------------

    @property
    def count(self) -> int:
        """So many sections there are."""
        return len(self._sections)

    def add_section(self, box: SectionBox, tab: str) -> None:
        """Put a section below the others.

        Args:
            box: The section.
            tab: Shown label of its tab; a new one begins a tab. Empty while the form has none.
        """
        if tab not in self._labels:
            self._labels.append(tab)
            self.tabs.insertTab(len(self._labels) - 1, tab or self._fields_label)
        self._sections.append((box, self._labels.index(tab)))
        self.body.addWidget(box)

    def add_page(self, label: str, page: QWidget, fields_label: str) -> None:
        """Add a tab behind the fields that shows something else.

        Args:
            label: Shown label of the tab.
            page: What it shows.
            fields_label: Label of the fields' tab where the form has no tabs of its own.
        """
        self._fields_label = fields_label
        if self._labels == [""]:
            self.tabs.setTabText(0, fields_label)
        self._more.append(page)
        self._stack.addWidget(page)
        self.tabs.addTab(label)
        self.show_fields()

    def clear(self) -> None:
        """Take all sections away; the pages behind them stay."""
        self._before = self.tabs.currentIndex()
        self.tabs.blockSignals(True)
        for _label in self._labels:
            self.tabs.removeTab(0)
        self.tabs.blockSignals(False)
        self._sections.clear()
        self._labels.clear()
        clear(self.body)

    def show_fields(self) -> None:
        """Show the tab in front, after sections were added."""
        if self._more and not self._labels:
            self._labels.append("")
            self.tabs.insertTab(0, self._fields_label)
        self.tabs.setCurrentIndex(min(self._before, self.tabs.count() - 1))
        self._show_bar()
        self._turn(self.tabs.currentIndex())

    def _show_bar(self) -> None:
        several = len(self.tabs.offered_tabs()) > 1
        self._bar.setVisible(several)
        self._line.setVisible(several)

    def show_page(self, page: QWidget, *, shown: bool) -> None:
        """Offer a page, or take its tab away for now."""
        place = len(self._labels) + self._more.index(page)
        self.tabs.offer(place, offered=shown)
        self._show_bar()

    def has(self, page: QWidget) -> bool:
        """Whether a page was added."""
        return page in self._more

    @property
    def front(self) -> QWidget | None:
        """The page in front, None while fields are."""
        shown = self._stack.currentWidget()
        return shown if shown in self._more else None

    # --- turning ---------------------------------------------------------------------------

    @Slot(int)
    def _chosen(self, index: int) -> None:
        # What has the focus goes out of sight; left to itself the focus would go on to the next
        # control, which is the button that deletes.
        focused = QApplication.focusWidget()
        if focused is not None and self._stack.isAncestorOf(focused):
            self.tabs.setFocus()
        self._turn(index)

    def _turn(self, index: int) -> None:
        behind = index - len(self._labels)
        if self._labels and 0 <= behind < len(self._more):
            self._stack.setCurrentWidget(self._more[behind])
            self.turned.emit(self._more[behind])
            return
        self._stack.setCurrentWidget(self._fields)
        for box, tab in self._sections:
            box.setVisible(tab == max(0, index))
        if self._area is not None:
            self._area.verticalScrollBar().setValue(0)
        self.turned.emit(None)

    @Slot()
    def _next(self) -> None:
        self._step(1)

    @Slot()
    def _previous(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        shown = self.tabs.offered_tabs()
        if len(shown) > 1:
            here = shown.index(self.tabs.currentIndex())
            self.tabs.setCurrentIndex(shown[(here + by) % len(shown)])
            self.tabs.setFocus()

    def reveal(self, name: str) -> None:
        """Bring the tab of a field to the front and unfold its section."""
        for box, tab in self._sections:
            if name in box.names:
                self.tabs.setCurrentIndex(tab)
                box.fold(False)

    def needed_height(self) -> int:
        """Height in pixels at which the fields of the tab in front need no scrolling."""
        return self.body.sizeHint().height()

    def scroll_to(self, widget: QWidget) -> None:
        """Scroll until a widget is in sight, once it has its place."""
        area = self._area
        if area is not None:
            QTimer.singleShot(0, self, lambda: area.ensureWidgetVisible(widget))

    def mark(self, wrong: set[str]) -> None:
        """Put a sign on the tabs that hold fields with wrong values.

        Args:
            wrong: Names of those fields.
        """
        tabs = {tab for box, tab in self._sections if wrong.intersection(box.names)}
        sign = icon("alert", "bad", fill_on=False)
        for place in range(len(self._labels)):
            self.tabs.setTabIcon(place, sign if place in tabs else QIcon())
            tip = tr("Something here is not right yet.") if place in tabs else ""
            self.tabs.setTabToolTip(place, tip)


def _scrolled(name: str, inner: QWidget) -> QScrollArea:
    made = QScrollArea()
    made.setObjectName(name)
    made.setWidgetResizable(True)
    made.setFrameShape(QFrame.Shape.NoFrame)
    made.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
    made.setFocusPolicy(Qt.FocusPolicy.NoFocus)
    made.setWidget(inner)
    return made
