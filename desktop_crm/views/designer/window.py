"""The designer: entities at the left, what they consist of at the right."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QCloseEvent, QKeySequence, QShortcut
from PySide6.QtWidgets import QDialog, QHBoxLayout, QStackedWidget, QTabBar, QVBoxLayout, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.meta import registry
from desktop_crm.meta.field import Menu
from desktop_crm.services.customizing import definitions
from desktop_crm.views import theme
from desktop_crm.views.designer.choices_page import ChoicesPage
from desktop_crm.views.designer.fields_page import FieldsPage
from desktop_crm.views.designer.form_page import FormPage
from desktop_crm.views.designer.ordered_list import Entry, OrderedList
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import frame, row, separator

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.views.workbench import Workbench

_SIZE: Final = QSize(1180, 760)
_NAV: Final = 212


class DesignerWindow(QDialog):
    """Changes fields, choice lists and forms while everybody works.

    Ctrl+Tab goes to the next tab, F6 to the list of entities and back.
    """

    def __init__(self, parent: QWidget | None, bench: Workbench, entity: str = "contact") -> None:
        super().__init__(parent)
        self._bench = bench
        self.setObjectName("designer")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(tr("Fields and forms"))
        self.setAccessibleName(tr("Fields and forms"))
        self._key = ""
        self.entities = OrderedList("designer.entities", tr("Kinds of record"))
        self.heading = label("", "h1")
        self.tabs = QTabBar()
        self.tabs.setObjectName("designer.pages")
        self.tabs.setAccessibleName(tr("Pages"))
        self.tabs.setDrawBase(False)
        self.tabs.setExpanding(False)
        self.fields = FieldsPage(bench)
        self.choices = ChoicesPage(bench)
        self.form = FormPage(bench)
        self._stack = QStackedWidget()
        for text, page in (
            (tr("Fields"), self.fields),
            (tr("Choice lists"), self.choices),
            (tr("Form"), self.form),
        ):
            self.tabs.addTab(text)
            self._stack.addWidget(page)
        self.tabs.currentChanged.connect(self._stack.setCurrentIndex)
        self._build()
        self._fit()
        self.entities.show_entries(_entities())
        self.entities.current_changed.connect(self._choose)
        self.entities.choose(entity)
        self._choose(self.entities.current_key())
        bench.bus.changed.connect(self._news)
        self.entities.setFocus()

    def _build(self) -> None:
        nav = frame("nav", row(self.entities, margins=(6, 6, 6, 6)))
        nav.setFixedWidth(theme.scaled(_NAV))
        page = frame("listpane")
        inside = page.layout()
        assert isinstance(inside, QVBoxLayout)  # noqa: S101  a frame is a column
        inside.addWidget(row(self.heading, None, margins=(16, 12, 16, 0)))
        inside.addWidget(row(self.tabs, None, margins=(16, 0, 16, 0)))
        inside.addWidget(separator())
        inside.addWidget(self._stack, 1)
        layout = QHBoxLayout(self)
        layout.setContentsMargins(8, 8, 8, 8)
        layout.setSpacing(8)
        layout.addWidget(nav)
        layout.addWidget(page, 1)
        for keys, step in (("Ctrl+Tab", 1), ("Ctrl+Shift+Tab", -1)):
            shortcut = QShortcut(QKeySequence(keys), self)
            shortcut.activated.connect(lambda step=step: self._turn(step))
        other = QShortcut(QKeySequence("F6"), self)
        other.activated.connect(self._other_side)

    def _fit(self) -> None:
        wanted = QSize(theme.scaled(_SIZE.width()), theme.scaled(_SIZE.height()))
        parent = self.parentWidget()
        room = parent.window().size() if parent is not None else wanted
        self.resize(wanted.boundedTo(room - QSize(40, 40)).expandedTo(QSize(860, 560)))

    def _turn(self, step: int) -> None:
        self.tabs.setCurrentIndex((self.tabs.currentIndex() + step) % self.tabs.count())

    @Slot()
    def _other_side(self) -> None:
        if self.entities.hasFocus():
            self.tabs.setFocus()
        else:
            self.entities.setFocus()

    def _choose(self, key: object) -> None:
        if not isinstance(key, str) or key == self._key:
            return
        if not self.form.may_leave():
            self.entities.choose(self._key)
            return
        self._key = key
        self.heading.setText(tr(registry.get(key).plural))
        for page in (self.fields, self.choices, self.form):
            page.show_entity(key)

    @Slot(object)
    def _news(self, changes: ChangeSet) -> None:
        if changes.touches(*definitions.OWN):
            for page in (self.fields, self.choices, self.form):
                page.load()

    def reject(self) -> None:
        self.close()

    def closeEvent(self, event: QCloseEvent) -> None:
        if not self.form.may_leave():
            event.ignore()
            return
        event.accept()


def _entities() -> list[Entry]:
    """What can be changed: first what people work with daily."""
    order = {Menu.MAIN: 0, Menu.SETUP: 1, Menu.NONE: 2}
    found = sorted(definitions.customizable(), key=lambda entity: order[entity.menu])
    return [Entry(entity.key, tr(entity.plural), icon=entity.icon) for entity in found]


def open_designer(bench: Workbench, entity: str = "contact") -> DesignerWindow:
    """Open the designer above the window, or bring the open one to the front."""
    window = bench.shell.window_widget()
    for known in window.findChildren(DesignerWindow):
        if known.isVisible():
            known.raise_()
            known.activateWindow()
            return known
    made = DesignerWindow(window, bench, entity)
    made.show()
    return made
