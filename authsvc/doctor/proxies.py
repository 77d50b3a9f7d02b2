"""Check that the service ignores a client that pretends to be a proxy."""

from typing import Any

from authsvc.doctor.contract import refresh_without_cookie
from authsvc.doctor.deployment import STRANGER, Deployment, Session
from authsvc.doctor.findings import Finding, failed, not_checked, ok, ok_unless, quoted

ADDRESS = "203.0.113.9"
"""An address that is reserved for documentation (RFC 5737)."""

FORGED_ADDRESS = {"X-Forwarded-For": ADDRESS, "X-Real-IP": ADDRESS, "Forwarded": f"for={ADDRESS}"}
"""Headers of the doctor's login, so that the list of sessions shows whether they were believed."""

OVERWRITE = (
    "Set AUTHSVC_TRUSTED_PROXIES to the number of proxies in front (0 without one), configure the "
    "outermost to overwrite X-Forwarded-*, and let no client reach the service past it."
)


def check_headers_of_proxies(deployment: Deployment) -> Finding:
    """Check forged schemes and hosts, with each origin that they would make the service's own."""
    target = deployment.client.target
    other = "http" if target.is_tls else "https"
    forged = {
        "X-Forwarded-Proto": other,
        "X-Forwarded-Host": STRANGER,
        "Forwarded": f"host={STRANGER};proto={other}",
    }
    host = target.origin.partition("://")[2]
    origins = (
        target.origin,
        f"{target.scheme}://{STRANGER}",
        f"{other}://{host}",
        f"{other}://{STRANGER}",
    )
    believed = set()
    for origin in origins:
        honest = _outcome(deployment, {"Origin": origin})
        for name, value in forged.items():
            if _outcome(deployment, {"Origin": origin, name: value}) != honest:
                believed.add(name)
    faults = [f"a client's {name} is believed" for name in sorted(believed)]
    return ok_unless(faults, f"a client's {', '.join(forged)} change nothing", OVERWRITE)


def check_client_address(deployment: Deployment, session: Session) -> Finding:
    """Check the address by which limits count, as the list of sessions shows it."""
    response = deployment.client.request("GET", "/api/me/sessions", session.bearer)
    sessions = response.json.get("sessions")
    listed = sessions if isinstance(sessions, list) else []
    current: list[Any] = [one for one in listed if isinstance(one, dict) and one.get("current")]
    if response.status != 200 or len(current) != 1:
        return not_checked(
            f"{response.request_line}: {response}, no list with a current session",
            "Check that the service lists sessions: the list shows the address that it sees.",
        )
    address = str(current[0].get("ip_address"))
    if address == ADDRESS:
        return failed(f"the service believes a client's claim to be {ADDRESS}", OVERWRITE)
    return ok(f"a client's {', '.join(FORGED_ADDRESS)} change nothing: seen at {quoted(address)}")


def _outcome(deployment: Deployment, headers: dict[str, str]) -> tuple[int, str | None, bool]:
    response = refresh_without_cookie(deployment, headers)
    return response.status, response.code, response.header("Strict-Transport-Security") is not None
