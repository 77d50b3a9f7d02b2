"""POST /auth/reauthenticate: authenticate again within a session, for a sensitive change."""

from contextlib import AbstractContextManager, nullcontext
from functools import partial
from uuid import UUID

from flask import after_this_request
from pydantic import ConfigDict, model_validator
from pydantic_core import PydanticCustomError

from authsvc import clock
from authsvc.factors.credentials import AuthenticationCredential
from authsvc.factors.relying_party import RelyingParty
from authsvc.factors.second_factor import Factors, Given, proven_passkey
from authsvc.guard.access_token import public
from authsvc.guard.own_origin import OwnOrigin
from authsvc.guard.proof_header import sent_proof, takes_proof
from authsvc.guard.refresh_cookie import RefreshCookie, takes_refresh_cookie
from authsvc.problems import (
    SESSION_REFUSED,
    InvalidCredentials,
    RateLimited,
    SecondFactorRequired,
)
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions import reauthenticate as sessions
from authsvc.sessions.confirming import Authenticate, by_factor, by_password
from authsvc.sessions.refresh import Refreshing, live_session
from authsvc.tokens.access import AccessToken
from authsvc.users.passwords import Password, Passwords
from authsvc.web import registry
from authsvc.web.alternatives import exactly_one
from authsvc.web.client import Client, current_client
from authsvc.web.inputs import Body, Text, takes
from authsvc.web.outputs import answers


class Reauthentication(Body):
    """What the person gave: exactly one of these.

    Args:
        password: the account's password; it is enough if the account has no second factor.
        code: the code that the authenticator app shows.
        passkey: the response of a passkey of the account to `/auth/passkey/options`.
    """

    model_config = ConfigDict(
        json_schema_extra={
            **exactly_one("password", "code", "passkey"),
            "examples": [{"password": "correct horse battery staple"}],
        }
    )

    password: Password | None = None
    code: Text | None = None
    passkey: AuthenticationCredential | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Reauthentication":
        if sum(given is not None for given in (self.password, self.code, self.passkey)) != 1:
            raise PydanticCustomError("value_error", "Give exactly one: password, code or passkey.")
        return self


@public
@takes_refresh_cookie
@takes_proof
@takes(Reauthentication)
@answers(
    200,
    may=[
        *SESSION_REFUSED,
        InvalidCredentials,
        SecondFactorRequired,
        RateLimited,
    ],
)
def reauthenticate(body: Reauthentication) -> AccessToken:
    """Authenticate again within the session of the refresh cookie (RFC 9470).

    The new access token has the `auth_time` of now, and the `amr` of all that the person gave in
    this session. The session's expiry does not move, and the cookie stays. If the account has a
    second factor, the password alone is refused as `second_factor_required`. If the session is
    bound to a key, the request needs a proof of it.
    """
    by, client = registry.get(Refreshing), current_client()
    refresh_token = by.tokens.verify(registry.get(RefreshCookie).only())
    session, _ = live_session(by, refresh_token, client, sent_proof(registry.get(OwnOrigin)))
    claims, is_hashed = refresh_token.claims, body.password is not None
    with (
        registry.get(Passwords).admitted() if is_hashed else nullcontext(),
        _limit(body, claims.sub),
        sessions.refusal_recorded(claims, client),
    ):
        authenticate = _authenticate(body, claims.sub, client)
        again = sessions.reauthenticate(by.tokens, claims, session, authenticate, client)
    if session.device_key is not None:
        # The browser may have lost the key of the device: this is the way back.
        offer = partial(by.devices.offer, sid=claims.sid, replaces=session.device_key)
        after_this_request(offer)
    return again


def _limit(body: Reauthentication, user_id: UUID) -> AbstractContextManager[None]:
    """Return what counts the attempt. Only the right password forgets wrong passwords."""
    throttle = registry.get(Throttle)
    if body.code is not None:
        return throttle.code(user_id)
    return throttle.confirmation(user_id, forgets=body.password is not None)


def _authenticate(body: Reauthentication, user_id: UUID, client: Client) -> Authenticate:
    """Verify what the person gave, and return what uses it."""
    if body.password is not None:
        return by_password(registry.get(Passwords), user_id, body.password)
    factors, passkey = registry.get(Factors), None
    if body.passkey is not None:
        site = registry.get(RelyingParty).of_request()
        passkey = proven_passkey(factors, site, body.passkey, user_id, clock.now())
    return by_factor(factors, user_id, Given(code=body.code, passkey=passkey), client)
