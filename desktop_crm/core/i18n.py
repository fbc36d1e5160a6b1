"""Translation of every text a person sees, without Qt.

Windows, command line and printed documents read one catalogue: gettext ``.po`` files in
``resources/i18n``. A document is written in its customer's language while the window speaks the
user's, so :func:`translate` takes the language and :func:`tr` uses the one in force.
"""

from __future__ import annotations

import gettext
import hashlib
import locale
import os
import threading
from functools import lru_cache
from typing import Final

from desktop_crm.core import paths

LANGUAGES: Final = {"en": "English", "ro": "Română"}
"""Languages the product speaks: code to the name that its speakers use."""

SOURCE_LANGUAGE: Final = "en"

_current: str = SOURCE_LANGUAGE


def N_(text: str) -> str:  # noqa: N802  gettext's own name for "mark only"
    """Mark a text for the catalogue and return it unchanged."""
    return text


def system_language() -> str:
    """Language of the operating system's session, or English when the product lacks it."""
    name = (
        os.environ.get("LC_ALL")
        or os.environ.get("LC_MESSAGES")
        or os.environ.get("LANG")
        or locale.getlocale()[0]
        or ""
    )
    code = name.partition("_")[0].partition(".")[0].lower()
    return code if code in LANGUAGES else SOURCE_LANGUAGE


def use_language(code: str) -> None:
    """Set the language of the user's interface; ``system`` follows the operating system."""
    global _current  # noqa: PLW0603  one interface, one language
    _current = system_language() if code == "system" else code
    if _current not in LANGUAGES:
        _current = SOURCE_LANGUAGE


def language() -> str:
    """Code of the interface language in force."""
    return _current


def tr(text: str, /, **params: object) -> str:
    """Translate into the interface language and fill in the parameters."""
    return translate(_current, text, **params)


def ntr(singular: str, plural: str, n: int, /, **params: object) -> str:
    """Translate a text that counts; ``{n}`` is the number, in the plural form it asks for."""
    catalogue = _catalogue(_current)
    text = catalogue.ngettext(singular, plural, n)
    return text.format(n=n, **params)


def translate(code: str, text: str, /, **params: object) -> str:
    """Translate into a given language, falling back to the English text."""
    found = _catalogue(code).gettext(text) if text else ""
    if not params:
        return found
    shown = {k: str(v) if isinstance(v, Exception) else v for k, v in params.items()}
    return found.format(**shown)


@lru_cache(maxsize=8)
def _catalogue(code: str) -> gettext.NullTranslations:
    source = paths.resource("i18n", f"{code}.po")
    if code == SOURCE_LANGUAGE or not source.is_file():
        return gettext.NullTranslations()
    content = source.read_bytes()
    digest = hashlib.sha256(content).hexdigest()[:16]
    compiled = paths.cache_dir() / f"{code}-{digest}.mo"
    if not compiled.is_file():
        _compile(content, compiled)
    with compiled.open("rb") as stream:
        return gettext.GNUTranslations(stream)


def _compile(content: bytes, target: os.PathLike[str]) -> None:
    # Babel is needed only the first time a catalogue is seen, so it is imported here.
    import io

    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    catalogue = read_po(io.BytesIO(content))
    # Several threads may see it for the first time at once.
    draft = f"{os.fspath(target)}.{os.getpid()}.{threading.get_ident()}"
    with open(draft, "wb") as stream:
        write_mo(stream, catalogue)
    os.replace(draft, target)
