"""Answers in XML that grow without end, or that name files of this computer."""

from __future__ import annotations

import contextlib
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from exchangelib.errors import EWSError
from lxml import etree

from desktop_crm.sync import find_servers
from desktop_crm.sync.dav import client
from desktop_crm.sync.exchange import calls, discovery

_SOAP = '<s:Envelope xmlns:s="http://schemas.xmlsoap.org/soap/envelope/"><s:Body>%s</s:Body></s:Envelope>'
_GROWING = "".join(f'<!ENTITY e{n} "{f"&e{n - 1};" * 10}">' for n in range(1, 10))
BOMB = f'<!DOCTYPE x [<!ENTITY e0 "{"boom" * 10}">{_GROWING}]>'
PARSERS = [client._PARSER, find_servers._PARSER, discovery._PARSER]


def soap(prolog: str, inner: str) -> str:
    """Everything an answer of Exchange says in the end."""
    response: Any = SimpleNamespace(content=(prolog + _SOAP % inner).encode())
    _, body = calls._Complete._get_soap_parts(response)
    return "".join(str(etree.tostring(body, encoding="unicode")))


@pytest.mark.parametrize("inner", ["<t a='&e8;'/>", "<t>&e8;</t>"])
def test_entities_within_entities_do_not_grow(inner: str) -> None:
    resource = pytest.importorskip("resource", reason="no such limits on this system")
    before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    for parser in PARSERS:
        with pytest.raises(etree.XMLSyntaxError):
            etree.fromstring(f"{BOMB}<x>{inner}</x>".encode(), parser)
    with contextlib.suppress(EWSError):
        assert len(soap(BOMB, inner)) < 10_000
    unit = 1024 if sys.platform == "linux" else 1
    assert (resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * unit < 100_000_000


def test_no_file_of_this_computer_is_read(tmp_path: Path) -> None:
    (tmp_path / "secret").write_text("Zqxjvwk")
    entity = f'<!DOCTYPE x [<!ENTITY e SYSTEM "{(tmp_path / "secret").as_uri()}">]>'
    for parser in PARSERS:
        root = etree.fromstring(f"{entity}<x>&e;</x>".encode(), parser)
        assert "Zqxjvwk" not in "".join(str(text) for text in root.itertext())
    for damage in ("", "\x01"):
        assert "Zqxjvwk" not in soap(entity, f"<t>&e;{damage}</t>").replace(entity, "")
