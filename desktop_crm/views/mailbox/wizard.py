"""Add a mailbox: find its service, try it, choose what stays private, keep it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QCheckBox, QProgressBar, QStackedWidget, QWidget

from desktop_crm.core.errors import Cancelled, UserError
from desktop_crm.core.i18n import N_, tr
from desktop_crm.meta import registry
from desktop_crm.meta.field import Section
from desktop_crm.models.mail import MailboxKind
from desktop_crm.services.mail import mailbox_kinds, mailboxes
from desktop_crm.services.mail import policy as mail_policy
from desktop_crm.services.mail.mailboxes import Added, NewMailbox
from desktop_crm.sync.find_service import FindStep, FoundService, find_service
from desktop_crm.sync.trying import Tried, tried
from desktop_crm.views import theme
from desktop_crm.views.dialogs.dialog import Dialog, Labelled
from desktop_crm.views.forms.editing import RecordEditing
from desktop_crm.views.forms.record_form import RecordForm
from desktop_crm.views.mailbox.fields import MailboxFields, typed_line
from desktop_crm.views.mailbox.steps import StepList
from desktop_crm.views.widgets.buttons import push_button
from desktop_crm.views.widgets.cards import Glyph
from desktop_crm.views.widgets.labels import label
from desktop_crm.views.widgets.layout import clear, column, row

if TYPE_CHECKING:
    from desktop_crm.db.engine import Cancel
    from desktop_crm.services.context import Actor
    from desktop_crm.views.tasks import Task
    from desktop_crm.views.workbench import Workbench

ADDRESS, FIND, SIGN_IN, TEST, PRIVACY, DONE = range(6)
_TITLES: Final = (
    N_("Step 1 of 5: your address"),
    N_("Step 2 of 5: who holds your mail"),
    N_("Step 3 of 5: signing in"),
    N_("Step 4 of 5: the test; nothing is changed there"),
    N_("Step 5 of 5: what stays private"),
    "",
)
_SHARED: Final = N_(
    "Leave this as it is if you are unsure: colleagues see nothing of your mail, and texts are "
    "kept only of messages that belong to a record. The settings of the mailbox change it later."
)
_OWN: Final = N_(
    "Leave this as it is if you are unsure: every message is kept with its text, and whoever else "
    "may sign in here sees what their role lets them. The settings of the mailbox change it later."
)
_DIRECTIONS: Final = Section(N_("In both directions"), (("two_way", "contact_scope"),))
_NAMES: Final = {
    MailboxKind.EXCHANGE: N_("Exchange Server"),
    MailboxKind.GRAPH: N_("Microsoft 365"),
    MailboxKind.IMAP: N_("IMAP mail server"),
    MailboxKind.FOLDER: N_("Folder of files"),
}


def search(address: str, tell: Callable[[FindStep], None], cancel: Cancel) -> FoundService:
    """Find the service of an address; runs on a reader thread."""
    return find_service(address, tell=tell, cancel=cancel)


def keep(actor: Actor, done: Tried, choices: Mapping[str, object]) -> Added:
    """Add a mailbox that was tried; runs on the writer's thread."""
    return mailboxes.add(actor, done.new, done.secret or None, choices)


