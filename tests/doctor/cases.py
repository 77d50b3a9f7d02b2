"""Deployments with one fault each, and the checks that must find it."""

from collections.abc import Sequence
from dataclasses import dataclass

from tests.doctor import faults
from tests.doctor.conftest import ELSEWHERE, PAGE
from tests.doctor.front import Answer, Fault, no_fault

WARNING = "warning"
OPEN = Answer(200, [("Content-Type", "application/json")], b"{}")
FORGOT = "/auth/password/forgot"
NO_ROUTE = Answer(
    404, [("Content-Type", "application/problem+json")], b'{"code": "not_found", "status": 404}'
)
BROKEN = Answer(503, [], b"")


@dataclass(frozen=True)
class Case:
    """A fault, and the checks that must find it.

    Args:
        fault: what the proxy does.
        found_by: the checks that fail or warn, with their verdicts.
        logs_in: whether the doctor has an account.
        words: more arguments for the doctor.
        waits: whether the doctor tries a revoked access token for as long as in a deployment.
    """

    fault: Fault
    found_by: dict[str, str]
    logs_in: bool
    words: Sequence[str]
    waits: bool = False


def outside(
    fault: Fault,
    *names: str,
    verdict: str = "failed",
    origin: str | None = PAGE,
    words: Sequence[str] = (),
    warns: Sequence[str] = (),
) -> Case:
    page = ("--origin", origin) if origin else ()
    found = dict.fromkeys(names, verdict) | dict.fromkeys(warns, WARNING)
    return Case(fault, found, False, [*page, *words])


def inside(fault: Fault, *names: str, verdict: str = "failed", waits: bool = False) -> Case:
    return Case(fault, dict.fromkeys(names, verdict), True, ["--origin", PAGE], waits)


