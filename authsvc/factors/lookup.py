"""Look up which second factors an account has."""

from typing import NamedTuple
from uuid import UUID

from sqlalchemy import ColumnElement, Connection, Exists, bindparam, exists, select

from authsvc.database.compiled import Query
from authsvc.factors.model import Passkey, RecoveryCode, Totp
from authsvc.problems import FactorMethod


class SecondFactors(NamedTuple):
    """What an account has besides its password."""

    totp: bool
    passkey: bool
    recovery_code: bool

    @property
    def exist(self) -> bool:
        """Whether the password alone is not enough. Recovery codes stand in for another factor."""
        return self.totp or self.passkey

    def methods(self) -> list[FactorMethod]:
        """Return what a person can give, in the order in which a page offers it."""
        order: tuple[FactorMethod, ...] = ("totp", "recovery_code", "passkey")
        return [method for method in order if getattr(self, method)]


def second_factors(connection: Connection, user_id: UUID) -> SecondFactors:
    """Return the second factors of an account, by one SELECT.

    A row that cannot be decrypted counts too: without its key, a login by password alone fails.
    """
    [found] = _FACTORS.all(connection, user_id=user_id)
    return found


def _exist(table: type[Totp | Passkey | RecoveryCode], *which: ColumnElement[bool]) -> Exists:
    return exists().where(table.user_id == bindparam("user_id"), *which)


_FACTORS = Query(
    select(
        _exist(Totp, Totp.confirmed_at.is_not(None)),
        _exist(Passkey),
        _exist(RecoveryCode, RecoveryCode.used_at.is_(None)),
    ),
    SecondFactors,
)
