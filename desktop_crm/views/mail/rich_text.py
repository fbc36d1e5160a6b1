"""The text of a letter: a few formats, and nothing that is fetched from anywhere."""

from __future__ import annotations

from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from PySide6.QtCore import QMimeData, Qt, QUrl, Signal
from PySide6.QtGui import (
    QFont,
    QImage,
    QKeySequence,
    QShortcut,
    QTextCharFormat,
    QTextCursor,
    QTextList,
    QTextListFormat,
)
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QTextEdit, QToolButton, QWidget

from desktop_crm.core.i18n import tr
from desktop_crm.sync.formats.mail_body import clean_html
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.icons import icon
from desktop_crm.views.panes.mail_reading import inline_image
from desktop_crm.views.widgets.buttons import push_button

if TYPE_CHECKING:
    from collections.abc import Callable

_SCHEMES = ("http://", "https://", "mailto:")


class LetterEdit(QTextEdit):
    """Writes rich text; pictures of the network are never loaded.

    Attributes:
        files_given: Files were dropped or pasted.
    """

    files_given = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self.setObjectName("compose.text")
        self.setAccessibleName(tr("Text of the message"))
        self.setTabChangesFocus(True)
        self.setAcceptRichText(True)
        self.document().setDefaultFont(theme.font(14))

    def letter_html(self) -> str:
        """What was written, as it is sent; empty when nothing was."""
        if not self.toPlainText().strip() and "<img" not in self.toHtml():
            return ""
        return clean_html(self.toHtml())

    def insert_at_cursor(self, html: str) -> None:
        """Put HTML where the cursor stands, as one step of undo."""
        self.textCursor().insertHtml(html)
        self.ensureCursorVisible()

    def loadResource(self, kind: int, name: QUrl | str) -> object:
        """Give pictures that stand in the text itself; never ask disk or network."""
        url = name if isinstance(name, QUrl) else QUrl(name)
        return inline_image(url) if url.scheme() == "data" else QImage()

    def canInsertFromMimeData(self, source: QMimeData) -> bool:
        return source.hasUrls() or super().canInsertFromMimeData(source)

    def insertFromMimeData(self, source: QMimeData) -> None:
        paths = [Path(url.toLocalFile()) for url in source.urls() if url.isLocalFile()]
        if paths:
            self.files_given.emit(paths)
        elif source.hasHtml():
            self.textCursor().insertHtml(clean_html(source.html()))
        else:
            super().insertFromMimeData(source)


