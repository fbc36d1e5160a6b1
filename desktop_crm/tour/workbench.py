"""Pictures of work in lists and records: arranging, filtering, many at once, what hangs on one."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any

from desktop_crm.services.list_layout import Summary

if TYPE_CHECKING:
    from PySide6.QtWidgets import QWidget

    from desktop_crm.views.panes.record_pane import RecordPane
    from desktop_crm.views.workbench import Workbench

FILTER = (
    "relationship_type in (customer, prospect) and"
    " (city = Iași or has opportunity (amount > 10000)) and no activity (occurred_at >= today-30)"
)
Step = tuple[str, str, Callable[[], object]]
Maker = tuple[str, str, Callable[[], "QWidget"]]


def in_window(pane: Callable[[str], RecordPane]) -> Iterator[Step]:
    """What changes the window itself.

    Args:
        pane: Opens the pane of an entity on all of its records.
    """

    def arranged(entity: str, **layout: Any) -> Callable[[], object]:  # noqa: ANN401
        return lambda: pane(entity).list.arrange(**layout)

    def tab(key: str) -> Callable[[], object]:
        return lambda: _tab(pane("account"), key)

    yield "list-compact", "rows close together", arranged("contact", density="compact")
    yield "list-comfortable", "rows far apart", arranged("contact", density="comfortable")
    yield (
        "list-grouped", "opportunities by stage, with totals",
        arranged("opportunity", group="stage", totals={"amount": Summary.SUM.value}),
    )  # fmt: skip
    yield (
        "list-linked", "columns of the account, two of them frozen",
        arranged("contact", columns=["full_name", "account", "account.industry", "account.city",
                                     "account.owner", "email"], frozen=2, density="normal"),
    )  # fmt: skip
    yield "list-filtered", "a filter with its chips", lambda: _filtered(pane("account"))
    for key in ("files", "connections", "hierarchy", "history"):
        yield f"record-{key}", "a tab of the record", tab(key)
    yield "list-edit", "cells edited in the list", lambda: _in_grid(pane("account"))
    yield "list-usual", "as it was", lambda: _usual(pane)


def _filtered(pane: RecordPane) -> None:
    from desktop_crm.services import filters

    pane.list.filter_by(filters.parse(FILTER, "account"))


def _tab(pane: RecordPane, key: str) -> None:
    """A tab of the company that has files, connections and a group."""
    pane.list.table.restore_after_reset(1)
    pane.list.filter_by(None)
    pane.detail.show_tab(key)


def _in_grid(pane: RecordPane) -> None:
    pane.list.filter_by(None)
    pane.list.grid.toggle()


def _usual(pane: Callable[[str], RecordPane]) -> None:
    accounts = pane("account").list
    if accounts.table.is_grid:
        accounts.grid.toggle()
    for entity in ("contact", "opportunity"):
        pane(entity).list.forget_changes()


def dialogs(bench: Workbench, pane: Callable[[str], RecordPane]) -> Iterator[Maker]:
    """What opens above the window."""
    from desktop_crm.services import filters
    from desktop_crm.views.bulk import commands
    from desktop_crm.views.bulk.edit_dialog import BulkEditDialog
    from desktop_crm.views.designer.window import open_designer
    from desktop_crm.views.dialogs.business_card import open_business_card
    from desktop_crm.views.dialogs.deeds_dialog import DeedsDialog
    from desktop_crm.views.dialogs.recycle_bin import RecycleBinDialog
    from desktop_crm.views.filters.filter_dialog import FilterDialog
    from desktop_crm.views.forms.quick_create import QuickCreateDialog
    from desktop_crm.views.lists.formats_dialog import open_formats
    from desktop_crm.views.panes.manage_views import ManageViews

    window = bench.shell.window_widget()

    def shown(dialog: QWidget) -> QWidget:
        dialog.show()
        return dialog

    def change_many() -> QWidget:
        contacts = pane("contact")
        contacts.list.table.selectAll()
        targets = commands.targets_of(contacts.target)
        return shown(BulkEditDialog(bench, *targets, first="role"))

    def build_filter() -> QWidget:
        node = filters.parse(FILTER, "account")
        return shown(FilterDialog(bench, "account", node, parent=window))

    yield "filter-builder", "groups and a related condition", build_filter
    yield "bulk-edit", "many records about to be changed", change_many
    yield "views", "the views of a list", lambda: shown(ManageViews(pane("account").views))
    yield "formats", "conditional formats", lambda: open_formats(pane("account").list, bench)
    yield (
        "quick-create",
        "a contact in the short form",
        lambda: shown(QuickCreateDialog(bench, window, "contact")),
    )
    yield (
        "business-card",
        "account, contact and opportunity at once",
        lambda: open_business_card(bench, window),
    )
    yield "recycle-bin", "what was deleted", lambda: _with_deleted(bench, RecycleBinDialog, shown)
    yield "last-steps", "what can be undone", lambda: shown(DeedsDialog(bench))
    yield "duplicates", "likely duplicates, side by side", lambda: shown(_waiting(bench))
    yield "merge", "two records about to become one", lambda: shown(_merging(bench))
    yield "designer", "fields of one's own", lambda: open_designer(bench)


def _with_deleted(
    bench: Workbench,
    make: Callable[[Workbench], QWidget],
    shown: Callable[[QWidget], QWidget],
) -> QWidget:
    """The bin with something in it."""
    from desktop_crm.services import records
    from desktop_crm.services.query import RecordQuery, first_page

    found = first_page(bench.actor, RecordQuery("lead", ("id",)), 2)
    records.delete(bench.actor, "lead", [row.id for row in found])
    return shown(make(bench))


def _twins(bench: Workbench) -> tuple[int, int]:
    """A contact and the same person as a colleague typed it again."""
    from desktop_crm.services import records
    from desktop_crm.services.query import RecordQuery, first_page

    fields = ("id", "first_name", "last_name", "email", "phone", "account")
    row = first_page(bench.actor, RecordQuery("contact", fields), 1)[0]
    known = records.get(bench.actor, "contact", row.id).values
    typed = {name: known[name] for name in fields[1:]} | {"job_title": "Purchasing"}
    return row.id, records.save(bench.actor, "contact", None, None, typed).id


def _merging(bench: Workbench) -> QWidget:
    from desktop_crm.views.duplicates.merge_dialog import MergeDialog

    return MergeDialog(bench, "contact", _twins(bench))


def _waiting(bench: Workbench) -> QWidget:
    """The queue after a search."""
    from desktop_crm.services.duplicates import scan
    from desktop_crm.views.duplicates.queue_dialog import QueueDialog

    _twins(bench)
    scan.scan(bench.actor, "contact")
    return QueueDialog(bench, "contact")
