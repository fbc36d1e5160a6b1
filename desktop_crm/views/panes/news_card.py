"""What others changed in followed records since the user looked, on the home pane."""

from __future__ import annotations

from typing import TYPE_CHECKING

from desktop_crm.core.i18n import ntr, tr
from desktop_crm.models.office import AuditAction
from desktop_crm.views import icons, theme
from desktop_crm.views.charts.line_list import Line, LineList
from desktop_crm.views.widgets.cards import Card
from desktop_crm.views.widgets.labels import Elide

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.context import Actor
    from desktop_crm.services.marks import News
    from desktop_crm.views.workbench import Workbench

_MOST = 30
_SHOWN = 6


def news_text(news: News) -> str:
    """What was changed, in one line."""
    if not news.fields:
        return tr(news.action.label)
    return ", ".join(f"{field.label}: {field.new or '–'}" for field in news.fields)


class NewsCard(Card):
    """A list of news, each opening its record; hidden while there are none.

    Attributes:
        list: The latest first; records changed several times stand once for each change.
    """

    def __init__(self, bench: Workbench) -> None:
        self._note = Elide("", "cap")
        super().__init__(tr("News of what I follow"), self._note, name="newsCard")
        self._bench = bench
        self.list = LineList("news", tr("News of what I follow"))
        self.list.opened.connect(self._open)
        self.body.addWidget(self.list, 1)
        self.hide()

    def load(self) -> None:
        """Read the news."""
        self._bench.tasks.read(_read, self._bench.actor, done=self._show, owner=self, lane="news")

    def concerns(self, changes: ChangeSet) -> bool:
        """Whether marks changed; what others do is read when the pane comes to the front."""
        return changes.touches("record_mark")

    def _show(self, found: list[News]) -> None:
        formats = self._bench.formats
        self.list.show_lines(
            [
                Line(
                    one.id,
                    entity=one.entity,
                    title=one.title or "–",
                    subtitle=news_text(one),
                    right=formats.relative_day(one.at),
                    note=one.by,
                    bad=one.action is AuditAction.DELETE,
                    icon=icons.entity_icon(one.entity),
                )
                for one in found
            ]
        )
        self._note.setText(ntr("{n} change", "{n} changes", len(found)))
        self.list.setFixedHeight(theme.scaled(46) * min(len(found), _SHOWN) + 4)
        self.setVisible(bool(found))

    def _open(self, line: Line) -> None:
        if line.id is not None:
            self._bench.shell.open_record(line.entity, line.id)


def _read(actor: Actor) -> list[News]:
    """The latest news; runs on a reader thread, which loads the code for it."""
    from desktop_crm.services import marks

    return marks.news(actor, _MOST)
