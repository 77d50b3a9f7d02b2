"""POST /auth/login: the password is given once, and a session is opened."""

from functools import partial

from flask import Response, current_app, jsonify
from flask.ctx import AppContext

from authsvc.audit import purge as audit
from authsvc.components import component
from authsvc.guard.access_token import public
from authsvc.guard.refresh_cookie import sent_refresh_tokens, set_refresh_cookie
from authsvc.guard.throttle import Throttle
from authsvc.requests import Body, Text, remote_address, takes, user_agent
from authsvc.sessions import purge as sessions
from authsvc.sessions.lifecycle import Device, Sessions
from authsvc.settings import Settings
from authsvc.users.accounts import email_key
from authsvc.users.authentication import authenticate
from authsvc.users.passwords import Passwords


class Credentials(Body):
    email: Text
    password: Text


@public
@takes(Credentials)
def login(body: Credentials) -> Response:
    with component(Passwords).admitted():
        with component(Throttle).login(email_key(body.email), remote_address()):
            user = authenticate(body.email, body.password)
        device = Device(user_agent(), remote_address())
        opened = component(Sessions).open(user, device, replaced=sent_refresh_tokens())
    response = jsonify(opened.access_token.json())
    response.call_on_close(partial(_tidy_up, current_app.app_context()))
    return set_refresh_cookie(response, opened.refresh_token, opened.lives)


def _tidy_up(context: AppContext) -> None:
    """What the person who logs in need not wait for: they have their answer by now."""
    with context:
        sessions.purge_a_little()
        audit.purge_a_little(component(Settings).audit_ttl)
