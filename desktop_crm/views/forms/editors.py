"""Chooses the editor of a field by its kind."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from desktop_crm.views.forms.editor import (
    BooleanEditor,
    ChoiceEditor,
    DateEditor,
    DateTimeEditor,
    Editor,
    LineEditor,
    MultilineEditor,
    PercentEditor,
)
from desktop_crm.views.forms.image_editor import ImageEditor
from desktop_crm.views.forms.lines_grid import LinesEditor
from desktop_crm.views.forms.link_editor import LinkEditor
from desktop_crm.views.forms.tag_editor import TagEditor

if TYPE_CHECKING:
    from desktop_crm.meta.bound import BoundField
    from desktop_crm.views.workbench import Workbench

_PLAIN: Final[dict[str, type[Editor]]] = {
    "text": LineEditor,
    "email": LineEditor,
    "phone": LineEditor,
    "url": LineEditor,
    "integer": LineEditor,
    "quantity": LineEditor,
    "money": LineEditor,
    "percent": PercentEditor,
    "multiline": MultilineEditor,
    "json": MultilineEditor,
    "boolean": BooleanEditor,
    "date": DateEditor,
    "datetime": DateTimeEditor,
    "choice": ChoiceEditor,
}


def make_editor(field: BoundField, name: str, bench: Workbench) -> Editor:
    """Editor of a field.

    Args:
        field: What is edited.
        name: Object name of its control.
        bench: For editors that ask the database.
    """
    formats = bench.formats
    kind = field.kind.name
    if kind == "link":
        return LinkEditor(field, formats, name, bench)
    if kind == "tags":
        return TagEditor(field, formats, name, bench)
    if kind == "image":
        return ImageEditor(field, formats, name, bench)
    if kind == "lines":
        return LinesEditor(field, formats, name, bench, make_editor)
    return _PLAIN[kind](field, formats, name)
