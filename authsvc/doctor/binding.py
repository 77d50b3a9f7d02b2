"""Check bound sessions (RFC 9449): a cookie that is copied opens nothing without its key."""

from authsvc.doctor.deployment import LOGIN, REFRESH, Account, Deployment, Session
from authsvc.doctor.findings import Finding, failed, not_checked, ok_unless
from authsvc.doctor.proofs import Key
from authsvc.doctor.response import Response

YEAR_2000 = 946_684_800
"""The time of a device whose battery was empty, in seconds since 1970."""


def check_binding(deployment: Deployment, account: Account) -> tuple[Finding, Session | None]:
    """Log in with a proof, and check that the cookie is refused without its key.

    Returns:
        The finding, and the bound session, or None if it is not bound.
    """
    response, session = deployment.log_in(account, {}, Key())
    if session is None:
        return _refused(deployment, response), None
    if not _is_bound(deployment, session):
        return failed(
            f"{response.request_line} with a proof: {response}, but GET /api/me/sessions does not "
            "show the session as bound",
            "Configure the proxies to forward the header DPoP, and check that no instance runs an "
            "older version.",
        ), None
    proof = Key().proof("POST", deployment.uri(REFRESH))
    send = deployment.client.request
    faults = _unless(send("POST", REFRESH, session.cookies), "dpop_proof_missing", "without a key")
    other = send("POST", REFRESH, {**session.cookies, "DPoP": proof})
    faults += _unless(other, "dpop_proof_invalid", "with another key")
    return ok_unless(
        faults,
        f"{response.request_line} with a proof: {response}; the cookie alone, and with another "
        "key: 401",
        "Check that no instance runs an older version, and configure the proxies not to cache "
        "POST /auth/refresh or to answer it.",
    ), session


def check_nonce(deployment: Deployment, session: Session | None) -> Finding:
    """Check that a client whose clock is wrong gets a nonce, and that a proof with it counts."""
    if session is None or session.key is None:
        return not_checked("needs a bound session", "Fix the binding first.")
    key, uri = session.key, deployment.uri(REFRESH)
    wrong = key.proof("POST", uri, iat=YEAR_2000)
    first = deployment.client.request("POST", REFRESH, {**session.cookies, "DPoP": wrong})
    nonce = first.header("DPoP-Nonce")
    faults = _unless(first, "use_dpop_nonce", "by a clock of the year 2000")
    if nonce is None:
        faults.append(f"{first.request_line}: no DPoP-Nonce")
    if not faults:
        proof = key.proof("POST", uri, iat=YEAR_2000, nonce=nonce)
        second = deployment.client.request("POST", REFRESH, {**session.cookies, "DPoP": proof})
        if second.status != 200:
            faults.append(f"{second.request_line} with the nonce: {second}")
    return ok_unless(
        faults,
        f"a client whose clock says 2000: {first}, then 200 with the nonce",
        "Check that every instance has the same AUTHSVC_REFRESH_TOKEN_SECRET, "
        "and configure the proxies to keep DPoP-Nonce.",
    )


def _refused(deployment: Deployment, response: Response) -> Finding:
    uri = deployment.uri(LOGIN)
    base = uri.removesuffix(LOGIN)
    return failed(
        f"{response.request_line} with a proof for {uri}: {response}",
        f"Set AUTHSVC_ISSUER={base}, so that proofs for that URL count. Without an issuer, "
        "configure the proxy to forward the path unchanged with X-Forwarded-Proto and -Host, and "
        "set AUTHSVC_TRUSTED_PROXIES=1.",
    )


def _is_bound(deployment: Deployment, session: Session) -> bool:
    listed = deployment.client.request("GET", "/api/me/sessions", session.bearer)
    sessions = listed.json.get("sessions")
    return any(
        isinstance(one, dict) and one.get("current") and one.get("bound") == "key"
        for one in (sessions if isinstance(sessions, list) else [])
    )


def _unless(response: Response, code: str, how: str) -> list[str]:
    if (response.status, response.code) == (401, code):
        return []
    return [f"{response.request_line} {how}: {response}, not 401 {code}"]
