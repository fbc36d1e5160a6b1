"""The window of a quote: its fields, and what its state allows to do with it."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from PySide6.QtCore import QSize
from PySide6.QtWidgets import QPushButton, QWidget

from desktop_crm.core.errors import Conflict
from desktop_crm.core.i18n import N_, tr
from desktop_crm.models.quote import QuoteReason, QuoteState
from desktop_crm.printing.quotes import PrintedQuote, print_quote
from desktop_crm.services.rules import quotes
from desktop_crm.views.custom.pdf_preview import save_pdf
from desktop_crm.views.custom.quote_commands import show_printed
from desktop_crm.views.custom.quote_fields import QuoteForm
from desktop_crm.views.errors import ask
from desktop_crm.views.forms.form_dialog import FormDialog
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import row

if TYPE_CHECKING:
    from desktop_crm.services.records import RecordValues, Saved

_SIZE: Final = QSize(1240, 860)
_DRAFT: Final = frozenset({QuoteState.DRAFT})
_ACTIVE: Final = frozenset({QuoteState.ACTIVE})
_ANY: Final = frozenset(QuoteState)
_STATE_NOTES: Final = {
    QuoteState.ACTIVE: N_(
        "This quote is active and cannot be changed. Close it, or make a revision to change it."
    ),
    QuoteState.WON: N_("This quote was won. It is kept as it was sent."),
    QuoteState.CLOSED: N_("This quote is closed. It is kept as it was sent."),
}


class QuoteDialog(FormDialog):
    """Edits a quote; activates, revises, closes and prints it."""

    form: QuoteForm

    def _make_form(self) -> QuoteForm:
        form = QuoteForm(self._entity.key, self._bench)
        form.told.connect(lambda sentence: self.notice.say(sentence, "warn"))
        self._total = label("", "h2", name="quote.total")
        form.total_changed.connect(self._show_total)
        return form

    def _show_total(self, text: str) -> None:
        self._total.setText(tr("Total {amount}", amount=text) if text else "")

    def _head_extras(self) -> tuple[QWidget, ...]:
        self._commands: list[tuple[QPushButton, frozenset[QuoteState]]] = []

        def command(
            name: str,
            text: str,
            run: Callable[[], object],
            states: frozenset[QuoteState],
            drawing: str,
            kind: str = "",
        ) -> QPushButton:
            made = push_button(f"quote.{name}", text, run, kind=kind, drawing=drawing)
            made.hide()
            self._commands.append((made, states))
            return made

        return (
            row(
                command("activate", tr("Activate"), self.activate, _DRAFT, "checkmark_circle"),
                command("won", tr("Won"), self.win, _ACTIVE, "handshake"),
                command("lost", tr("Lost"), self.lose, _ACTIVE, "dismiss"),
                command("revise", tr("Revise"), self.revise, _ACTIVE, "edit"),
                command("preview", tr("Print preview"), self.preview, _ANY, "receipt"),
                command("save_pdf", tr("Save as PDF…"), self.save_pdf, _ANY, "arrow_download"),
                None,
                self._total,
                spacing=8,
                margins=(24, 0, 24, 8),
            ),
        )

    def _usual_size(self) -> QSize:
        return _SIZE

    def _loaded(self, record: RecordValues) -> None:
        super()._loaded(record)
        state = QuoteState(record.values.get("state") or QuoteState.DRAFT)
        note = _STATE_NOTES.get(state)
        if note is not None and record.can_edit:
            self.notice.say(tr(note), "info")
        for button, states in self._commands:
            changes = states is not _ANY
            allowed = record.can_edit or not changes
            button.setVisible(record.id is not None and state in states and allowed)

    def _show_title(self, record_title: str) -> None:
        super()._show_title(record_title)
        record = self.editing.record
        if record is None or record.id is None:
            return
        number = record.values.get("number")
        revision = record.values.get("revision")
        if number:
            shown = f"{number} Rev {revision}" if revision else str(number)
            self._title.setText(f"{shown} · {record_title}")

    # --- commands --------------------------------------------------------------------------

    def _when_saved(self, run: Callable[[int, int], object]) -> None:
        """Save what is unsaved, then go on with the record's id and version."""
        record = self.editing.record
        if record is None or self.editing.is_busy:
            return
        if not self.form.is_dirty:
            if record.id is not None:
                run(record.id, record.version)
            return

        def go_on(record_id: int) -> None:
            self._tell(record_id)
            self._new = False
            self._read_version(record_id, run)

        self.editing.save(go_on)

    def _read_version(self, record_id: int, run: Callable[[int, int], object]) -> None:
        from desktop_crm.services import records

        def show(record: RecordValues) -> None:
            self.editing.show(record)
            run(record_id, record.version)

        self._bench.tasks.read(
            records.get, self._bench.actor, self._entity.key, record_id, done=show, owner=self
        )

    def _write(
        self, function: Callable[..., Saved], *args: object, done: Callable[[Saved], object]
    ) -> None:
        def take(saved: Saved) -> None:
            self._bench.bus.publish(saved.changes)
            done(saved)

        self._bench.tasks.write(
            function,
            self._bench.actor,
            *args,
            done=take,
            failed=self._refused,
            owner=self,
            label=tr("Saving"),
        )

    def _refused(self, error: Exception) -> None:
        if isinstance(error, Conflict) and self.editing.record_id is not None:
            self._bench.shell.show_error(error)
            self.editing.open(self.editing.record_id)
        else:
            self.editing.show_error(error)

    def activate(self) -> None:
        """Give the quote its number and freeze it, after a question."""

        def run(record_id: int, version: int) -> None:
            answer = ask(
                self,
                tr("Activate the quote?"),
                tr("It gets its number and can no longer be changed, only revised."),
                (("cancel", tr("Cancel"), ""), ("activate", tr("Activate"), "primary")),
            )
            if answer == "activate":
                self._write(
                    quotes.activate,
                    record_id,
                    version,
                    done=lambda saved: self._reopen(saved, tr("Quote activated")),
                )

        self._when_saved(run)

    def win(self) -> None:
        """Close the quote as won."""
        self._close_as(QuoteReason.WON, tr("Quote won"))

    def lose(self) -> None:
        """Close the quote as lost."""
        self._close_as(QuoteReason.LOST, tr("Quote lost"))

    def _close_as(self, reason: QuoteReason, told: str) -> None:
        def run(record_id: int, version: int) -> None:
            self._write(
                quotes.close,
                record_id,
                version,
                reason,
                done=lambda saved: self._reopen(saved, told),
            )

        self._when_saved(run)

    def revise(self) -> None:
        """Close the quote as revised and go on with the new draft."""

        def run(record_id: int, version: int) -> None:
            self._write(
                quotes.revise,
                record_id,
                version,
                done=lambda saved: self._reopen(saved, tr("A revision was made")),
            )

        self._when_saved(run)

    def _reopen(self, saved: Saved, told: str) -> None:
        self._bench.shell.toast(told, self._title_typed(), undo=True)
        if self._saved is not None:
            self._saved(saved.id)
        self.editing.open(saved.id)

    # --- paper -----------------------------------------------------------------------------

    def preview(self) -> None:
        """Show the pages as they will be printed."""
        self._print(self._show_preview)

    def save_pdf(self) -> None:
        """Save the quote as a PDF file."""
        self._print(lambda printed: save_pdf(self, self._bench, printed.name, printed.content))

    def _print(self, then: Callable[[PrintedQuote], object]) -> None:
        def run(record_id: int, _version: int) -> None:
            def take(printed: PrintedQuote) -> None:
                self._bench.bus.publish(printed.changes)
                then(printed)

            self._bench.tasks.write(
                print_quote,
                self._bench.actor,
                record_id,
                done=take,
                failed=self._refused,
                owner=self,
                label=tr("Printing"),
            )

        self._when_saved(run)

    def _show_preview(self, printed: PrintedQuote) -> None:
        show_printed(self, self._bench, printed)
