"""POST /auth/login: verify a password, and a second factor if there is one; open a session."""

from contextlib import nullcontext
from uuid import UUID

from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from authsvc import clock
from authsvc.audit.record import Event, record_refusal, user_at
from authsvc.auth.after_login import finish_login
from authsvc.factors.credentials import AuthenticationCredential
from authsvc.factors.passkeys import ProvenPasskey
from authsvc.factors.refused import FactorRefused
from authsvc.factors.relying_party import RelyingParty
from authsvc.factors.second_factor import Factors, Given, proven_passkey
from authsvc.guard.access_token import public
from authsvc.guard.own_origin import OwnOrigin
from authsvc.guard.proof_header import sent_proof, takes_proof
from authsvc.guard.refresh_cookie import COOKIE_SET, RefreshCookie
from authsvc.mail.outbox import Outbox
from authsvc.problems import (
    EmailUnverified,
    InvalidCredentials,
    RateLimited,
    SecondFactorRequired,
    UseDpopNonce,
)
from authsvc.ratelimit.failed_networks import FailedNetworks
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.binding import Binding
from authsvc.sessions.log_in import open_by_password
from authsvc.sessions.open import Opened
from authsvc.sessions.tokens import SessionTokens
from authsvc.settings import Settings
from authsvc.tokens.access import AccessToken
from authsvc.users.authentication import (
    Authenticated,
    authenticate,
    refuse_unverified,
)
from authsvc.users.emails import Email, email_key
from authsvc.users.passwords import Password, Passwords
from authsvc.web import registry
from authsvc.web.alternatives import at_most_one
from authsvc.web.client import Client, current_client
from authsvc.web.inputs import Body, Text, takes
from authsvc.web.outputs import answers


class Credentials(Body):
    """The e-mail address and password of the account, and a second factor if it has one.

    Args:
        email: the account's address; case does not matter.
        password: the account's password, exactly as it was chosen.
        code: the code that the authenticator app shows.
        recovery_code: a recovery code, which then does not work again.
        passkey: the response of a passkey of the account to `/auth/passkey/options`.
    """

    model_config = ConfigDict(json_schema_extra=at_most_one("code", "recovery_code", "passkey"))

    email: Email
    password: Password
    code: Text | None = None
    recovery_code: Text | None = None
    passkey: AuthenticationCredential | None = None

    @model_validator(mode="after")
    def _one_factor(self) -> "Credentials":
        given = (self.code, self.recovery_code, self.passkey)
        if sum(factor is not None for factor in given) > 1:
            raise PydanticCustomError(
                "value_error", "Give one second factor: code, recovery_code or passkey."
            )
        return self


@public
@takes_proof
@takes(Credentials)
@answers(
    200,
    headers=COOKIE_SET,
    may=[InvalidCredentials, SecondFactorRequired, UseDpopNonce, EmailUnverified, RateLimited],
)
def login(body: Credentials) -> AccessToken:
    """Log in and open a new session.

    The response has the access token in its body and the refresh token in a cookie that scripts
    cannot read. If the request sends the cookie of a live session, that session is revoked,
    because the new cookie overwrites it. With a proof in the header `DPoP`, the session is bound to
    the key of the proof for good: nothing but a proof of the same key refreshes it. An unknown
    address, a wrong password, a wrong second factor and a disabled account get the same response.

    If the account has a second factor, the password alone opens nothing: the response is
    `second_factor_required`, and the client sends the same request again with one of `code`,
    `recovery_code` and `passkey`. If addresses must be verified, the right password of an account
    whose address is not verified is refused as `email_unverified`.
    """
    passwords = registry.get(Passwords)
    key = registry.get(Binding).new_key(sent_proof(registry.get(OwnOrigin)), clock.now())
    client = current_client(key)
    with (
        registry.get(FailedNetworks).login(client.ip_address) as failed_lately,
        passwords.admitted(failed_lately),
        registry.get(Throttle).login(email_key(body.email), client.ip_address),
    ):
        user = authenticate(passwords, body.email, body.password, user_at(client))
        if registry.get(Settings).verification == "required":
            refuse_unverified(user.id, user.is_verified, user_at(client))
        try:
            opened = _open(user, body, client)
        except FactorRefused as refused:
            event = Event("login_refused", user.id, detail=refused.why)
            record_refusal(user_at(client), event)
            raise
    registry.get(Outbox).wake()
    finish_login(opened, user.id, client)
    return opened.access_token


def _open(user: Authenticated, body: Credentials, client: Client) -> Opened:
    """Open the session, if the second factor is right or the account has none."""
    factors = registry.get(Factors)
    given = Given(body.code, body.recovery_code, _proven(factors, user.id, body.passkey))
    tokens, replaced = registry.get(SessionTokens), registry.get(RefreshCookie).sent()
    guess = nullcontext() if body.code is None else registry.get(Throttle).code(user.id)
    with guess:
        return open_by_password(tokens, factors, user, given, client, replaced)


def _proven(
    factors: Factors, user_id: UUID, passkey: AuthenticationCredential | None
) -> ProvenPasskey | FactorRefused | None:
    """Verify a passkey. A refusal matters only if the account turns out to have a second factor."""
    if passkey is None:
        return None
    site = registry.get(RelyingParty).of_request()
    try:
        return proven_passkey(factors, site, passkey, user_id, clock.now())
    except FactorRefused as refused:
        return refused
