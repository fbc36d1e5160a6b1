"""The pages of a PDF as they will be printed; they can be saved as a file."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

import pypdfium2
from PySide6.QtCore import QSize, Qt, Slot
from PySide6.QtGui import QImage, QPageLayout, QPainter, QPixmap, QResizeEvent
from PySide6.QtPrintSupport import QPrintDialog, QPrinter
from PySide6.QtWidgets import QDialog, QFileDialog, QLabel, QScrollArea, QVBoxLayout, QWidget

from desktop_crm.core.errors import EnvironmentProblem
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.views import theme
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import Elide, label
from desktop_crm.views.widgets.layout import clear, frame, row

if TYPE_CHECKING:
    from desktop_crm.views.workbench import Workbench

_SIZE: Final = QSize(860, 900)
_POINTS_PER_INCH: Final = 72
_MARGIN: Final = 24
_SCROLL_BAR: Final = 14
_WIDEST: Final = 900
_MOST_PAGES: Final = 40
_PRINTED_DPI: Final = 300


def page_images(
    content: bytes, width: int, ratio: float, most: int = _MOST_PAGES
) -> tuple[list[QImage], int]:
    """Paint the first pages of a PDF; to be called off the UI thread.

    Args:
        content: The file.
        width: Width of a page in logical pixels.
        ratio: Device pixels in a logical one.
        most: So many pages are painted; a picture of each takes some megabytes.

    Returns:
        The pictures, and how many pages the file has.
    """
    images = []
    with pypdfium2.PdfDocument(content) as pdf:
        count = len(pdf)
        for number in range(min(count, most)):
            page = pdf[number]
            scale = width * ratio / page.get_width()
            bitmap = page.render(scale=scale, rev_byteorder=True)
            image = QImage(
                bitmap.buffer,
                bitmap.width,
                bitmap.height,
                bitmap.stride,
                _format(bitmap.n_channels),
            ).copy()
            image.setDevicePixelRatio(ratio)
            images.append(image)
            bitmap.close()
            page.close()
    return images, count


def print_pages(content: bytes, printer: QPrinter) -> int:
    """Send every page of a PDF to a printer; to be called off the UI thread.

    Returns:
        How many pages were sent.

    Raises:
        EnvironmentProblem: The printer takes no job.
    """
    painter = QPainter()
    if not painter.begin(printer):
        raise EnvironmentProblem(N_("The printer does not answer. Nothing was printed."))
    try:
        with pypdfium2.PdfDocument(content) as pdf:
            first = max(printer.fromPage(), 1)
            last = printer.toPage() or len(pdf)
            for number in range(first - 1, min(last, len(pdf))):
                if number >= first:
                    printer.newPage()
                area = painter.viewport()
                page = pdf[number]
                scale = min(area.width() / page.get_width(), area.height() / page.get_height())
                bitmap = page.render(scale=scale, rev_byteorder=True)
                image = QImage(
                    bitmap.buffer,
                    bitmap.width,
                    bitmap.height,
                    bitmap.stride,
                    _format(bitmap.n_channels),
                )
                painter.drawImage(0, 0, image)
                bitmap.close()
                page.close()
            return min(last, len(pdf)) - first + 1
    finally:
        painter.end()


def _format(channels: int) -> QImage.Format:
    return {
        1: QImage.Format.Format_Grayscale8,
        3: QImage.Format.Format_RGB888,
    }.get(channels, QImage.Format.Format_RGBX8888)


def write_file(content: bytes, path: str) -> str:
    """Write a file as a whole or not at all; to be called off the UI thread.

    Raises:
        EnvironmentProblem: The folder cannot be written or the disk is full.
    """
    target = Path(path)
    draft = target.with_name(f".{target.name}.part")
    try:
        draft.write_bytes(content)
        draft.replace(target)
    except OSError as error:
        draft.unlink(missing_ok=True)
        raise EnvironmentProblem(
            N_("{file} could not be written: {reason}. Choose another folder or make room."),
            file=target.name,
            reason=error.strerror or "",
        ) from error
    return str(target)


class PdfPreview(QDialog):
    """Shows a PDF page below page, as wide as the window."""

    def __init__(
        self, parent: QWidget | None, bench: Workbench, title: str, name: str, content: bytes
    ) -> None:
        """Open the preview.

        Args:
            parent: Window it belongs to.
            bench: For painting off the UI thread.
            title: What is shown.
            name: Proposed file name.
            content: The PDF.
        """
        super().__init__(parent)
        self._bench = bench
        self._name = name
        self._content = content
        self._width = 0
        self._lies = False
        self.setObjectName("pdf.preview")
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self._pages = QWidget()
        self._pages.setObjectName("desk")
        self._column = QVBoxLayout(self._pages)
        self._column.setContentsMargins(_MARGIN, _MARGIN, _MARGIN, _MARGIN)
        self._column.setSpacing(16)
        self._column.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        self._area = QScrollArea()
        self._area.setObjectName("pdf.preview.area")
        self._area.setAccessibleName(tr("Pages"))
        self._area.setWidgetResizable(True)
        self._area.setWidget(self._pages)
        self._count = label("", "dim", name="pdf.preview.count")
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        layout.addWidget(row(Elide(title, "h1"), None, self._count, margins=(24, 16, 24, 12)))
        layout.addWidget(self._area, 1)
        close = push_button("pdf.preview.close", tr("Close"), self.close)
        save = push_button("pdf.preview.save", tr("Save as PDF…"), self.save, kind="primary")
        paper = push_button("pdf.preview.print", tr("Print…"), self.print_on_paper)
        layout.addWidget(
            frame("dialogfoot", row(paper, None, close, save, spacing=8, margins=(24, 12, 24, 12)))
        )
        wanted = QSize(theme.scaled(_SIZE.width()), theme.scaled(_SIZE.height()))
        room = parent.window().size() if parent is not None else wanted
        self.resize(wanted.boundedTo(room.expandedTo(QSize(640, 560))))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        # The area below is laid out after this: what it will be follows from the window.
        room = self.width() - 2 * _MARGIN - _SCROLL_BAR - 2
        width = min(room, theme.scaled(_WIDEST))
        if abs(width - self._width) > 1 and width > 0:
            self._width = width
            self._paint()

    def _paint(self) -> None:
        self._bench.tasks.read(
            page_images,
            self._content,
            self._width,
            self.devicePixelRatioF(),
            done=self._show_pages,
            owner=self,
            lane="pages",
            label=tr("Painting pages"),
        )

    def _show_pages(self, painted: tuple[list[QImage], int]) -> None:
        images, count = painted
        self._lies = bool(images) and images[0].width() > images[0].height()
        place = self._area.verticalScrollBar().value()
        clear(self._column)
        for number, image in enumerate(images, 1):
            page = QLabel()
            page.setObjectName(f"pdf.preview.page.{number}")
            page.setAccessibleName(tr("Page {number} of {count}", number=number, count=count))
            page.setProperty("paper", True)
            page.setPixmap(QPixmap.fromImage(image))
            page.setFixedSize(image.deviceIndependentSize().toSize() + QSize(2, 2))
            self._column.addWidget(page)
        shown = tr("Pages: {n}", n=count)
        if count > len(images):
            shown = tr("Pages: {n}; the first {shown} are shown", n=count, shown=len(images))
        self._count.setText(shown)
        self._area.verticalScrollBar().setValue(place)

    @Slot()
    def print_on_paper(self) -> None:
        """Ask for a printer and send the pages there."""
        printer = QPrinter(QPrinter.PrinterMode.HighResolution)
        printer.setResolution(_PRINTED_DPI)
        printer.setFullPage(True)
        printer.setDocName(self._name)
        if self._lies:
            printer.setPageOrientation(QPageLayout.Orientation.Landscape)
        dialog = QPrintDialog(printer, self)
        dialog.setModal(True)
        dialog.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        dialog.accepted.connect(lambda: self._send(printer))
        dialog.show()

    def _send(self, printer: QPrinter) -> None:
        self._bench.tasks.read(
            print_pages,
            self._content,
            printer,
            done=lambda count: self._bench.shell.toast(
                ntr("{n} page was sent to the printer", "{n} pages were sent to the printer", count)
            ),
            failed=self._bench.shell.show_error,
            owner=self,
            label=tr("Printing"),
        )

    @Slot()
    def save(self) -> None:
        """Ask where to save the file, and save it."""
        save_pdf(self, self._bench, self._name, self._content)


def save_pdf(parent: QWidget, bench: Workbench, name: str, content: bytes) -> None:
    """Ask where to save a PDF and write it off the UI thread."""
    path, _kind = QFileDialog.getSaveFileName(
        parent, tr("Save as PDF"), str(Path.home() / name), tr("PDF files (*.pdf)")
    )
    if not path:
        return
    if not path.lower().endswith(".pdf"):
        path += ".pdf"
    bench.tasks.read(
        write_file,
        content,
        path,
        done=lambda written: bench.shell.toast(tr("Saved"), Path(written).name),
        failed=bench.shell.show_error,
        owner=parent,
        label=tr("Saving"),
    )
