"""Check the refresh cookie: its attributes, and whether the page's browser sends it."""

from dataclasses import dataclass, field

from authsvc.doctor.findings import Finding, failed, not_checked, ok, quoted, warning
from authsvc.doctor.response import Response
from authsvc.doctor.site import same_site
from authsvc.doctor.target import Target

NAMES = ("__Host-refresh_token", "refresh_token")
MAX_COOKIE_AGE = 400 * 24 * 60 * 60  # seconds that browsers keep a cookie (RFC 6265bis 5.6.2)
MAX_COOKIE_CHARACTERS = 4096  # browsers drop a larger cookie (RFC 6265bis 6.1)

NOT_BY_A_PROXY = "The service sets it correctly: configure the proxies not to change Set-Cookie"


@dataclass(frozen=True)
class SetCookie:
    """One ``Set-Cookie`` header; the attributes' names are in lower case."""

    name: str
    value: str = field(repr=False)
    attributes: dict[str, str]

    @property
    def samesite(self) -> str:
        return self.attributes.get("samesite", "").capitalize()

    def request_header(self, value: str | None = None) -> dict[str, str]:
        """Return the request header that sends the cookie, or another value under its name."""
        return {"Cookie": f"{self.name}={self.value if value is None else value}"}


def set_cookies(response: Response) -> list[SetCookie]:
    """Return each cookie that a response sets (RFC 6265 section 5.2)."""
    cookies = []
    for line in response.all("Set-Cookie"):
        pair, *attributes = line.split(";")
        name, _, value = pair.partition("=")
        split = [attribute.partition("=") for attribute in attributes]
        words = {key.strip().lower(): word.strip() for key, _, word in split}
        cookies.append(SetCookie(name.strip(), value.strip(), words))
    return cookies


def refresh_cookies(response: Response) -> list[SetCookie]:
    """Return the cookies with the contract's name that a response sets."""
    return [cookie for cookie in set_cookies(response) if cookie.name in NAMES]


def check_attributes(response: Response, target: Target, *, cleared: bool) -> Finding:
    """Check that a response sets the refresh cookie, or clears it, as the contract says."""
    cookies = refresh_cookies(response)
    if len(cookies) != 1:
        return failed(
            f"{response.request_line}: {response}, with {len(cookies)} refresh cookies, not one",
            NOT_BY_A_PROXY + ", and check that the URL is the service's.",
        )
    (cookie,) = cookies
    faults = _faults(cookie, cleared=cleared)
    seen = f"{response.request_line}: {cookie.name}"
    if faults:
        return failed(f"{seen}: {', '.join(faults)}", NOT_BY_A_PROXY + ".")
    if cookie.name != NAMES[0] or "secure" not in cookie.attributes:
        found = f"{seen} is not Secure under a name with __Host-"
        return (warning if target.is_local and not target.is_tls else failed)(
            found, "Set AUTHSVC_COOKIE_SECURE=true; false is only for development."
        )
    return ok(f"{seen}; Secure; HttpOnly; Path=/; SameSite={cookie.samesite}")


def _faults(cookie: SetCookie, *, cleared: bool) -> list[str]:
    age = cookie.attributes.get("max-age", "")
    seconds = int(age) if age.isascii() and age.isdigit() and len(age) < 20 else None
    faults = {
        "no HttpOnly": "httponly" not in cookie.attributes,
        f"Path={quoted(cookie.attributes.get('path', ''))}": cookie.attributes.get("path") != "/",
        "a Domain": "domain" in cookie.attributes,
        "no SameSite": cookie.samesite not in ("Strict", "Lax", "None"),
        "too large for a browser": len(cookie.name + cookie.value) > MAX_COOKIE_CHARACTERS,
        f"Max-Age={quoted(age)} does not clear it": cleared and seconds != 0,
        f"Max-Age={quoted(age)} is not between 1 second and 400 days": not cleared
        and (seconds is None or not 0 < seconds <= MAX_COOKIE_AGE),
    }
    return [fault for fault, is_there in faults.items() if is_there]


def check_samesite(response: Response, target: Target, origin: str | None) -> Finding:
    """Check that browsers send the cookie for a page of this origin (RFC 6265bis section 5.2)."""
    if origin is None:
        return not_checked(
            "whether browsers send the cookie for your page",
            "Add the page's origin: --origin https://app.example.com",
        )
    cookies = refresh_cookies(response)
    if not cookies or not cookies[0].samesite:
        return failed(f"{response.request_line} sets no cookie with SameSite", NOT_BY_A_PROXY + ".")
    samesite = cookies[0].samesite
    together = same_site(target.origin, origin)
    seen = f"SameSite={samesite}; {origin} is {'same-site' if together else 'cross-site'}"
    if samesite != "None":
        if together:
            return ok(seen)
        return failed(
            f"{seen}: browsers will not send the cookie",
            "Serve the page and the service below one registrable domain and by one scheme, or set "
            "AUTHSVC_COOKIE_SAMESITE=None, which Safari and others block as third-party.",
        )
    if together:
        return warning(
            f"{seen}: None is not needed",
            "Set AUTHSVC_COOKIE_SAMESITE=Strict: it is enough for this page.",
        )
    return warning(
        f"{seen}: a third-party cookie, which Safari and others block",
        "Serve the page and the service below one registrable domain, and set "
        "AUTHSVC_COOKIE_SAMESITE=Strict.",
    )
