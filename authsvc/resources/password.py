"""PUT /api/me/password: a new password, and every other session of the account ends."""

from authsvc.audit.record import Event, record
from authsvc.database import writing
from authsvc.guard.access_token import current_access_token
from authsvc.problems import AccessTokenRevoked, RateLimited, WrongPassword
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.revoke import revoke_all
from authsvc.users import accounts, authentication
from authsvc.users.passwords import ChosenPassword, Password, Passwords
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import answers
from authsvc.web.registry import component


class NewPassword(Body):
    """The old password and the new one.

    Args:
        current_password: it confirms that the person is there.
        new_password: as at registration.
    """

    current_password: Password
    new_password: ChosenPassword


@takes(NewPassword)
@answers(204, may=[WrongPassword, RateLimited])
def change(body: NewPassword) -> None:
    """Change the password; every other session of the account ends."""
    token = current_access_token()
    account = accounts.find(token.sub)
    if account is None:
        raise AccessTokenRevoked
    accounts.refuse_weak(body.new_password, account.email, "/new_password")
    with component(Passwords).admitted():
        with component(Throttle).password(token.sub):
            confirmed = authentication.confirm_password(token.sub, body.current_password)
        replacement = component(Passwords).hash(body.new_password)
    with writing() as connection:
        authentication.replace_password(connection, token.sub, confirmed, replacement)
        record(connection, Event("password_changed", token.sub, token.sid))
        revoke_all(connection, token.sub, but=token.sid)
