"""Check what pages may do: the service's own, the given one, and those of other origins."""

from authsvc.doctor.contract import refresh_without_cookie
from authsvc.doctor.deployment import STRANGER, Deployment
from authsvc.doctor.findings import Finding, not_checked, ok, ok_unless, quoted
from authsvc.doctor.response import Response
from authsvc.doctor.site import same_site

REFUSED = (403, "cross_origin_refused")


def check_own_origin(deployment: Deployment) -> Finding:
    """Check a page of the service's own origin, in a browser without Sec-Fetch-Site."""
    origin = deployment.client.target.origin
    response = refresh_without_cookie(deployment, {"Origin": origin})
    faults = [f"a page of {origin} itself is refused: {response}"] * (response.status == 403)
    return ok_unless(
        faults,
        f"a page of {origin} itself: {response}",
        f"Set AUTHSVC_ISSUER to a URL of {origin}, or, behind a proxy that sends "
        "X-Forwarded-Proto and -Host, AUTHSVC_TRUSTED_PROXIES=1.",
    )


def check_cors(deployment: Deployment) -> Finding:
    """Check that preflights and responses, errors too, let the given page read them."""
    origin, own = deployment.origin, deployment.client.target.origin
    if origin is None:
        return not_checked(
            "whether your page may call the service",
            "Add the page's origin: --origin https://app.example.com",
        )
    if origin == own:
        return ok(f"{origin} is the service's own origin, which needs no CORS")
    site = "same-site" if same_site(origin, own) else "cross-site"
    page = {"Origin": origin, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}
    faults = [
        *_preflight_faults(deployment, page, "POST", "/auth/login", "content-type"),
        *_preflight_faults(deployment, page, "POST", "/auth/refresh", "dpop"),
        *_preflight_faults(deployment, page, "DELETE", "/api/me/sessions", "authorization"),
    ]
    for response in (
        refresh_without_cookie(deployment, page),
        deployment.client.request("GET", "/api/me", page),
    ):
        faults += _sharing_faults(response, origin)
        if response.status == 403:
            faults.append(f"{response.request_line}: {response}")
        if "DPOP-NONCE" not in _list(response, "Access-Control-Expose-Headers"):
            faults.append(
                f"{response.request_line}: DPoP-Nonce is not among Access-Control-Expose-Headers"
            )
        if "origin" not in (response.header("Vary") or "").lower():
            faults.append(f"{response.request_line}: no Vary: Origin")
    return ok_unless(
        faults,
        f"{origin} may call it, with credentials",
        f"Add {origin} to AUTHSVC_ALLOWED_ORIGINS, exactly so, and configure the proxies not to "
        "add or remove Access-Control headers.",
    )


def check_strangers_cors(deployment: Deployment) -> Finding:
    """Check that no other page can read a response: only listed origins get CORS headers."""
    faults = []
    for origin in _strangers(deployment.origin):
        page = {"Origin": origin}
        for response in (
            _preflight(deployment, page, "POST", "/auth/login", "content-type"),
            refresh_without_cookie(deployment, page),
        ):
            allowed = response.header("Access-Control-Allow-Origin")
            if allowed is not None:
                faults.append(
                    f"{response.request_line}: Access-Control-Allow-Origin {quoted(allowed)} "
                    f"for {origin}"
                )
    return ok_unless(
        faults,
        "no CORS header for " + ", ".join(_strangers(deployment.origin)),
        "List exact origins in AUTHSVC_ALLOWED_ORIGINS, and configure the proxies not to add "
        "Access-Control headers.",
    )


def check_strangers_refused(deployment: Deployment) -> Finding:
    """Check that no other page can change anything, with either of the browsers' two headers."""
    pages = [{"Origin": origin} for origin in _strangers(deployment.origin)]
    pages += [{**page, "Sec-Fetch-Site": "cross-site"} for page in pages]
    pages.append({"Sec-Fetch-Site": "same-site"})
    faults = []
    for page in pages:
        for path in ("/auth/refresh", "/auth/logout"):
            response = deployment.client.request("POST", path, page)
            if (response.status, response.code) != REFUSED:
                faults.append(f"{response.request_line} from {' '.join(page.values())}: {response}")
    return ok_unless(
        faults,
        f"refresh and logout for {len(pages)} kinds of pages from elsewhere: 403",
        "Remove from AUTHSVC_ALLOWED_ORIGINS what is not yours, and configure the proxy to "
        "forward Origin and Sec-Fetch-Site.",
    )


def _strangers(origin: str | None) -> list[str]:
    look_alike = [f"{origin}.{STRANGER}"] if origin else []
    return [f"https://{STRANGER}", "null", *look_alike]


def _preflight(
    deployment: Deployment, page: dict[str, str], method: str, path: str, header: str
) -> Response:
    wanted = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": header}
    return deployment.client.request("OPTIONS", path, {**page, **wanted})


def _preflight_faults(
    deployment: Deployment, page: dict[str, str], method: str, path: str, header: str
) -> list[str]:
    response = _preflight(deployment, page, method, path, header)
    faults = _sharing_faults(response, page["Origin"])
    if faults:
        return faults
    if not 200 <= response.status < 300:
        faults.append(f"{response.request_line}: {response}")
    if method not in _list(response, "Access-Control-Allow-Methods") | {"GET", "HEAD", "POST"}:
        faults.append(
            f"{response.request_line}: {method} is not among Access-Control-Allow-Methods"
        )
    if header.upper() not in _list(response, "Access-Control-Allow-Headers"):
        faults.append(
            f"{response.request_line}: {header} is not among Access-Control-Allow-Headers"
        )
    return faults


def _sharing_faults(response: Response, origin: str) -> list[str]:
    """Return what keeps a page from reading a response with credentials (Fetch, 4.10)."""
    allowed = response.header("Access-Control-Allow-Origin")
    if allowed != origin:
        seen = "no" if allowed is None else quoted(allowed) + " as"
        return [f"{response.request_line}: {seen} Access-Control-Allow-Origin"]
    if response.header("Access-Control-Allow-Credentials") != "true":
        return [f"{response.request_line}: no Access-Control-Allow-Credentials: true"]
    return []


def _list(response: Response, name: str) -> set[str]:
    return {word.strip().upper() for word in (response.header(name) or "").split(",")}
