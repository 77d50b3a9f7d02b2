"""The headers that every answer must bear: judged at the end, over all that came."""

import re
from collections.abc import Callable

from authsvc.doctor.findings import Finding, all_well, failed, not_checked, ok, quoted, warning
from authsvc.doctor.visit import Visit
from authsvc.doctor.wire import Answer

HSTS = "Strict-Transport-Security"
ONE_YEAR = 365 * 24 * 60 * 60  # what ASVS 5.0 asks for (3.4.1)
_MAX_AGE = re.compile(r'(?:^|;)\s*max-age\s*=\s*"?(\d{1,12})"?\s*(?:;|$)', re.ASCII | re.IGNORECASE)


def check_headers(visit: Visit) -> Finding:
    """Those of the contract, on each answer."""
    answers = visit.wire.answers
    faults = []
    for what, is_right in _RULES.items():
        wrong = [answer for answer in answers if not is_right(answer)]
        if wrong:
            faults.append(f"{what} on {len(wrong)}, such as {wrong[0].asked} ({wrong[0]})")
    return all_well(
        f"{len(answers)} answers: nosniff, no-referrer, CSP, no-store, request id",
        faults,
        "The service sets them on every answer: let no proxy remove them, nor answer in its place.",
    )


def check_hsts(visit: Visit) -> Finding:
    """Strict-Transport-Security on each answer that came by TLS (RFC 6797)."""
    if not visit.wire.target.is_tls:
        return not_checked("plain HTTP, for which there is none", "Give the service's https URL.")
    answers = visit.wire.answers
    without = [answer for answer in answers if answer.header(HSTS) is None]
    if without:
        return failed(
            f"missing on {len(without)} of {len(answers)} answers, such as {without[0].asked} "
            f"({without[0]})",
            "Let the proxy send X-Forwarded-Proto: https and set AUTHSVC_TRUSTED_PROXIES=1, or "
            "let the proxy add the header itself, to errors too.",
        )
    seconds = min(_seconds(answer.header(HSTS) or "") for answer in answers)
    found = f"max-age={seconds} on all {len(answers)} answers"
    if seconds < ONE_YEAR:
        advice = f"Let no proxy change it: max-age={ONE_YEAR} is a year, and 0 takes it away."
        return warning(found, advice) if seconds else failed(found, advice)
    return ok(found)


def check_server(visit: Visit) -> Finding:
    """Nobody is told which version is to be attacked."""
    named = {value for answer in visit.wire.answers for value in answer.all("Server")}
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


def _policy_is_narrow(answer: Answer) -> bool:
    policy = answer.header("Content-Security-Policy") or ""
    directives = {directive.strip() for directive in policy.split(";")}
    return {"default-src 'none'", "frame-ancestors 'none'"} <= directives


def _is_not_stored(answer: Answer) -> bool:
    path = answer.asked.partition(" ")[2]
    stored = answer.header("Cache-Control") or ""
    return "no-store" in stored.lower() or not path.startswith(("/auth/", "/api/"))


_RULES: dict[str, Callable[[Answer], bool]] = {
    "no X-Content-Type-Options": lambda it: it.header("X-Content-Type-Options") == "nosniff",
    "no Referrer-Policy: no-referrer": lambda it: it.header("Referrer-Policy") == "no-referrer",
    "no Content-Security-Policy of 'none'": _policy_is_narrow,
    "no Cache-Control: no-store": _is_not_stored,
    "another X-Request-ID than was sent": lambda it: it.header("X-Request-ID") == it.request_id,
}
