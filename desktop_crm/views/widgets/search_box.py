"""Line edits for searching: typed text is told after a short rest."""

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QLineEdit, QWidget

from desktop_crm.views.icons import icon


class SearchBox(QLineEdit):
    """A search field with an icon and a clear button.

    Attributes:
        searched: The text, once typing rested for 200 ms, at once on Enter and on clearing.
        left: The person goes down to what was found.
    """

    searched = Signal(str)
    left = Signal()
    REST_MS = 200

    def __init__(
        self,
        name: str,
        placeholder: str,
        *,
        drawing: str = "search",
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self.setObjectName(name)
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(placeholder)
        self.addAction(icon(drawing, fill_on=False), QLineEdit.ActionPosition.LeadingPosition)
        self._told = ""
        self._rest = QTimer(self)
        self._rest.setSingleShot(True)
        self._rest.setInterval(self.REST_MS)
        self._rest.timeout.connect(self._tell)
        self.textChanged.connect(self._changed)
        self.returnPressed.connect(self._tell)

    def _changed(self, text: str) -> None:
        if text:
            self._rest.start()
        else:
            self._tell()

    def _tell(self) -> None:
        self._rest.stop()
        text = self.text().strip()
        if text != self._told:
            self._told = text
            self.searched.emit(text)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape and self.text():
            self.clear()
            return
        if event.key() == Qt.Key.Key_Down:
            self._tell()
            self.left.emit()
            return
        super().keyPressEvent(event)
