"""POST /auth/login: the password is given once, and a session is opened."""

from functools import partial

from flask import Response, current_app, jsonify, request
from flask.ctx import AppContext

from authsvc.components import component
from authsvc.guard.access_token import public
from authsvc.guard.refresh_cookie import sent_refresh_tokens, set_refresh_cookie
from authsvc.guard.throttle import Throttle
from authsvc.requests import Body, Text, remote_address, takes
from authsvc.sessions.lifecycle import Device, Sessions
from authsvc.sessions.purge import purge_a_little
from authsvc.users.accounts import email_key
from authsvc.users.authentication import authenticate
from authsvc.users.passwords import Passwords

MAX_USER_AGENT = 255
"""Characters kept of what a browser calls itself."""


class Credentials(Body):
    email: Text
    password: Text


@public
@takes(Credentials)
def login(body: Credentials) -> Response:
    with component(Passwords).admitted():
        with component(Throttle).login(email_key(body.email), remote_address()):
            user = authenticate(body.email, body.password)
        opened = component(Sessions).open(user, _device(), replaced=sent_refresh_tokens())
    response = jsonify(opened.access_token.json())
    response.call_on_close(partial(_tidy_up, current_app.app_context()))
    return set_refresh_cookie(response, opened.refresh_token, opened.lives)


def _tidy_up(context: AppContext) -> None:
    """What the person who logs in need not wait for: they have their answer by now."""
    with context:
        purge_a_little()


def _device() -> Device:
    user_agent = request.headers.get("User-Agent", "")[:MAX_USER_AGENT]
    return Device(user_agent or None, remote_address())
