"""The ceremonies of passkeys (WebAuthn level 3, section 7), checked by the library `webauthn`.

The library is imported by the first ceremony of a worker: it takes 16 MB, which a service without
passkeys should not pay for.
"""

from dataclasses import dataclass

from authsvc import strict_json
from authsvc.factors.cbor import check_authenticator_data, check_item
from authsvc.factors.credentials import AuthenticationCredential, RegistrationCredential
from authsvc.factors.public_keys import ALGORITHMS, check_public_key
from authsvc.factors.relying_party import Site
from authsvc.tokens.keyring import decode

MAX_CREDENTIAL_ID = 1023
"""Bytes (WebAuthn level 3, section 7.1, step 25)."""


class CeremonyFailed(Exception):
    """The browser's response is not one to our challenge. The failed check is not named."""


@dataclass(frozen=True)
class Assertion:
    """A response to `navigator.credentials.get()`, not verified yet.

    Args:
        credential: the response.
        credential_id: which passkey it claims to be of.
        user_handle: which account the passkey was made for.
        challenge: what it claims to respond to.
        authenticator_data: the domain, the flags and the sign count.
    """

    credential: AuthenticationCredential
    credential_id: bytes
    user_handle: bytes
    challenge: bytes
    authenticator_data: bytes


@dataclass(frozen=True)
class NewKey:
    """A passkey that an authenticator has made for us.

    Args:
        credential_id: its id.
        public_key: verifies its signatures (COSE).
        sign_count: how often it says that it was used.
        synced: whether it may be copied to other devices (backup eligible).
    """

    credential_id: bytes
    public_key: bytes
    sign_count: int
    synced: bool


def read_assertion(credential: AuthenticationCredential) -> Assertion:
    """Return what a response claims to be.

    Raises:
        CeremonyFailed: it cannot be read, or it does not say which account it is for.
    """
    response = credential.response
    try:
        decode(response.signature)  # the library also decodes what is not base64url
        return Assertion(
            credential,
            credential_id=decode(credential.rawId),
            user_handle=decode(response.userHandle or ""),
            challenge=challenge_of(response.clientDataJSON),
            authenticator_data=decode(response.authenticatorData),
        )
    except ValueError:
        raise CeremonyFailed from None


def verify_assertion(assertion: Assertion, site: Site, public_key: bytes) -> tuple[int, bool]:
    """Return the sign count of a response, and whether the passkey may be synced.

    The caller compares both with what is stored.

    Args:
        assertion: a response to a challenge that the caller has recognized.
        site: the relying party.
        public_key: the key of the passkey, as it was registered.

    Raises:
        CeremonyFailed: a check of section 7.2 failed.
    """
    from webauthn import verify_authentication_response
    from webauthn.helpers.structs import CredentialDeviceType

    try:
        check_authenticator_data(assertion.authenticator_data)
        verified = verify_authentication_response(
            credential=assertion.credential.model_dump(),
            expected_challenge=assertion.challenge,
            expected_rp_id=site.domain,
            expected_origin=list(site.origins),
            credential_public_key=public_key,
            # The conditional UPDATE of the row compares it, since two requests may come at once.
            credential_current_sign_count=0,
            require_user_verification=True,
        )
    except Exception:  # the library's parsers raise whatever hostile bytes make them raise
        raise CeremonyFailed from None
    synced = verified.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    return verified.new_sign_count, synced


def verify_registration(credential: RegistrationCredential, challenge: bytes, site: Site) -> NewKey:
    """Return the new key in a response to `navigator.credentials.create()`.

    Its attestation is verified if it has one, without a trust anchor: we ask for none.

    Args:
        credential: the response.
        challenge: what it responds to, which the caller has recognized.
        site: the relying party.

    Raises:
        CeremonyFailed: a check of section 7.1 failed, or the key could never verify a signature.
    """
    from webauthn import verify_registration_response
    from webauthn.helpers import parse_cbor
    from webauthn.helpers.cose import COSEAlgorithmIdentifier
    from webauthn.helpers.structs import CredentialDeviceType

    try:
        attestation = decode(credential.response.attestationObject)
        check_item(attestation)
        check_authenticator_data(parse_cbor(attestation)["authData"])
        verified = verify_registration_response(
            credential=credential.model_dump(),
            expected_challenge=challenge,
            expected_rp_id=site.domain,
            expected_origin=list(site.origins),
            require_user_verification=True,
            supported_pub_key_algs=[COSEAlgorithmIdentifier(number) for number in ALGORITHMS],
        )
        check_public_key(parse_cbor(verified.credential_public_key))
        key_id = verified.credential_id
        if len(key_id) > MAX_CREDENTIAL_ID or key_id != decode(credential.rawId):
            raise CeremonyFailed
    except Exception:  # the library's parsers raise whatever hostile bytes make them raise
        raise CeremonyFailed from None
    synced = verified.credential_device_type == CredentialDeviceType.MULTI_DEVICE
    return NewKey(key_id, verified.credential_public_key, verified.sign_count, synced)


def challenge_of(client_data: str) -> bytes:
    """Return the challenge that a response claims to respond to.

    Args:
        client_data: its client data (WebAuthn level 3, section 5.8.1), as base64url.

    Raises:
        ValueError: the client data cannot be read, or it comes from a frame within a page of
            another origin.
    """
    data = strict_json.loads(decode(client_data))
    if not isinstance(data, dict) or not isinstance(data.get("challenge"), str):
        raise ValueError("the client data has no challenge")
    if data.get("crossOrigin", False) is not False or "topOrigin" in data:
        raise ValueError("the page is a frame within a page of another origin")
    return decode(data["challenge"])
