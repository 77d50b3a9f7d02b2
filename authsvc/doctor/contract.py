"""Check that the URL is the service's: its errors, and the protection of its routes."""

from authsvc.doctor.deployment import Deployment
from authsvc.doctor.findings import Finding, failed, ok, ok_unless
from authsvc.doctor.response import Response

CHECK_URL = (
    "Check that the URL is the service's own, path included, and that the proxy forwards /auth "
    "and /api unchanged."
)


def check_contract(deployment: Deployment) -> Finding:
    """Check the response to a refresh without a cookie, which identifies the service."""
    response = refresh_without_cookie(deployment)
    if response.status == 401 and response.code == "refresh_token_missing":
        return ok(f"{response.request_line} without a cookie: {response}")
    redirected = response.header("Location") and 300 <= response.status < 400
    return failed(
        f"{response.request_line} without a cookie: {response}, not 401 refresh_token_missing",
        "Use the URL that it redirects to." if redirected else CHECK_URL,
    )


def check_problems(deployment: Deployment) -> Finding:
    """Check that errors are problems (RFC 9457), the framework's own too.

    Unknown paths are tried only below /auth/ and /api/: on a shared host, the page answers others.
    """
    request = deployment.client.request
    credentials = {"email": "", "password": ""}
    expected = [
        (request("GET", "/auth/authsvc-doctor"), 404, "not_found"),
        (request("GET", "/api/authsvc-doctor"), 404, "not_found"),
        (request("GET", "/auth/refresh"), 405, "method_not_allowed"),
        (
            request("POST", "/auth/login", {"Content-Type": "text/plain"}, json_body=credentials),
            415,
            "unsupported_media_type",
        ),
    ]
    faults = [
        f"{response.request_line}: {response}, not {status} {code}"
        for response, status, code in expected
        if (response.status, response.code) != (status, code)
    ]
    found = "404, 405 and 415 are application/problem+json"
    return ok_unless(faults, found, "Configure the proxy to forward the service's error responses.")


def check_protection(deployment: Deployment) -> Finding:
    """Check that a protected route without a token answers a plain challenge (RFC 6750)."""
    response = deployment.client.request("GET", "/api/me")
    challenge = response.header("WWW-Authenticate") or ""
    faults = []
    if (response.status, response.code) != (401, "access_token_missing"):
        faults.append(
            f"{response.request_line} without a token: {response}, not 401 access_token_missing"
        )
    elif not challenge.startswith("Bearer") or "error=" in challenge:
        faults.append(f"{response.request_line}: no plain WWW-Authenticate: Bearer challenge")
    return ok_unless(faults, f"{response.request_line} without a token: {response}", CHECK_URL)


def refresh_without_cookie(
    deployment: Deployment, headers: dict[str, str] | None = None
) -> Response:
    """Send a refresh without a cookie, a request that changes nothing."""
    return deployment.client.request("POST", "/auth/refresh", headers)


def logout_without_cookie(deployment: Deployment) -> Response:
    """Send a logout without a cookie, which changes nothing and clears the cookie."""
    return deployment.client.request("POST", "/auth/logout")
