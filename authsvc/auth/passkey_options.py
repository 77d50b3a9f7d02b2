"""POST /auth/passkey/options: a challenge for a passkey that the person chooses."""

from dataclasses import dataclass, field
from typing import Literal

from authsvc import clock
from authsvc.factors.challenges import LIFE
from authsvc.factors.relying_party import RelyingParty
from authsvc.factors.second_factor import Factors
from authsvc.guard.access_token import public
from authsvc.tokens.keyring import encode
from authsvc.web import registry
from authsvc.web.inputs import Body, takes
from authsvc.web.outputs import answers


class NoChoice(Body):
    """An empty object: the person chooses the passkey on the device."""


@dataclass(frozen=True)
class RequestOptions:
    """WebAuthn's `PublicKeyCredentialRequestOptionsJSON`.

    It lists no credentials, so the person chooses among the passkeys of the device, and the
    response does not depend on who asks.

    Args:
        challenge: what the passkey signs, as base64url; it is good for five minutes, and once.
        timeout: milliseconds that the person has.
        rpId: the domain that the passkeys belong to.
        userVerification: `required`: a fingerprint, a face or a PIN.
    """

    challenge: str = field(metadata={"examples": ["Zm9yIGV4YW1wbGUgb25seQ"]})
    timeout: int
    rpId: str = field(metadata={"examples": ["example.com"]})
    userVerification: Literal["required"]


@public
@takes(NoChoice)
@answers(200, operation_id="passkey_options")
def passkey_options(body: NoChoice) -> RequestOptions:
    """Get options for a passkey: pass them to `navigator.credentials.get()`.

    Send its response to `/auth/passkey` to log in, to `/auth/login` as the second factor, or to
    `/auth/reauthenticate`.
    """
    site, now = registry.get(RelyingParty).of_request(), clock.now()
    challenge = registry.get(Factors).challenges.issue("authenticate", now)
    milliseconds = int(LIFE.total_seconds() * 1000)
    return RequestOptions(encode(challenge), milliseconds, site.domain, "required")
