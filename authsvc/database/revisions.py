"""The revisions of the schema, read from the files of the migrations without importing Alembic.

The service looks at each start whether its database is up to date. Alembic, which takes longer to
import than SQLAlchemy, is needed only where it is not.
"""

import re
from collections.abc import Iterator
from pathlib import Path

MIGRATIONS = Path(__file__).parent.parent / "migrations"

_REVISION = re.compile(r"^revision = ['\"](\w+)['\"]$", re.MULTILINE)
_BEFORE = re.compile(r"^down_revision = ['\"](\w+)['\"]$", re.MULTILINE)


def revisions(migrations: Path = MIGRATIONS) -> frozenset[str]:
    """Return the ids of the revisions that this code knows."""
    return frozenset(_matches(_REVISION, migrations))


def newest(migrations: Path = MIGRATIONS) -> str:
    """Return the revision that this code needs: the only one that no other comes after."""
    [revision] = revisions(migrations) - set(_matches(_BEFORE, migrations))
    return revision


def _matches(pattern: re.Pattern[str], migrations: Path) -> Iterator[str]:
    for file in (migrations / "versions").glob("*.py"):
        yield from pattern.findall(file.read_text(encoding="utf-8"))
