"""List the passkeys of an account."""

from dataclasses import dataclass, field
from uuid import UUID

from sqlalchemy import Connection, select

from authsvc.factors.model import Passkey
from authsvc.web.outputs import Instant


@dataclass(frozen=True)
class RegisteredPasskey:
    """A passkey as the API shows it to its owner.

    Args:
        id: the id by which it can be removed.
        name: as its owner called it.
        created_at: when it was registered.
        last_used_at: when it last authenticated its owner; null before the first time.
        synced: whether it may be copied to other devices of its owner.
    """

    id: UUID
    name: str = field(metadata={"examples": ["Alice's laptop"]})
    created_at: Instant
    last_used_at: Instant | None
    synced: bool


def list_passkeys(connection: Connection, user_id: UUID) -> list[RegisteredPasskey]:
    """Return the passkeys of an account, oldest first."""
    columns = (
        Passkey.id,
        Passkey.name,
        Passkey.created_at,
        Passkey.last_used_at,
        Passkey.synced,
    )
    rows = connection.execute(
        select(*columns).where(Passkey.user_id == user_id).order_by(Passkey.id)
    )
    return [RegisteredPasskey(*row) for row in rows]