class FormatBar(QWidget):
    """Bold, italic, underlined, lists and links; each has its key."""

    def __init__(self, edit: LetterEdit) -> None:
        super().__init__()
        self._edit = edit
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(2)
        self._bold = self._button("bold", "B", tr("Bold"), "Ctrl+B", self._toggle_bold)
        self._italic = self._button("italic", "I", tr("Italic"), "Ctrl+I", self._toggle_italic)
        self._under = self._button("underline", "U", tr("Underline"), "Ctrl+U", self._toggle_line)
        disc, numbers = QTextListFormat.Style.ListDisc, QTextListFormat.Style.ListDecimal
        self._button("bullets", "•", tr("Bullets"), "Ctrl+Shift+L", partial(self._list, disc))
        self._button("numbers", "1.", tr("Numbers"), "Ctrl+Shift+7", partial(self._list, numbers))
        self._button("link", "", tr("Link…"), "Ctrl+K", self._link).setIcon(
            icon("link", fill_on=False)
        )
        for button in (self._bold, self._italic, self._under):
            face = QFont(theme.font(14))
            face.setBold(button is self._bold)
            face.setItalic(button is self._italic)
            face.setUnderline(button is self._under)
            button.setFont(face)
            button.setCheckable(True)
        edit.currentCharFormatChanged.connect(self._show)

    def _button(
        self, name: str, sign: str, text: str, keys: str, run: Callable[[], object]
    ) -> QToolButton:
        made = QToolButton()
        made.setObjectName(f"compose.format.{name}")
        made.setText(sign)
        made.setAccessibleName(text)
        shown = QKeySequence(keys).toString(QKeySequence.SequenceFormat.NativeText)
        made.setToolTip(f"{text} ({shown})")
        made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        made.clicked.connect(lambda _checked=False: run())
        shortcut = QShortcut(QKeySequence(keys), self._edit)
        shortcut.setContext(Qt.ShortcutContext.WidgetShortcut)
        shortcut.activated.connect(run)
        self._row.addWidget(made)
        return made

    def _show(self, form: QTextCharFormat) -> None:
        self._bold.setChecked(form.fontWeight() > QFont.Weight.Medium)
        self._italic.setChecked(form.fontItalic())
        self._under.setChecked(form.fontUnderline())

    def _merge(self, form: QTextCharFormat) -> None:
        self._edit.mergeCurrentCharFormat(form)
        self._show(self._edit.currentCharFormat())

    def _toggle_bold(self) -> None:
        form = QTextCharFormat()
        bold = self._edit.currentCharFormat().fontWeight() > QFont.Weight.Medium
        form.setFontWeight(QFont.Weight.Normal if bold else QFont.Weight.Bold)
        self._merge(form)

    def _toggle_italic(self) -> None:
        form = QTextCharFormat()
        form.setFontItalic(not self._edit.currentCharFormat().fontItalic())
        self._merge(form)

    def _toggle_line(self) -> None:
        form = QTextCharFormat()
        form.setFontUnderline(not self._edit.currentCharFormat().fontUnderline())
        self._merge(form)

    def _list(self, style: QTextListFormat.Style) -> None:
        cursor = self._edit.textCursor()
        there: QTextList | None = cursor.currentList()
        if there is not None and there.format().style() == style:
            there.remove(cursor.block())
            form = cursor.blockFormat()
            form.setIndent(0)
            cursor.setBlockFormat(form)
        else:
            cursor.createList(style)
        self._edit.setFocus()

    def _link(self) -> None:
        dialog = LinkDialog(self.window(), self._edit.textCursor().selectedText())
        dialog.chosen.connect(self._insert_link)
        dialog.open()

    def _insert_link(self, text: str, address: str) -> None:
        cursor = self._edit.textCursor()
        plain = QTextCharFormat(cursor.charFormat())
        form = QTextCharFormat(plain)
        form.setAnchor(True)
        form.setAnchorHref(address)
        form.setForeground(theme.color("accent_text"))
        form.setFontUnderline(True)
        cursor.insertText(text, form)
        cursor.setCharFormat(plain)
        self._edit.setTextCursor(cursor)
        self._edit.setFocus()


class LinkDialog(Dialog):
    """Text and address of a link.

    Attributes:
        chosen: text and address.
    """

    chosen = Signal(str, str)

    def __init__(self, parent: QWidget, text: str) -> None:
        super().__init__(parent, "linkDialog", tr("Insert a link"), width=420)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self.text = QLineEdit(text)
        self.text.setObjectName("linkDialog.text")
        self.address = QLineEdit("https://")
        self.address.setObjectName("linkDialog.address")
        self._address = Labelled(tr("Address"), self.address)
        self.body.addWidget(Labelled(tr("Text"), self.text))
        self.body.addWidget(self._address)
        take = push_button("linkDialog.take", tr("Insert"), self._take, kind="primary")
        take.setDefault(True)
        self.set_foot(None, self.cancel_button(), take)
        (self.address if text else self.text).setFocus()

    def _take(self) -> None:
        address = self.address.text().strip()
        if not address.startswith(_SCHEMES) or address in _SCHEMES:
            self._address.show_error(
                tr("Give an address that begins with https://, http:// or mailto:.")
            )
            return
        self.chosen.emit(self.text.text().strip() or address, address)
        self.accept()


def at_start(edit: QTextEdit) -> None:
    """Put the cursor before everything."""
    cursor = edit.textCursor()
    cursor.movePosition(QTextCursor.MoveOperation.Start)
    edit.setTextCursor(cursor)
