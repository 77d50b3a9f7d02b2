"""What pages may do: the service's own, the named one, and everybody else's."""

from authsvc.doctor.contract import refresh_without_cookie
from authsvc.doctor.findings import Finding, all_well, not_checked, ok, quoted
from authsvc.doctor.site import same_site
from authsvc.doctor.visit import STRANGER, Visit
from authsvc.doctor.wire import Answer

REFUSED = (403, "cross_origin_refused")


def check_own_origin(visit: Visit) -> Finding:
    """A page of the service's own origin, in a browser that sends no Sec-Fetch-Site."""
    origin = visit.wire.target.origin
    answer = refresh_without_cookie(visit, {"Origin": origin})
    faults = [f"a page of {origin} itself is refused: {answer}"] * (answer.status == 403)
    return all_well(
        f"a page of {origin} itself: {answer}",
        faults,
        f"Set AUTHSVC_ISSUER to a URL of {origin}; or, behind a proxy that sends "
        "X-Forwarded-Proto and -Host, AUTHSVC_TRUSTED_PROXIES=1.",
    )


def check_cors(visit: Visit) -> Finding:
    """The named page: preflights and answers, errors too, bear what a browser asks for."""
    origin, own = visit.origin, visit.wire.target.origin
    if origin is None:
        return not_checked(
            "whether your page may call the service",
            "Name the page's origin: --origin https://app.example.com",
        )
    if origin == own:
        return ok(f"{origin} is the service's own origin, which needs none")
    site = "same-site" if same_site(origin, own) else "cross-site"
    page = {"Origin": origin, "Sec-Fetch-Site": site, "Sec-Fetch-Mode": "cors"}
    faults = [
        *_preflight_faults(visit, page, "POST", "/auth/login", "content-type"),
        *_preflight_faults(visit, page, "DELETE", "/api/me/sessions", "authorization"),
    ]
    for answer in (refresh_without_cookie(visit, page), visit.wire.ask("GET", "/api/me", page)):
        faults += _sharing_faults(answer, origin)
        if answer.status == 403:
            faults.append(f"{answer.asked}: {answer}")
        if "origin" not in (answer.header("Vary") or "").lower():
            faults.append(f"{answer.asked}: no Vary: Origin")
    return all_well(
        f"{origin} may call it, with credentials",
        faults,
        f"Put {origin} into AUTHSVC_ALLOWED_ORIGINS, letter for letter, and let no proxy add "
        "or remove Access-Control headers.",
    )


def check_strangers_cors(visit: Visit) -> Finding:
    """No other page reads an answer: CORS headers are for listed origins alone."""
    faults = []
    for origin in _strangers(visit.origin):
        page = {"Origin": origin}
        for answer in (
            _preflight(visit, page, "POST", "/auth/login", "content-type"),
            refresh_without_cookie(visit, page),
        ):
            allowed = answer.header("Access-Control-Allow-Origin")
            if allowed is not None:
                faults.append(
                    f"{answer.asked}: Access-Control-Allow-Origin {quoted(allowed)} for {origin}"
                )
    return all_well(
        "no CORS header for " + ", ".join(_strangers(visit.origin)),
        faults,
        "List exact origins in AUTHSVC_ALLOWED_ORIGINS, and let no proxy add Access-Control "
        "headers.",
    )


def check_strangers_refused(visit: Visit) -> Finding:
    """No other page changes anything, whichever of the two headers its browser sends."""
    pages = [{"Origin": origin} for origin in _strangers(visit.origin)]
    pages += [{**page, "Sec-Fetch-Site": "cross-site"} for page in pages]
    pages.append({"Sec-Fetch-Site": "same-site"})
    faults = []
    for page in pages:
        for path in ("/auth/refresh", "/auth/logout"):
            answer = visit.wire.ask("POST", path, page)
            if (answer.status, answer.code) != REFUSED:
                faults.append(f"{answer.asked} from {' '.join(page.values())}: {answer}")
    return all_well(
        f"refresh and logout for {len(pages)} kinds of pages from elsewhere: 403",
        faults,
        "Take from AUTHSVC_ALLOWED_ORIGINS what is not yours, and let the proxy pass on Origin "
        "and Sec-Fetch-Site.",
    )


def _strangers(origin: str | None) -> list[str]:
    look_alike = [f"{origin}.{STRANGER}"] if origin else []
    return [f"https://{STRANGER}", "null", *look_alike]


def _preflight(visit: Visit, page: dict[str, str], method: str, path: str, header: str) -> Answer:
    asked = {"Access-Control-Request-Method": method, "Access-Control-Request-Headers": header}
    return visit.wire.ask("OPTIONS", path, {**page, **asked})


def _preflight_faults(
    visit: Visit, page: dict[str, str], method: str, path: str, header: str
) -> list[str]:
    answer = _preflight(visit, page, method, path, header)
    faults = _sharing_faults(answer, page["Origin"])
    if faults:
        return faults
    if not 200 <= answer.status < 300:
        faults.append(f"{answer.asked}: {answer}")
    if method not in _list(answer, "Access-Control-Allow-Methods") | {"GET", "HEAD", "POST"}:
        faults.append(f"{answer.asked}: {method} is not among Access-Control-Allow-Methods")
    if header.upper() not in _list(answer, "Access-Control-Allow-Headers"):
        faults.append(f"{answer.asked}: {header} is not among Access-Control-Allow-Headers")
    return faults


def _sharing_faults(answer: Answer, origin: str) -> list[str]:
    """What keeps a page from reading an answer that came with its cookie (Fetch, 4.10)."""
    allowed = answer.header("Access-Control-Allow-Origin")
    if allowed != origin:
        seen = "no" if allowed is None else quoted(allowed) + " as"
        return [f"{answer.asked}: {seen} Access-Control-Allow-Origin"]
    if answer.header("Access-Control-Allow-Credentials") != "true":
        return [f"{answer.asked}: no Access-Control-Allow-Credentials: true"]
    return []


def _list(answer: Answer, name: str) -> set[str]:
    return {word.strip().upper() for word in (answer.header(name) or "").split(",")}
