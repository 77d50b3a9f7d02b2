"""403: the request is understood, and not allowed."""

from collections.abc import Mapping
from uuid import UUID

from authsvc.problems.problem import CHALLENGE, Problem, challenge

DEVICE_CHALLENGE = {"Secure-Session-Challenge": "What the browser signs to renew its marker."}


class CrossOriginRefused(Problem):
    """A browser sent the request for a page of an origin that the service does not allow. Nothing
    was done. If the page is yours, add its origin to `AUTHSVC_ALLOWED_ORIGINS`.
    """

    status, code = 403, "cross_origin_refused"
    detail = "The request comes from a page of an origin that is not allowed."


class WrongPassword(Problem):
    """The person is logged in, but the password that confirms the request is wrong. Ask for it
    again; the session goes on.
    """

    status, code = 403, "wrong_password"
    detail = "The password is wrong."


class WrongCode(Problem):
    """The code is not one that the authenticator app shows now for the new secret, or the clock of
    that device is wrong. Ask for the next code; nothing was changed.
    """

    status, code = 403, "wrong_code"
    detail = "The code is wrong: wait for the next one."


class CredentialRefused(Problem):
    """The passkey that the browser made cannot be accepted: its challenge has expired or was used,
    it is for another site, its user was not verified, or it is registered already. Ask for new
    options and try again.
    """

    status, code = 403, "credential_refused"
    detail = "This passkey cannot be accepted: try again."


class DeviceProofInvalid(Problem):
    """What the browser signed with the key of its device is not right, or not fresh. It is for
    browsers, which sign the challenge of the header `Secure-Session-Challenge` and send it again.
    """

    status, code = 403, "device_proof_invalid"
    detail = "The proof of the device's key is not valid."
    adds = DEVICE_CHALLENGE

    def __init__(self, sid: UUID, challenge: str | None = None) -> None:
        """
        Args:
            sid: the session.
            challenge: what the browser is to sign; None if it is not to try again.
        """
        super().__init__()
        self.sid = sid
        self.challenge = challenge

    def headers(self) -> Mapping[str, str]:
        if self.challenge is None:
            return {}
        return {"Secure-Session-Challenge": f'"{self.challenge}";id="{self.sid}"'}


class EmailUnverified(Problem):
    """The account's e-mail address must be verified first: for logging in, where
    `AUTHSVC_EMAIL_VERIFICATION=required`, and for adding a factor. Offer to send the verification
    mail again.
    """

    status, code = 403, "email_unverified"
    detail = "Verify your e-mail address first: open the link in the mail that you received."


class RegistrationClosed(Problem):
    """Only the operator creates accounts here (`AUTHSVC_REGISTRATION=closed`). Do not offer to
    register.
    """

    status, code = 403, "registration_closed"
    detail = "Registration is closed."


class Forbidden(Problem):
    """The account is not allowed to do this. Ask the operator for access."""

    status, code = 403, "forbidden"
    detail = "You may not do this."


class RoleMissing(Forbidden):
    """Args: role: the role that the account needs."""

    adds = CHALLENGE

    def __init__(self, role: str) -> None:
        super().__init__(f"This takes the role {role}.")

    def headers(self) -> Mapping[str, str]:
        return {"WWW-Authenticate": challenge("insufficient_scope", self.detail)}
