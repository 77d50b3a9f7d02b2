"""PUT /api/me/password: a new password, and every other session of the account ends."""

from flask import Response

from authsvc.audit.record import Event, record
from authsvc.components import component
from authsvc.database import writing
from authsvc.guard.access_token import current_access_token
from authsvc.guard.throttle import Throttle
from authsvc.problems import AccessTokenRevoked
from authsvc.requests import Body, Text, takes
from authsvc.sessions.revoke import revoke_all
from authsvc.users import accounts, authentication
from authsvc.users.passwords import Passwords


class NewPassword(Body):
    current_password: Text
    new_password: Text


@takes(NewPassword)
def change(body: NewPassword) -> Response:
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
    return Response(status=204)
