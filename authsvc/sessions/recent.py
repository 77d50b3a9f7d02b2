"""Demand a recent authentication for a sensitive change, with a second factor if there is one."""

from datetime import datetime, timedelta

from sqlalchemy import Connection

from authsvc.factors.lookup import second_factors
from authsvc.guard.step_up import MAX_AGE
from authsvc.problems import AccessTokenRevoked, ReauthenticationRequired
from authsvc.sessions.lookup import lock_in_force
from authsvc.tokens.amr import PASSWORD, Amr, acr_of
from authsvc.tokens.claims import Claims


def demand_recent_login(
    connection: Connection, access_token: Claims, now: datetime, *, has_password: bool = False
) -> Amr:
    """Demand that the user authenticated lately, with a second factor if the account has one.

    The session's row is what counts: the access token may be older than a reauthentication. This
    locks the account until the commit, so that meanwhile no factor is added, and no new password
    revokes the session.

    Args:
        connection: in the transaction of the change.
        access_token: the claims of the request's access token.
        now: our time.
        has_password: whether the request gave the right password, which is enough if the account
            has no second factor.

    Returns:
        How the user of the session authenticated; by the password, if that is enough.

    Raises:
        AccessTokenRevoked: the session has ended.
        ReauthenticationRequired: the user must authenticate again.
    """
    session = lock_in_force(connection, access_token.sid, access_token.sub)
    if session is None:
        raise AccessTokenRevoked
    is_recent = now - session.auth_time <= timedelta(seconds=MAX_AGE)
    if second_factors(connection, access_token.sub).exist:
        if not is_recent or acr_of(session.amr) != "aal2":
            raise ReauthenticationRequired(MAX_AGE, "aal2")
    elif has_password:
        return PASSWORD  # and not by a factor that the account has no more
    elif not is_recent:
        raise ReauthenticationRequired(MAX_AGE)
    return session.amr
