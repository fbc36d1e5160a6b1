"""Decides, field by field, between what this user and somebody else made of a record."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QButtonGroup,
    QDialog,
    QFrame,
    QGridLayout,
    QRadioButton,
    QScrollArea,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core.i18n import tr
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import column, frame, row, separator


@dataclass(frozen=True, slots=True)
class Choice:
    """One field in conflict, as shown texts.

    Attributes:
        name: Field name.
        label: Translated label.
        base: What it was when the form was opened.
        mine: What this user typed.
        theirs: What is saved now.
    """

    name: str
    label: str
    base: str
    mine: str
    theirs: str


class ConflictDialog(QDialog):
    """Shows only the fields that both changed; "mine" is chosen at first."""

    def __init__(self, parent: QWidget | None, choices: tuple[Choice, ...]) -> None:
        super().__init__(parent)
        self.setObjectName("conflict")
        title = tr("Somebody else changed this record")
        self.setWindowTitle(title)
        self.setAccessibleName(title)
        self.resize(680, 420)
        self._groups: dict[str, QButtonGroup] = {}
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.setSpacing(0)
        text = tr(
            "Nothing was saved yet. Choose for each field which value to keep; "
            "your other changes are saved as well."
        )
        layout.addWidget(
            column(
                label(title, "h1"),
                label(text, "dim", wrap=True),
                spacing=6,
                margins=(24, 20, 24, 12),
            )
        )
        body = QWidget()
        body.setObjectName("scrollbody")
        grid = QGridLayout(body)
        grid.setContentsMargins(24, 4, 24, 16)
        grid.setHorizontalSpacing(16)
        grid.setVerticalSpacing(8)
        grid.setColumnStretch(1, 1)
        grid.setColumnStretch(2, 1)
        for place, caption in enumerate(("", tr("My value"), tr("Their value"))):
            grid.addWidget(label(caption, "h3"), 0, place)
        for number, choice in enumerate(choices):
            self._add(grid, 1 + 2 * number, choice)
        grid.setRowStretch(2 * len(choices) + 1, 1)
        area = QScrollArea()
        area.setWidget(body)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        area.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        layout.addWidget(area, 1)
        cancel = push_button("conflict.cancel", tr("Cancel"), self.reject)
        save = push_button(
            "conflict.save", tr("Save with these values"), self.accept, kind="primary"
        )
        save.setDefault(True)
        layout.addWidget(
            frame("dialogfoot", row(None, cancel, save, spacing=8, margins=(24, 12, 24, 12)))
        )

    def _add(self, grid: QGridLayout, line: int, choice: Choice) -> None:
        was = tr("Was: {value}", value=choice.base or tr("empty"))
        grid.addWidget(
            column(label(choice.label, "strong"), label(was, "cap", wrap=True), spacing=2), line, 0
        )
        group = QButtonGroup(self)
        for place, (side, shown) in enumerate((("mine", choice.mine), ("theirs", choice.theirs))):
            button = QRadioButton(shown or tr("empty"))
            button.setObjectName(f"conflict.{choice.name}.{side}")
            owner = tr("My value") if side == "mine" else tr("Their value")
            button.setAccessibleName(f"{choice.label}, {owner}: {button.text()}")
            button.setChecked(side == "mine")
            group.addButton(button, place)
            grid.addWidget(button, line, 1 + place, Qt.AlignmentFlag.AlignTop)
        self._groups[choice.name] = group
        grid.addWidget(separator(), line + 1, 0, 1, 3)

    def keeps_mine(self) -> Mapping[str, bool]:
        """Whether the own value was chosen, by field name."""
        return {name: group.checkedId() == 0 for name, group in self._groups.items()}
