"""Recovery codes: each lets a person who lost the other factors log in once."""

import base64
import hashlib
import secrets
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, func, insert, select, update
from uuid_utils.compat import uuid7

from authsvc.factors.model import RecoveryCode

CODES = 10
_LENGTH = 25
"""Characters of base32: 125 random bits."""
_GROUP = 5


def replace_codes(connection: Connection, user_id: UUID) -> list[str]:
    """Store new recovery codes for the account in place of all older ones, and return them.

    This is the only time that they are known: the rows have their hashes.
    """
    remove_codes(connection, user_id)
    codes = [_new_code() for _ in range(CODES)]
    rows = [
        {"id": uuid7(), "user_id": user_id, "code_hash": _hash(code), "used_at": None}
        for code in codes
    ]
    connection.execute(insert(RecoveryCode), rows)
    return codes


def use_code(connection: Connection, user_id: UUID, code: str, now: datetime) -> bool:
    """Mark a code as used, and return whether this call did: it exists and was not used before.

    This conditional UPDATE is the check: of two requests with one code, one returns True.

    Args:
        connection: in a transaction.
        user_id: the account.
        code: in any case, with or without its groups.
        now: our time.
    """
    used = connection.execute(
        update(RecoveryCode)
        .where(
            RecoveryCode.user_id == user_id,
            RecoveryCode.code_hash == _hash(code),
            RecoveryCode.used_at.is_(None),
        )
        .values(used_at=now)
        .returning(RecoveryCode.id)
    )
    return used.first() is not None


def codes_left(connection: Connection, user_id: UUID) -> int:
    """Return how many codes of the account were not used."""
    unused = select(func.count()).where(
        RecoveryCode.user_id == user_id, RecoveryCode.used_at.is_(None)
    )
    return connection.execute(unused).scalar_one()


def remove_codes(connection: Connection, user_id: UUID) -> None:
    """Remove the codes of the account."""
    connection.execute(delete(RecoveryCode).where(RecoveryCode.user_id == user_id))


def _new_code() -> str:
    text = base64.b32encode(secrets.token_bytes(16)).decode()[:_LENGTH]
    return "-".join(text[start : start + _GROUP] for start in range(0, _LENGTH, _GROUP))


def _hash(code: str) -> bytes:
    """Return the SHA-256 of a code. It has 125 random bits, so a slow hash adds nothing."""
    plain = "".join(character for character in code if character.isalnum()).upper()
    return hashlib.sha256(plain.encode()).digest()
