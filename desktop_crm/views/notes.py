"""Notes about what was done: one at a time, beside those that still count down."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import shiboken6

from desktop_crm.views.widgets.overlays import Countdown, Toast

if TYPE_CHECKING:
    from desktop_crm.views.main_window import MainWindow


class Notes:
    """Shows notes over the window one works in, and knows what the last one offers to take back."""

    def __init__(self, window: MainWindow) -> None:
        self._window = window
        self._notes: list[Toast] = []

    def show(
        self,
        title: str,
        text: str,
        *,
        undo: Callable[[], object] | None,
        is_step: bool,
        bad: bool,
        countdown: Countdown | None,
    ) -> None:
        """Show a note; earlier ones go, unless they count down.

        Args:
            title: Few words.
            text: One sentence more.
            undo: What its button does.
            is_step: The button undoes the last step of the audit trail, as the key does anyway.
            bad: Whether something went wrong.
            countdown: How long its button means something.
        """
        window = self._window
        # A note about what was done in a record's window is read there, not behind it.
        front = window.windows.in_front() or window
        above: Toast | None = None
        for earlier in self._shown():
            if not earlier.is_counting:
                earlier.dismiss()
            elif earlier.parentWidget() is front:
                above = earlier
        made = Toast(
            front, title, text, undo=undo, bad=bad, home=window, countdown=countdown, above=above
        )
        made.offers_own_way_back = undo is not None and not is_step
        self._notes = [*self._shown(), made]
        made.destroyed.connect(self._show_key)
        self._show_key()

    def _shown(self) -> list[Toast]:
        """Those that are still there, the latest last."""
        return [one for one in self._notes if shiboken6.isValid(one) and one.isVisible()]

    def _offering(self) -> list[Toast]:
        return [one for one in self._shown() if one.offers_to_take_back]

    def _show_key(self) -> None:
        """The key means the latest of them."""
        offering = self._offering()
        for one in offering:
            one.show_key(meant=one is offering[-1])

    def take_back(self) -> bool:
        """Do what the latest note with a button offers; False where that is a step of the trail."""
        offering = self._offering()
        if not offering or not offering[-1].offers_own_way_back:
            return False
        offering[-1].take_back()
        return True
