"""Check the headers that every response must have, over all responses of the examination."""

import re
from collections.abc import Callable

from authsvc.doctor.deployment import Deployment
from authsvc.doctor.findings import Finding, failed, not_checked, ok, ok_unless, quoted, warning
from authsvc.doctor.response import Response

HSTS = "Strict-Transport-Security"
ONE_YEAR = 365 * 24 * 60 * 60  # what ASVS 5.0 asks for (3.4.1)
_MAX_AGE = re.compile(r'(?:^|;)\s*max-age\s*=\s*"?(\d{1,12})"?\s*(?:;|$)', re.ASCII | re.IGNORECASE)


def check_headers(deployment: Deployment) -> Finding:
    """Check the contract's headers on each response."""
    responses = deployment.client.responses
    faults = []
    for what, is_right in _RULES.items():
        wrong = [response for response in responses if not is_right(response)]
        if wrong:
            faults.append(f"{what} on {len(wrong)}, such as {wrong[0].request_line} ({wrong[0]})")
    return ok_unless(
        faults,
        f"{len(responses)} responses: nosniff, no-referrer, CSP, no-store, request id",
        "The service sets them on every response. Configure the proxies to keep them, and not to "
        "answer in the service's place.",
    )


def check_hsts(deployment: Deployment) -> Finding:
    """Check Strict-Transport-Security on each response over TLS (RFC 6797)."""
    if not deployment.client.target.is_tls:
        return not_checked("plain HTTP has no HSTS", "Use the service's https URL.")
    responses = deployment.client.responses
    without = [response for response in responses if response.header(HSTS) is None]
    if without:
        return failed(
            f"missing on {len(without)} of {len(responses)} responses, such as "
            f"{without[0].request_line} ({without[0]})",
            "Configure the proxy to send X-Forwarded-Proto: https and set "
            "AUTHSVC_TRUSTED_PROXIES=1, or configure it to add the header itself, to errors too.",
        )
    seconds = min(_seconds(response.header(HSTS) or "") for response in responses)
    found = f"max-age={seconds} on all {len(responses)} responses"
    if seconds < ONE_YEAR:
        advice = f"Let no proxy change it: max-age={ONE_YEAR} is a year, and 0 turns HSTS off."
        return warning(found, advice) if seconds else failed(found, advice)
    return ok(found)


def check_server(deployment: Deployment) -> Finding:
    """Check that no Server header tells an attacker a version."""
    named = {value for response in deployment.client.responses for value in response.all("Server")}
    versions = sorted(value for value in named if any(letter.isdigit() for letter in value))
    if versions:
        return warning(
            f"Server: {quoted(versions[0])}",
            "Hide the version: `server_tokens off` in nginx, `ServerTokens Prod` in Apache.",
        )
    return ok(f"Server: {quoted(', '.join(sorted(named)))}" if named else "no Server header")


def _seconds(value: str) -> int:
    found = _MAX_AGE.search(value)
    return int(found[1]) if found else 0


def _policy_is_narrow(response: Response) -> bool:
    policy = response.header("Content-Security-Policy") or ""
    directives = {directive.strip() for directive in policy.split(";")}
    return {"default-src 'none'", "frame-ancestors 'none'"} <= directives


def _is_not_stored(response: Response) -> bool:
    path = response.request_line.partition(" ")[2]
    stored = response.header("Cache-Control") or ""
    return "no-store" in stored.lower() or not path.startswith(("/auth/", "/api/"))


_RULES: dict[str, Callable[[Response], bool]] = {
    "no X-Content-Type-Options": lambda it: it.header("X-Content-Type-Options") == "nosniff",
    "no Referrer-Policy: no-referrer": lambda it: it.header("Referrer-Policy") == "no-referrer",
    "no Content-Security-Policy of 'none'": _policy_is_narrow,
    "no Cache-Control: no-store": _is_not_stored,
    "another X-Request-ID than was sent": lambda it: it.header("X-Request-ID") == it.request_id,
}
