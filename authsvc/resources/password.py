"""PUT /api/me/password: change the password and revoke every other session of the account."""

from sqlalchemy import Connection

from authsvc.audit.record import Event, record, user_at
from authsvc.database import transaction
from authsvc.guard.access_token import current_access_token
from authsvc.problems import AccessTokenRevoked, RateLimited, WrongPassword
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.revoke import revoke_all
from authsvc.users import accounts
from authsvc.users.passwords import ChosenPassword, Password, Passwords
from authsvc.users.stored_password import confirm_password, replace_password
from authsvc.web import registry
from authsvc.web.client import current_client
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import answers


class NewPassword(Body):
    """The current password and the new one.

    Args:
        current_password: the account's password until now.
        new_password: the new password, with the same rules as at registration.
    """

    current_password: Password
    new_password: ChosenPassword


@takes(NewPassword)
@answers(204, may=[WrongPassword, RateLimited], operation_id="password_change")
def change(body: NewPassword) -> None:
    """Change the password and revoke every other session of the account."""
    token = current_access_token()
    account = accounts.find(token.sub)
    if account is None:
        raise AccessTokenRevoked
    passwords, actor = registry.get(Passwords), user_at(current_client())
    passwords.refuse_weak(body.new_password, account.email, "/new_password")
    with passwords.admitted():
        with registry.get(Throttle).password(token.sub):
            confirmed = confirm_password(passwords, token.sub, body.current_password)
        replacement = passwords.hash(body.new_password)

    def store(connection: Connection) -> None:
        replace_password(connection, token.sub, confirmed, replacement)
        record(connection, actor, Event("password_changed", token.sub, token.sid))
        revoke_all(connection, token.sub, actor, except_sid=token.sid)

    transaction(store)
