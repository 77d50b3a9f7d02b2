"""Whether guessing a password is stopped; tried on an account that does not exist."""

import secrets

from authsvc.doctor.findings import Finding, failed, not_checked, ok
from authsvc.doctor.visit import Visit

MOST_FAILURES = 10
"""Failed logins that one account may have in 15 minutes."""


def check_limits(visit: Visit) -> Finding:
    """Wrong logins for a made-up address, until the first 429.

    They count against this machine's address too, so nobody is sent here unasked.
    """
    guess = {
        "email": f"authsvc-doctor-{secrets.token_hex(8)}@example.com",
        "password": secrets.token_hex(16),
    }
    for number in range(1, MOST_FAILURES + 2):
        answer = visit.wire.ask("POST", "/auth/login", json_body=guess)
        if answer.status == 429:
            wait = answer.header("Retry-After")
            if wait is None:
                return failed(
                    f"wrong login {number}: {answer} without Retry-After",
                    "Let no proxy remove Retry-After, nor answer 429 in the service's place.",
                )
            return ok(f"wrong login {number} of an unknown account: {answer} for {wait[:10]} s")
        if answer.status != 401:
            return not_checked(
                f"wrong login {number}: {answer}, neither 401 nor 429",
                "Try again when the service answers logins.",
            )
    return failed(
        f"{number} wrong logins of an unknown account, and no 429",
        "Set AUTHSVC_RATE_LIMIT_FACTOR=1, and give all instances one AUTHSVC_RATE_LIMIT_STORAGE.",
    )


def leave_limits_out() -> Finding:
    """Why they are not tried unasked."""
    return not_checked(
        "it takes up to 11 wrong logins, which count against this address for 15 minutes",
        "Add --limits, where nobody else logs in from this address.",
    )
