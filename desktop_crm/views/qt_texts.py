"""Qt's own texts (context menus, standard buttons, file dialogs) in the user's language.

Qt brings no Romanian catalogue, so these texts are part of ours.
"""

from __future__ import annotations

from typing import Final

from PySide6.QtCore import QCoreApplication, QTranslator

from desktop_crm.core.i18n import N_, tr

TEXTS: Final = frozenset(
    {
        N_("&Undo"),
        N_("&Redo"),
        N_("Cu&t"),
        N_("&Copy"),
        N_("&Paste"),
        N_("Copy &Link Location"),
        N_("Delete"),
        N_("Select All"),
        N_("OK"),
        N_("&OK"),
        N_("Cancel"),
        N_("&Cancel"),
        N_("Close"),
        N_("&Close"),
        N_("&Yes"),
        N_("&No"),
        N_("&Open"),
        N_("Save"),
        N_("&Save"),
        N_("&Choose"),
        N_("Look in:"),
        N_("File &name:"),
        N_("Files of type:"),
        N_("Directory:"),
        N_("Create New Folder"),
        N_("&New Folder"),
        N_("New Folder"),
        N_("&Rename"),
        N_("&Delete"),
        N_("Show &hidden files"),
        N_("Back"),
        N_("Forward"),
        N_("Parent Directory"),
        N_("List View"),
        N_("Detail View"),
        N_("My Computer"),
        N_("Computer"),
        N_("Name"),
        N_("Size"),
        N_("Type"),
        N_("Date Modified"),
        N_("All Files (*)"),
        N_("%1 already exists.\nDo you want to replace it?"),
        N_("%1\nFile not found.\nPlease verify the correct file name was given."),
    }
)
"""English texts of Qt that a person can meet in this program."""


class _Translator(QTranslator):
    """Answers Qt from the product's catalogue, in the language in force at that moment."""

    def isEmpty(self) -> bool:
        return False

    def translate(
        self,
        context: str,
        sourceText: str,  # noqa: N803  Qt's name
        disambiguation: str | None = None,
        n: int = -1,
    ) -> str:
        # Only None lets Qt keep its own text; an empty text would be shown.
        return tr(sourceText) if sourceText in TEXTS else None  # type: ignore[return-value]


def install(app: QCoreApplication) -> None:
    """Translate Qt's own texts from now on; follows a change of language by itself."""
    translator = _Translator(app)
    app.installTranslator(translator)
