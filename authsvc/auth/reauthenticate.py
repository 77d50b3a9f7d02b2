"""POST /auth/reauthenticate: authenticate again within a session, for a sensitive change."""

from collections.abc import Callable
from contextlib import nullcontext
from datetime import datetime
from uuid import UUID

from pydantic import model_validator
from pydantic_core import PydanticCustomError
from sqlalchemy import Connection

from authsvc import clock
from authsvc.audit.record import Event, record_refusal, user_at
from authsvc.factors.credentials import AuthenticationCredential
from authsvc.factors.lookup import second_factors
from authsvc.factors.refused import FactorRefused
from authsvc.factors.relying_party import RelyingParty
from authsvc.factors.second_factor import Factors, Given, proven_passkey, use_second_factor
from authsvc.guard.access_token import public
from authsvc.guard.own_origin import OwnOrigin
from authsvc.guard.proof_header import sent_proof, takes_proof
from authsvc.guard.refresh_cookie import RefreshCookie, takes_refresh_cookie
from authsvc.problems import (
    DpopProofInvalid,
    DpopProofMissing,
    InvalidCredentials,
    RateLimited,
    RefreshTokenExpired,
    RefreshTokenInvalid,
    RefreshTokenMissing,
    RefreshTokenRevoked,
    SecondFactorRequired,
    UseDpopNonce,
    WrongPassword,
)
from authsvc.ratelimit.throttle import Throttle
from authsvc.roles import parse
from authsvc.sessions.reauthenticate import reauthenticate as store
from authsvc.sessions.refresh import Refreshing, live_session
from authsvc.tokens.access import AccessToken
from authsvc.tokens.amr import PASSWORD, Amr
from authsvc.users.passwords import Password, Passwords
from authsvc.users.stored_password import confirm_password, lock_confirmed
from authsvc.web import registry
from authsvc.web.client import Client, current_client
from authsvc.web.inputs import Body, Text, takes
from authsvc.web.outputs import answers

Authenticate = Callable[[Connection, datetime], Amr]


class Again(Body):
    """What the person gave: exactly one.

    Args:
        password: the account's password; it is enough if the account has no second factor.
        code: the code that the authenticator app shows.
        passkey: the response of a passkey of the account to `/auth/passkey/options`.
    """

    password: Password | None = None
    code: Text | None = None
    passkey: AuthenticationCredential | None = None

    @model_validator(mode="after")
    def _exactly_one(self) -> "Again":
        if sum(given is not None for given in (self.password, self.code, self.passkey)) != 1:
            raise PydanticCustomError("value_error", "Give exactly one: password, code or passkey.")
        return self


@public
@takes_refresh_cookie
@takes_proof
@takes(Again)
@answers(
    200,
    may=[
        RefreshTokenMissing,
        RefreshTokenInvalid,
        RefreshTokenExpired,
        RefreshTokenRevoked,
        DpopProofMissing,
        DpopProofInvalid,
        UseDpopNonce,
        InvalidCredentials,
        SecondFactorRequired,
        RateLimited,
    ],
)
def reauthenticate(body: Again) -> AccessToken:
    """Authenticate again within the session of the refresh cookie (RFC 9470).

    The new access token has the `auth_time` of now, and the `amr` of all that the person gave in
    this session. The session's expiry does not move, and the cookie stays. If the account has a
    second factor, the password alone is refused as `second_factor_required`. If the session is
    bound to a key, the request needs a proof of it.
    """
    by, client = registry.get(Refreshing), current_client()
    refresh_token = by.tokens.verify(registry.get(RefreshCookie).only())
    session, _ = live_session(by, refresh_token, client, sent_proof(registry.get(OwnOrigin)))
    claims = refresh_token.claims
    passwords = registry.get(Passwords)
    with (
        passwords.admitted() if body.password is not None else nullcontext(),
        registry.get(Throttle).confirmation(claims.sub),
    ):
        try:
            given = (
                _by_password(body.password, claims.sub)
                if body.password is not None
                else (_by_factor(body, claims.sub, client))
            )
            done = store(refresh_token, given, client)
        except (FactorRefused, WrongPassword) as refused:
            why = refused.why if isinstance(refused, FactorRefused) else refused.code
            event = Event("reauthentication_refused", claims.sub, detail=why)
            record_refusal(user_at(client), event)
            raise InvalidCredentials from None
    return by.tokens.access.issue(
        sub=claims.sub,
        sid=claims.sid,
        amr=done.amr,
        roles=parse(session.roles or ""),
        extra_json=by.tokens.own_claims.of(claims.sub),
        auth_time=done.at,
        session_ends=session.expires_at,
        now=done.at,
    )


def _by_password(password: str, user_id: UUID) -> Authenticate:
    """Verify the password, which is enough only if the account has no second factor.

    Raises:
        WrongPassword: it is not the user's password.
    """
    confirmed = confirm_password(registry.get(Passwords), user_id, password)

    def end(connection: Connection, now: datetime) -> Amr:
        lock_confirmed(connection, user_id, confirmed)
        factors = second_factors(connection, user_id)
        if factors.exist:
            here = [method for method in factors.methods() if method != "recovery_code"]
            raise SecondFactorRequired(here)
        return PASSWORD

    return end


def _by_factor(body: Again, user_id: UUID, client: Client) -> Authenticate:
    """Return what uses the code or the passkey.

    Raises:
        FactorRefused: the passkey's response is not right.
    """
    factors, passkey = registry.get(Factors), None
    if body.passkey is not None:
        site = registry.get(RelyingParty).of_request()
        passkey = proven_passkey(factors, site, body.passkey, user_id, clock.now())
    given = Given(code=body.code, passkey=passkey)

    def end(connection: Connection, now: datetime) -> Amr:
        amr = use_second_factor(connection, factors, user_id, given, client, now)
        if not amr:
            raise FactorRefused("wrong_code")  # the account has no second factor
        return amr

    return end
