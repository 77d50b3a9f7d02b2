"""GET and DELETE /api/me: who am I, and forget me."""

from flask import after_this_request

from authsvc.audit.record import Event, record
from authsvc.database import writing
from authsvc.guard.access_token import current_access_token
from authsvc.guard.refresh_cookie import COOKIE_CLEARED, clear_refresh_cookie
from authsvc.problems import AccessTokenRevoked, RateLimited, WrongPassword
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.revoke import make_nameless
from authsvc.users import accounts, authentication
from authsvc.users.passwords import Password, Passwords
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import answers
from authsvc.web.registry import component


class Confirmation(Body):
    """That the person is there.

    Args:
        password: the account's.
    """

    password: Password


@answers(200)
def show() -> accounts.Account:
    """Show the account whose access token this is."""
    account = accounts.find(current_access_token().sub)
    if account is None:
        raise AccessTokenRevoked
    return account


@takes(Confirmation)
@answers(204, headers=COOKIE_CLEARED, may=[WrongPassword, RateLimited])
def delete(body: Confirmation) -> None:
    """Delete the account, its sessions and its data, for good."""
    user_id = current_access_token().sub
    with component(Passwords).admitted(), component(Throttle).password(user_id):
        confirmed = authentication.confirm_password(user_id, body.password)
    with writing() as connection:
        authentication.hold(connection, user_id, confirmed)
        make_nameless(connection, user_id)
        accounts.remove(connection, user_id)
        record(connection, Event("account_deleted", user_id=None))
    after_this_request(clear_refresh_cookie)
