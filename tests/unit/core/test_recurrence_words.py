"""Rules in words, in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

import pytest

from desktop_crm.core import i18n
from desktop_crm.core.formats import Formats
from desktop_crm.core.recurrence_words import summary

ZONE = ZoneInfo("Europe/Bucharest")
START = datetime(2026, 11, 30, 9)  # noqa: DTZ001  a wall clock

WORDS = [
    ("FREQ=DAILY", "Every day", "În fiecare zi"),
    ("FREQ=DAILY;INTERVAL=3", "Every 3 days", "Din 3 în 3 zile"),
    ("FREQ=WEEKLY", "Every Monday", "În fiecare luni"),
    ("FREQ=WEEKLY;BYDAY=MO,TU,WE,TH,FR", "Every working day", "În fiecare zi lucrătoare"),
    ("FREQ=DAILY;BYDAY=MO,TU,WE,TH,FR", "Every working day", "În fiecare zi lucrătoare"),
    (
        "FREQ=WEEKLY;INTERVAL=2;BYDAY=MO;UNTIL=20270303T070000Z",
        "Every second Monday until 3 March 2027",
        "Din două în două săptămâni, lunea, până la 3 martie 2027",
    ),
    (
        # The end is an instant: on the wall clock it is a day later.
        "FREQ=WEEKLY;BYDAY=MO;UNTIL=20270303T223000Z",
        "Every Monday until 4 March 2027",
        "În fiecare luni, până la 4 martie 2027",
    ),
    (
        "FREQ=WEEKLY;BYDAY=TU,TH;COUNT=10",
        "Every week on Tuesday and Thursday, 10 times",
        "În fiecare săptămână, marți și joi, de 10 ori",
    ),
    ("FREQ=MONTHLY", "Every month on day 30", "În fiecare lună, în ziua 30"),
    (
        "FREQ=MONTHLY;BYDAY=2TU;INTERVAL=2",
        "Every second month on the second Tuesday",
        "Din două în două luni, în a doua zi de marți",
    ),
    (
        "FREQ=MONTHLY;BYDAY=MO,TU,WE,TH,FR;BYSETPOS=-1",
        "Every month on the last working day",
        "În fiecare lună, în ultima zi lucrătoare",
    ),
    ("FREQ=MONTHLY;BYMONTHDAY=-1", "Every month on the last day", "În fiecare lună, în ultima zi"),
    ("FREQ=YEARLY", "Every year on 30 November", "În fiecare an, pe 30 noiembrie"),
    (
        "FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "Every year on the last Sunday of March",
        "În fiecare an, în ultima zi de duminică din martie",
    ),
    (
        "FREQ=YEARLY;BYWEEKNO=20",
        "By its own rule: FREQ=YEARLY;BYWEEKNO=20",
        "După regula proprie: FREQ=YEARLY;BYWEEKNO=20",
    ),
    ("FREQ=NEVER", "By its own rule: FREQ=NEVER", "După regula proprie: FREQ=NEVER"),
]


@pytest.fixture(autouse=True)
def _language() -> Iterator[None]:
    before = i18n.language()
    yield
    i18n.use_language(before)


@pytest.mark.parametrize(("rule", "english", "romanian"), WORDS)
def test_a_rule_in_words(rule: str, english: str, romanian: str) -> None:
    for code, words in (("en", english), ("ro", romanian)):
        i18n.use_language(code)
        assert summary(rule, START, ZONE, Formats(code, ZONE)) == words
