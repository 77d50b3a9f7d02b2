"""401: a refresh token, or the proof that its session is bound to, is missing or refused."""

from collections.abc import Mapping

from authsvc.problems.problem import Problem


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


class DeviceProofMissing(ProofRefused):
    """The session is bound to a device, and the request lacks the short-lived marker that the
    browser renews with the key of that device. The session goes on where the key is. Ask the person
    to authenticate again (`/auth/reauthenticate`), which binds the session anew, or to log in.
    """

    code = "device_proof_missing"
    detail = "This session is bound to a device, and the request has no proof of it: log in again."


SESSION_REFUSED = (
    RefreshTokenMissing,
    RefreshTokenInvalid,
    RefreshTokenExpired,
    RefreshTokenRevoked,
    DpopProofMissing,
    DpopProofInvalid,
    UseDpopNonce,
)
"""What a route may answer that takes the refresh cookie, and the proof of a bound session."""
