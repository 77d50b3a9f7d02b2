"""400 to 422, except for 401 and 403: the request itself is wrong."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from authsvc.problems.fault import Fault
from authsvc.problems.problem import Problem

ALLOW = {"Allow": "The methods that the route takes."}


class InvalidRequest(Problem):
    """The body is not a JSON object, has a member twice, or the request has two access tokens. Fix
    the client: a retry will be refused again.
    """

    status, code = 400, "invalid_request"
    detail = "The request cannot be understood."


class NotFound(Problem):
    """The route does not exist, or this account has nothing with that id. Check the path and the
    id.
    """

    status, code = 404, "not_found"
    detail = "There is nothing here."


class MethodNotAllowed(Problem):
    """The route exists, but not for this method: `Allow` lists its methods. Fix the client."""

    status, code = 405, "method_not_allowed"
    detail = "This route does not take that method: see Allow."
    adds = ALLOW


class EmailTaken(Problem):
    """An account has this address, perhaps in another case. Offer to log in instead."""

    status, code = 409, "email_taken"
    detail = "There is an account with this e-mail address."


class FactorExists(Problem):
    """The account has an authenticator app already, or as many passkeys as it may have. Remove that
    one, or one of them, first to set up another.
    """

    status, code = 409, "factor_exists"
    detail = "The account has an authenticator app already."


class AccountInUse(Problem):
    """Data of this application refers to the account and does not allow that it is deleted. Nothing
    was changed, and the session goes on. The operator's log names the table: a retry succeeds once
    they have removed the data or changed the table.
    """

    status, code = 409, "account_in_use"
    detail = "Data of this application refers to the account, so it cannot be deleted now."


class RequestTooLarge(Problem):
    """A body may have 16 KiB, and no request here needs more. Fix the client."""

    status, code = 413, "request_too_large"
    detail = "The request's body is too large."


class UnsupportedMediaType(Problem):
    """The body must be declared as `application/json`, in UTF-8 and not compressed. Set the
    `Content-Type` and send the request again.
    """

    status, code = 415, "unsupported_media_type"
    detail = "The body must be application/json, in UTF-8 and without a Content-Encoding."


class ValidationFailed(Problem):
    """The body is a JSON object, but some of its fields are invalid: one is missing or has another
    type, or a password is too weak. `errors` gives the JSON pointer of each, a sentence that can
    be shown beside the field, and a stable `code`, so that a page can say it in its own words.
    """

    status, code = 422, "validation_failed"
    detail = "Some fields are invalid."

    def __init__(self, faults: Sequence[Fault]) -> None:
        super().__init__()
        self.faults = faults

    def members(self) -> Mapping[str, Any]:
        return {"errors": [asdict(fault) for fault in self.faults]}
