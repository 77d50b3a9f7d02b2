"""Show the second factors of an account, and remove them for an owner who has lost them."""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, delete, select

from authsvc import clock
from authsvc.admin.lookup import account_of, lock_account
from authsvc.audit.operator import current_operator
from authsvc.audit.record import Event, record
from authsvc.database import reading, transaction
from authsvc.factors.model import Passkey, RecoveryCode, Totp
from authsvc.factors.news import tell
from authsvc.factors.passkey_list import RegisteredPasskey, list_passkeys
from authsvc.factors.recovery_codes import codes_left
from authsvc.factors.second_factor import Factors
from authsvc.mail.outbox import Outbox
from authsvc.web import registry


@dataclass(frozen=True)
class AuthenticatorApp:
    """The TOTP secret of an account.

    Args:
        created_at: when it was made.
        confirmed_at: when its first code put it into force; None if it still waits for that.
        can_be_decrypted: whether the configured secrets decrypt it. If not, its codes are refused.
    """

    created_at: datetime
    confirmed_at: datetime | None
    can_be_decrypted: bool


@dataclass(frozen=True)
class AccountFactors:
    """What an account has besides its password.

    Args:
        app: the authenticator app.
        codes_left: the number of recovery codes that were not used.
        passkeys: oldest first.
    """

    app: AuthenticatorApp | None
    codes_left: int
    passkeys: list[RegisteredPasskey]

    @property
    def exist(self) -> bool:
        """Whether a login needs more than the password."""
        confirmed = self.app is not None and self.app.confirmed_at is not None
        return confirmed or bool(self.passkeys)


@dataclass(frozen=True)
class Removed:
    """How many rows of each kind were removed.

    Args:
        apps: authenticator apps that were in force: 0 or 1.
        waiting_apps: those that waited for their first code: 0 or 1.
        passkeys: the number of passkeys.
        codes: recovery codes that were not used.
    """

    apps: int
    waiting_apps: int
    passkeys: int
    codes: int


def factors_of(email: str) -> AccountFactors:
    """Return the second factors of an account.

    Raises:
        NotFound: there is no such account.
    """
    user_id = account_of(email).id
    with reading() as connection:
        return _factors(connection, user_id)


def reset_factors(email: str) -> Removed:
    """Remove the authenticator app, the recovery codes and the passkeys of an account.

    The sessions stay, with the methods by which they were opened. Where mail is configured, the
    owner gets a mail if a factor was removed.

    Raises:
        NotFound: there is no such account.
    """
    user_id, outbox = account_of(email).id, registry.get(Outbox)

    def remove(connection: Connection) -> Removed:
        lock_account(connection, user_id)
        removed = _remove(connection, user_id)
        kinds = ["totp"] * removed.apps + ["passkey"] * removed.passkeys
        events = [Event("factor_removed", user_id, detail=kind) for kind in kinds]
        if events:
            record(connection, current_operator(), *events, at=clock.now())
            tell(connection, outbox, "factor_removed", user_id, {"factor": "all"})
        return removed

    removed = transaction(remove)
    outbox.wake()
    return removed


def _factors(connection: Connection, user_id: UUID) -> AccountFactors:
    query = select(Totp.created_at, Totp.confirmed_at, Totp.secret).where(Totp.user_id == user_id)
    row, app = connection.execute(query).one_or_none(), None
    if row is not None:
        is_readable = registry.get(Factors).box.decrypt(row.secret) is not None
        app = AuthenticatorApp(row.created_at, row.confirmed_at, is_readable)
    left = codes_left(connection, user_id)
    return AccountFactors(app, left, list_passkeys(connection, user_id))


def _remove(connection: Connection, user_id: UUID) -> Removed:
    totp = delete(Totp).where(Totp.user_id == user_id).returning(Totp.confirmed_at)
    passkeys = delete(Passkey).where(Passkey.user_id == user_id).returning(Passkey.id)
    codes = (
        delete(RecoveryCode).where(RecoveryCode.user_id == user_id).returning(RecoveryCode.used_at)
    )
    confirmed = [at is not None for at in connection.execute(totp).scalars()]
    return Removed(
        apps=confirmed.count(True),
        waiting_apps=confirmed.count(False),
        passkeys=len(connection.execute(passkeys).all()),
        codes=sum(used_at is None for used_at in connection.execute(codes).scalars()),
    )
