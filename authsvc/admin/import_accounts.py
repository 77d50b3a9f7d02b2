"""Import accounts with the hashes of their passwords."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import IO, Any
from uuid import UUID

from sqlalchemy import Connection, insert, select
from sqlalchemy.exc import IntegrityError
from uuid_utils.compat import uuid7

from authsvc import clock, roles, signals
from authsvc.audit.operator import current_operator
from authsvc.audit.record import Event, record
from authsvc.database import transaction
from authsvc.users.import_lines import NewAccount, Refused, read
from authsvc.users.model import User

BATCH = 500
"""Lines in one transaction."""


@dataclass(frozen=True)
class Imported:
    """What became of a batch of lines.

    Args:
        accounts: how many accounts were created.
        existing: the numbers of lines whose address has an account.
        refused: the lines that were refused.
    """

    accounts: int
    existing: list[int]
    refused: list[Refused]


def import_accounts(file: IO[bytes]) -> Iterator[Imported]:
    """Import a file, and yield what became of each batch of lines after its commit.

    A batch is one transaction. Accounts that exist stay as they are, so the same file can be
    imported again after an interruption.

    Raises:
        NotAnImport: the file is not an import: see `import_lines.read`.
    """
    lines = read(file)
    while batch := list(islice(lines, BATCH)):
        refused = [line for line in batch if isinstance(line, Refused)]
        existing = _insert([line for line in batch if isinstance(line, NewAccount)])
        yield Imported(len(batch) - len(refused) - len(existing), existing, refused)


def _insert(accounts: list[NewAccount]) -> list[int]:
    """Insert these accounts, and return the lines of those whose address has an account."""
    try:
        new, existing = transaction(lambda connection: _insert_new(connection, accounts))
    except IntegrityError:  # a client registered one of the addresses meanwhile
        new, existing = transaction(lambda connection: _insert_new(connection, accounts))
    for user_id in new:
        signals.send(signals.user_registered, user_id=user_id)
    return existing


def _insert_new(connection: Connection, accounts: list[NewAccount]) -> tuple[list[UUID], list[int]]:
    keys = [account.email_key for account in accounts]
    taken = set(
        connection.execute(select(User.email_key).where(User.email_key.in_(keys))).scalars()
    )
    new: list[NewAccount] = []
    existing: list[NewAccount] = []
    for account in accounts:
        (existing if account.email_key in taken else new).append(account)
        taken.add(account.email_key)
    rows = [_row(account) for account in new]
    if rows:
        connection.execute(insert(User), rows)
        events = (Event("registered", row["id"], detail="imported") for row in rows)
        record(connection, current_operator(), *events)
    return [row["id"] for row in rows], [account.line for account in existing]


def _row(account: NewAccount) -> dict[str, Any]:
    return {
        "id": uuid7(),
        "email": account.email,
        "email_key": account.email_key,
        "email_verified_at": clock.now() if account.verified else None,
        "password_hash": account.password_hash,
        "created_at": account.created_at,
        "roles": roles.join(account.roles),
    }
