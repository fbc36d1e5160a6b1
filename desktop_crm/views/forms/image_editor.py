"""Editor of a picture kept in the record, such as a logo."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QImage, QPixmap
from PySide6.QtWidgets import QFileDialog, QLabel

from desktop_crm.core.errors import EnvironmentProblem, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.views.forms.editor import Editor
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from desktop_crm.core.formats import Formats
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.views.workbench import Workbench

LARGEST_BYTES: Final = 2_000_000
_PREVIEW: Final = QSize(160, 64)


def read_picture(path: str) -> bytes:
    """Read a picture file; runs on a reader thread.

    Raises:
        UserError: It is too large or no picture.
        EnvironmentProblem: It cannot be read.
    """
    file = Path(path)
    try:
        if file.stat().st_size > LARGEST_BYTES:
            raise UserError(
                N_("{name} is larger than 2 MB. Nothing was changed; use a smaller picture."),
                name=file.name,
            )
        content = file.read_bytes()
    except OSError as error:
        raise EnvironmentProblem(
            N_("{name} cannot be read: {reason}"), name=file.name, reason=error.strerror or error
        ) from error
    if QImage.fromData(content).isNull():
        raise UserError(
            N_("{name} is not a PNG or JPEG picture. Nothing was changed."), name=file.name
        )
    return content


class ImageEditor(Editor):
    """Preview of a picture, with buttons that replace and remove it."""

    def __init__(self, field: BoundField, formats: Formats, name: str, bench: Workbench) -> None:
        super().__init__(field, formats, name)
        self._bench = bench
        self._content: bytes | None = None
        self._preview = QLabel()
        self._preview.setFixedSize(_PREVIEW)
        self._preview.setAlignment(Qt.AlignmentFlag.AlignLeft | Qt.AlignmentFlag.AlignVCenter)
        self._choose = push_button(f"{name}.choose", tr("Choose…"), self._ask)
        self._remove = push_button(f"{name}.remove", tr("Remove"), self._clear, kind="danger")
        self._layout.addWidget(self._preview)
        self._layout.addWidget(self._choose)
        self._layout.addWidget(self._remove)
        self._layout.addStretch(1)
        self._adopt(self._choose)

    def _show(self, value: object, title: str) -> None:
        self._content = bytes(value) if isinstance(value, bytes | memoryview) else None
        picture = QPixmap()
        if self._content:
            picture.loadFromData(self._content)
        if picture.isNull():
            self._preview.setText(tr("No picture"))
        else:
            self._preview.setPixmap(
                picture.scaled(
                    _PREVIEW,
                    Qt.AspectRatioMode.KeepAspectRatio,
                    Qt.TransformationMode.SmoothTransformation,
                )
            )
        self._remove.setVisible(self._content is not None)

    def value(self) -> object:
        return self._content

    def is_empty(self) -> bool:
        return self._content is None

    def set_read_only(self, read_only: bool) -> None:
        self._choose.setEnabled(not read_only)
        self._remove.setEnabled(not read_only)

    @Slot()
    def _ask(self) -> None:
        path, _filter = QFileDialog.getOpenFileName(
            self, tr("Choose a picture"), "", tr("Pictures (*.png *.jpg *.jpeg)")
        )
        if path:
            self._bench.tasks.read(read_picture, path, done=self._take, owner=self, lane="picture")

    def _take(self, content: bytes) -> None:
        self._show(content, "")
        self.changed.emit()

    @Slot()
    def _clear(self) -> None:
        self._show(None, "")
        self.changed.emit()
