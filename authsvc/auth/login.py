"""POST /auth/login: verify a password and open a session."""

from functools import partial
from uuid import UUID

from flask import Response, after_this_request, current_app
from flask.ctx import AppContext

from authsvc import clock
from authsvc.audit import purge as audit
from authsvc.audit.record import user_at
from authsvc.guard.access_token import public
from authsvc.guard.own_origin import OwnOrigin
from authsvc.guard.proof_header import sent_proof, takes_proof
from authsvc.guard.refresh_cookie import COOKIE_SET, RefreshCookie
from authsvc.mail.outbox import Outbox
from authsvc.problems import EmailUnverified, InvalidCredentials, RateLimited, UseDpopNonce
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions import purge as sessions
from authsvc.sessions.binding import Binding
from authsvc.sessions.new_browser import report_new_browser
from authsvc.sessions.open import open_session
from authsvc.sessions.tokens import SessionTokens
from authsvc.settings import Settings
from authsvc.tokens.access import AccessToken
from authsvc.users.authentication import authenticate, refuse_unverified
from authsvc.users.emails import Email, email_key
from authsvc.users.passwords import Password, Passwords
from authsvc.web import registry
from authsvc.web.client import Client, current_client
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import answers


class Credentials(Body):
    """The e-mail address and password of the account.

    Args:
        email: the account's address; case does not matter.
        password: the account's password, exactly as it was chosen.
    """

    email: Email
    password: Password


@public
@takes_proof
@takes(Credentials)
@answers(
    200, headers=COOKIE_SET, may=[InvalidCredentials, UseDpopNonce, EmailUnverified, RateLimited]
)
def login(body: Credentials) -> AccessToken:
    """Log in and open a new session.

    The response has the access token in its body and the refresh token in a cookie that scripts
    cannot read. If the request sends the cookie of a live session, that session is revoked,
    because the new cookie overwrites it. With a proof in the header `DPoP`, the session is bound to
    the key of the proof for good: nothing but a proof of the same key refreshes it. An unknown
    address, a wrong password and a disabled account get the same response. If addresses must be
    verified, the right password of an account whose address is not verified is refused as
    `email_unverified`.
    """
    passwords, cookie = registry.get(Passwords), registry.get(RefreshCookie)
    key = registry.get(Binding).new_key(sent_proof(registry.get(OwnOrigin)), clock.now())
    client = current_client(key)
    with passwords.admitted():
        with registry.get(Throttle).login(email_key(body.email), client.ip_address):
            user = authenticate(passwords, body.email, body.password, user_at(client))
            if registry.get(Settings).verification == "required":
                refuse_unverified(user, user_at(client))
        opened = open_session(registry.get(SessionTokens), user, client, replaced=cookie.sent())

    @after_this_request
    def finish(response: Response) -> Response:
        context = current_app.app_context()
        response.call_on_close(partial(_after_response, context, user.id, opened.sid, client))
        return cookie.set(response, opened.refresh_token, opened.max_age)

    return opened.access_token


def _after_response(context: AppContext, user_id: UUID, session_id: UUID, client: Client) -> None:
    """Report a new browser, and remove a few expired rows."""
    with context:
        settings, outbox = registry.get(Settings), registry.get(Outbox)
        if outbox.is_on and settings.mail_new_logins:
            report_new_browser(outbox, registry.get(Throttle), user_id, session_id, client)
        sessions.purge_a_little()
        audit.purge_a_little(settings.audit_ttl)
