"""Buttons; each has an object name, an accessible name and can be reached by keyboard."""

from collections.abc import Callable, Sequence

from PySide6.QtCore import QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QFont, QFontMetrics, QFontMetricsF, QIcon, QPainter, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractButton, QMenu, QPushButton, QSizePolicy, QToolButton, QWidget

from desktop_crm.views import theme
from desktop_crm.views.actions import Action, to_qaction
from desktop_crm.views.icons import icon


def tool_button(
    name: str,
    text: str,
    drawing: str,
    clicked: Callable[[], object] | None = None,
    *,
    tint: str = "text2",
    show_text: bool = False,
    tip: str = "",
) -> QToolButton:
    """A flat button of a tool bar.

    Args:
        name: Object name.
        text: What it does; shown beside the icon or only in the tool tip.
        drawing: Name of the icon.
        clicked: Called without arguments.
        tint: Colour token of the icon.
        show_text: Whether the text stands beside the icon.
        tip: Tool tip where it should say more than the text.
    """
    made = QToolButton()
    made.setObjectName(name)
    made.setAccessibleName(text)
    made.setIcon(icon(drawing, tint, fill_on=False))
    made.setIconSize(QSize(20, 20))
    made.setToolTip(tip or text)
    made.setFocusPolicy(Qt.FocusPolicy.TabFocus)
    if show_text:
        made.setText(f" {text}")
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonTextBesideIcon)
    else:
        made.setToolButtonStyle(Qt.ToolButtonStyle.ToolButtonIconOnly)
    if clicked is not None:
        made.clicked.connect(lambda _checked=False: clicked())
    return made


def push_button(
    name: str,
    text: str,
    clicked: Callable[[], object] | None = None,
    *,
    kind: str = "",
    drawing: str = "",
) -> QPushButton:
    """A button of a form or dialog.

    Args:
        name: Object name.
        text: What it does.
        clicked: Called without arguments.
        kind: ``primary``, ``danger``, ``flat`` or ``link``; empty: a plain one.
        drawing: Name of an icon.
    """
    made = QPushButton(text)
    made.setObjectName(name)
    made.setAccessibleName(text)
    made.setAutoDefault(False)
    if kind:
        made.setProperty(kind, True)
    if drawing:
        made.setIcon(icon(drawing, "on_accent" if kind == "primary" else "text2", fill_on=False))
        made.setIconSize(QSize(18, 18))
        made.setText(f" {text}")
    if kind == "link":
        made.setCursor(Qt.CursorShape.PointingHandCursor)
    if clicked is not None:
        made.clicked.connect(lambda _checked=False: clicked())
    return made


class LinkButton(QAbstractButton):
    """A link in running text: elided instead of cut, underlined under the mouse."""

    def __init__(self, name: str, text: str, clicked: Callable[[], object]) -> None:
        super().__init__()
        self.setObjectName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Maximum, QSizePolicy.Policy.Fixed)
        self.clicked.connect(lambda _checked=False: clicked())
        self.show_text(text)

    def show_text(self, text: str) -> None:
        """Show another text."""
        self.setText(" ".join(text.split()))
        self.setAccessibleName(self.text())
        self.setToolTip(self.text())
        self.updateGeometry()

    def sizeHint(self) -> QSize:
        metrics = QFontMetrics(theme.font(13))
        return QSize(metrics.horizontalAdvance(self.text()) + 4, metrics.height() + 4)

    def minimumSizeHint(self) -> QSize:
        return QSize(24, self.sizeHint().height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        face = QFont(theme.font(13))
        face.setUnderline(self.underMouse())
        painter.setFont(face)
        painter.setPen(theme.color("accent_text"))
        room = self.rect().adjusted(0, 0, -2, 0)
        shown = painter.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, room.width()
        )
        painter.drawText(room, Qt.AlignmentFlag.AlignVCenter, shown)
        if self.hasFocus():
            painter.setPen(QPen(theme.color("focus"), 1))
            painter.drawRoundedRect(QRectF(self.rect()).adjusted(0.5, 0.5, -0.5, -0.5), 3, 3)


