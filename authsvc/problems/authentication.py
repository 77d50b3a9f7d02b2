"""401: an access token, a password, a factor or the token of a link is missing or refused."""

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
