"""401: an access token, a password or a refresh token is missing or refused."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal

from authsvc.problems.problem import CHALLENGE, REALM, Problem, challenge

FactorMethod = Literal["totp", "recovery_code", "passkey"]
"""The second factors, in the order in which a page offers them."""


class AccessTokenRefused(Problem):
    status = 401
    adds = CHALLENGE

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": challenge("invalid_token", self.detail)}


class AccessTokenMissing(AccessTokenRefused):
    """The route is protected, and the request has no access token. Log in or refresh, then send
    the request again with the access token.
    """

    code = "access_token_missing"
    detail = "This route needs an access token: log in or refresh, and send it as Bearer."

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": REALM}


class AccessTokenInvalid(AccessTokenRefused):
    """The token is not a valid access token of this service: it was altered or truncated, its key
    is no longer in use, or it is another kind of token. Refresh, then send the request again.
    """

    code = "access_token_invalid"
    detail = "The access token is not valid."


class AccessTokenExpired(AccessTokenRefused):
    """The access token has expired, as each does after some minutes. Refresh, then send the request
    again with the new one.
    """

    code = "access_token_expired"
    detail = "The access token has expired: refresh to get another."


class AccessTokenRevoked(AccessTokenRefused):
    """The session of the access token has ended: by a logout, a new password, or because the
    account was deleted. Refreshing does not help: drop the token and ask the person to log in.
    """

    code = "access_token_revoked"
    detail = "The session of this access token has ended: log in again."


class InvalidCredentials(Problem):
    """The address is unknown, the password, the second factor or the passkey is wrong, or the
    account is disabled; the service does not say which. A code counts once, so a code that was
    used is wrong too. Let the person try again.
    """

    status, code = 401, "invalid_credentials"
    detail = "These credentials are wrong."


class SecondFactorRequired(Problem):
    """The password is right, and the account has a second factor. Ask for one of `methods`, and
    send the request again with it: `code` (of the authenticator app), `recovery_code` or
    `passkey`. No session was opened.
    """

    status, code = 401, "second_factor_required"
    detail = "Give a second factor of the account too."

    def __init__(self, methods: Sequence[FactorMethod]) -> None:
        """Args: methods: what the account has; it is empty if the operator must help."""
        super().__init__()
        self.methods = methods

    def members(self) -> Mapping[str, Any]:
        return {"methods": list(self.methods)}


class TokenInvalid(Problem):
    """The link from a mail does not work: it is unknown, it has expired, it was used, or a newer
    one has replaced it; the service does not say which. Offer to send another mail.
    """

    status, code = 401, "token_invalid"
    detail = "This link does not work any more: ask for another mail."


class PasswordRequired(Problem):
    """The link from a mail is good, but it counts only together with the password that was chosen
    at the registration, or where the person is logged in. Ask for the password, and send the token
    again with it.
    """

    status, code = 401, "password_required"
    detail = "Give the password of the account too, or log in first."


class ReauthenticationRequired(Problem):
    """The person authenticated too long ago for this, or without the second factor that it needs.
    Ask for the password, a code or a passkey, send it to `/auth/reauthenticate`, and repeat the
    request with the new access token (RFC 9470).
    """

    status, code = 401, "reauthentication_required"
    detail = "Authenticate again for this."
    adds = CHALLENGE

    def __init__(self, max_age: int | None = None, acr: str | None = None) -> None:
        """
        Args:
            max_age: seconds since the authentication that are allowed.
            acr: the level that the authentication must have.
        """
        super().__init__()
        self.max_age = max_age
        self.acr = acr

    def headers(self) -> Mapping[str, str]:
        wanted = {"max_age": self.max_age, "acr_values": self.acr}
        error = challenge("insufficient_user_authentication", self.detail)
        more = (f', {name}="{value}"' for name, value in wanted.items() if value is not None)
        return {"WWW-Authenticate": error + "".join(more)}


class RefreshTokenRefused(Problem):
    status = 401


class RefreshTokenMissing(RefreshTokenRefused):
    """The request has no refresh cookie: the person is not logged in here, or the request was sent
    without credentials (`credentials: "include"` in fetch). Ask the person to log in.

    If a login succeeded a moment ago, the client kept the cookie back. It is `Secure`: over plain
    HTTP, most browsers and curl send it to localhost, and other clients (Safari, Python's requests
    and httpx, a browser that opens another host) do not. Use HTTPS, or set
    `AUTHSVC_COOKIE_SECURE=false` in development. Node's fetch keeps no cookies at all.
    """

    code = "refresh_token_missing"
    detail = "No refresh cookie came with the request: log in."


class RefreshTokenInvalid(RefreshTokenRefused):
    """The refresh cookie is not a refresh token of this service, or was sent twice. Ask the person
    to log in: the login replaces the cookie.
    """

    code = "refresh_token_invalid"
    detail = "The refresh token is not valid: log in again."


class RefreshTokenExpired(RefreshTokenRefused):
    """The session has expired, or was unused for too long. Ask the person to log in."""

    code = "refresh_token_expired"
    detail = "The session has expired: log in again."


class RefreshTokenRevoked(RefreshTokenRefused):
    """The session was ended early: by a logout here or elsewhere, by a new password, or because the
    account was disabled or deleted. Ask the person to log in.
    """

    code = "refresh_token_revoked"
    detail = "The session was ended: log in again."


class ProofRefused(Problem):
    status = 401


class DpopProofMissing(ProofRefused):
    """The session is bound to a key of the browser in which the person logged in, and the request
    has no proof of that key (RFC 9449): the header `DPoP`. The session goes on where the key is.
    Ask the person to log in here.
    """

    code = "dpop_proof_missing"
    detail = "This session is bound to a key, and the request has no proof of it: log in again."


class DpopProofInvalid(ProofRefused):
    """The proof in the header `DPoP` is not one by the key of this session for this request. The
    session goes on where the key is. Ask the person to log in here.
    """

    code = "dpop_proof_invalid"
    detail = "The proof of the session's key is not valid: log in again."


NONCE = {
    "WWW-Authenticate": "The DPoP challenge (RFC 9449 section 8).",
    "DPoP-Nonce": "The nonce to use, for two to three minutes.",
}


class DeviceProofMissing(ProofRefused):
    """The session is bound to a device, and the request lacks the short-lived marker that the
    browser renews with the key of that device. The session goes on where the key is. Ask the person
    to authenticate again (`/auth/reauthenticate`), which binds the session anew, or to log in.
    """

    code = "device_proof_missing"
    detail = "This session is bound to a device, and the request has no proof of it: log in again."


class UseDpopNonce(ProofRefused):
    """The proof is right, but its time is not that of the service: the clock of the device is
    wrong. Make another proof with the nonce of the header `DPoP-Nonce`, and send the request again
    (RFC 9449 section 8).
    """

    code = "use_dpop_nonce"
    detail = "Make the proof again, with the nonce of the header DPoP-Nonce."
    adds = NONCE

    def __init__(self, nonce: str) -> None:
        """Args: nonce: which the next proof must have."""
        super().__init__()
        self.nonce = nonce

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": 'DPoP error="use_dpop_nonce"', "DPoP-Nonce": self.nonce}
