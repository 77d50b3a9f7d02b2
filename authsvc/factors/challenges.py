"""Challenges of passkey ceremonies: issued without being stored, and each used once."""

import hmac
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Literal
from uuid import UUID, uuid4

from sqlalchemy import Connection, bindparam, delete, select, text

from authsvc.database import UTCDateTime
from authsvc.factors.model import UsedChallenge

Purpose = Literal["register", "authenticate"]

LIFE = timedelta(minutes=5)
"""How long a person may take for a ceremony."""

KEPT = timedelta(minutes=10)
"""How long a used challenge is kept after it expired, in case that a clock is set back."""

SWEEP = 2
"""Expired rows removed for each that is added, so that the table cannot grow for ever."""

_ID, _TIME, _MAC = 16, 8, 16
"""Bytes of the parts of a challenge."""


class ChallengeInvalid(Exception):
    """The challenge is not one of ours for this purpose, or it has expired."""


@dataclass(frozen=True)
class Challenge:
    """A challenge that was issued and has not expired. It may have been used.

    Args:
        id: its random part.
        expires_at: when it expires.
    """

    id: UUID
    expires_at: datetime


class Challenges:
    """Issues challenges, and recognizes those that any worker issued, also before a restart.

    A challenge is 128 random bits, the time when it expires, and an HMAC of both with its purpose.

    Args:
        secrets: the current secret, then those that it replaced.
    """

    def __init__(self, *secrets: bytes) -> None:
        self._keys = [
            hmac.digest(secret, b"authsvc passkey challenges", "sha256") for secret in secrets
        ]

    def issue(self, purpose: Purpose, now: datetime, user_id: UUID | None = None) -> bytes:
        """Return a new challenge.

        Args:
            purpose: what it is for.
            now: our time.
            user_id: the account that it is for, if that is known.
        """
        expires_at = int((now + LIFE).timestamp())
        payload = uuid4().bytes + expires_at.to_bytes(_TIME, "big")
        return payload + _mac(self._keys[0], purpose, user_id, payload)

    def recognize(
        self, challenge: bytes, purpose: Purpose, now: datetime, user_id: UUID | None = None
    ) -> Challenge:
        """Return a challenge that was issued for this purpose and account.

        Raises:
            ChallengeInvalid: it was not, or it has expired.
        """
        payload, mac = challenge[: _ID + _TIME], challenge[_ID + _TIME :]
        expected = [_mac(key, purpose, user_id, payload) for key in self._keys]
        if len(payload) < _ID + _TIME or not any(hmac.compare_digest(mac, one) for one in expected):
            raise ChallengeInvalid
        expires_at = datetime.fromtimestamp(int.from_bytes(payload[_ID:], "big"), UTC)
        if now >= expires_at:
            raise ChallengeInvalid
        return Challenge(UUID(bytes=payload[:_ID]), expires_at)


def use(connection: Connection, challenge: Challenge) -> bool:
    """Mark a challenge as used, and return whether this call did: it was not used before.

    This conditional INSERT is the check: of two requests with one challenge, one returns True.
    """
    row = {"id": challenge.id, "expires_at": challenge.expires_at}
    is_used = connection.execute(_USE, row).one_or_none() is not None
    _sweep(connection, challenge.expires_at - LIFE - KEPT)
    return is_used


# As text, which both databases read alike: SQLAlchemy has an ON CONFLICT of its own for each.
_USE = (
    text(
        "INSERT INTO used_challenges (id, expires_at) VALUES (:id, :expires_at) "
        "ON CONFLICT (id) DO NOTHING RETURNING id"
    )
    .bindparams(
        bindparam("id", type_=UsedChallenge.id.type),
        bindparam("expires_at", type_=UTCDateTime),
    )
    .columns(UsedChallenge.id)
)


def _sweep(connection: Connection, before: datetime) -> None:
    """Remove some challenges that expired before that time."""
    expired = (
        select(UsedChallenge.id)
        .where(UsedChallenge.expires_at < before)
        .limit(SWEEP)
        .with_for_update(skip_locked=True)
        .cte()  # evaluated once: Postgres may evaluate a subquery, and its LIMIT, for each row
    )
    connection.execute(delete(UsedChallenge).where(UsedChallenge.id.in_(select(expired.c.id))))


def _mac(key: bytes, purpose: Purpose, user_id: UUID | None, payload: bytes) -> bytes:
    whose = b"" if user_id is None else user_id.bytes
    return hmac.digest(key, f"{purpose}:".encode() + payload + whose, "sha256")[:_MAC]
