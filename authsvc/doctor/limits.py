"""Check that guessing a password is limited, with an account that does not exist."""

import secrets

from authsvc.doctor.deployment import Deployment
from authsvc.doctor.findings import Finding, failed, not_checked, ok

MAX_FAILURES = 10
"""Failed logins that one account may have in 15 minutes."""


def check_limits(deployment: Deployment) -> Finding:
    """Send wrong logins for a made-up e-mail address until the first 429.

    They count against this machine's network address too, so this check runs only with --limits.
    """
    guess = {
        "email": f"authsvc-doctor-{secrets.token_hex(8)}@example.com",
        "password": secrets.token_hex(16),
    }
    key = None
    for number in range(1, MAX_FAILURES + 2):
        response, key = deployment.send_credentials(guess, key=key)
        if response.status == 429:
            wait = response.header("Retry-After")
            if wait is None:
                return failed(
                    f"wrong login {number}: {response} without Retry-After",
                    "Configure the proxies to keep Retry-After, and not to answer 429 themselves.",
                )
            return ok(f"wrong login {number} of an unknown account: {response} for {wait[:10]} s")
        if response.status != 401:
            return not_checked(
                f"wrong login {number}: {response}, neither 401 nor 429",
                "Try again when the service accepts logins.",
            )
    return failed(
        f"{number} wrong logins of an unknown account, and no 429",
        "Set AUTHSVC_RATE_LIMIT_FACTOR=1, and give all instances one AUTHSVC_RATE_LIMIT_STORAGE.",
    )


def skip_limits() -> Finding:
    """Return why this check does not run without --limits."""
    return not_checked(
        "needs up to 11 wrong logins, which count against this address for 15 minutes",
        "Add --limits if no one else logs in from this address.",
    )
