"""The key-snapshot model: a million rows, late answers, pages on demand, changes in place."""

from __future__ import annotations

from array import array
from collections.abc import Callable, Sequence
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from PySide6.QtCore import QItemSelectionModel, QObject, QPoint, Qt
from PySide6.QtTest import QTest

from desktop_crm.core.i18n import N_
from desktop_crm.meta import kinds
from desktop_crm.meta.bound import BoundField
from desktop_crm.services.totals import Grouped, Groups, GroupTotals, Totals
from desktop_crm.views.lists.columns import ListColumn, Look
from desktop_crm.views.lists.record_model import MISSING, PAGE, PAGES_KEPT, RecordModel
from desktop_crm.views.lists.record_view import RecordView
from desktop_crm.views.lists.rows import ShownRow

if TYPE_CHECKING:
    from pytestqt.qtbot import QtBot

MILLION = 1_000_000


def column(path: str, look: Look = Look.PLAIN) -> ListColumn:
    field = BoundField(name=path, kind=kinds.TEXT, label=N_("Name"), column=None)
    return ListColumn(path, path, field, look, 120, True, 0.6, "", {})


COLUMNS = (column("name", Look.PERSON), column("city"))


class Source:
    """Rows by key, counted; keys are 1000, 1001, …; grouped where sizes of groups are given."""

    def __init__(self, count: int, name: str = "row", sizes: Sequence[int] = ()) -> None:
        self.count = count
        self.sizes = sizes
        self.grouped_by = "city" if sizes else ""
        self.name = name
        self.asked: list[tuple[int, int]] = []
        self.gone: set[int] = set()

    def groups(self, cancel: object = None) -> Grouped:
        parts = Groups([(f"G{n}", None, size) for n, size in enumerate(self.sizes)])
        return Grouped(parts, Totals(sum(self.sizes)))

    def group_label(self, part: GroupTotals) -> str:
        return str(part.value)

    def total_texts(self, totals: Totals) -> dict[str, str]:
        return {"city": f"{totals.count} cities"}

    def first_page(self, limit: int, cancel: object = None) -> list[ShownRow]:
        return [self._row(1000 + i) for i in range(min(limit, self.count))]

    def keys(self, cancel: object = None) -> array[int]:
        return array("q", range(1000, 1000 + self.count))

    def rows(self, ids: Sequence[int], cancel: object = None) -> list[ShownRow]:
        self.asked.append((ids[0], len(ids)))
        return [self._row(key) for key in ids if key not in self.gone]

    def _row(self, key: int) -> ShownRow:
        return ShownRow(key, (f"{self.name} {key}", "Cluj"), ("", ""))


class HeldTasks(QObject):
    """Runs nothing until told, so that a test chooses the order of the answers."""

    def __init__(self) -> None:
        super().__init__()
        self.waiting: list[tuple[Callable[..., Any], tuple[Any, ...], dict[str, Any], Any]] = []

    def read(self, function: Callable[..., Any], *args: Any, **options: Any) -> Any:
        task = SimpleNamespace(cancelled=False)
        task.cancel = lambda: setattr(task, "cancelled", True)
        self.waiting.append((function, args, options, task))
        return task

    def answer(self, place: int = 0, *, even_if_cancelled: bool = False) -> None:
        function, args, options, task = self.waiting.pop(place)
        if even_if_cancelled or not task.cancelled:
            options["done"](function(*args))

    def answer_all(self) -> None:
        while self.waiting:
            self.answer()


@pytest.fixture
def tasks() -> HeldTasks:
    return HeldTasks()


@pytest.fixture
def model(tasks: HeldTasks) -> RecordModel:
    return RecordModel(tasks)  # type: ignore[arg-type]


def text(model: RecordModel, row: int, at: int = 0) -> object:
    return model.data(model.index(row, at))


def test_the_first_page_is_shown_before_the_keys_are_known(
    model: RecordModel, tasks: HeldTasks
) -> None:
    model.set_source(Source(MILLION), COLUMNS)
    tasks.answer()
    assert model.rowCount() == PAGE
    assert text(model, 5) == "row 1005"
    assert not model.is_exact
    tasks.answer()
    assert model.rowCount() == MILLION
    assert model.is_exact
    assert text(model, 5) == "row 1005"


