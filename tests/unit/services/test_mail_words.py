"""What of a message is quoted, what text speaks of attachments, how templates are filled."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from desktop_crm.core.errors import UserError
from desktop_crm.services.mail import checks as mail_checks
from desktop_crm.services.mail import templates as mail_templates
from desktop_crm.services.mail.quotes import own_html, own_text

if TYPE_CHECKING:
    from collections.abc import Mapping

OWN = "Thank you, we take the offer as it is."


@pytest.mark.parametrize(
    "tail",
    [
        "\n\nOn 3 March 2026, Claire wrote:\n> Dear all",
        "\n\nLa 3 martie 2026, Claire a scris:\n> Bună",
        "\n> one line",
        "\n-----Original Message-----\nFrom: x",
    ],
)
def test_quoted_text_is_found(tail: str) -> None:
    assert own_text(OWN + tail) == OWN


def test_a_message_that_is_all_quotation_is_shown_whole() -> None:
    assert own_text("> only\n> quoted") == "> only\n> quoted"
    assert own_html("<blockquote>x</blockquote>") == "<blockquote>x</blockquote>"
    assert own_html(f"<p>{OWN}</p><blockquote>x</blockquote>") == f"<p>{OWN}</p>"


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("See the attached plan", True),
        ("Contractul este atașat", True),
        ("Găsiți ataşamentul", True),
        ("V-am anexat oferta", True),
        ("We are attached to you", True),
        ("A short note", False),
        ("tașat", False),
    ],
)
def test_what_speaks_of_an_attachment(text: str, named: bool) -> None:
    assert mail_checks.names_attachment(text) is named


@pytest.fixture
def values() -> Mapping[str, object]:
    return {"contact": mail_templates._Record("contact", {"first_name": "Ana", "phone": ""})}


def test_missing_values_are_visible_gaps(values: Mapping[str, object]) -> None:
    text = mail_templates.fill(
        "{{ contact.first_name }} {{ contact.phone }} {{ account.owner.name }}", values
    )
    assert text == "Ana ⟦contact.phone⟧ ⟦account.owner.name⟧"
    assert mail_templates.gaps(text) == ["contact.phone", "account.owner.name"]
    assert mail_templates.fill("{% if contact.phone %}x{% else %}-{% endif %}", values) == "-"


@pytest.mark.parametrize(
    "text",
    [
        "{{ contact.first_name",
        "{% for n in range(999999999) %}x{% endfor %}",
        "{{ today + 1 }}",
        "{{ ''.__class__.__mro__[1].__subclasses__()[0]() }}",
    ],
)
def test_a_template_with_a_mistake_is_refused(text: str, values: Mapping[str, object]) -> None:
    with pytest.raises(UserError, match="Nothing was filled in"):
        mail_templates.fill(text, {**values, "today": "x"})


def test_a_template_reads_texts_and_nothing_else(values: Mapping[str, object]) -> None:
    filled = mail_templates.fill("{{ contact.__class__ }}{{ contact._texts }}", values)
    assert "class '" not in filled
    assert "Ana" not in filled


@pytest.mark.parametrize(
    "text",
    [
        "{{ 'a' * 3000000000 }}",
        "{{ '%999999999d' % 1 }}",
        "{{ '{:>999999999}'.format(1) }}",
        "{{ 'a'.ljust(999999999) }}",
        "{{ 10 ** 99999999 }}",
        "{{ lipsum(n=1000000) }}",
        "{{ contact.first_name|center(999999999) }}",
        "{{ ('a' * 1000)|wordwrap(1)|indent(100000) }}",
        "{{ 'a'|replace('a', 'aaaaaaaaaa')|replace('a', 'aaaaaaaaaa') }}",
        "{% for a in 'ab' %}{% for b in 'ab' %}x{% endfor %}{% endfor %}",
        "{% set x = 'a' %}{% set x = x ~ x %}{{ x }}",
        "{% with x = 'a' %}{{ x ~ x }}{% endwith %}",
        "{% macro again() %}{{ again() }}{% endmacro %}{{ again() }}",
        "{% include 'other' %}",
        "{{ contact|attr('_texts') }}",
        "{{ cycler.__init__.__globals__ }}" + "{{ joiner() }}",
        "{{ " + "(" * 5000 + "1" + ")" * 5000 + " }}",
    ],
)
def test_a_template_that_would_grow_or_run_without_end_is_refused(
    text: str, values: Mapping[str, object]
) -> None:
    with pytest.raises(UserError, match="Nothing was filled in"):
        mail_templates.fill(text, values)


def test_words_for_texts_and_conditions_are_said(values: Mapping[str, object]) -> None:
    text = (
        "{{ contact.first_name.split('n')[0]|upper }}{{ contact.phone|default('none', true) }}"
        "{% if contact.first_name == 'Ana' and not contact.phone %}!{% else %}?{% endif %}"
        "{{ 'x' ~ contact.first_name[:2] if contact.first_name is defined }}"
    )
    assert mail_templates.fill(text, values) == "Anone!xAn"
