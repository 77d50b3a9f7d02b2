"""POST /auth/login: the password is given once, and a session is opened."""

from functools import partial

from flask import Response, after_this_request, current_app
from flask.ctx import AppContext

from authsvc.audit import purge as audit
from authsvc.guard.access_token import public
from authsvc.guard.refresh_cookie import COOKIE_SET, sent_refresh_tokens, set_refresh_cookie
from authsvc.problems import InvalidCredentials, RateLimited
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions import purge as sessions
from authsvc.sessions.lifecycle import Device, Sessions
from authsvc.settings import Settings
from authsvc.tokens.access import AccessToken
from authsvc.users.accounts import Email, email_key
from authsvc.users.authentication import authenticate
from authsvc.users.passwords import Password, Passwords
from authsvc.web.inputs import Body, remote_address, takes, user_agent
from authsvc.web.outputs import answers
from authsvc.web.registry import component


class Credentials(Body):
    """Who wants to log in.

    Args:
        email: the account's, in whatever case.
        password: the account's, every character as it was chosen.
    """

    email: Email
    password: Password


@public
@takes(Credentials)
@answers(200, headers=COOKIE_SET, may=[InvalidCredentials, RateLimited])
def login(body: Credentials) -> AccessToken:
    """Log in: open a new session.

    The access token is in the body, the refresh token in a cookie that no script can read. A live
    session whose cookie comes along ends, since its cookie is about to be overwritten. An unknown
    address, a wrong password and a disabled account are answered alike.
    """
    with component(Passwords).admitted():
        with component(Throttle).login(email_key(body.email), remote_address()):
            user = authenticate(body.email, body.password)
        device = Device(user_agent(), remote_address())
        opened = component(Sessions).open(user, device, replaced=sent_refresh_tokens())

    @after_this_request
    def finish(response: Response) -> Response:
        response.call_on_close(partial(_tidy_up, current_app.app_context()))
        return set_refresh_cookie(response, opened.refresh_token, opened.lives)

    return opened.access_token


def _tidy_up(context: AppContext) -> None:
    """What the person who logs in need not wait for: they have their answer by now."""
    with context:
        sessions.purge_a_little()
        audit.purge_a_little(component(Settings).audit_ttl)