CASES = {
    "pages for errors": outside(faults.pages_for_errors, "errors"),
    "nothing is protected": outside(
        faults.answers("/api/me", OPEN, lambda it: it.method == "GET"), "protected routes"
    ),
    "no challenge": outside(faults.without("WWW-Authenticate"), "protected routes"),
    "clock a minute ahead": outside(faults.clock_ahead(60), "clock"),
    "clock a minute behind": outside(faults.clock_ahead(-60), "clock"),
    "clock some seconds ahead": outside(faults.clock_ahead(6), "clock", verdict=WARNING),
    "no clock": outside(faults.without("Date"), "clock"),
    "a clock of no time": outside(faults.instead("Date", "tomorrow"), "clock"),
    "cleared twice": outside(faults.refresh_cookie_twice, "cookie when cleared"),
    "cleared without HttpOnly": outside(faults.set_cookie("HttpOnly; ", ""), "cookie when cleared"),
    "cleared at another path": outside(
        faults.set_cookie("Path=/", "Path=/auth"), "cookie when cleared"
    ),
    "not cleared": outside(faults.set_cookie("Max-Age=0", "Max-Age=60"), "cookie when cleared"),
    "COOKIE_SECURE=false": outside(
        faults.set_cookie("__Host-refresh_token", "refresh_token"), "cookie when cleared"
    ),
    "no SameSite": outside(
        faults.set_cookie("SameSite=Strict; ", ""), "cookie when cleared", "SameSite"
    ),
    "a page of another site": outside(no_fault, "SameSite", origin=ELSEWHERE, warns=["passkeys"]),
    "Lax for a page of another site": outside(
        faults.set_cookie("Strict", "Lax"), "SameSite", origin=ELSEWHERE, warns=["passkeys"]
    ),
    "None for a page of another site": outside(
        faults.set_cookie("Strict", "None"), origin=ELSEWHERE, warns=["SameSite", "passkeys"]
    ),
    "None for no need": outside(faults.set_cookie("Strict", "None"), "SameSite", verdict=WARNING),
    "the host is not passed on": outside(faults.host_of_the_inside, "own origin", "passkeys"),
    "an origin that is not listed": outside(no_fault, "CORS", origin="https://localhost:3000"),
    "no credentials": outside(faults.without("Access-Control-Allow-Credentials"), "CORS"),
    "no CORS on errors": outside(
        faults.without("Access-Control-Allow-Origin", on=lambda it: it.status >= 400), "CORS"
    ),
    "CORS headers twice": outside(faults.origin_shared_twice, "CORS"),
    "no methods": outside(faults.without("Access-Control-Allow-Methods"), "CORS"),
    "no headers": outside(faults.without("Access-Control-Allow-Headers"), "CORS"),
    "no proofs from pages": outside(
        faults.header_changed("Access-Control-Allow-Headers", "dpop", "x"), "CORS"
    ),
    "no nonces for pages": outside(faults.without("Access-Control-Expose-Headers"), "CORS"),
    "no Vary": outside(faults.without("Vary"), "CORS"),
    "CORS for everybody": outside(
        faults.instead("Access-Control-Allow-Origin", "*"), "CORS for strangers", origin=None
    ),
    "CORS for every origin": outside(faults.origin_echoed, "CORS for strangers"),
    "Origin is not passed on": outside(
        faults.origin_hidden, "strangers' pages", "recovery", origin=None
    ),
    "Sec-Fetch-Site is not passed on": outside(faults.fetch_site_hidden, "strangers' pages"),
    "a client's scheme": outside(faults.believes("X-Forwarded-Proto"), "proxy headers", "HSTS"),
    "a client's host": outside(faults.believes("X-Forwarded-Host"), "proxy headers"),
    "a client's address": inside(faults.believes("X-Forwarded-For"), "client's address"),
    "no mail": outside(faults.answers(FORGOT, NO_ROUTE), "recovery", verdict=WARNING),
    "links are mailed by GET": outside(
        faults.answers(FORGOT, OPEN, lambda it: it.method == "GET"), "recovery"
    ),
    "unknown addresses are answered differently": outside(
        faults.tells_unknown_addresses, "recovery"
    ),
    "no passkeys": outside(faults.answers("/auth/passkey", NO_ROUTE), "passkeys"),
    "passkeys of another domain": outside(faults.passkeys(rpId="example.com"), "passkeys"),
    "passkeys of no domain": outside(faults.passkeys(rpId=None), "passkeys"),
    "passkeys of a host that ends alike": outside(faults.passkeys(rpId="host"), "passkeys"),
    "passkeys without a PIN": outside(faults.passkeys(userVerification="preferred"), "passkeys"),
    "challenges from a cache": outside(faults.passkeys(challenge="cached"), "passkeys"),
    "passkeys without a challenge": outside(faults.passkeys(challenge=None), "passkeys"),
    "logins by passkey are answered by another": outside(
        faults.answers("/auth/passkey", OPEN, lambda it: it.path == "/auth/passkey"), "passkeys"
    ),
    "an account that needs a code": inside(faults.asks_for_a_code, "login"),
    "codes are refused in another way": inside(faults.tells_of_factors, "wrong password"),
    "unknown addresses are refused in other words": inside(
        faults.tells_of_accounts, "wrong password"
    ),
    "an access token for an hour": inside(
        faults.body_changed("/auth/login", faults.lives_an_hour), "login"
    ),
    "not a bearer": inside(faults.body_changed("/auth/login", faults.of_another_type), "login"),
    "no JWT": inside(faults.body_changed("/auth/login", faults.no_jwt), "login"),
    "the refresh token for scripts": inside(
        faults.body_changed("/auth/login", faults.shows_the_refresh_token), "login"
    ),
    "logins are away": inside(faults.answers("/auth/login", BROKEN, faults.is_login), "login"),
    "a cookie for the whole domain": inside(
        faults.set_cookie("HttpOnly", "HttpOnly; Domain=localhost", "/auth/login"), "cookie"
    ),
    "a cookie of the browser's session": inside(
        faults.set_cookie("; Max-Age=", "; Age=", "/auth/login"), "cookie"
    ),
    "tokens from a minute ago": inside(
        faults.body_changed("/auth/login", faults.issued_a_minute_ago), "clock of tokens"
    ),
    "access tokens from cookies": inside(faults.token_from_a_cookie, "access token"),
    "access tokens from URLs": inside(faults.token_from_the_url, "access token"),
    "alg none": inside(faults.accepts(faults.alg_none), "forged access"),
    "signatures unseen": inside(faults.accepts(faults.any_signature), "forged access"),
    "signatures cut short": inside(faults.accepts(faults.beginning_of_signature), "forged access"),
    "a refresh token as Bearer": inside(faults.refresh_token_as_bearer, "forged access"),
    "500 for forgeries": inside(faults.breaks_on_forgeries, "forged access"),
    "refresh signatures unseen": inside(
        faults.refreshes_by_payload(), "forged refresh", "device binding"
    ),
    "a cookie at refresh": inside(faults.sticky_by_cookie, "refresh"),
    "rotation": inside(faults.one_refresh_only(), "refresh"),
    "proofs are not passed on": inside(faults.hidden("DPoP"), "binding"),
    "the cookie is enough": inside(faults.needs_no_key("dpop_proof_missing"), "binding"),
    "any key is enough": inside(faults.needs_no_key("dpop_proof_invalid"), "binding"),
    "signatures of devices are not passed on": inside(
        faults.hidden("Secure-Session-Response"), "device binding"
    ),
    "no challenges for devices": inside(
        faults.without("Secure-Session-Challenge"), "device binding"
    ),
    "another path for devices": inside(
        faults.instead("Secure-Session-Registration", '(ES256);path="/x";challenge="y"'),
        "device binding",
    ),
    "the marker is not needed": inside(
        faults.needs_no_key("device_proof_missing"), "device binding"
    ),
    "no nonces": inside(faults.without("DPoP-Nonce"), "wrong clock"),
    "nonces of another instance": inside(faults.instead("DPoP-Nonce", "other"), "wrong clock"),
    "proofs never expire": inside(faults.needs_no_key("use_dpop_nonce"), "wrong clock"),
    "proofs are required": inside(faults.requires_proofs),
    "proofs are required, and logout ends nothing": inside(
        faults.both(faults.requires_proofs, faults.logout_without_effect),
        *("refresh, logged out", "access, logged out", "left behind"),
    ),
    "logout leaves the cookie": inside(
        faults.set_cookie("Max-Age=0", "Max-Age=9", "/auth/logout"), "cookie when cleared", "logout"
    ),
    "logout ends nothing": inside(
        faults.logout_without_effect, "refresh, logged out", "access, logged out", "left behind"
    ),
    "the first logout breaks": inside(
        faults.logs_out_once_unwell(), "logout", "refresh, logged out", "access, logged out"
    ),
    "access tokens outlive it": inside(
        faults.access_outlives_logout(60), "access, logged out", waits=True
    ),
    "access tokens outlive it a little": inside(
        faults.access_outlives_logout(1.3), "access, logged out", verdict=WARNING, waits=True
    ),
    "no limits": outside(faults.another_account_each_time, "limits", words=["--limits"]),
    "limits without a word when": outside(
        faults.without("Retry-After"), "limits", words=["--limits"]
    ),
    "no HSTS": outside(faults.without("Strict-Transport-Security"), "HSTS"),
    "no HSTS on errors": outside(
        faults.without("Strict-Transport-Security", on=lambda it: it.status == 404), "HSTS"
    ),
    "HSTS for a minute": outside(
        faults.instead("Strict-Transport-Security", "max-age=60"), "HSTS", verdict=WARNING
    ),
    "HSTS taken back": outside(faults.instead("Strict-Transport-Security", "max-age=0"), "HSTS"),
    "a version": outside(
        faults.instead("Server", "nginx/1.24.0"), "server's version", verdict=WARNING
    ),
    **{
        f"no {name}": outside(faults.without(name), "headers")
        for name in (
            "X-Content-Type-Options",
            "Referrer-Policy",
            "Content-Security-Policy",
            "Cache-Control",
            "X-Request-ID",
        )
    },
    "answers that may be stored": outside(faults.instead("Cache-Control", "private"), "headers"),
    "requests are numbered anew": outside(faults.instead("X-Request-ID", "proxy-1"), "headers"),
}
