"""How an arranged form will look: a picture of the real form, as wide as there is room."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QPoint, QSize, Qt
from PySide6.QtGui import QPixmap, QRegion, QResizeEvent
from PySide6.QtWidgets import QFrame, QLabel, QScrollArea, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.views import theme
from desktop_crm.views.forms.record_form import RecordForm

if TYPE_CHECKING:
    from desktop_crm.meta.field import Section
    from desktop_crm.views.workbench import Workbench

_WIDTH: Final = 560
_SCALE: Final = 2


class FormPreview(QScrollArea):
    """Shows a form nobody can type into; where there is little room it is shown smaller."""

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("designer.preview")
        self.setAccessibleName(tr("Preview"))
        self.setFrameShape(QFrame.Shape.NoFrame)
        self.setWidgetResizable(True)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOn)
        self._picture = QPixmap()
        self._label = QLabel()
        self._label.setObjectName("scrollbody")
        self._label.setAlignment(Qt.AlignmentFlag.AlignTop | Qt.AlignmentFlag.AlignLeft)
        self._label.setAccessibleName(tr("Preview"))
        self.setWidget(self._label)

    def show_form(self, entity: str, bench: Workbench, sections: Sequence[Section]) -> None:
        """Draw the form of an entity with these sections."""
        form = RecordForm(entity, bench, sections=sections, scrolls=False)
        form.setParent(self.viewport())  # styled like everything in the window, never shown
        form.ensurePolished()
        wanted = form.sizeHint().expandedTo(form.minimumSizeHint())
        form.resize(wanted.expandedTo(QSize(theme.scaled(_WIDTH), 0)))
        picture = QPixmap(form.size() * _SCALE)
        picture.setDevicePixelRatio(_SCALE)
        picture.fill(theme.color("surface"))
        form.render(picture, QPoint(), QRegion(), QWidget.RenderFlag.DrawChildren)
        form.deleteLater()
        self._picture = picture
        self._fit()

    def _fit(self) -> None:
        if self._picture.isNull():
            return
        room = self.viewport().width()
        ratio = self.devicePixelRatioF()
        width = min(room * ratio, self._picture.width() / _SCALE * ratio)
        shown = self._picture.scaledToWidth(
            max(1, int(width)), Qt.TransformationMode.SmoothTransformation
        )
        shown.setDevicePixelRatio(ratio)
        self._label.setPixmap(shown)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()
