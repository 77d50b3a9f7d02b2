"""GET and DELETE /api/me: show the account, and delete it."""

from flask import after_this_request
from sqlalchemy import Connection

from authsvc import clock, signals
from authsvc.audit.record import FORGOTTEN_USER, Event, record
from authsvc.guard.access_token import current_access_token
from authsvc.guard.refresh_cookie import COOKIE_CLEARED, RefreshCookie
from authsvc.mail.outbox import Outbox
from authsvc.problems import AccountInUse, RateLimited, ReauthenticationRequired, WrongPassword
from authsvc.ratelimit.throttle import Throttle
from authsvc.resources.account import current_account
from authsvc.sessions.recent import demand_recent_login
from authsvc.sessions.revoke import Revoked, anonymize
from authsvc.users import accounts
from authsvc.users.deletion import delete_account
from authsvc.users.passwords import Password, Passwords
from authsvc.users.stored_password import confirm_password, lock_confirmed
from authsvc.users.voided_links import forget_person
from authsvc.web import registry
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import answers


class Confirmation(Body):
    """The password that confirms the deletion.

    Args:
        password: the account's password.
    """

    password: Password


@answers(200, operation_id="me_show")
def show() -> accounts.Account:
    """Return the account of the access token.

    It is read from the database: roles are those of now, and not those of the access token.
    """
    return current_account()


@takes(Confirmation)
@answers(
    204,
    headers=COOKIE_CLEARED,
    may=[WrongPassword, ReauthenticationRequired, AccountInUse, RateLimited],
    operation_id="me_delete",
)
def delete(body: Confirmation) -> None:
    """Delete the account, its sessions and its data.

    This cannot be undone. The password confirms it, and the refresh cookie is cleared. If the
    account has a second factor, the person must have authenticated with it within 10 minutes.
    """
    token, user_id = current_access_token(), current_account().id
    passwords = registry.get(Passwords)
    with passwords.admitted(), registry.get(Throttle).confirmation(user_id):
        confirmed = confirm_password(passwords, user_id, body.password)

    def delete_all(connection: Connection) -> list[Revoked]:
        lock_confirmed(connection, user_id, confirmed)
        now = clock.now()
        demand_recent_login(connection, token, now, has_password=True)
        revoked = anonymize(connection, user_id, now)
        if registry.get(Outbox).is_on:
            forget_person(connection, user_id)
        accounts.remove(connection, user_id)
        record(connection, FORGOTTEN_USER, Event("account_deleted", user_id=None), at=now)
        return revoked

    signals.send_ended(delete_account(user_id, delete_all), "account_deleted")
    signals.send(signals.user_deleted, user_id=user_id)
    after_this_request(registry.get(RefreshCookie).clear)
