"""429 and 5xx: the service does not answer this request now."""

from collections.abc import Mapping

from authsvc.problems.problem import RETRY_AFTER, Problem

RETRY_SECONDS = 2
"""How long a client should wait when the service is busy or its database does not answer."""


class RateLimited(Problem):
    """There were too many attempts: failed passwords of an account or from an address,
    registrations, requests for mails, or refreshes of one session. Wait for the seconds in
    `Retry-After`, then retry.
    """

    status, code = 429, "rate_limited"
    detail = "Too many attempts: wait, then try again."
    adds = RETRY_AFTER

    def __init__(self, retry_after: int) -> None:
        """Args: retry_after: seconds to wait before the next attempt."""
        super().__init__()
        self.retry_after = retry_after

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(self.retry_after)}


class InternalError(Problem):
    """Something went wrong in the service. Its log says what, under the `X-Request-ID` of the
    response. A retry may succeed; a change may have been made.
    """

    status, code = 500, "internal_error"
    detail = "Something went wrong here; it has been logged."


class ServiceUnavailable(Problem):
    """The database does not answer, or too many passwords are being checked at once. Nothing was
    changed, and no cookie was set or cleared. Wait for the seconds in `Retry-After`, then retry.
    """

    status, code = 503, "service_unavailable"
    detail = "The service cannot answer now, and nothing was changed: try again."
    adds = RETRY_AFTER

    def headers(self) -> Mapping[str, str]:
        return {"Retry-After": str(RETRY_SECONDS)}
