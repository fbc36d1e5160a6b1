"""Files of a record: added by drag, paste or dialog, looked at, opened, saved, dragged out."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QBuffer, QByteArray, QIODevice, QMimeData, QSize, Qt, QUrl
from PySide6.QtGui import (
    QDrag,
    QDragEnterEvent,
    QDropEvent,
    QImage,
    QImageWriter,
    QKeyEvent,
    QKeySequence,
    QPixmap,
    QResizeEvent,
)
from PySide6.QtWidgets import QApplication, QFileDialog, QInputDialog, QLabel, QVBoxLayout, QWidget

from desktop_crm.core import clock
from desktop_crm.core.i18n import tr
from desktop_crm.services import attachments
from desktop_crm.views import theme
from desktop_crm.views.charts.line_list import Line, LineList
from desktop_crm.views.custom.pdf_preview import PdfPreview, page_images, write_file
from desktop_crm.views.errors import ask
from desktop_crm.views.stored_files import (
    PICTURES,
    Copies,
    is_harmless,
    open_with_system,
    safe_name,
    size_text,
)
from desktop_crm.views.widgets.buttons import push_button, tool_button
from desktop_crm.views.widgets.cards import EmptyState
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.services.attachments import Attachment
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.services.records import RecordValues
    from desktop_crm.views.workbench import Workbench

_PDF: Final = ".pdf"
_PREVIEW: Final = 260
_LARGEST_PREVIEW: Final = 30 << 20


def _icon(name: str) -> str:
    return "receipt" if Path(name).suffix.lower() == _PDF else "attach"


def copy_of(actor: Actor, copies: Copies, document_id: int) -> tuple[Path, bytes]:
    """Read a file and write its copy; runs on a reader thread."""
    found = attachments.content(actor, document_id)
    return copies.write(document_id, found.name, found.content), found.content


def picture_of(content: bytes, name: str, width: int, ratio: float) -> QImage:
    """First page or picture, as wide as asked; runs on a reader thread."""
    if Path(name).suffix.lower() == _PDF:
        images, _count = page_images(content, width, ratio, 1)
        return images[0] if images else QImage()
    image = QImage.fromData(content)
    if not image.isNull() and image.width() > width * ratio:
        image = image.scaledToWidth(
            round(width * ratio), Qt.TransformationMode.SmoothTransformation
        )
    image.setDevicePixelRatio(ratio)
    return image


class FileList(LineList):
    """The files; a selected one can be dragged to another program once its copy lies ready."""

    def __init__(self, name: str) -> None:
        super().__init__(name, tr("Files"))
        self.opens_on_click = False
        self.setDragEnabled(True)
        self.ready: Path | None = None

    def startDrag(self, supported: Qt.DropAction) -> None:
        if self.ready is None:
            return
        data = QMimeData()
        data.setUrls([QUrl.fromLocalFile(str(self.ready))])
        drag = QDrag(self)
        drag.setMimeData(data)
        drag.exec(Qt.DropAction.CopyAction)


class FilesPage(QWidget):
    """The tab "Files" of a record."""

    def __init__(self, entity_key: str, bench: Workbench) -> None:
        super().__init__()
        self.setObjectName(f"files.{entity_key}")
        self.setAccessibleName(tr("Files"))
        self.setAcceptDrops(True)
        self._entity = entity_key
        self._bench = bench
        self._record: RecordValues | None = None
        self._copies = Copies()
        self._ready: tuple[int, Path] | None = None
        name = f"files.{entity_key}"
        self._add = push_button(f"{name}.add", tr("Add files…"), self.choose, drawing="add")
        self._paste = tool_button(f"{name}.paste", tr("Paste (Ctrl+V)"), "note", self.paste)
        self._open = tool_button(f"{name}.open", tr("Open (Enter)"), "chevron_right", self.open)
        self._save = tool_button(f"{name}.save", tr("Save as…"), "arrow_download", self.save)
        self._rename = tool_button(f"{name}.rename", tr("Rename… (F2)"), "edit", self.rename)
        self._delete = tool_button(f"{name}.delete", tr("Delete (Del)"), "delete", self.delete)
        self.list = FileList(f"{name}.list")
        self.list.shows_current = True
        self.list.opened.connect(lambda _line: self.open())
        self.list.selectionModel().currentChanged.connect(lambda _now, _old: self._chosen())
        self.empty = EmptyState(
            "attach",
            tr("No files yet"),
            tr("Drag files here, paste a picture, or choose files."),
            tr("Add files…"),
            self.choose,
            name=f"{name}.empty",
        )
        self._picture = QLabel()
        self._picture.setObjectName(f"{name}.preview")
        self._picture.setAccessibleName(tr("Preview"))
        self._picture.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self._picture.setMinimumHeight(0)
        self._note = label("", "cap", wrap=True, name=f"{name}.note")
        column = QVBoxLayout(self)
        column.setContentsMargins(20, 10, 20, 12)
        column.setSpacing(6)
        bar = (self._add, self._paste, None, self._open, self._save, self._rename, self._delete)
        column.addWidget(row(*bar, spacing=2))
        column.addWidget(self.empty, 1)
        column.addWidget(self.list, 1)
        column.addWidget(self._picture)
        column.addWidget(self._note)
        self._image = QImage()
        self._show([])
        self.destroyed.connect(self._copies.close)

    # --- showing ---------------------------------------------------------------------------

    def show_record(self, record: RecordValues) -> None:
        """Load and show the files of a record."""
        if self._record is None or record.id != self._record.id:
            self._show([])
        self._record = record
        self._bench.tasks.read(
            attachments.files, self._bench.actor, self._entity, record.id,
            done=self._show, owner=self, lane="files", cancellable=True,
        )  # fmt: skip

    def concerns(self, changes: ChangeSet) -> bool:
        """Whether files changed."""
        return changes.touches("document")

    def _show(self, found: list[Attachment]) -> None:
        formats = self._bench.formats
        self.list.show_lines(
            [
                Line(
                    file.id,
                    entity="document",
                    title=file.name,
                    subtitle=" · ".join(
                        part
                        for part in (
                            size_text(file.size_bytes, formats),
                            file.by,
                            "" if file.is_stored else tr("not stored"),
                        )
                        if part
                    ),
                    right=formats.relative_day(file.added_at),
                    icon=_icon(file.name),
                    data=file,
                )
                for file in found
            ]
        )
        self.list.setVisible(bool(found))
        self.empty.setVisible(not found)
        self._chosen()

    def current(self) -> Attachment | None:
        """The file chosen in the list."""
        line = self.list.current_line()
        data = line.data if line is not None else None
        return data if isinstance(data, attachments.Attachment) else None

    @property
    def can_add(self) -> bool:
        """Whether files may be put on the record shown."""
        may = self._bench.actor.can("document", "create")
        return may and self._record is not None and self._record.can_edit

    def _chosen(self) -> None:
        file = self.current()
        for button in (self._open, self._save):
            button.setEnabled(file is not None and file.is_stored)
        for button in (self._rename, self._delete):
            button.setEnabled(file is not None and file.can_edit)
        self._add.setEnabled(self.can_add)
        self._paste.setEnabled(self.can_add)
        self._image = QImage()
        self._picture.clear()
        self._picture.setVisible(False)
        self.list.ready = None
        self._ready = None
        self._note.setVisible(False)
        if file is None or not file.is_stored or file.size_bytes > _LARGEST_PREVIEW:
            self._bench.tasks.drop(self, "copy")
            return
        self._bench.tasks.read(
            copy_of, self._bench.actor, self._copies, file.id,
            done=partial(self._take_copy, file), owner=self, lane="copy",
            failed=lambda error: self._say(str(error)),
        )  # fmt: skip

    def _take_copy(self, file: Attachment, copied: tuple[Path, bytes]) -> None:
        path, content = copied
        self._ready = (file.id, path)
        self.list.ready = path
        suffix = Path(file.name).suffix.lower()
        if suffix not in PICTURES | {_PDF}:
            return
        width = max(self.width() - 40, 120)
        self._bench.tasks.read(
            picture_of, content, file.name, width, self.devicePixelRatioF(),
            done=self._take_picture, owner=self, lane="picture",
            failed=lambda _error: self._say(tr("There is no preview: the file is damaged.")),
        )  # fmt: skip

    def _take_picture(self, image: QImage) -> None:
        if image.isNull():
            self._say(tr("There is no preview: the file is damaged."))
            return
        self._image = image
        self._picture.setVisible(True)
        self._fit()

    def _fit(self) -> None:
        if self._image.isNull():
            return
        ratio = self.devicePixelRatioF()
        room = QSize(max(self.width() - 40, 60), theme.scaled(_PREVIEW)) * ratio
        shown = self._image
        if shown.width() > room.width() or shown.height() > room.height():
            keep, smooth = (
                Qt.AspectRatioMode.KeepAspectRatio,
                Qt.TransformationMode.SmoothTransformation,
            )
            shown = shown.scaled(room, keep, smooth)
        shown.setDevicePixelRatio(ratio)
        self._picture.setPixmap(QPixmap.fromImage(shown))

    def _say(self, text: str) -> None:
        self._note.setText(text)
        self._note.setVisible(True)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    # --- adding ----------------------------------------------------------------------------

    def choose(self) -> None:
        """Ask for files and attach them."""
        if self.can_add:
            names, _kind = QFileDialog.getOpenFileNames(self.window(), tr("Add files"))
            self.add([Path(name) for name in names])

    def add(self, paths: list[Path]) -> None:
        """Attach files by path; they are read off the UI thread."""
        record = self._record
        if not paths or record is None or not self.can_add:
            return
        self._bench.tasks.background(
            attachments.add_files, self._bench.actor, self._entity, record.id, paths,
            done=self._added, owner=self, label=tr("Attaching files"),
            failed=self._not_all_added, cancellable=True, progressing=True,
        )  # fmt: skip

    def paste(self) -> None:
        """Attach what lies in the clipboard: files or a picture."""
        self._take(QApplication.clipboard().mimeData())

    def _take(self, data: QMimeData) -> None:
        paths = [Path(url.toLocalFile()) for url in data.urls() if url.isLocalFile()]
        if paths:
            self.add(paths)
        elif data.hasImage():
            self._add_picture(QImage(data.imageData()))
        else:
            self._bench.shell.toast(
                tr("There is nothing to attach"),
                tr("Copy files or a picture first, then paste them here."),
            )

    def _add_picture(self, image: QImage) -> None:
        record = self._record
        if record is None or not self.can_add:
            return
        now = clock.now().astimezone(self._bench.actor.zone)
        name = tr("Picture {when}.png", when=f"{now:%Y-%m-%d %H.%M}")
        self._bench.tasks.write(
            _attach_picture, self._bench.actor, self._entity, record.id, name, image,
            done=self._added, owner=self, label=tr("Attaching files"),
            failed=self._bench.shell.show_error,
        )  # fmt: skip

    def _added(self, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        if changes:
            count = len(changes.ids("document"))
            self._bench.shell.toast(attachments.described(count), undo=True)

    def _not_all_added(self, error: Exception) -> None:
        """Say why a file was refused, and show those before it, which stay attached."""
        if self._record is not None:
            self.show_record(self._record)
        self._bench.shell.show_error(error)

    def dragEnterEvent(self, event: QDragEnterEvent) -> None:
        data = event.mimeData()
        if self.can_add and event.source() is not self.list and (data.hasUrls() or data.hasImage()):
            event.acceptProposedAction()

    def dropEvent(self, event: QDropEvent) -> None:
        self._take(event.mimeData())
        event.acceptProposedAction()

    # --- doing -----------------------------------------------------------------------------

    def keyPressEvent(self, event: QKeyEvent) -> None:
        keys = {Qt.Key.Key_F2: self.rename, Qt.Key.Key_Delete: self.delete}
        if event.matches(QKeySequence.StandardKey.Paste):
            self.paste()
        elif event.key() in keys:
            keys[Qt.Key(event.key())]()
        else:
            super().keyPressEvent(event)

    def open(self) -> None:
        """Look at a PDF in the window, hand other files to the system's program."""
        file = self.current()
        if file is None or not file.is_stored:
            return
        if Path(file.name).suffix.lower() != _PDF and not is_harmless(file.name):
            self._warn(file)
            return
        self._bench.tasks.read(
            copy_of, self._bench.actor, self._copies, file.id,
            done=partial(self._opened, file), owner=self, label=tr("Reading the file"),
        )  # fmt: skip

    def _warn(self, file: Attachment) -> None:
        answer = ask(
            self.window(),
            tr("This file is not opened from here"),
            tr(
                "“{name}” may be a program, and a program can do harm. Save it, and open it only "
                "when you know who made it.",
                name=file.name,
            ),
            (("cancel", tr("Cancel"), ""), ("save", tr("Save as…"), "primary")),
        )
        if answer == "save":
            self.save()

    def _opened(self, file: Attachment, copied: tuple[Path, bytes]) -> None:
        path, content = copied
        if Path(file.name).suffix.lower() == _PDF:
            PdfPreview(self.window(), self._bench, file.name, file.name, content).show()
        else:
            open_with_system(path)

    def save(self) -> None:
        """Save a copy where the person wants it."""
        file = self.current()
        if file is None or not file.is_stored:
            return
        wanted = str(Path.home() / safe_name(file.name))
        name, _kind = QFileDialog.getSaveFileName(self.window(), tr("Save as"), wanted)
        if name:
            self._bench.tasks.read(
                _save_copy, self._bench.actor, file.id, name,
                done=lambda path: self._bench.shell.toast(tr("Saved"), path), owner=self,
                label=tr("Saving"),
            )  # fmt: skip

    def rename(self) -> None:
        """Ask for another name."""
        file = self.current()
        if file is None or not file.can_edit:
            return
        box = QInputDialog(self.window())
        box.setObjectName("files.rename")
        box.setWindowTitle(tr("Rename the file"))
        box.setLabelText(tr("New name"))
        box.setTextValue(file.name)
        box.setOkButtonText(tr("Rename"))
        box.setCancelButtonText(tr("Cancel"))
        box.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        box.textValueSelected.connect(partial(self._renamed, file))
        box.open()

    def _renamed(self, file: Attachment, name: str) -> None:
        self._bench.tasks.write(
            attachments.rename, self._bench.actor, file.id, file.version, name,
            done=lambda saved: self._bench.bus.publish(saved.changes), owner=self,
            failed=self._bench.shell.show_error,
        )  # fmt: skip

    def delete(self) -> None:
        """Put the file into the bin."""
        file = self.current()
        if file is None or not file.can_edit:
            return
        self._bench.tasks.write(
            attachments.delete, self._bench.actor, [file.id],
            done=self._deleted, owner=self, failed=self._bench.shell.show_error,
        )  # fmt: skip

    def _deleted(self, changes: ChangeSet) -> None:
        self._bench.bus.publish(changes)
        self._bench.shell.toast(tr("The file was deleted"), undo=True)


def _attach_picture(
    actor: Actor, entity: str, record_id: int, name: str, image: QImage
) -> ChangeSet:
    """Write a picture as PNG and attach it; runs on the writer thread."""
    buffer = QBuffer()
    buffer.open(QIODevice.OpenModeFlag.WriteOnly)
    writer = QImageWriter(buffer, QByteArray(b"png"))
    writer.write(image)
    content = bytes(buffer.data().data())
    return attachments.add_bytes(actor, entity, record_id, name, content)


def _save_copy(actor: Actor, document_id: int, path: str) -> str:
    return write_file(attachments.content(actor, document_id).content, path)
