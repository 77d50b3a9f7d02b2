"""A browser's response to a passkey ceremony, as JSON (WebAuthn level 3, section 5.1.8)."""

from typing import Literal

from authsvc.web.inputs import Body, Text


class AssertionResponse(Body):
    """What the authenticator signed.

    Args:
        clientDataJSON: the challenge and the origin, as base64url.
        authenticatorData: the domain, the flags and the sign count, as base64url.
        signature: the signature over both, as base64url.
        userHandle: the account that the passkey was made for, as base64url.
    """

    clientDataJSON: Text
    authenticatorData: Text
    signature: Text
    userHandle: Text | None = None


class AuthenticationCredential(Body):
    """The `AuthenticationResponseJSON` of `navigator.credentials.get()`: call `toJSON()` on it.

    Args:
        id: the id of the passkey, as base64url.
        rawId: the same.
        type: `public-key`.
        response: what the authenticator signed.
    """

    id: Text
    rawId: Text
    type: Literal["public-key"]
    response: AssertionResponse


class AttestationResponse(Body):
    """The new key.

    Args:
        clientDataJSON: the challenge and the origin, as base64url.
        attestationObject: the key, the domain and the flags, as base64url.
    """

    clientDataJSON: Text
    attestationObject: Text


class RegistrationCredential(Body):
    """The `RegistrationResponseJSON` of `navigator.credentials.create()`: call `toJSON()` on it.

    Args:
        id: the id of the passkey, as base64url.
        rawId: the same.
        type: `public-key`.
        response: the new key.
    """

    id: Text
    rawId: Text
    type: Literal["public-key"]
    response: AttestationResponse
