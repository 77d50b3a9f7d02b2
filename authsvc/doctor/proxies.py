"""Whether the service believes a client that pretends to be a proxy."""

from typing import Any

from authsvc.doctor.contract import refresh_without_cookie
from authsvc.doctor.findings import Finding, all_well, failed, not_checked, ok, quoted
from authsvc.doctor.visit import STRANGER, Session, Visit

ADDRESS = "203.0.113.9"
"""An address that nobody has (RFC 5737)."""

ADDRESS_LIES = {"X-Forwarded-For": ADDRESS, "X-Real-IP": ADDRESS, "Forwarded": f"for={ADDRESS}"}
"""Headers of the examination's login, so that the list of sessions shows who was believed."""

OVERWRITE = (
    "Set AUTHSVC_TRUSTED_PROXIES to the number of proxies in front (0 without one), let the "
    "outermost overwrite X-Forwarded-* and let nobody reach the service past it."
)


def check_headers_of_proxies(visit: Visit) -> Finding:
    """Scheme and host: each lie, with each origin that it would make the service's own."""
    target = visit.wire.target
    other = "http" if target.is_tls else "https"
    lies = {
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
        honest = _outcome(visit, {"Origin": origin})
        for name, lie in lies.items():
            if _outcome(visit, {"Origin": origin, name: lie}) != honest:
                believed.add(name)
    faults = [f"a client's {name} is believed" for name in sorted(believed)]
    return all_well(f"a client's {', '.join(lies)} change nothing", faults, OVERWRITE)


def check_client_address(visit: Visit, session: Session) -> Finding:
    """The address by which limits count, as the list of sessions shows it."""
    answer = visit.wire.ask("GET", "/api/me/sessions", session.bearer)
    sessions = answer.json.get("sessions")
    listed = sessions if isinstance(sessions, list) else []
    current: list[Any] = [one for one in listed if isinstance(one, dict) and one.get("current")]
    if answer.status != 200 or len(current) != 1:
        return not_checked(
            f"{answer.asked}: {answer}, no list with a current session",
            "See whether the service lists sessions; without that its view cannot be told.",
        )
    address = str(current[0].get("ip_address"))
    if address == ADDRESS:
        return failed(f"a client is believed to be at {ADDRESS} because it says so", OVERWRITE)
    return ok(f"a client's {', '.join(ADDRESS_LIES)} change nothing: seen at {quoted(address)}")


def _outcome(visit: Visit, headers: dict[str, str]) -> tuple[int, str | None, bool]:
    answer = refresh_without_cookie(visit, headers)
    return answer.status, answer.code, answer.header("Strict-Transport-Security") is not None
