"""An empty SQLite database with every table, made once: a copy costs less than the migrations."""

from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

from authsvc.database import schema


@cache
def migrated_file() -> bytes:
    """Return what the file holds after all migrations."""
    with TemporaryDirectory() as folder:
        file = Path(folder) / "authsvc.db"
        schema.upgrade(f"sqlite:///{file}")
        return file.read_bytes()
