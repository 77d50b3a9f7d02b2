"""POST /auth/email/verify: prove an e-mail address by the link that was mailed to it."""

from uuid import UUID

from pydantic import Field

from authsvc.audit.record import user_at
from authsvc.guard.access_token import public
from authsvc.guard.own_origin import OwnOrigin
from authsvc.guard.proof_header import sent_proof, takes_proof
from authsvc.guard.refresh_cookie import RefreshCookie, takes_refresh_cookie
from authsvc.problems import (
    InvalidCredentials,
    PasswordRequired,
    RateLimited,
    RefreshTokenRefused,
    TokenInvalid,
)
from authsvc.ratelimit.failed_networks import FailedNetworks
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.binding import Binding
from authsvc.sessions.lookup import live_owner
from authsvc.sessions.tokens import SessionTokens
from authsvc.users import verification
from authsvc.users.one_time_tokens import LinkToken
from authsvc.users.passwords import Password, Passwords
from authsvc.web import registry
from authsvc.web.client import current_client
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import answers


class Proof(Body):
    """The link from the mail, and the password.

    Args:
        token: what follows `#token=` in the link of the mail.
        password: the password that the person chose at the registration; for an account, its
            password. It is not needed with the refresh cookie of the account.
    """

    token: LinkToken
    password: Password | None = Field(None, examples=["correct horse battery staple"])


@public
@takes_refresh_cookie
@takes_proof
@takes(Proof)
@answers(204, may=[TokenInvalid, PasswordRequired, InvalidCredentials, RateLimited])
def email_verify(body: Proof) -> None:
    """Verify an e-mail address. A registration that waits for it becomes an account.

    A link alone proves nothing about who registered, so it counts only together with the password
    of its own registration, or where the person is logged in. No session is opened. A wrong
    password counts as a failed login, and the link stays good. It may be used again until it
    expires: the response is the same.
    """
    link, client = verification.find_link(body.token), current_client()
    if link.user_id is None or link.user_id != _logged_in_user():
        if body.password is None:
            raise PasswordRequired
        passwords, throttle = registry.get(Passwords), registry.get(Throttle)
        with (
            registry.get(FailedNetworks).login(client.ip_address) as failed_lately,
            passwords.admitted(failed_lately),
            throttle.verification(link.email_key, client.ip_address),
        ):
            verification.confirm(passwords, link, body.password, user_at(client))
    verification.verify(link, user_at(client))


def _logged_in_user() -> UUID | None:
    """Return the user of the refresh cookie, if its session is live."""
    tokens = registry.get(SessionTokens)
    try:
        refresh_token = tokens.verify(registry.get(RefreshCookie).only())
    except RefreshTokenRefused:
        return None
    proof = sent_proof(registry.get(OwnOrigin))
    return live_owner(refresh_token, tokens.idle_ttl, registry.get(Binding), proof)
