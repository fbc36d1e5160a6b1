"""Possible duplicates by keyboard: the queue, records side by side, merging and parting."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QLabel, QPushButton, QRadioButton
from pytestqt.qtbot import QtBot
from shiboken6 import isValid
from sqlalchemy import select

from desktop_crm.db.engine import Database
from desktop_crm.services import records, undo
from desktop_crm.services.context import Actor, own_login, sign_in, system_actor
from desktop_crm.services.duplicates import review, scan
from desktop_crm.services.duplicates.merge import MergeWish, merge
from desktop_crm.views.duplicates.merge_dialog import MergeDialog
from desktop_crm.views.duplicates.part_dialog import PartDialog
from desktop_crm.views.duplicates.queue_dialog import QueueDialog
from desktop_crm.views.forms.form_dialog import FormDialog
from desktop_crm.views.widgets.buttons import LinkButton
from desktop_crm.views.workbench import Workbench
from tests.support.tables import declared
from tests.support.windows import child, settle, shell_of, workbench


@pytest.fixture
def bench(qtbot: QtBot, sqlite_db: Database) -> Iterator[Workbench]:
    system = system_actor(sqlite_db)
    role = records.save(system, "role", None, None, {"name": "Admin", "is_admin": True}).id
    person = {"name": "Ana", "login": own_login(sqlite_db), "role": role}
    records.save(system, "user", None, None, person)
    made = workbench(sign_in(sqlite_db))
    qtbot.addWidget(made.shell.window_widget())
    yield made
    made.tasks.close()


def make(actor: Actor, entity: str, **values: Any) -> int:
    return records.save(actor, entity, None, None, values).id


def twins(actor: Actor) -> tuple[int, int]:
    name = {"first_name": "Ion", "last_name": "Popescu", "email": "ion@alfa.ro"}
    one = make(actor, "contact", **name, job_title="Buyer")
    two = make(actor, "contact", **name, job_title="Owner", department="Sales")
    make(actor, "activity", subject="Call", kind="note", contact=two)
    return one, two


def press(widget: Any, key: Qt.Key, *, ctrl: bool = False) -> None:
    held = Qt.KeyboardModifier.ControlModifier if ctrl else Qt.KeyboardModifier.NoModifier
    QTest.keyClick(widget, key, held)


def shown(qtbot: QtBot, dialog: Any) -> None:
    # They delete themselves when they close, or with the window.
    dialog.show()
    qtbot.waitExposed(dialog)


def test_records_are_merged_field_by_field(qtbot: QtBot, bench: Workbench) -> None:
    one, two = twins(bench.actor)
    dialog = MergeDialog(bench, "contact", (one, two))
    shown(qtbot, dialog)
    settle(qtbot, bench)
    assert "Activities (1)" in child(dialog, QLabel, "merge.moving").text()
    master = child(dialog, QRadioButton, f"merge.grid.master.{one}")
    assert master.isChecked()
    assert child(dialog, QRadioButton, f"merge.grid.department.{two}").isChecked()
    master.setFocus()
    press(master, Qt.Key.Key_Down)
    title = child(dialog, QRadioButton, f"merge.grid.job_title.{one}")
    assert dialog.focusWidget() is title
    press(title, Qt.Key.Key_Right)
    assert dialog.grid.picks == {"job_title": two}
    press(child(dialog, QPushButton, "merge.go"), Qt.Key.Key_Space)
    settle(qtbot, bench)
    values = records.get(bench.actor, "contact", two)
    assert (values.id, values.values["job_title"]) == (one, "Owner")
    assert shell_of(bench).toasts == [("1 record was merged", "Ion Popescu")]
    undo.undo(bench.actor)
    assert records.get(bench.actor, "contact", two).id == two


def test_another_record_can_be_kept(qtbot: QtBot, bench: Workbench) -> None:
    one, two = twins(bench.actor)
    dialog = MergeDialog(bench, "contact", (one, two))
    shown(qtbot, dialog)
    settle(qtbot, bench)
    master = child(dialog, QRadioButton, f"merge.grid.master.{one}")
    press(master, Qt.Key.Key_Right)
    assert dialog.grid.master == two
    assert child(dialog, QRadioButton, f"merge.grid.job_title.{two}").isChecked()
    assert child(dialog, QLabel, "merge.moving").text() == "Nothing else points to the others."
    child(dialog, QPushButton, "merge.go").click()
    settle(qtbot, bench)
    assert records.get(bench.actor, "contact", one).id == two


def test_what_changed_meanwhile_is_said_in_the_dialog(qtbot: QtBot, bench: Workbench) -> None:
    one, two = twins(bench.actor)
    dialog = MergeDialog(bench, "contact", (one, two))
    shown(qtbot, dialog)
    settle(qtbot, bench)
    press(child(dialog, QRadioButton, f"merge.grid.job_title.{one}"), Qt.Key.Key_Right)
    records.save(bench.actor, "contact", two, None, {"job_title": "Director"})
    dialog.go()
    settle(qtbot, bench)
    assert "was changed meanwhile. Nothing was merged" in dialog.notice.text

    def is_told_anew() -> bool:
        """As it is now, and still chosen; the grid before goes away with the next event."""
        again = child(dialog, QRadioButton, f"merge.grid.job_title.{two}")
        return (again.text(), again.isChecked()) == ("Director", True)

    qtbot.waitUntil(is_told_anew)
    dialog.go()
    settle(qtbot, bench)
    assert records.get(bench.actor, "contact", one).values["job_title"] == "Director"


def test_the_queue_is_worked_through_by_keyboard(qtbot: QtBot, bench: Workbench) -> None:
    actor = bench.actor
    one, two = twins(actor)
    ana = {"first_name": "Ana", "last_name": "Dumitru", "phone": "0722 100 200"}
    make(actor, "contact", **ana)
    make(actor, "contact", **{**ana, "last_name": "Dumitur"})
    dialog = QueueDialog(bench, "contact")
    shown(qtbot, dialog)
    settle(qtbot, bench)
    assert child(dialog, QLabel, "duplicates.count").text() == ""
    child(dialog, QPushButton, "duplicates.scan").click()
    settle(qtbot, bench)
    assert "4 contacts were searched: 2 new pairs." in dialog.notice.text
    assert dialog.kind.currentText() == "Contacts (2)"
    pair = dialog.current()
    assert pair is not None
    assert (pair.first, pair.second) == (one, two)
    press(dialog, Qt.Key.Key_L, ctrl=True)
    later = dialog.current()
    assert later is not None
    assert later.first != one
    press(dialog, Qt.Key.Key_D, ctrl=True)
    settle(qtbot, bench)
    left = dialog.current()
    assert left is not None
    assert left.first == one
    press(dialog.table, Qt.Key.Key_Return)
    settle(qtbot, bench)
    merging = child(dialog, MergeDialog, "merge")
    merging.go()
    settle(qtbot, bench)
    assert records.get(actor, "contact", two).id == one
    qtbot.waitUntil(lambda: dialog.current() is None)
    assert review.queue(actor, "contact") == []
    assert scan.scan(actor, "contact").added == 0
    dialog.reject()


def test_a_merge_is_taken_apart_and_what_stays_is_told(qtbot: QtBot, bench: Workbench) -> None:
    one, two = twins(bench.actor)
    merge(bench.actor, MergeWish("contact", one, (two,)))
    records.save(bench.actor, "contact", one, None, {"department": "Finance"})
    dialog = PartDialog(bench, "contact", one, "Ion Popescu")
    shown(qtbot, dialog)
    settle(qtbot, bench)
    assert "Department" in child(dialog, QLabel, "part.kept").text()
    press(dialog.table, Qt.Key.Key_Return)
    settle(qtbot, bench)
    assert records.get(bench.actor, "contact", two).id == two
    assert shell_of(bench).toasts[0][0] == "1 record is back"


def test_a_form_warns_and_remembers_what_is_not_the_same(qtbot: QtBot, bench: Workbench) -> None:
    one, two = twins(bench.actor)
    form = FormDialog(None, "contact", bench, record_id=one)
    shown(qtbot, form)
    settle(qtbot, bench)
    form.form.boxes["job_title"].editor.setFocus()
    form.form.edited.emit("job_title")
    form.form.mark_dirty(["job_title"])
    qtbot.waitUntil(lambda: bool(form.alike.candidates), timeout=5_000)
    (found,) = form.alike.candidates
    assert (found.id, found.why) == (two, "same e-mail address, same name")
    child(form.alike, LinkButton, "form.alike.1.differ").click()
    settle(qtbot, bench)
    assert not form.alike.isVisible()
    with bench.actor.db.reading() as connection:
        from desktop_crm.models import DuplicatePair

        rows = connection.execute(select(*declared(DuplicatePair.__table__))).mappings().all()
    assert [(row["first_id"], row["second_id"], row["state"]) for row in rows] == [
        (one, two, "different")
    ]
    form.form.settle()
    form.close()
    qtbot.waitUntil(lambda: not isValid(form))


def test_an_old_key_opens_the_record_that_is_left(qtbot: QtBot, bench: Workbench) -> None:
    one, two = twins(bench.actor)
    merge(bench.actor, MergeWish("contact", one, (two,)))
    form = FormDialog(None, "contact", bench, record_id=two)
    shown(qtbot, form)
    settle(qtbot, bench)
    assert form.editing.record_id == one
    assert form.notice.text == "The record you opened was merged into this one."
    form.close()
    qtbot.waitUntil(lambda: not isValid(form))


def test_commands_stand_where_records_can_be_merged(bench: Workbench) -> None:
    from desktop_crm.views.duplicates import commands

    class Nothing:
        def record(self) -> None:
            return None

        def selected(self) -> list[int]:
            return [1, 2]

    target: Any = Nothing()
    found = {a.id: a.is_enabled for a in commands.actions(bench, "account", target)}
    assert found == {
        "duplicates.merge": True, "duplicates.review": True, "duplicates.part": False
    }  # fmt: skip
    assert commands.actions(bench, "quote", target) == []
