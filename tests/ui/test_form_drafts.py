"""Forms through trouble: drafts kept through a crash, other layouts, what may be there already."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
import shiboken6
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QAbstractButton, QApplication

from desktop_crm.meta import registry
from desktop_crm.meta.field import Section
from desktop_crm.services import records
from desktop_crm.services.changes import Changed, ChangeKind, ChangeSet
from desktop_crm.views.custom.quote_form import QuoteDialog
from desktop_crm.views.dialogs import business_card as card_module
from desktop_crm.views.dialogs.business_card import open_business_card
from desktop_crm.views.forms.draft_keeper import DraftKeeper
from desktop_crm.views.forms.form_dialog import FormDialog
from desktop_crm.views.forms.left_drafts import LeftDraftsDialog
from desktop_crm.views.forms.link_editor import LinkEditor
from desktop_crm.views.forms.quick_create import QuickCreateDialog, open_quick_create
from tests.support.forms import line, opened
from tests.support.windows import child, expect, settle

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

    from desktop_crm.views.workbench import Workbench
    from tests.support.company import Company

# --- drafts -------------------------------------------------------------------------------------


@pytest.fixture
def kept(bench: Workbench) -> Workbench:
    """A workbench whose forms keep what is typed."""
    return replace(bench, drafts=DraftKeeper(bench.tasks))


def drafts(bench: Workbench) -> list[dict[str, object]]:
    assert bench.drafts is not None
    return [json.loads(path.read_text()) for path in bench.drafts.files.folder.glob("*.json")]


def crash(bench: Workbench) -> Workbench:
    """The program ends without saving, and starts again."""
    assert bench.drafts is not None
    bench.drafts.release()
    return replace(bench, drafts=DraftKeeper(bench.tasks))


def typed(bench: Workbench, qtbot: QtBot, company: Company) -> FormDialog:
    """An account with a change that nobody saved, written down."""
    dialog = opened(bench, qtbot, company)
    box = line(dialog.form, "industry")
    box.setFocus()
    QTest.keyClicks(box, "Machines")
    line(dialog.form, "credit_limit").setText("5000")
    dialog.form.boxes["credit_limit"].editor.changed.emit()
    qtbot.waitUntil(lambda: bool(drafts(bench)), timeout=5_000)
    settle(qtbot, bench)
    return dialog


def end(dialog: FormDialog) -> None:
    """The window goes as in a crash: nothing is told, nothing removed."""
    dialog.form.blockSignals(True)
    dialog.form.settle()
    dialog.close()


def test_what_is_typed_is_written_without_what_only_some_may_know(
    kept: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = typed(kept, qtbot, company)
    (draft,) = drafts(kept)
    assert draft["typed"] == {"industry": "Machines"}
    assert draft["record"] == company.ids["rossi"]
    dialog._save_and_stay()
    settle(qtbot, kept)
    assert drafts(kept) == []
    dialog.close()


def test_giving_up_removes_the_draft(kept: Workbench, company: Company, qtbot: QtBot) -> None:
    dialog = typed(kept, qtbot, company)
    dialog.form.settle()
    assert drafts(kept) == []
    dialog.close()


def test_a_draft_is_offered_when_the_record_is_opened_again(
    kept: Workbench, company: Company, qtbot: QtBot
) -> None:
    end(typed(kept, qtbot, company))
    after = crash(kept)
    dialog = opened(after, qtbot, company)
    assert dialog.drafts.isVisible()
    child(dialog, QAbstractButton, "draftbar.take").click()
    settle(qtbot, after)
    assert line(dialog.form, "industry").text() == "Machines"
    assert not dialog.drafts.isVisible()
    assert [draft["session"] for draft in drafts(after)] == [after.drafts.files.session]  # type: ignore[union-attr]
    dialog._save_and_stay()
    settle(qtbot, after)
    saved = records.get(company.actor, "account", company.ids["rossi"])
    assert saved.values["industry"] == "Machines"
    assert drafts(after) == []
    dialog.close()


def test_a_draft_of_a_run_that_goes_on_is_not_offered(
    kept: Workbench, company: Company, qtbot: QtBot
) -> None:
    first = typed(kept, qtbot, company)
    other = replace(kept, drafts=DraftKeeper(kept.tasks))
    second = opened(other, qtbot, company)
    assert not second.drafts.isVisible()
    second.close()
    first.form.settle()
    first.close()


def test_a_draft_that_others_overtook_asks_about_the_field(
    kept: Workbench, company: Company, qtbot: QtBot
) -> None:
    end(typed(kept, qtbot, company))
    key = company.ids["rossi"]
    records.save(company.actor, "account", key, None, {"industry": "Theirs"})
    after = crash(kept)
    dialog = opened(after, qtbot, company)
    dialog.drafts.take()
    dialog._save_and_stay()
    from desktop_crm.views.forms.conflict_dialog import ConflictDialog

    qtbot.waitUntil(lambda: bool(dialog.findChildren(ConflictDialog)))
    dialog.findChildren(ConflictDialog)[0].reject()
    settle(qtbot, after)
    assert records.get(company.actor, "account", key).values["industry"] == "Theirs"
    dialog.form.settle()
    dialog.close()


def test_drafts_left_behind_are_listed_at_the_next_start(
    kept: Workbench, company: Company, qtbot: QtBot
) -> None:
    end(typed(kept, qtbot, company))
    after = crash(kept)
    assert after.drafts is not None
    from desktop_crm.views.record_windows import RecordWindows

    windows = RecordWindows(after.shell.window_widget())
    windows.drafts = after.drafts
    windows.offer_drafts(after)
    settle(qtbot, after)
    dialog = child(after.shell.window_widget(), LeftDraftsDialog, "leftDrafts")
    child(dialog, QAbstractButton, "leftDrafts.open").click()
    settle(qtbot, after)
    form = expect(windows.shown()[0], FormDialog)
    assert line(form.form, "industry").text() == "Machines"
    form.form.settle()
    assert windows.close_all()
    assert drafts(after) == []


def test_the_short_form_keeps_a_draft_that_moves_with_the_kind(
    kept: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = expect(open_quick_create(kept, kept.shell.window_widget()), QuickCreateDialog)
    dialog.kind.setCurrentIndex(dialog.kind.findData("contact"))
    settle(qtbot, kept)
    QTest.keyClicks(line(dialog.form, "email"), "a@kvarts.example")
    qtbot.waitUntil(lambda: [d["entity"] for d in drafts(kept)] == ["contact"], timeout=5_000)
    dialog.kind.setCurrentIndex(dialog.kind.findData("account"))
    qtbot.waitUntil(lambda: [d["entity"] for d in drafts(kept)] == ["account"], timeout=5_000)
    settle(qtbot, kept)
    dialog.form.blockSignals(True)
    dialog.form.settle()
    dialog.reject()
    after = crash(kept)
    again = expect(
        open_quick_create(after, after.shell.window_widget(), "account"), QuickCreateDialog
    )
    settle(qtbot, after)
    child(again, QAbstractButton, "draftbar.take").click()
    settle(qtbot, after)
    assert line(again.form, "email").text() == "a@kvarts.example"
    again.form.settle()
    again.reject()
    assert drafts(after) == []


def test_each_part_of_a_business_card_keeps_a_draft_until_it_is_saved_or_given_up(
    kept: Workbench, company: Company, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    dialog = open_business_card(kept, kept.shell.window_widget())
    QTest.keyClicks(line(dialog.parts["account"].form, "name"), "Kvarts SRL")
    QTest.keyClicks(line(dialog.parts["contact"].form, "last_name"), "Ionescu")
    qtbot.waitUntil(
        lambda: {str(d["entity"]) for d in drafts(kept)} == {"account", "contact"}, timeout=5_000
    )
    settle(qtbot, kept)
    monkeypatch.setattr(card_module, "ask", lambda *_: "stay")
    dialog.reject()
    assert len(drafts(kept)) == 2
    monkeypatch.setattr(card_module, "ask", lambda *_: "discard")
    dialog.reject()
    assert drafts(kept) == []
    dialog = open_business_card(kept, kept.shell.window_widget())
    QTest.keyClicks(line(dialog.parts["account"].form, "name"), "Kvarts SRL")
    qtbot.waitUntil(lambda: len(drafts(kept)) == 1, timeout=5_000)
    child(dialog, QAbstractButton, "businessCard.save").click()
    settle(qtbot, kept)
    assert drafts(kept) == []


@pytest.mark.qt_log_ignore("This plugin does not support", extend=True)
def test_suggestions_go_with_the_form_they_belong_to(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    """Their list has no parent: the completer owns it."""
    dialog = FormDialog(
        bench.shell.window_widget(), "contact", bench, record_id=company.ids["claire"]
    )
    with qtbot.waitActive(dialog):
        dialog.show()
        dialog.activateWindow()
    settle(qtbot, bench)
    editor = expect(dialog.form.boxes["account"].editor, LinkEditor)
    editor.line.setFocus()
    QTest.keyClick(editor.line, Qt.Key.Key_Down)
    popup = next(w for w in QApplication.topLevelWidgets()
                 if w.objectName() == "form.contact.account.suggestions")  # fmt: skip
    qtbot.waitUntil(popup.isVisible)
    settle(qtbot, bench)
    shiboken6.delete(dialog)
    assert not shiboken6.isValid(editor)
    assert not shiboken6.isValid(popup)


# --- another arrangement while a form is open ---------------------------------------------------


def rearranged(bench: Workbench, qtbot: QtBot, sections: tuple[Section, ...]) -> None:
    """An administrator gave accounts another form, or took a field of it away."""
    changed = replace(registry.get("account"), form=sections)
    registry.replace([changed])
    news = ChangeSet("", (Changed("form_layout", frozenset({1}), ChangeKind.UPDATED),))
    with qtbot.waitSignal(bench.bus.changed):
        bench.bus.publish(news)
    settle(qtbot, bench)


def test_a_new_layout_keeps_what_was_typed(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = opened(bench, qtbot, company)
    line(dialog.form, "industry").setFocus()
    QTest.keyClicks(line(dialog.form, "industry"), "Machines")
    line(dialog.form, "employees").setText("many")
    dialog.form.boxes["employees"].editor.changed.emit()
    sections = (Section("Account", ("name", "industry", "employees", "payment_terms")),)
    rearranged(bench, qtbot, sections)
    assert set(dialog.form.boxes) == {"name", "industry", "employees", "payment_terms"}
    assert line(dialog.form, "industry").text() == "Machines"
    assert line(dialog.form, "employees").text() == "many"
    assert line(dialog.form, "name").text() == "Officine Rossi"
    assert dialog.form.focused_field() == "industry"
    assert "still here" in dialog.notice.text
    dialog.form.settle()
    dialog.close()


def test_a_field_retired_while_typing_is_told_with_what_was_typed(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = opened(bench, qtbot, company)
    QTest.keyClicks(line(dialog.form, "industry"), "Machines")
    QTest.keyClicks(line(dialog.form, "payment_terms"), "30 days")
    rearranged(bench, qtbot, (Section("Account", ("name", "payment_terms")),))
    assert "Industry: “Machines”" in dialog.notice.text
    assert dialog.form.changes() == {"payment_terms": "30 days"}
    dialog._save_and_stay()
    settle(qtbot, bench)
    saved = records.get(company.actor, "account", company.ids["rossi"])
    assert saved.values["payment_terms"] == "30 days"
    dialog.close()


def test_a_form_of_nobody_is_not_touched(bench: Workbench, qtbot: QtBot) -> None:
    dialog = FormDialog(bench.shell.window_widget(), "account", bench)
    settle(qtbot, bench)
    rearranged(bench, qtbot, (Section("Account", ("name",)),))
    assert set(dialog.form.boxes) == {"name"}
    assert dialog.notice.text == ""
    dialog.close()


# --- what may be there already ------------------------------------------------------------------


def test_a_form_says_what_may_be_the_same_and_why(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = FormDialog(bench.shell.window_widget(), "account", bench)
    dialog.show()
    settle(qtbot, bench)
    QTest.keyClicks(line(dialog.form, "name"), "Officine Rossi")
    qtbot.waitUntil(lambda: bool(dialog.alike.candidates))
    settle(qtbot, bench)
    assert dialog.alike.isVisible()
    assert dialog.alike.candidates[0].id == company.ids["rossi"]
    dialog.form.settle()
    dialog.close()


def test_a_form_does_not_find_its_own_record(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = opened(bench, qtbot, company)
    QTest.keyClicks(line(dialog.form, "industry"), "x")
    qtbot.waitUntil(lambda: not dialog.alike._rest.isActive())
    settle(qtbot, bench)
    assert dialog.alike.candidates == []
    dialog.form.settle()
    dialog.close()


def test_a_quote_is_arranged_anew_with_its_lines(
    bench: Workbench, company: Company, qtbot: QtBot
) -> None:
    dialog = QuoteDialog(bench.shell.window_widget(), "quote", bench)
    dialog.show()
    settle(qtbot, bench)
    QTest.keyClicks(line(dialog.form, "name"), "Offer")
    row = dialog.form.lines.model.add()
    dialog.form.lines.model.put(dialog.form.lines.model.lines[row], {"description": "Chair"})
    dialog.form.lines.changed.emit()
    settle(qtbot, bench)
    rearranged(bench, qtbot, registry.get("account").form)
    assert line(dialog.form, "name").text() == "Offer"
    assert [one["description"] for one in dialog.form.lines.model.lines] == ["Chair"]
    assert "still here" in dialog.notice.text
    dialog.form.settle()
    dialog.close()