class MailboxWizard(Dialog):
    """Asks for an address, and from there leads to a mailbox that works.

    Return goes on, Escape stops what is under way and closes. Whoever knows the settings enters
    them instead of having them found.

    Attributes:
        added: it was added; carries the :class:`Added`.
        first_pass_wanted: the person wants to see what the first pass would do; carries its key.
    """

    added = Signal(object)
    first_pass_wanted = Signal(int)
    _told = Signal(int, object)

    def __init__(self, parent: QWidget | None, bench: Workbench) -> None:
        super().__init__(parent, "addMailbox", tr("Add a mailbox"), subtitle=" ", width=720)
        self.setAttribute(Qt.WidgetAttribute.WA_DeleteOnClose)
        self._bench = bench
        self._step = ADDRESS
        self._task: Task | None = None
        self._asked = 0
        self._found: FoundService | None = None
        self._tried: Tried | None = None
        # What signing in left behind and for which account; never shown, kept once it is added.
        self._signed: tuple[NewMailbox, str] | None = None
        self._added: Added | None = None
        self._form: RecordForm | None = None
        self._form_is_both_ways = True
        self.address = typed_line("mailbox.find.address", "name@company.com")
        self._address = Labelled(
            tr("Your e-mail address"), self.address, required=True,
            help_text=tr(
                "The domain behind it is asked who holds its mail. No password is used for that."
            ),
        )  # fmt: skip
        self.finding = StepList("mailboxFinding")
        self.finding.setAccessibleName(tr("Steps of the search"))
        self._came_to = label("", "strong", wrap=True, name="mailbox.found")
        self.fields = MailboxFields()
        self.agreed = QCheckBox()
        self.agreed.setObjectName("mailbox.agreed")
        self.steps = StepList()
        self._working = label("", "dim", wrap=True, name="mailbox.working")
        self._bar = QProgressBar()
        self._bar.setObjectName("mailbox.bar")
        self._bar.setAccessibleName(tr("Progress"))
        self._bar.setTextVisible(False)
        self._bar.setRange(0, 0)
        self._privacy = column(spacing=8)
        self._end = label("", wrap=True, name="mailbox.end")
        self.pages = QStackedWidget()
        for page in self._made_pages():
            self.pages.addWidget(page)
        self.body.addWidget(self.pages, 1)
        self._by_hand = push_button(
            "mailbox.byHand", tr("Enter the settings yourself"), self._enter_by_hand
        )
        self._cancel = push_button("addMailbox.cancel", tr("Cancel"), self.reject)
        self._back = push_button("mailbox.back", tr("Back"), self._go_back)
        self._next = push_button("mailbox.next", tr("Next"), self._forward, kind="primary")
        self._next.setDefault(True)
        self.set_foot(self._by_hand, None, self._cancel, self._back, self._next)
        self._told.connect(self._hear)
        self.fields.kind_changed.connect(self._update)
        self._go(ADDRESS)
        bench.tasks.read(
            mailboxes.list_mailboxes, bench.actor, done=self.fields.propose, owner=self,
            lane="boxes",
        )  # fmt: skip

    def _made_pages(self) -> tuple[QWidget, ...]:
        intro = label(
            tr(
                "Mail and meetings are read and linked; nothing is sent or changed there without "
                "you. Private and internal mail stays out."
            ),
            "dim",
            wrap=True,
        )
        return (
            column(self._address, intro, None, spacing=14),
            column(self.finding, self._came_to, None, spacing=14),
            column(self.fields, self.agreed, None, spacing=14),
            column(self._working, self._bar, self.steps, None, spacing=10),
            self._privacy,
            column(row(Glyph("checkmark_circle", "ok"), self._end, spacing=10), None, spacing=14),
        )

    # --- steps ---------------------------------------------------------------------------

    @property
    def step(self) -> int:
        """The page in front."""
        return self._step

    def _go(self, step: int) -> None:
        self._step = step
        self.pages.setCurrentIndex(step)
        self.heading.setText(tr("The mailbox was added") if step == DONE else tr("Add a mailbox"))
        self.subtitle.setText(tr(_TITLES[step]) if _TITLES[step] else "")
        self.notice.say("")
        self._update()
        if step == ADDRESS:
            self.address.setFocus()
        elif step == SIGN_IN:
            self.fields.focus()
        else:
            self._next.setFocus()

    def _update(self) -> None:
        step, busy = self._step, self._task is not None
        self._by_hand.setVisible(step in (ADDRESS, FIND, SIGN_IN))
        whole = step == SIGN_IN and self.fields.is_whole
        by_hand = tr("All settings") if step == SIGN_IN else tr("Enter the settings yourself")
        self._by_hand.setText(by_hand)
        self._by_hand.setAccessibleName(by_hand)
        self._by_hand.setVisible(step in (ADDRESS, FIND, SIGN_IN) and not whole)
        self._back.setVisible(step not in (ADDRESS, DONE))
        self._back.setEnabled(not self._is_writing)
        self._cancel.setEnabled(not self._is_writing)
        cancel = tr("Later") if step == DONE else tr("Cancel")
        self._cancel.setText(cancel)
        self._cancel.setAccessibleName(cancel)
        failed = step == TEST and not busy and (self._tried is None or not self._tried.well)
        browser = self.fields.kind is MailboxKind.GRAPH and self._signed is None
        texts = {
            ADDRESS: tr("Find"),
            SIGN_IN: tr("Sign in and test") if browser else tr("Test"),
            TEST: tr("Try again") if failed else tr("Next"),
            PRIVACY: tr("Add"),
            DONE: tr("See what it would do first"),
        }
        self._next.setText(texts.get(step, tr("Next")))
        self._next.setAccessibleName(self._next.text())
        self._next.setEnabled(not busy)
        self._working.setVisible(step == TEST and busy)
        self._bar.setVisible(step == TEST and busy)
        hosts = self._to_agree()
        self.agreed.setVisible(bool(hosts))
        self.agreed.setText(tr("My password may go to {hosts}.", hosts=", ".join(hosts)))
        self.agreed.setAccessibleName(self.agreed.text())

    def _forward(self) -> None:
        if self._task is not None:
            return
        work: dict[int, Callable[[], None]] = {
            ADDRESS: self._search,
            FIND: partial(self._go, SIGN_IN),
            SIGN_IN: self._test,
            TEST: self._after_test,
            PRIVACY: self._keep,
            DONE: self._see,
        }
        work[self._step]()

    def _go_back(self) -> None:
        self._stop()
        searched = self._found is not None
        before = {FIND: ADDRESS, SIGN_IN: FIND if searched else ADDRESS, PRIVACY: SIGN_IN}
        self._go(before.get(self._step, SIGN_IN))

    def _stop(self) -> None:
        """Stop what is under way; its late answer is dropped."""
        if self._task is not None:
            self._task.cancel()
            self._task = None
        self._asked += 1

    @property
    def _is_writing(self) -> bool:
        """Whether the mailbox is being added: that is not stopped half-way."""
        return self._step == PRIVACY and self._task is not None

    def reject(self) -> None:
        if self._is_writing:
            return
        self._stop()
        super().reject()

    def _enter_by_hand(self) -> None:
        if self._step != SIGN_IN:
            self._stop()
            if self._step == ADDRESS:
                self._found = None
            address = self.address.text().strip()
            self.fields.line("address").setText(address)
            if not self.fields.line("name").text():
                self.fields.line("name").setText(address)
        self.fields.show_whole(True)
        self._go(SIGN_IN)

    # --- finding -------------------------------------------------------------------------

    def _search(self) -> None:
        self._stop()
        self._address.show_error("")
        self._found = None
        self.finding.clear()
        self._came_to.setText("")
        self._go(FIND)
        self._task = self._bench.tasks.read(
            search, self.address.text(), partial(self._told.emit, self._asked),
            done=self._came, failed=self._not_found, owner=self, lane="work", cancellable=True,
        )  # fmt: skip
        self._update()
        self._back.setFocus()

    def _hear(self, asked: int, step: FindStep) -> None:
        if asked == self._asked:
            self.finding.show_step(step)

    def _came(self, found: FoundService) -> None:
        self._task = None
        self._found = found
        if found.new is None:
            text = tr(
                "Nobody answers for this address. Go back if it is misspelt; perhaps this computer "
                "is offline. Else go on and enter the settings; your administrator or provider "
                "knows them."
            )
            self.fields.line("address").setText(self.address.text().strip())
            self.fields.line("name").setText(self.address.text().strip())
        else:
            kind = tr(_NAMES[MailboxKind(found.new.kind)])
            text = tr("Your mail is held by: {service}.", service=kind)
            self.fields.fill(found.new)
        self.fields.show_whole(found.new is None)
        self.agreed.setChecked(False)
        self._came_to.setText(text)
        self._update()
        self._next.setFocus()

    def _not_found(self, error: Exception) -> None:
        self._task = None
        self._go(ADDRESS)
        if isinstance(error, UserError):
            self._address.show_error(str(error))
        elif not isinstance(error, Cancelled):
            self.show_error(error)

    def _to_agree(self) -> list[str]:
        """Hosts that were only found, not entered by the person, and may not be meant."""
        found = self._found
        if self._step != SIGN_IN or found is None or not found.confirm:
            return []
        said = self.fields.said()
        servers = (said.server, said.smtp_server, *said.dav_server.split())
        hosts = {urlsplit(one).hostname for one in servers}
        return [host for host in found.confirm if host in hosts]

    # --- signing in and testing ----------------------------------------------------------

    def _test(self) -> None:
        self.fields.clear_errors()
        if self._to_agree() and not self.agreed.isChecked():
            self.notice.say(
                tr(
                    "These servers are outside the domain of your address. Tick that your "
                    "password may go there, or enter others; nothing was sent."
                ),
                "warn",
            )
            self.agreed.setFocus()
            return
        new = self.fields.said()
        if new.needs_password and not self.fields.password():
            self.fields.fields["password"].show_error(tr("Enter the password."))
            self.fields.focus("password")
            return
        secret = self._secret(new)
        self._tried = None
        self.steps.clear()
        graph = self.fields.kind is MailboxKind.GRAPH
        self._working.setText(
            tr("Sign in as {address} in the browser that opened.", address=new.address)
            if graph and not secret
            else tr("Testing…")
        )
        self._go(TEST)
        self._task = self._bench.tasks.read(
            tried, self._bench.actor, new, secret,
            done=partial(self._was_tried, new), failed=self._not_tried, owner=self, lane="work",
            cancellable=True,
        )  # fmt: skip
        self._update()
        self._back.setFocus()

    def _secret(self, new: NewMailbox) -> str:
        """The password, or the sign-in of the same account in the same organisation."""
        if self.fields.kind is not MailboxKind.GRAPH:
            return self.fields.password()
        if self._signed is None:
            return ""
        before, secret = self._signed
        return secret if replace(before, name=new.name) == new else ""

    def _was_tried(self, new: NewMailbox, found: Tried) -> None:
        self._task = None
        self._tried = found
        self._signed = (new, found.secret) if found.well else None
        if found.new.server != new.server:
            self.fields.line("server").setText(found.new.server)
        self.steps.show_steps(found.steps)
        if not found.well:
            self.notice.say(tr("Nothing was added. Go back to mend it, or try again."), "warn")
        self._update()
        self._next.setFocus()

    def _not_tried(self, error: Exception) -> None:
        self._task = None
        self._go(SIGN_IN)
        if isinstance(error, Cancelled):
            return
        if not self.fields.show_error(error):
            self.show_error(error)
        self._update()

    def _after_test(self) -> None:
        if self._tried is None or not self._tried.well:
            self._test()
            return
        both_ways = mailbox_kinds.goes_both_ways(self.fields.kind.value)
        if self._form is None or self._form_is_both_ways is not both_ways:
            self._form = self._made_form(both_ways=both_ways)
            self._form_is_both_ways = both_ways
        self._go(PRIVACY)
        self._form.focus_first()

    # --- privacy, adding -----------------------------------------------------------------

    def _made_form(self, *, both_ways: bool) -> RecordForm:
        """The mailbox's own fields about privacy, as its record declares them."""
        sections = [one for one in registry.get("mailbox").form if one.label == "Privacy"]
        if both_ways:
            sections.append(_DIRECTIONS)
        form = RecordForm("mailbox", self._bench, sections=sections)
        form.setMinimumHeight(theme.scaled(360))
        layout = self._privacy.layout()
        shared = self._bench.actor.db.is_shared
        if layout is not None:
            clear(layout)
            layout.addWidget(label(tr(_SHARED if shared else _OWN), "dim", wrap=True))
            layout.addWidget(form)
        usual = mail_policy.stated(shared_db=shared)
        RecordEditing(form, self.notice, self._bench).open_new(usual)
        return form

    def _keep(self) -> None:
        done, form = self._tried, self._form
        if done is None or form is None or not form.check_all():
            return
        choices = form.changes()
        self._task = self._bench.tasks.write(
            keep, self._bench.actor, done, choices,
            done=self._kept, failed=self._not_kept, owner=self,
        )  # fmt: skip
        self._update()

    def _kept(self, added: Added) -> None:
        self._task = None
        self._added = added
        self._bench.bus.publish(added.changes)
        text = tr(
            "Nothing has been read yet. First you see what synchronising would do; you strike "
            "what is not to be stored."
        )
        self._end.setText(f"{text} {added.notice}".strip())
        self._go(DONE)
        self.added.emit(added)

    def _not_kept(self, error: Exception) -> None:
        self._task = None
        self._update()
        if isinstance(error, UserError) and error.field in self.fields.fields:
            self._go(SIGN_IN)
            self.fields.show_error(error)
        else:
            self.show_error(error)

    def _see(self) -> None:
        if self._added is not None:
            self.first_pass_wanted.emit(self._added.id)
        self.accept()
