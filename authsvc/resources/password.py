"""PUT /api/me/password: change the password, revoke every session, and open a new one."""

from contextlib import nullcontext

from flask import Response, after_this_request

from authsvc import clock
from authsvc.guard.access_token import current_access_token
from authsvc.guard.own_origin import OwnOrigin
from authsvc.guard.proof_header import sent_proof, takes_proof
from authsvc.guard.refresh_cookie import COOKIE_SET, RefreshCookie
from authsvc.mail.outbox import Outbox
from authsvc.problems import RateLimited, ReauthenticationRequired, UseDpopNonce, WrongPassword
from authsvc.ratelimit.throttle import Throttle
from authsvc.resources.account import current_account
from authsvc.sessions.binding import Binding
from authsvc.sessions.change_password import change_password
from authsvc.sessions.device import DeviceBinding
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens.access import AccessToken
from authsvc.users.passwords import ChosenPassword, Password, Passwords
from authsvc.users.stored_password import confirm_password
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


@takes_proof
@takes(NewPassword)
@answers(
    200,
    headers=COOKIE_SET,
    may=[WrongPassword, ReauthenticationRequired, UseDpopNonce, RateLimited],
    operation_id="password_change",
)
def change(body: NewPassword) -> AccessToken:
    """Change the password, revoke every session of the account, and open a new one.

    The response is that of a login: a new access token in its body, and a new refresh token in the
    cookie. The session of the request is revoked too, so that a stolen copy of its cookie is
    useless. If the account has a second factor, the person must have authenticated with it within
    10 minutes. With a proof in the header `DPoP`, the new session is bound to the key of the proof.
    """
    token, account = current_access_token(), current_account()
    key = registry.get(Binding).new_key(sent_proof(registry.get(OwnOrigin)), clock.now())
    client = current_client(key)
    passwords, cookie = registry.get(Passwords), registry.get(RefreshCookie)
    outbox, throttle = registry.get(Outbox), registry.get(Throttle)
    passwords.refuse_weak(body.new_password, account.email, "/new_password")
    with passwords.admitted():
        with throttle.confirmation(token.sub):
            confirmed = confirm_password(passwords, token.sub, body.current_password)
        hashes = confirmed, passwords.hash(body.new_password)
    with throttle.password_change(token.sub) if outbox.is_on else nullcontext():
        opened = change_password(
            registry.get(SessionTokens),
            token,
            hashes,
            client,
            replaced=cookie.sent(),
            outbox=outbox,
        )

    @after_this_request
    def set_cookie(response: Response) -> Response:
        registry.get(DeviceBinding).offer(response, opened.sid, client.key)
        return cookie.set(response, opened.refresh_token, opened.max_age)

    return opened.access_token
