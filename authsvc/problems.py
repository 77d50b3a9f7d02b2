"""Every error that a client can meet, as a tree of exceptions.

The docstring of each is its explanation on the page `/docs`, to which its `type` leads: what
happened, and what a client should do next.

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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any, ClassVar

REALM = 'Bearer realm="authsvc"'
RETRY_SECONDS = 2
"""How long a client should wait when the service is busy or its database is away."""

# Headers that some answers bear, each with what it means.
CHALLENGE = {"WWW-Authenticate": "The Bearer challenge (RFC 6750 section 3)."}
COOKIE_CLEARED = {"Set-Cookie": "The refresh cookie with `Max-Age=0`: the browser drops it."}
ALLOW = {"Allow": "The methods that the route takes."}
RETRY_AFTER = {"Retry-After": "Seconds until it is worth trying again."}


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
    adds: ClassVar[Mapping[str, str]] = {}
    """The headers that an answer with this problem bears besides the usual ones, and what each
    means."""
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


def every_problem(kind: type[Problem] = Problem) -> Iterator[type[Problem]]:
    """Every kind of problem that has a code of its own, in the order of the tree."""
    for child in kind.__subclasses__():
        if "code" in vars(child):
            yield child
        yield from every_problem(child)


class InvalidRequest(Problem):
    """What was sent is no JSON object, has a member twice, or bears two access tokens. Mend the
    client: the same request will be refused again.
    """

    status, code = 400, "invalid_request"
    detail = "The request cannot be understood."


class AccessTokenRefused(Problem):
    status = 401
    adds = CHALLENGE

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": challenge("invalid_token", self.detail)}


class AccessTokenMissing(AccessTokenRefused):
    """The route is protected, and no access token came along. Log in or refresh, then send the
    request again with the access token.
    """

    code = "access_token_missing"
    detail = "This route needs an access token: log in or refresh, and send it as Bearer."

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": REALM}


class AccessTokenInvalid(AccessTokenRefused):
    """What was sent is no access token of this service: altered, cut short, signed by a key that is
    no longer in use, or another kind of token. Refresh, then send the request again.
    """

    code = "access_token_invalid"
    detail = "The access token is not valid."


class AccessTokenExpired(AccessTokenRefused):
    """The access token's minutes are over, as they always are some day. Refresh, then send the
    request again with the new one.
    """

    code = "access_token_expired"
    detail = "The access token has expired: refresh to get another."


class AccessTokenRevoked(AccessTokenRefused):
    """The session of the access token has ended: a logout, a new password, a deleted account.
    Refreshing will not help: forget the token and ask the person to log in.
    """

    code = "access_token_revoked"
    detail = "The session of this access token has ended: log in again."


class InvalidCredentials(Problem):
    """The address is unknown, the password is wrong or the account is disabled; which of them is
    never told. Let the person try again.
    """

    status, code = 401, "invalid_credentials"
    detail = "The e-mail address or the password is wrong."


class RefreshTokenRefused(Problem):
    status = 401
    adds = COOKIE_CLEARED


class RefreshTokenMissing(RefreshTokenRefused):
    """No refresh cookie came along: nobody is logged in here, or the request was sent without
    credentials (`credentials: "include"` in fetch). Ask the person to log in.
    """

    code = "refresh_token_missing"
    detail = "There is no refresh cookie: log in."


class RefreshTokenInvalid(RefreshTokenRefused):
    """The refresh cookie holds no refresh token of this service, or came twice. It is cleared. Ask
    the person to log in.
    """

    code = "refresh_token_invalid"
    detail = "The refresh token is not valid: log in again."


class RefreshTokenExpired(RefreshTokenRefused):
    """The session has reached its end, or lay unused for too long. The cookie is cleared. Ask the
    person to log in.
    """

    code = "refresh_token_expired"
    detail = "The session has run out: log in again."


class RefreshTokenRevoked(RefreshTokenRefused):
    """The session was ended before its time: a logout here or elsewhere, a new password, a disabled
    or deleted account. The cookie is cleared. Ask the person to log in.
    """

    code = "refresh_token_revoked"
    detail = "The session was ended: log in again."


class CrossOriginRefused(Problem):
    """A browser sent the request for a page of an origin that the service does not allow. Add the
    origin to `AUTHSVC_ALLOWED_ORIGINS` if the page is yours; nothing was done.
    """

    status, code = 403, "cross_origin_refused"
    detail = "The request comes from a page of an origin that is not allowed."


class WrongPassword(Problem):
    """The person is logged in, but the password that should confirm it is wrong. Ask for it again;
    the session goes on.
    """

    status, code = 403, "wrong_password"
    detail = "The password is wrong."


class RegistrationClosed(Problem):
    """Accounts are made by the operator here (`AUTHSVC_REGISTRATION=closed`). Do not offer to
    register.
    """

    status, code = 403, "registration_closed"
    detail = "New accounts are not being taken."


class Forbidden(Problem):
    """Whoever asks may not have this. Ask the operator for access."""

    status, code = 403, "forbidden"
    detail = "You may not do this."


class RoleMissing(Forbidden):
    """Args: role: the one that is asked for."""

    def __init__(self, role: str) -> None:
        super().__init__(f"This takes the role {role}.")

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": challenge("insufficient_scope", self.detail)}


class NotFound(Problem):
    """There is no such route, or nothing with that id that is this account's. Look again at what
    there is.
    """

    status, code = 404, "not_found"
    detail = "There is nothing here."


class MethodNotAllowed(Problem):
    """The route is there, but not for that method: `Allow` names those that it takes. Mend the
    client.
    """

    status, code = 405, "method_not_allowed"
    detail = "This route does not take that method: see Allow."
    adds = ALLOW


class EmailTaken(Problem):
    """An account has this address, in whatever case it is written. Offer to log in instead."""

    status, code = 409, "email_taken"
    detail = "There is an account with this e-mail address."


class RequestTooLarge(Problem):
    """A body may have 16 KiB, and no request here needs more. Mend the client."""

    status, code = 413, "request_too_large"
    detail = "The request's body is too large."


class UnsupportedMediaType(Problem):
    """The body must be declared as `application/json`, in UTF-8 and not compressed. Set the
    `Content-Type` and send the request again.
    """

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
    """The body is JSON, but not what the route takes: a member is missing, of another type, or a
    password is too weak. `errors` says for each member, by its JSON pointer, what is wrong in
    words that can be shown beside the field.
    """

    status, code = 422, "validation_failed"
    detail = "Some members of the body are not as they must be."

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults

    def members(self) -> Mapping[str, Any]:
        return {"errors": [asdict(fault) for fault in self.faults]}


class RateLimited(Problem):
    """There were too many attempts: failed passwords for an account or from an address,
    registrations, refreshes of one session. Wait for the seconds in `Retry-After`, then try again.
    """

    status, code = 429, "rate_limited"
    detail = "Too many attempts: wait, then try again."
    adds = RETRY_AFTER

    def __init__(self, retry_after: int) -> None:
        """Args: retry_after: seconds until it is worth trying again."""
        super().__init__()
        self.retry_after = retry_after

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.retry_after)}


class InternalError(Problem):
    """Something went wrong in the service, and its operator's log says what, under the
    `X-Request-ID` of the answer. Trying again may help; a change may have been made.
    """

    status, code = 500, "internal_error"
    detail = "Something went wrong here; it has been logged."


class ServiceUnavailable(Problem):
    """The database does not answer, or too many passwords are being checked at once. Nothing was
    changed and no cookie was touched. Wait for the seconds in `Retry-After`, then try again.
    """

    status, code = 503, "service_unavailable"
    detail = "The service cannot answer just now, and nothing was changed: try again."
    adds = RETRY_AFTER

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(RETRY_SECONDS)}