def test_a_list_shorter_than_a_page_asks_once(model: RecordModel, tasks: HeldTasks) -> None:
    model.set_source(Source(3), COLUMNS)
    tasks.answer()
    assert not tasks.waiting
    assert model.is_exact
    assert [model.id_at(row) for row in range(3)] == [1000, 1001, 1002]


def test_a_missing_page_shows_an_ellipsis_and_is_asked_once(
    model: RecordModel, tasks: HeldTasks, qtbot: QtBot
) -> None:
    source = Source(MILLION)
    model.set_source(source, COLUMNS)
    tasks.answer_all()
    far = 900_000
    for row in range(far, far + 40):
        assert text(model, row) == MISSING
    qtbot.waitUntil(lambda: len(tasks.waiting) > 0)
    tasks.answer_all()
    pages = {row // PAGE for row in range(far, far + 40)}
    assert len(source.asked) == len(pages)
    assert text(model, far) == f"row {1000 + far}"


def test_scrolling_past_pages_asks_only_for_the_last_ones(
    model: RecordModel, tasks: HeldTasks, qtbot: QtBot
) -> None:
    source = Source(MILLION)
    model.set_source(source, COLUMNS)
    tasks.answer_all()
    for row in range(10_000, 200_000, PAGE):
        text(model, row)
    qtbot.waitUntil(lambda: len(tasks.waiting) > 0)
    tasks.answer_all()
    assert len(source.asked) == 3
    assert text(model, 10_000) == MISSING


def test_only_so_many_pages_are_kept(model: RecordModel, tasks: HeldTasks, qtbot: QtBot) -> None:
    model.set_source(Source(MILLION), COLUMNS)
    tasks.answer_all()
    for page in range(PAGES_KEPT + 20):
        text(model, page * PAGE)
        qtbot.waitUntil(lambda: not model._wanted)
        tasks.answer_all()
    assert len(model._pages) == PAGES_KEPT
    assert text(model, 0) == MISSING


def test_late_answers_of_an_older_query_are_dropped(model: RecordModel, tasks: HeldTasks) -> None:
    model.set_source(Source(500, "old"), COLUMNS)
    model.set_source(Source(2, "new"), COLUMNS)
    tasks.answer(1)
    assert text(model, 0) == "new 1000"
    tasks.answer(0, even_if_cancelled=True)
    assert text(model, 0) == "new 1000"
    assert model.rowCount() == 2


def test_the_old_rows_stay_until_the_new_ones_come(model: RecordModel, tasks: HeldTasks) -> None:
    model.set_source(Source(3, "old"), COLUMNS)
    tasks.answer_all()
    model.set_source(Source(3, "new"), COLUMNS)
    assert text(model, 0) == "old 1000"
    tasks.answer_all()
    assert text(model, 0) == "new 1000"


def test_a_failed_query_empties_the_list_and_tells_once(
    model: RecordModel, tasks: HeldTasks, qtbot: QtBot
) -> None:
    model.set_source(Source(3), COLUMNS)
    with qtbot.waitSignal(model.failed) as told:
        _f, _a, options, _t = tasks.waiting.pop()
        options["failed"](ValueError("broken"))
    assert model.rowCount() == 0
    assert str(told.args[0]) == "broken"


def test_changed_rows_are_read_again_in_place(model: RecordModel, tasks: HeldTasks) -> None:
    source = Source(MILLION)
    model.set_source(source, COLUMNS)
    tasks.answer_all()
    source.name = "changed"
    model.reload(frozenset({1004}))
    tasks.answer_all()
    assert text(model, 4) == "changed 1004"
    assert source.asked == [(1000, PAGE)]


def test_a_change_elsewhere_reads_nothing(model: RecordModel, tasks: HeldTasks) -> None:
    source = Source(MILLION)
    model.set_source(source, COLUMNS)
    tasks.answer_all()
    model.reload(frozenset({999_999_999}))
    assert not tasks.waiting


def test_deleted_rows_stay_greyed_with_their_text(model: RecordModel, tasks: HeldTasks) -> None:
    from desktop_crm.views.lists.record_model import DELETED_ROLE

    source = Source(3)
    model.set_source(source, COLUMNS)
    tasks.answer_all()
    source.gone = {1001}
    model.reload(frozenset({1001}))
    tasks.answer_all()
    assert text(model, 1) == "row 1001"
    assert model.data(model.index(1, 0), DELETED_ROLE) is True
    assert model.data(model.index(0, 0), DELETED_ROLE) is False


def test_fewer_keys_than_the_first_page_shrink_the_list(
    model: RecordModel, tasks: HeldTasks
) -> None:
    source = Source(PAGE + 10)
    model.set_source(source, COLUMNS)
    tasks.answer()
    source.count = 100
    tasks.answer()
    assert model.rowCount() == 100


@pytest.fixture
def view(model: RecordModel, tasks: HeldTasks, qtbot: QtBot) -> RecordView:
    table = RecordView("table", "Rows")
    qtbot.addWidget(table)
    table.resize(700, 500)
    table.show_columns(COLUMNS, {})
    table.setModel(model)
    model.set_source(Source(MILLION), COLUMNS)
    tasks.answer_all()
    table.show()
    return table


def test_select_all_asks_the_model_for_a_handful_of_counts(
    view: RecordView, model: RecordModel, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls = {"rows": 0, "columns": 0, "data": 0}
    row_count, column_count, data = model.rowCount, model.columnCount, model.data

    def counted_rows(*args: Any) -> int:
        calls["rows"] += 1
        return row_count(*args)

    def counted_columns(*args: Any) -> int:
        calls["columns"] += 1
        return column_count(*args)

    def counted_data(*args: Any) -> object:
        calls["data"] += 1
        return data(*args)

    monkeypatch.setattr(RecordModel, "rowCount", lambda _s, *a: counted_rows(*a))
    monkeypatch.setattr(RecordModel, "columnCount", lambda _s, *a: counted_columns(*a))
    monkeypatch.setattr(RecordModel, "data", lambda _s, *a: counted_data(*a))
    view.selectAll()
    assert view.selected_count() == MILLION
    assert calls["rows"] + calls["columns"] < 2_000
    assert calls["data"] < 2_000


def test_the_header_has_a_selection_model_of_its_own(view: RecordView) -> None:
    assert view.horizontalHeader().selectionModel() is not view.selectionModel()


def test_selected_keys_come_from_ranges_in_list_order(view: RecordView) -> None:
    model = view.record_model
    view.clearSelection()
    select = QItemSelectionModel.SelectionFlag.Select | QItemSelectionModel.SelectionFlag.Rows
    for row in (7, 3):
        view.selectionModel().select(model.index(row, 0), select)
    assert list(view.selected_ids()) == [1003, 1007]


def test_the_current_record_stays_current_after_a_new_query(
    view: RecordView, model: RecordModel, tasks: HeldTasks
) -> None:
    view.selectRow(700)
    assert view.current_id() == 1700
    model.set_source(Source(MILLION, "again"), COLUMNS)
    tasks.answer_all()
    assert view.current_id() == 1700


def test_a_list_begins_at_its_first_record(view: RecordView) -> None:
    assert view.current_id() == 1000
    assert view.selected_count() == 1


def test_typing_letters_goes_to_the_filter_and_never_walks_the_rows(
    view: RecordView, qtbot: QtBot, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*_args: object) -> list[object]:
        raise AssertionError("the rows were searched one by one")

    monkeypatch.setattr(RecordModel, "match", never)
    view.setFocus()
    with qtbot.waitSignal(view.typed) as told:
        QTest.keyClick(view, Qt.Key.Key_A)
    assert told.args == ["a"]


def test_enter_opens_the_current_record(view: RecordView, qtbot: QtBot) -> None:
    view.selectRow(2)
    with qtbot.waitSignal(view.opened) as told:
        QTest.keyClick(view, Qt.Key.Key_Return)
    assert told.args == [1002]


def test_keys_beyond_32_bits_arrive_whole(
    model: RecordModel, tasks: HeldTasks, qtbot: QtBot
) -> None:
    big = 2**31 + 5

    class Big(Source):
        def first_page(self, limit: int, cancel: object = None) -> list[ShownRow]:
            return [ShownRow(big, ("big", ""), ("", ""))]

    table = RecordView("table", "Rows")
    qtbot.addWidget(table)
    table.show_columns(COLUMNS, {})
    table.setModel(model)
    model.set_source(Big(1), COLUMNS)
    with qtbot.waitSignal(table.current_changed) as told:
        tasks.answer_all()
    assert told.args == [big]


# --- groups -------------------------------------------------------------------------------------

SIZES = (3, 400_000, 599_997)


@pytest.fixture
def grouped(view: RecordView, model: RecordModel, tasks: HeldTasks) -> RecordView:
    """A million records in three groups."""
    model.set_source(Source(MILLION, sizes=SIZES), COLUMNS)
    tasks.answer_all()
    return view


def test_groups_stand_above_their_records(grouped: RecordView, model: RecordModel) -> None:
    assert model.rowCount() == MILLION + 3
    assert [model.group_at(row) for row in (0, 1, 4, 400_005)] == [0, -1, 1, 2]
    assert [model.id_at(row) for row in (0, 1, 3, 4, 5)] == [None, 1000, 1002, None, 1003]
    assert model.row_of(1003) == 5
    assert str(model.data(model.index(4, 0))) == "G1, 400000 records"
    assert model.data(model.index(4, 1)) == "400000 cities"


def test_a_closed_group_stays_closed_in_the_next_answer(
    grouped: RecordView, model: RecordModel, tasks: HeldTasks
) -> None:
    grouped.set_open(1, is_open=False)
    assert model.rowCount() == MILLION + 3 - 400_000
    assert model.row_of(5000) == 4
    model.set_source(Source(MILLION, sizes=SIZES), COLUMNS)
    tasks.answer_all()
    assert model.rowCount() == MILLION + 3 - 400_000
    grouped.set_all_open(is_open=False)
    assert model.rowCount() == 3
    grouped.set_all_open(is_open=True)
    assert model.rowCount() == MILLION + 3


def test_keys_open_close_and_walk_through_groups(grouped: RecordView, model: RecordModel) -> None:
    grouped.setCurrentIndex(model.index(7, 0))
    QTest.keyClick(grouped, Qt.Key.Key_Left)
    assert grouped.currentIndex().row() == 4
    QTest.keyClick(grouped, Qt.Key.Key_Left)
    assert model.rowCount() == MILLION + 3 - 400_000
    QTest.keyClick(grouped, Qt.Key.Key_Right)
    assert model.rowCount() == MILLION + 3
    QTest.keyClick(grouped, Qt.Key.Key_Right)
    assert grouped.current_id() == 1003
    QTest.keyClick(grouped, Qt.Key.Key_Left, Qt.KeyboardModifier.ControlModifier)
    assert model.rowCount() == 3
    QTest.keyClick(grouped, Qt.Key.Key_Return)
    assert model.rowCount() > 3


def test_the_head_of_a_group_selects_its_records(grouped: RecordView, model: RecordModel) -> None:
    grouped.selectRow(0)
    assert list(grouped.selected_ids()) == [1000, 1001, 1002]
    QTest.keyClick(grouped, Qt.Key.Key_Down)
    assert list(grouped.selected_ids()) == [1000]
    grouped.selectRow(4)
    assert grouped.selected_count() == 400_000
    grouped.set_open(1, is_open=False)
    grouped.selectRow(4)
    assert grouped.selected_count() == 400_000
    assert grouped.selected_ids()[:2] == array("q", [1003, 1004])
    grouped.selectAll()
    assert grouped.selected_count() == MILLION


def test_a_click_on_the_mark_opens_and_closes(grouped: RecordView, model: RecordModel) -> None:
    place = grouped.visualRect(model.index(4, 0)).center()
    place.setX(15)
    QTest.mouseClick(grouped.viewport(), Qt.MouseButton.LeftButton, pos=place)
    assert model.rowCount() == MILLION + 3 - 400_000
    beside = place + QPoint(80, 0)
    QTest.mouseClick(grouped.viewport(), Qt.MouseButton.LeftButton, pos=beside)
    QTest.mouseDClick(grouped.viewport(), Qt.MouseButton.LeftButton, pos=beside)
    assert model.rowCount() == MILLION + 3


def test_groups_and_keys_of_different_moments_are_asked_again(
    model: RecordModel, tasks: HeldTasks
) -> None:
    source = Source(10, sizes=(4, 5))
    model.set_source(source, COLUMNS)
    tasks.answer()
    tasks.answer()
    assert model.rowCount() == 0
    source.sizes = (5, 5)
    tasks.answer_all()
    assert model.rowCount() == 12
