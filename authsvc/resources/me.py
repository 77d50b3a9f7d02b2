"""GET and DELETE /api/me: who am I, and forget me."""

from typing import Any

from flask import Response

from authsvc.audit.record import Event, record
from authsvc.components import component
from authsvc.database import writing
from authsvc.guard.access_token import current_access_token
from authsvc.guard.refresh_cookie import clear_refresh_cookie
from authsvc.guard.throttle import Throttle
from authsvc.problems import AccessTokenRevoked
from authsvc.requests import Body, Text, takes
from authsvc.sessions.revoke import make_nameless
from authsvc.users import accounts, authentication
from authsvc.users.passwords import Passwords


class Confirmation(Body):
    password: Text


def show() -> dict[str, Any]:
    account = accounts.find(current_access_token().sub)
    if account is None:
        raise AccessTokenRevoked
    return account.json() | {"roles": account.roles}


@takes(Confirmation)
def delete(body: Confirmation) -> Response:
    user_id = current_access_token().sub
    with component(Passwords).admitted(), component(Throttle).password(user_id):
        confirmed = authentication.confirm_password(user_id, body.password)
    with writing() as connection:
        authentication.hold(connection, user_id, confirmed)
        make_nameless(connection, user_id)
        accounts.remove(connection, user_id)
        record(connection, Event("account_deleted", user_id=None))
    return clear_refresh_cookie(Response(status=204))
