"""Every error that a client can meet, as a tree of exceptions.

Problem
├── InvalidRequest              400 invalid_request
├── AccessTokenRefused          401, with a Bearer challenge (RFC 6750 section 3)
│   ├── AccessTokenMissing          access_token_missing
│   ├── AccessTokenInvalid          access_token_invalid
│   ├── AccessTokenExpired          access_token_expired
│   └── AccessTokenRevoked          access_token_revoked
├── InvalidCredentials          401 invalid_credentials
├── RefreshTokenRefused         401, and the cookie is cleared
│   ├── RefreshTokenMissing         refresh_token_missing
│   ├── RefreshTokenInvalid         refresh_token_invalid
│   ├── RefreshTokenExpired         refresh_token_expired
│   └── RefreshTokenRevoked         refresh_token_revoked
├── CrossOriginRefused          403 cross_origin_refused
├── WrongPassword               403 wrong_password
├── RegistrationClosed          403 registration_closed
├── Forbidden                   403 forbidden
│   └── RoleMissing                 with a Bearer challenge (RFC 6750 section 3.1)
├── NotFound                    404 not_found
├── MethodNotAllowed            405 method_not_allowed
├── EmailTaken                  409 email_taken
├── RequestTooLarge             413 request_too_large
├── UnsupportedMediaType        415 unsupported_media_type
├── ValidationFailed            422 validation_failed
├── RateLimited                 429 rate_limited
├── InternalError               500 internal_error
└── ServiceUnavailable          503 service_unavailable
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

REALM = 'Bearer realm="authsvc"'
RETRY_SECONDS = 2
"""How long a client should wait when the service is busy or its database is away."""


def challenge(error: str, description: str) -> str:
    """What WWW-Authenticate says of an access token (RFC 6750 section 3)."""
    return f'{REALM}, error="{error}", error_description="{description}"'


class Problem(Exception):
    """An error with a stable code for programs and a sentence for people.

    Args:
        detail: the sentence, where this occurrence has a better one than its class.
            It never holds anything that the client sent.
    """

    status: ClassVar[int]
    code: ClassVar[str]
    detail: str

    def __init__(self, detail: str | None = None) -> None:
        super().__init__(self.code)
        self.detail = detail or type(self).detail

    def headers(self) -> Mapping[str, str]:
        """The headers that this problem asks for."""
        return {}

    def members(self) -> Mapping[str, Any]:
        """The members that it has beyond those that all problems have."""
        return {}


class InvalidRequest(Problem):
    status, code = 400, "invalid_request"
    detail = "The request cannot be understood."


class AccessTokenRefused(Problem):
    status = 401

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": challenge("invalid_token", self.detail)}


class AccessTokenMissing(AccessTokenRefused):
    code = "access_token_missing"
    detail = "This route needs an access token: log in or refresh, and send it as Bearer."

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": REALM}


class AccessTokenInvalid(AccessTokenRefused):
    code = "access_token_invalid"
    detail = "The access token is not valid."


class AccessTokenExpired(AccessTokenRefused):
    code = "access_token_expired"
    detail = "The access token has expired: refresh to get another."


class AccessTokenRevoked(AccessTokenRefused):
    code = "access_token_revoked"
    detail = "The session of this access token has ended: log in again."


class InvalidCredentials(Problem):
    status, code = 401, "invalid_credentials"
    detail = "The e-mail address or the password is wrong."


class RefreshTokenRefused(Problem):
    status = 401


class RefreshTokenMissing(RefreshTokenRefused):
    code = "refresh_token_missing"
    detail = "There is no refresh cookie: log in."


class RefreshTokenInvalid(RefreshTokenRefused):
    code = "refresh_token_invalid"
    detail = "The refresh token is not valid: log in again."


class RefreshTokenExpired(RefreshTokenRefused):
    code = "refresh_token_expired"
    detail = "The session has run out: log in again."


class RefreshTokenRevoked(RefreshTokenRefused):
    code = "refresh_token_revoked"
    detail = "The session was ended: log in again."


class CrossOriginRefused(Problem):
    status, code = 403, "cross_origin_refused"
    detail = "The request comes from a page of an origin that is not allowed."


class WrongPassword(Problem):
    status, code = 403, "wrong_password"
    detail = "The password is wrong."


class RegistrationClosed(Problem):
    status, code = 403, "registration_closed"
    detail = "New accounts are not being taken."


class Forbidden(Problem):
    status, code = 403, "forbidden"
    detail = "You may not do this."


class RoleMissing(Forbidden):
    """Args: role: the one that is asked for."""

    def __init__(self, role: str) -> None:
        super().__init__(f"This takes the role {role}.")

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": challenge("insufficient_scope", self.detail)}


class NotFound(Problem):
    status, code = 404, "not_found"
    detail = "There is nothing here."


class MethodNotAllowed(Problem):
    status, code = 405, "method_not_allowed"
    detail = "This route does not take that method: see Allow."


class EmailTaken(Problem):
    status, code = 409, "email_taken"
    detail = "There is an account with this e-mail address."


class RequestTooLarge(Problem):
    status, code = 413, "request_too_large"
    detail = "The request's body is too large."


class UnsupportedMediaType(Problem):
    status, code = 415, "unsupported_media_type"
    detail = "The body must be application/json, in UTF-8 and without a Content-Encoding."


@dataclass(frozen=True)
class Fault:
    """What is wrong with one member of a body.

    Args:
        pointer: where it is (RFC 6901).
        detail: what is wrong, for a person; never the value.
    """

    pointer: str
    detail: str


class ValidationFailed(Problem):
    status, code = 422, "validation_failed"
    detail = "Some members of the body are not as they must be."

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults

    def members(self) -> Mapping[str, Any]:
        return {"errors": [asdict(fault) for fault in self.faults]}


class RateLimited(Problem):
    """Args: retry_after: seconds until it is worth trying again."""

    status, code = 429, "rate_limited"
    detail = "Too many attempts: wait, then try again."

    def __init__(self, retry_after: int) -> None:
        super().__init__()
        self.retry_after = retry_after

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.retry_after)}


class InternalError(Problem):
    status, code = 500, "internal_error"
    detail = "Something went wrong here; it has been logged."


class ServiceUnavailable(Problem):
    status, code = 503, "service_unavailable"
    detail = "The service cannot answer just now, and nothing was changed: try again."

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(RETRY_SECONDS)}
