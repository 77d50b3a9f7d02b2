"""The rows of factors, and a passkey that needs no browser."""

from uuid import UUID

from sqlalchemy import Connection, Row, insert, select
from uuid_utils.compat import uuid7

from authsvc import clock
from authsvc.factors.model import Passkey, RecoveryCode, Totp
from tests.support.people import Person
from tests.support.responses import claims


def totp_rows(connection: Connection) -> list[Row]:
    """Return the rows of all TOTP secrets."""
    return list(connection.execute(select(Totp.__table__)))


def recovery_code_rows(connection: Connection) -> list[Row]:
    """Return the rows of all recovery codes, oldest first."""
    return list(connection.execute(select(RecoveryCode.__table__).order_by(RecoveryCode.id)))


def insert_passkey(connection: Connection, person: Person, name: str = "a laptop") -> UUID:
    """Give a person who is logged in a passkey that no key belongs to, and return its id."""
    id = uuid7()
    row = {
        "id": id,
        "user_id": UUID(str(claims(person.access_token)["sub"])),
        "credential_id": id.bytes,
        "public_key": b"",
        "sign_count": 0,
        "synced": True,
        "name": name,
        "created_at": clock.now(),
        "last_used_at": None,
    }
    connection.execute(insert(Passkey), row)
    return id
