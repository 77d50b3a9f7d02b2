"""Check that passkeys can work: options for the right domain, and a new challenge each time."""

from ipaddress import ip_address
from urllib.parse import urlsplit

from authsvc.doctor.deployment import Deployment
from authsvc.doctor.findings import Finding, failed, not_checked, ok, quoted, warning
from authsvc.doctor.response import Response

OPTIONS, PASSKEY = "/auth/passkey/options", "/auth/passkey"


def check_passkeys(deployment: Deployment) -> Finding:
    """Check the options that a browser passes to a passkey, without one.

    A passkey works for pages of its domain (the RP ID; WebAuthn level 3, section 5.1.3) and of the
    domains below it.
    """
    host, origin = deployment.client.target.host, deployment.origin
    if _is_address(host):
        return not_checked(
            "passkeys belong to a domain, and not to a network address",
            "Examine the service by the host name that people use.",
        )
    request = deployment.client.request
    first, second = (request("POST", OPTIONS, json_body={}) for _ in range(2))
    faults = _faults_of_options(first, host) or _faults_of_challenges(first, second)
    empty = request("POST", PASSKEY, json_body={})
    if (empty.status, empty.code) != (422, "validation_failed"):
        faults.append(f"{empty.request_line} without a passkey: {empty}, not 422")
    if faults:
        return failed(
            "; ".join(faults),
            f"Set AUTHSVC_PASSKEY_DOMAIN to {host} or a domain above it, check that no instance "
            "runs an older version, and configure the proxies to forward /auth unchanged and never "
            "to cache it.",
        )
    domain = str(first.json["rpId"])
    page = (urlsplit(origin or "").hostname if origin else None) or host
    if not _is_within(page, domain):
        return warning(
            f"passkeys belong to {quoted(domain)}, so browsers refuse them to the pages of {page}",
            "Set AUTHSVC_PASSKEY_DOMAIN to a domain above both hosts, before people register "
            "passkeys: a changed domain loses all of them.",
        )
    return ok(f"{first.request_line}: passkeys of {quoted(domain)}, and a new challenge each time")


def _faults_of_options(options: Response, host: str) -> list[str]:
    if options.status != 200:
        return [f"{options.request_line}: {options}, not 200"]
    faults, domain = [], options.json.get("rpId")
    if not isinstance(domain, str) or not _is_within(host, domain):
        faults.append(f"rpId is {quoted(str(domain))}, which is not {host} or a domain above it")
    if options.json.get("userVerification") != "required":
        faults.append("userVerification is not required, so a passkey would be one factor")
    return faults


def _faults_of_challenges(first: Response, second: Response) -> list[str]:
    challenge = first.json.get("challenge")
    if not isinstance(challenge, str) or not challenge:
        return [f"{first.request_line}: no challenge"]
    if challenge == second.json.get("challenge"):
        return [f"{first.request_line} twice: the same challenge"]
    return []


def _is_within(host: str, domain: str) -> bool:
    """Return whether browsers let the pages of a host use passkeys of a domain."""
    return host == domain or ("." in domain and host.endswith(f".{domain}"))


def _is_address(host: str) -> bool:
    try:
        ip_address(host)
    except ValueError:
        return False
    return True
