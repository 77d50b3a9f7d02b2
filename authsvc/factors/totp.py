"""One-time codes of an authenticator app (TOTP, RFC 6238): SHA-1, six digits, thirty seconds."""

import logging
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select, update

from authsvc.factors.encryption import SecretBox
from authsvc.factors.model import Totp

if TYPE_CHECKING:
    from pyotp import TOTP

WINDOW = 1
"""Time steps before and after the current one whose codes are accepted (RFC 6238 section 5.2)."""

_log = logging.getLogger(__name__)

_LOST_KEY = (
    "The TOTP secret of user %s cannot be decrypted, so the account's codes are refused: set "
    "AUTHSVC_FACTOR_SECRET, or AUTHSVC_FACTOR_SECRET_PREVIOUS, to the secret that encrypted it."
)


def begin(connection: Connection, box: SecretBox, user_id: UUID, now: datetime) -> str | None:
    """Store a new secret that waits for its first code, and return it as base32.

    An earlier secret that still waits is replaced. None if the account has a confirmed one.

    Args:
        connection: in a transaction that has locked the account.
        box: encrypts the secret.
        user_id: the account.
        now: our time.
    """
    from pyotp import random_base32  # imported here: most workers never need it

    if has_totp(connection, user_id):
        return None
    secret = random_base32()
    row = {
        "user_id": user_id,
        "secret": box.encrypt(secret),
        "created_at": now,
        "confirmed_at": None,
        "last_step": 0,
    }
    remove_totp(connection, user_id)
    connection.execute(insert(Totp), row)
    return secret


def confirm(
    connection: Connection, box: SecretBox, user_id: UUID, code: str, now: datetime
) -> bool:
    """Put the waiting secret into force, if this is a code of it, and return whether it is."""
    step = _matching_step(connection, box, user_id, code, now)
    if step is None:
        return False
    confirmed = connection.execute(
        update(Totp)
        .where(Totp.user_id == user_id, Totp.confirmed_at.is_(None))
        .values(confirmed_at=now, last_step=step)
        .returning(Totp.user_id)
    )
    return confirmed.one_or_none() is not None


def use_totp(
    connection: Connection, box: SecretBox, user_id: UUID, code: str, now: datetime
) -> bool:
    """Accept a code, and return whether this call did: it is right, and newer than the last one.

    This conditional UPDATE is the check: of two requests with one code, one returns True.

    Args:
        connection: in a transaction.
        box: decrypts the secret.
        user_id: the account.
        code: six digits; spaces are ignored.
        now: our time.
    """
    step = _matching_step(connection, box, user_id, code, now)
    if step is None:
        return False
    used = connection.execute(
        update(Totp)
        .where(Totp.user_id == user_id, Totp.confirmed_at.is_not(None), Totp.last_step < step)
        .values(last_step=step)
        .returning(Totp.user_id)
    )
    return used.one_or_none() is not None


def has_totp(connection: Connection, user_id: UUID) -> bool:
    """Return whether the account has a confirmed secret."""
    return totp_since(connection, user_id) is not None


def totp_since(connection: Connection, user_id: UUID) -> datetime | None:
    """Return when the account's secret was confirmed; None if it has no confirmed one."""
    query = select(Totp.confirmed_at).where(Totp.user_id == user_id)
    return connection.execute(query).scalar_one_or_none()


def waits(connection: Connection, user_id: UUID) -> bool:
    """Return whether the account has a secret that waits for its first code."""
    query = select(Totp.user_id).where(Totp.user_id == user_id, Totp.confirmed_at.is_(None))
    return connection.execute(query).one_or_none() is not None


def remove_totp(connection: Connection, user_id: UUID) -> bool:
    """Remove the secret, confirmed or not, and return whether there was one."""
    removed = connection.execute(
        delete(Totp).where(Totp.user_id == user_id).returning(Totp.user_id)
    )
    return removed.one_or_none() is not None


def totp_of(secret: str) -> "TOTP":
    """Return the library's object for a secret."""
    from pyotp import TOTP  # imported here: most workers never need it

    return TOTP(secret)


def _matching_step(
    connection: Connection, box: SecretBox, user_id: UUID, code: str, now: datetime
) -> int | None:
    """Return the time step of which this is the code; None if there is none near our time."""
    stored = connection.execute(select(Totp.secret).where(Totp.user_id == user_id))
    encrypted = stored.scalar_one_or_none()
    if encrypted is None:
        return None
    secret = box.decrypt(encrypted)
    if secret is None:
        _log.error(_LOST_KEY, user_id)
        return None
    from pyotp import OTPVerificationError  # imported here: most workers never need it

    digits = "".join(code.split())
    try:
        return totp_of(secret).verify_and_get_timecode(
            digits, for_time=now.timestamp(), valid_window=WINDOW
        )
    except OTPVerificationError:
        return None
