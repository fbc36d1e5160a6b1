"""Write the migration that brings the newest schema to what the models say.

``python3 dev.py migration "add competitors"`` compares a scratch database at the newest revision
with the declarations, writes the next script and raises ``HEAD``. Read it before you commit it: a
renamed column looks like one dropped and one added, and a search index is yours to add.
"""

from __future__ import annotations

import re
import sys
import tempfile
from pathlib import Path
from typing import Any, Literal

from alembic.autogenerate import produce_migrations, render_python_code
from alembic.migration import MigrationContext

from desktop_crm.db import migrate
from desktop_crm.meta.types import ExactNumber, UtcDateTime
from desktop_crm.models import Base

VERSIONS = Path(migrate.__file__).with_name("migrations") / "versions"

SCRIPT = """\"\"\"{title}.\"\"\"

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

from desktop_crm.meta import types

revision = "{revision}"
down_revision = "{before}"
branch_labels = None
depends_on = None


def upgrade() -> None:
    \"\"\"Bring the schema up.\"\"\"
{steps}
"""


def main(arguments: list[str]) -> int:
    """Write the script; 1 when nothing has to change or the name is missing."""
    name = " ".join(arguments).strip()
    if not name:
        print('Say what the migration does, for example: dev.py migration "add competitors"')
        return 1
    steps = difference()
    if not steps:
        print("The newest schema is what the models say; nothing was written.")
        return 1
    revision = f"{int(migrate.HEAD) + 1:04d}"
    words = re.sub(r"[^a-z0-9]+", "_", name.lower()).strip("_")
    script = VERSIONS / f"{revision}_{words}.py"
    title = name[0].upper() + name[1:]
    text = SCRIPT.format(title=title, revision=revision, before=migrate.HEAD, steps=steps)
    script.write_text(text, encoding="utf-8")
    code = Path(migrate.__file__)
    source = code.read_text(encoding="utf-8")
    raised = source.replace(f'HEAD: Final = "{migrate.HEAD}"', f'HEAD: Final = "{revision}"')
    code.write_text(raised, encoding="utf-8")
    print(f"{script.name} is written and HEAD is {revision}; read it before you commit it.")
    return 0


def difference() -> str:
    """Steps from the newest revision to the declarations, as the body of a function."""
    with tempfile.TemporaryDirectory() as folder:
        database = migrate.create(str(Path(folder) / "scratch.db"))
        options = {
            "compare_type": True,
            "include_object": _declared,
            "render_item": _rendered,
            "target_metadata": Base.metadata,
            "user_module_prefix": None,
        }
        try:
            with database.reading() as connection:
                context = MigrationContext.configure(connection, opts=options)
                found = produce_migrations(context, Base.metadata).upgrade_ops
                if found is None or found.is_empty():
                    return ""
                code = render_python_code(
                    found, render_item=_rendered, migration_context=context, user_module_prefix=None
                )
        finally:
            database.close()
    lines = [line for line in str(code).splitlines() if not line.strip().startswith("#")]
    return "\n".join(lines)


def _declared(thing: object, name: str | None, kind: str, *_: object) -> bool:
    return "_fts" not in (name or "") and not (name or "").endswith("_trigram")


def _rendered(kind: str, thing: Any, _context: object) -> str | Literal[False]:  # noqa: ANN401  any type
    if kind == "type" and isinstance(thing, ExactNumber):
        return f"types.ExactNumber({thing.scale})"
    if kind == "type" and isinstance(thing, UtcDateTime):
        return "types.UtcDateTime()"
    return False


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
