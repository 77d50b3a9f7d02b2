"""Whether what answers is the service at all: its problems, its open and its shut doors."""

from authsvc.doctor.findings import Finding, all_well, failed, ok
from authsvc.doctor.visit import Visit
from authsvc.doctor.wire import Answer

SEE_THE_URL = (
    "See that the URL is the service's own, path included, and that the proxy hands /auth and "
    "/api on as they are."
)


def check_contract(visit: Visit) -> Finding:
    """A refresh without a cookie has one right answer, which nothing else gives."""
    answer = refresh_without_cookie(visit)
    if answer.status == 401 and answer.code == "refresh_token_missing":
        return ok(f"{answer.asked} without a cookie: {answer}")
    redirected = answer.header("Location") and 300 <= answer.status < 400
    return failed(
        f"{answer.asked} without a cookie: {answer}, not 401 refresh_token_missing",
        "Give the URL that it redirects to." if redirected else SEE_THE_URL,
    )


def check_problems(visit: Visit) -> Finding:
    """Errors are problems (RFC 9457), those of the framework too."""
    ask = visit.wire.ask
    credentials = {"email": "", "password": ""}
    expected = [
        (ask("GET", "/authsvc-doctor"), 404, "not_found"),
        (ask("GET", "/auth/refresh"), 405, "method_not_allowed"),
        (
            ask("POST", "/auth/login", {"Content-Type": "text/plain"}, json_body=credentials),
            415,
            "unsupported_media_type",
        ),
    ]
    faults = [
        f"{answer.asked}: {answer}, not {status} {code}"
        for answer, status, code in expected
        if (answer.status, answer.code) != (status, code)
    ]
    found = "404, 405 and 415 are application/problem+json"
    return all_well(found, faults, "Let the proxy pass the service's own error answers on.")


def check_protection(visit: Visit) -> Finding:
    """A protected route without a token: the challenge, and no error attribute (RFC 6750)."""
    answer = visit.wire.ask("GET", "/api/me")
    challenge = answer.header("WWW-Authenticate") or ""
    faults = []
    if (answer.status, answer.code) != (401, "access_token_missing"):
        faults.append(f"{answer.asked} without a token: {answer}, not 401 access_token_missing")
    elif not challenge.startswith("Bearer") or "error=" in challenge:
        faults.append(f"{answer.asked}: no plain WWW-Authenticate: Bearer challenge")
    return all_well(f"{answer.asked} without a token: {answer}", faults, SEE_THE_URL)


def refresh_without_cookie(visit: Visit, headers: dict[str, str] | None = None) -> Answer:
    """The request that changes nothing, whoever sends it."""
    return visit.wire.ask("POST", "/auth/refresh", headers)