def show_menu(anchor: QWidget, actions: Sequence[Action], *, at: QPoint | None = None) -> None:
    """Unfold commands below a widget, or at a global position."""
    menu = QMenu(anchor)
    menu.setObjectName(f"{anchor.objectName()}.menu")
    menu.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
    _fill_menu(menu, actions)
    menu.popup(at or anchor.mapToGlobal(QPoint(0, anchor.height() + 2)))


def _fill_menu(menu: QMenu, actions: Sequence[Action]) -> None:
    group = actions[0].group if actions else ""
    for action in actions:
        if action.group != group:
            menu.addSeparator()
            group = action.group
        made = to_qaction(action, menu)
        menu.addAction(made)
        if action.menu:
            below = QMenu(menu)
            below.setObjectName(f"{action.id}.menu")
            _fill_menu(below, action.menu)
            made.setMenu(below)


class RailButton(QAbstractButton):
    """A module of the rail: icon over caption; filled with an accent bar while it is current."""

    WIDTH = 84
    HEIGHT = 54

    def __init__(self, key: str, caption: str, full_name: str, drawing: str) -> None:
        super().__init__()
        self.setObjectName(f"rail.{key}")
        self.setText(caption)
        self.setToolTip(full_name)
        self.setAccessibleName(full_name)
        self.setIcon(icon(drawing))
        self.setCheckable(True)
        self.setAutoExclusive(True)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setFixedWidth(theme.scaled(self.WIDTH))
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Preferred)
        self.setMaximumHeight(theme.scaled(self.HEIGHT))

    def sizeHint(self) -> QSize:
        return QSize(theme.scaled(self.WIDTH), theme.scaled(self.HEIGHT))

    def minimumSizeHint(self) -> QSize:
        # Large text in a low window: the modules move together rather than over each other.
        return QSize(theme.scaled(self.WIDTH), self._content() + 4)

    def _content(self) -> int:
        return 20 + 2 + theme.scaled(17)

    def _caption_font(self, weight: QFont.Weight) -> QFont:
        """Font of the caption, set closer when a long word would leave the filled area."""
        face = QFont(theme.font(11, weight))
        room = self.width() - 18
        wide = QFontMetricsF(face).horizontalAdvance(self.text())
        if wide > room:
            tighter = (room - wide) / max(1, len(self.text()))
            face.setLetterSpacing(QFont.SpacingType.AbsoluteSpacing, max(-0.6, tighter))
        return face

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = QPainter(self)
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        on = self.isChecked()
        if on or self.underMouse() or self.hasFocus():
            ring = QPen(theme.color("focus"), 1)
            painter.setPen(ring if self.hasFocus() else Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("surface" if on else "press"))
            area = QRectF(6.5, 1.5, self.width() - 13, self.height() - 4)
            painter.drawRoundedRect(area, 6, 6)
        if on:
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(theme.color("line"))
            painter.drawRoundedRect(QRectF(1, 15, 3, self.height() - 31), 1.5, 1.5)
        state = QIcon.State.On if on else QIcon.State.Off
        top = min(theme.scaled(9), (self.height() - self._content()) // 2)
        place = QRect(self.width() // 2 - 10, top, 20, 20)
        self.icon().paint(painter, place, Qt.AlignmentFlag.AlignCenter, QIcon.Mode.Normal, state)
        weight = QFont.Weight.DemiBold if on else QFont.Weight.Normal
        painter.setFont(self._caption_font(weight))
        painter.setPen(theme.color("text" if on else "text2"))
        caption = painter.fontMetrics().elidedText(
            self.text(), Qt.TextElideMode.ElideRight, self.width() - 14
        )
        below = QRect(0, top + 22, self.width(), theme.scaled(17))
        painter.drawText(below, Qt.AlignmentFlag.AlignCenter, caption)
