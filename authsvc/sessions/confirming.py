"""How a person authenticates again within a session: by the password, or by a second factor."""

from collections.abc import Callable
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection

from authsvc.factors.lookup import second_factors
from authsvc.factors.refused import FactorRefused
from authsvc.factors.second_factor import Factors, Given, use_second_factor
from authsvc.problems import SecondFactorRequired
from authsvc.tokens.amr import PASSWORD, Amr
from authsvc.users.passwords import Passwords
from authsvc.users.stored_password import confirm_password, lock_confirmed
from authsvc.web.client import Client

Authenticate = Callable[[Connection, datetime], Amr]
"""The end of an authentication, in a transaction that has locked the account: it returns the
methods by which the user authenticated, or raises."""


def by_password(passwords: Passwords, user_id: UUID, password: str) -> Authenticate:
    """Verify the password, which is enough only if the account has no second factor.

    Returns:
        What checks in the transaction that it still is; it raises SecondFactorRequired if the
        account has a second factor, and WrongPassword if the password was changed meanwhile.

    Raises:
        WrongPassword: it is not the user's password.
        ServiceUnavailable: too many passwords are being hashed.
    """
    confirmed = confirm_password(passwords, user_id, password)

    def authenticate(connection: Connection, now: datetime) -> Amr:
        lock_confirmed(connection, user_id, confirmed)
        factors = second_factors(connection, user_id)
        if factors.exist:
            # A recovery code stands in for a lost factor at a login, and not for a change.
            usable = factors._replace(recovery_code=False)
            raise SecondFactorRequired(usable.methods())
        return PASSWORD

    return authenticate


def by_factor(factors: Factors, user_id: UUID, given: Given, client: Client) -> Authenticate:
    """Return what uses a code or a passkey in the transaction.

    It raises FactorRefused if the code or the passkey is wrong, or was used before, or if the
    account has no second factor.

    Args:
        factors: what factors are verified with.
        user_id: the account.
        given: the code or the passkey.
        client: where the request came from.
    """

    def authenticate(connection: Connection, now: datetime) -> Amr:
        amr = use_second_factor(connection, factors, user_id, given, client, now)
        if not amr:
            raise FactorRefused("wrong_code")
        return amr

    return authenticate
