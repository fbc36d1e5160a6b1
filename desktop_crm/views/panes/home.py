"""Home: what is due for me, my open opportunities, the pipeline and the key figures."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date
from decimal import Decimal
from functools import partial
from typing import TYPE_CHECKING

from PySide6.QtCore import Qt
from PySide6.QtWidgets import (
    QFrame,
    QHBoxLayout,
    QScrollArea,
    QSizePolicy,
    QStackedWidget,
    QVBoxLayout,
    QWidget,
)

from desktop_crm.core import clock
from desktop_crm.core.formats import Formats
from desktop_crm.core.i18n import N_, ntr, tr
from desktop_crm.models.activity import ActivityState
from desktop_crm.models.opportunity import OpportunityState
from desktop_crm.services import dashboards, pipeline, records
from desktop_crm.services.dashboards import DayItem, Figures, MyDay
from desktop_crm.services.pipeline import Deal, StageTotal
from desktop_crm.views import icons, theme
from desktop_crm.views.actions import Action
from desktop_crm.views.charts.bars import Bars
from desktop_crm.views.charts.funnel import Funnel, FunnelStep
from desktop_crm.views.charts.kpi import KpiCard
from desktop_crm.views.charts.line_list import Line, LineList
from desktop_crm.views.panes.figures import amounts_text, money_text
from desktop_crm.views.panes.news_card import NewsCard
from desktop_crm.views.panes.pane import Pane
from desktop_crm.views.widgets.cards import Card, EmptyState
from desktop_crm.views.widgets.labels import Elide

if TYPE_CHECKING:
    from desktop_crm.services.changes import ChangeSet
    from desktop_crm.services.records import Saved
    from desktop_crm.views.workbench import Workbench


class HomePane(Pane):
    """The first thing one sees: each number and each line leads to what it stands for."""

    def __init__(self, bench: Workbench, parent: QWidget | None = None) -> None:
        super().__init__(bench, parent)
        self.setObjectName("homePane")
        self._day: MyDay | None = None
        self.kpi_pipeline = KpiCard("kpiPipeline", tr("Open pipeline"))
        self.kpi_weighted = KpiCard("kpiWeighted", tr("Weighted by probability"))
        self.kpi_won = KpiCard("kpiWon", tr("Won this month"))
        self.kpi_rate = KpiCard("kpiRate", tr("Win rate, 90 days"))
        for card in self._cards():
            card.opened.connect(partial(bench.shell.show_module, "opportunity"))
        self.day_list = LineList("myDay", tr("My day"))
        self.day_list.opened.connect(self._open_line)
        self.day_list.ticked.connect(self._complete)
        self.deal_list = LineList("myDeals", tr("My open opportunities"))
        self.deal_list.opened.connect(self._open_line)
        self.funnel = Funnel(tr("Pipeline by stage"))
        self.funnel.opened.connect(lambda _key: bench.shell.show_module("opportunity"))
        self.bars = Bars("wonBars", tr("Won by month"))
        self._day_note = Elide("", "cap")
        self._deals_note = Elide("", "cap")
        self._funnel_note = Elide("", "cap")
        self._won_note = Elide("", "cap")
        self._day_stack = self._with_empty(
            self.day_list,
            EmptyState(
                "checkmark_circle",
                tr("Nothing is due"),
                tr("Tasks, calls and appointments for today appear here."),
                tr("New task"),
                partial(bench.shell.new_record, "activity", kind="task"),
                name="myDayEmpty",
            ),
        )
        self._deal_stack = self._with_empty(
            self.deal_list,
            self._no_deals("myDealsEmpty", tr("No open opportunity is yours")),
        )
        self._funnel_stack = self._with_empty(
            self.funnel, self._no_deals("funnelEmpty", tr("The pipeline is empty"))
        )
        self.news = NewsCard(bench)
        self._build()
        bench.bus.changed.connect(self._on_changed)

    # --- building ------------------------------------------------------------------------

    def _cards(self) -> tuple[KpiCard, ...]:
        return (self.kpi_pipeline, self.kpi_weighted, self.kpi_won, self.kpi_rate)

    def _no_deals(self, name: str, title: str) -> EmptyState:
        return EmptyState(
            "data_trending",
            title,
            tr("An opportunity is a possible sale with its amount and stage."),
            tr("New opportunity"),
            partial(self.bench.shell.new_record, "opportunity"),
            name=name,
        )

    def _with_empty(self, content: QWidget, empty: EmptyState) -> QStackedWidget:
        stack = QStackedWidget()
        stack.addWidget(content)
        stack.addWidget(empty)
        return stack

    def _build(self) -> None:
        for list_ in (self.day_list, self.deal_list):
            list_.setMinimumHeight(theme.scaled(110))
        body = QWidget()
        body.setObjectName("scrollbody")
        column = QVBoxLayout(body)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(8)
        kpis = QHBoxLayout()
        kpis.setSpacing(8)
        for card in self._cards():
            kpis.addWidget(card, 1)
        column.addLayout(kpis)
        upper = self._cards_row(
            (self._card(tr("My day"), self._day_note, self._day_stack), 3),
            (self._card(tr("Pipeline"), self._funnel_note, self._funnel_stack), 2),
        )
        lower = self._cards_row(
            (self._card(tr("My open opportunities"), self._deals_note, self._deal_stack), 3),
            (self._card(tr("Won by month"), self._won_note, self.bars), 2),
        )
        column.addWidget(self.news)
        column.addLayout(upper, 6)
        column.addLayout(lower, 5)
        area = QScrollArea()
        area.setObjectName("homeScroll")
        area.setAccessibleName(tr("Home"))
        area.setWidget(body)
        area.setWidgetResizable(True)
        area.setFrameShape(QFrame.Shape.NoFrame)
        outer = QVBoxLayout(self)
        outer.setContentsMargins(0, 0, 0, 0)
        outer.addWidget(area)

    def _card(self, title: str, note: Elide, content: QWidget) -> Card:
        note.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Preferred)
        note.setAlignment(Qt.AlignmentFlag.AlignRight)
        card = Card(title, note)
        card.body.addWidget(content, 1)
        return card

    def _cards_row(self, *cards: tuple[Card, int]) -> QHBoxLayout:
        made = QHBoxLayout()
        made.setSpacing(8)
        for card, stretch in cards:
            card.setMinimumWidth(120)
            made.addWidget(card, stretch)
        return made

    # --- pane ----------------------------------------------------------------------------

    def commands(self) -> list[Action]:
        new = self.bench.shell.new_record
        return [
            Action(
                "home.task", tr("New task"), partial(new, "activity", kind="task"),
                icon="add", shortcut="Ctrl+N", primary=True,
            ),
            Action(
                "home.call", tr("Phone call"), partial(new, "activity", kind="phone_call"),
                icon="call", tint="accent_text", group="new",
            ),
            Action(
                "home.contact", tr("Contact"), partial(new, "contact"),
                icon="person_add", tint="accent_text", group="records",
                tip=tr("New contact"),
            ),
            Action(
                "home.account", tr("Account"), partial(new, "account"),
                icon="building", tint="accent_text", group="records",
                tip=tr("New account"),
            ),
            Action(
                "home.opportunity", tr("Opportunity"), partial(new, "opportunity"),
                icon="data_trending", tint="accent_text", group="records",
                tip=tr("New opportunity"),
            ),
            Action(
                "home.refresh", tr("Refresh"), self.refresh, icon="arrow_sync", group="view",
            ),
        ]  # fmt: skip

    def activate(self) -> None:
        self.refresh()

    def refresh(self) -> None:
        self._load_day()
        self._load_deals()
        self.news.load()

    def _load_day(self) -> None:
        self.bench.tasks.read(
            dashboards.my_day, self.bench.actor, done=self._show_my_day, owner=self, lane="day"
        )

    def _load_deals(self) -> None:
        actor, tasks = self.bench.actor, self.bench.tasks
        tasks.read(dashboards.figures, actor, done=self._show_figures, owner=self, lane="figures")
        tasks.read(
            partial(pipeline.my_deals, actor, limit=25),
            done=self._show_deals, owner=self, lane="deals",
        )  # fmt: skip

    def status_text(self) -> str:
        if self._day is None:
            return ""
        overdue = ntr("{n} overdue", "{n} overdue", self._day.overdue_count)
        today = ntr("{n} due today", "{n} due today", self._day.today_count)
        return f"{overdue} · {today}"

    def _on_changed(self, changes: ChangeSet) -> None:
        if not self.isVisible():
            return
        if self.news.concerns(changes):
            self.news.load()
        if changes.touches("activity"):
            self._load_day()
        if changes.touches("opportunity", "stage", "exchange_rate", "account"):
            self._load_deals()

    # --- showing -------------------------------------------------------------------------

    def _show_my_day(self, day: MyDay) -> None:
        self._day = day
        lines: list[Line] = []
        groups = (
            (tr("Overdue"), day.overdue, day.overdue_count, True),
            (tr("Today"), day.today, day.today_count, False),
        )
        for caption, items, count, bad in groups:
            if items:
                lines.append(Line(None, title=f"{caption}  {count}", bad=bad))
                lines.extend(self._day_line(item) for item in items)
        self.day_list.show_lines(lines)
        self._day_stack.setCurrentIndex(0 if lines else 1)
        self._day_note.setText(self.bench.formats.date(clock.today(self.bench.actor.zone)))
        self.status_changed.emit(self.status_text())

    def _day_line(self, item: DayItem) -> Line:
        formats = self.bench.formats
        return Line(
            id=item.id,
            entity="activity",
            title=item.subject,
            subtitle=item.regarding,
            right=formats.relative_day(item.due),
            note=tr("High priority") if item.high else "",
            bad=item.overdue,
            icon=icons.ACTIVITY_ICONS.get(item.kind, "task_list_square_ltr"),
            tickable=item.editable and item.kind != "appointment",
            data=item,
        )

    def _show_deals(self, deals: tuple[Deal, ...]) -> None:
        formats = self.bench.formats
        lines = [
            Line(
                id=deal.id,
                entity="opportunity",
                title=deal.name,
                subtitle=" · ".join(part for part in (deal.account, deal.stage) if part),
                right=money_text(formats, deal.amount, deal.currency) or tr("No amount"),
                note=formats.date(deal.close_on) if deal.close_on else "",
                bad=False,
                icon="data_trending",
            )
            for deal in deals
        ]
        self.deal_list.show_lines(lines)
        self._deal_stack.setCurrentIndex(0 if lines else 1)
        late = sum(1 for deal in deals if deal.late)
        self._deals_note.setText(
            ntr("{n} past its closing date", "{n} past their closing date", late) if late else ""
        )

    def _show_pipeline(self, totals: tuple[StageTotal, ...]) -> None:
        formats = self.bench.formats
        stages = [one for one in totals if one.state == OpportunityState.OPEN.value]
        steps = [
            FunnelStep(
                key=stage.stage_id,
                caption=stage.name,
                count=stage.count,
                value=float(stage.amount.total),
                note=amounts_text(formats, stage.amount),
            )
            for stage in stages
        ]
        self.funnel.show_steps(steps)
        count = sum(stage.count for stage in stages)
        self._funnel_stack.setCurrentIndex(0 if count else 1)
        without = sum(stage.without_amount for stage in stages)
        self._funnel_note.setText(
            ntr("{n} without an amount", "{n} without an amount", without) if without else ""
        )

    def _show_figures(self, figures: Figures) -> None:
        self._show_pipeline(figures.stages)
        formats = self.bench.formats
        count = ntr("{n} open opportunity", "{n} open opportunities", figures.open_count)
        self.kpi_pipeline.show_figure(amounts_text(formats, figures.pipeline), count)
        share = _share(figures.weighted.total, figures.pipeline.total)
        note = tr("{share} of the open pipeline", share=formats.percent(share)) if share else ""
        self.kpi_weighted.show_figure(amounts_text(formats, figures.weighted), note)
        note, tone = _compared(formats, figures.won.total, figures.won_before.total)
        course = [float(value) for value in figures.won_course]
        self.kpi_won.show_figure(amounts_text(formats, figures.won), note, tone=tone, course=course)
        rate = formats.percent(figures.win_rate) if figures.win_rate is not None else "–"
        days = figures.cycle_days
        cycle = ntr("won in {n} day on average", "won in {n} days on average", days or 0)
        self.kpi_rate.show_figure(rate, cycle if days is not None else tr("Nothing closed yet"))
        self._show_months(figures)

    def _show_months(self, figures: Figures) -> None:
        formats = self.bench.formats
        today = clock.today(self.bench.actor.zone)
        months = list(_last_months(today, len(figures.won_course)))
        currency = figures.won.currency
        texts = [money_text(formats, value, currency) for value in figures.won_course]
        self.bars.show_bars(
            [formats.month(month)[:3].rstrip(".") for month in months],
            [float(value) for value in figures.won_course],
            texts,
            partial(_axis, formats),
        )
        self._won_note.setText(currency)

    # --- what the person does ------------------------------------------------------------

    def _open_line(self, line: Line) -> None:
        if line.id is not None:
            self.bench.shell.open_record(line.entity, line.id)

    def _complete(self, line: Line) -> None:
        item = line.data
        if not isinstance(item, DayItem):
            return
        self.bench.tasks.write(
            partial(
                records.save, self.bench.actor, "activity", item.id, item.version,
                {"state": ActivityState.COMPLETED.value},
            ),
            done=partial(self._completed, item), failed=self.bench.shell.show_error, owner=self,
        )  # fmt: skip

    def _completed(self, item: DayItem, saved: Saved) -> None:
        self.bench.bus.publish(saved.changes)
        self._load_day()
        self.bench.shell.toast(tr("Completed"), item.subject, undo=True)


def _share(part: Decimal, whole: Decimal) -> Decimal:
    return (100 * part / whole).quantize(Decimal(1)) if whole else Decimal(0)


def _compared(formats: Formats, value: Decimal, before: Decimal) -> tuple[str, str]:
    if not before:
        return (tr("nothing the month before"), "") if value else ("", "")
    change = (100 * (value - before) / before).quantize(Decimal(1))
    sign = "+" if change > 0 else ""
    text = tr("{change} against the month before", change=f"{sign}{formats.percent(change)}")
    return text, "ok" if change >= 0 else "bad"


def _last_months(today: date, count: int) -> Iterable[date]:
    for back in range(count - 1, -1, -1):
        index = today.year * 12 + today.month - 1 - back
        yield date(index // 12, index % 12 + 1, 1)


def _axis(formats: Formats, value: float) -> str:
    """A grid line's amount in thousands or millions, with one decimal at most."""
    for size, text in ((1_000_000, N_("{n} m")), (1_000, N_("{n} k"))):
        if value >= size:
            return tr(text, n=formats.number(round(Decimal(value) / size, 1)))
    return formats.number(round(Decimal(value), 1))
