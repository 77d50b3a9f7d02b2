"""A service with real argon2, and people with accounts who log in at the same time."""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from uuid import uuid4

from sqlalchemy import NullPool, create_engine, insert

from authsvc.users.model import User
from authsvc.users.passwords import Passwords
from tests.support.running_service import Service, new_database, serving

PASSWORD = "a horse that is correct"


@contextmanager
def serving_people(folder: Path, server: str, people: int) -> Iterator[Service]:
    """Run two workers with an account for each of the people; limits are not multiplied."""
    url = new_database(folder)
    row = {"password_hash": Passwords(15).hash(PASSWORD), "created_at": datetime.now(UTC)}
    rows = [{"id": uuid4(), "email": email(n), "email_key": email(n), **row} for n in range(people)]
    with create_engine(url, poolclass=NullPool).begin() as connection:
        connection.execute(insert(User), rows)
    with serving(url, folder / "output", server=server, workers=2) as service:
        yield service


def email(number: int) -> str:
    return f"person-{number}@example.com"
