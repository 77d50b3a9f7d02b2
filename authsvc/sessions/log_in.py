"""Log in: by a password, with a second factor if the account has one, or by a passkey."""

from sqlalchemy import Connection

from authsvc import clock
from authsvc.factors.passkeys import ProvenPasskey, use_passkey
from authsvc.factors.second_factor import Factors, Given, use_second_factor
from authsvc.sessions.open import Authentication, Opened, open_session
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens.amr import PASSWORD, combined
from authsvc.users.authentication import Authenticated, lock_enabled, recheck_and_lock
from authsvc.web.client import Client


def open_by_password(
    tokens: SessionTokens,
    factors: Factors,
    user: Authenticated,
    given: Given,
    client: Client,
    replaced: list[str],
) -> Opened:
    """Open a session for a user who gave the right password, and a second factor if one exists.

    Args:
        tokens: issues the two tokens.
        factors: what the second factor is verified with.
        user: the user, whose password was verified a moment ago.
        given: the second factor that came with the request.
        client: the address and browser of the request, and the key to bind the session to.
        replaced: see `open_session`.

    Raises:
        InvalidCredentials: the account was changed while its password was being verified.
        SecondFactorRequired, FactorRefused: see `use_second_factor`.
        AccessClaimsFailed: the operator's function gave no claims.
    """

    def authenticate(connection: Connection) -> Authentication:
        roles = recheck_and_lock(connection, user)
        now = clock.now()  # after the lock, so that waiting for it takes nothing off the tokens
        second = use_second_factor(connection, factors, user.id, given, client, now)
        return Authentication(roles, combined(PASSWORD, second), now)

    return open_session(tokens, user.id, authenticate, client, replaced)


def open_by_passkey(
    tokens: SessionTokens, proven: ProvenPasskey, client: Client, replaced: list[str]
) -> Opened:
    """Open a session for the owner of a passkey, which is two factors by itself.

    Args:
        tokens: issues the two tokens.
        proven: the passkey, which has signed a challenge.
        client, replaced: as in `open_by_password`.

    Raises:
        InvalidCredentials: the account was disabled or deleted.
        FactorRefused: see `use_passkey`.
        AccessClaimsFailed: the operator's function gave no claims.
    """

    def authenticate(connection: Connection) -> Authentication:
        roles = lock_enabled(connection, proven.user_id)
        now = clock.now()  # after the lock, as above
        return Authentication(roles, use_passkey(connection, proven, proven.user_id, now), now)

    return open_session(tokens, proven.user_id, authenticate, client, replaced)
