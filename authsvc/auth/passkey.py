"""POST /auth/passkey: log in with a passkey, which is two factors by itself."""

from authsvc import clock
from authsvc.audit.record import Event, record_refusal, user_at
from authsvc.auth.after_login import finish_login
from authsvc.factors.ceremonies import Assertion, CeremonyFailed, read_assertion
from authsvc.factors.credentials import AuthenticationCredential
from authsvc.factors.passkeys import FoundPasskey, find_passkey, verify_passkey
from authsvc.factors.refused import FactorRefused
from authsvc.factors.relying_party import RelyingParty
from authsvc.factors.second_factor import Factors
from authsvc.guard.access_token import public
from authsvc.guard.own_origin import OwnOrigin
from authsvc.guard.proof_header import sent_proof, takes_proof
from authsvc.guard.refresh_cookie import COOKIE_SET, RefreshCookie
from authsvc.problems import EmailUnverified, InvalidCredentials, RateLimited, UseDpopNonce
from authsvc.ratelimit.throttle import Throttle
from authsvc.sessions.binding import Binding
from authsvc.sessions.log_in import open_by_passkey
from authsvc.sessions.open import Opened
from authsvc.sessions.tokens import SessionTokens
from authsvc.settings import Settings
from authsvc.tokens.access import AccessToken
from authsvc.users.authentication import refuse_unverified
from authsvc.web import log_context, registry
from authsvc.web.client import Client, current_client
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import answers


class PasskeyLogin(Body):
    """A passkey's response to the options.

    Args:
        credential: what `navigator.credentials.get()` returned, as `toJSON()` writes it.
    """

    credential: AuthenticationCredential


@public
@takes_proof
@takes(PasskeyLogin)
@answers(
    200,
    headers=COOKIE_SET,
    may=[InvalidCredentials, UseDpopNonce, EmailUnverified, RateLimited],
    operation_id="passkey_login",
)
def log_in(body: PasskeyLogin) -> AccessToken:
    """Log in with a passkey, and open a new session.

    The response is that of `/auth/login`. The passkey has verified its user, by a fingerprint, a
    face or a PIN, so it counts as two factors. A challenge is good for five minutes, and once.
    """
    key = registry.get(Binding).new_key(sent_proof(registry.get(OwnOrigin)), clock.now())
    client = current_client(key)
    assertion = _read(body.credential)
    found = None if assertion is None else find_passkey(assertion)
    email_key = None if found is None else found.email_key
    with registry.get(Throttle).passkey(email_key, client.ip_address):
        if assertion is None or found is None:
            record_refusal(user_at(client), Event("login_refused", user_id=None))
            raise InvalidCredentials
        log_context.bind(user=found.user_id)
        try:
            opened = _open(assertion, found, client)
        except InvalidCredentials as refused:
            why = refused.why if isinstance(refused, FactorRefused) else "account_disabled"
            event = Event("login_refused", found.user_id, detail=why)
            record_refusal(user_at(client), event)
            raise
    finish_login(opened, found.user_id, client)
    return opened.access_token


def _read(credential: AuthenticationCredential) -> Assertion | None:
    try:
        return read_assertion(credential)
    except CeremonyFailed:
        return None


def _open(assertion: Assertion, found: FoundPasskey, client: Client) -> Opened:
    """Open the session, if the passkey's response is right."""
    site, factors = registry.get(RelyingParty).of_request(), registry.get(Factors)
    proven = verify_passkey(factors.challenges, site, assertion, found, clock.now())
    if registry.get(Settings).verification == "required":
        refuse_unverified(found.user_id, found.is_verified, user_at(client))

    tokens, replaced = registry.get(SessionTokens), registry.get(RefreshCookie).sent()
    return open_by_passkey(tokens, proven, client, replaced)
