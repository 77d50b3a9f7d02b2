"""T7, K3 and R3: a good token in a wrong place, or in the right place in a wrong way."""

from collections.abc import Callable

from tests.attacks.attack import COOKIE, JSON, Sent, Transport, me_with, refresh_with
from tests.attacks.tokens import Good, compact

FORM = ("Content-Type", "application/x-www-form-urlencoded")
TEXT = ("Content-Type", "text/plain")
PART_BODY = '--x\r\nContent-Disposition: form-data; name="access_token"\r\n\r\n@\r\n--x--\r\n'
PART = ("Content-Type", "multipart/form-data; boundary=x")
MISSING = "access_token_missing"
WRONG = "access_token_invalid"
NO_COOKIE = "refresh_token_missing"
BAD_COOKIE = "refresh_token_invalid"


def _headers(name: str, reason: str, problem: str, *headers: tuple[str, str]) -> Transport:
    """`@` is replaced by the access token, `~` by the refresh token."""
    return Transport(name, reason, "access", lambda good: me_with(_filled(headers, good)), problem)


def _two(name: str, *values: str) -> Transport:
    headers = tuple(("Authorization", value) for value in values)
    return Transport(
        name, "T7", "access", lambda good: me_with(_filled(headers, good)), "invalid_request", 400
    )


def _query(name: str, query: str) -> Transport:
    return Transport(
        name, "R3", "access", lambda good: me_with((), query.replace("@", good.text)), MISSING
    )


def _body(
    name: str,
    content_type: tuple[str, str],
    body: Callable[[str], bytes],
    problem: str,
    status: int = 401,
    *more: tuple[str, str],
) -> Transport:
    def carry(good: Good) -> Sent:
        headers = _filled((content_type, *more), good)
        return Sent("GET", "/api/me", headers, body(good.text))

    return Transport(name, "T7" if status == 400 else "R3", "access", carry, problem, status)


def _cookie(name: str, reason: str, problem: str, *headers: tuple[str, str]) -> Transport:
    return Transport(
        name, reason, "refresh", lambda good: refresh_with(_filled(headers, good)), problem
    )


def _octal(text: str) -> str:
    return '"' + "".join(f"\\{ord(character):03o}" for character in text) + '"'


def _filled(headers: tuple[tuple[str, str], ...], good: Good) -> tuple[tuple[str, str], ...]:
    access, refresh = good.text, good.other
    if good.kind == "refresh":
        access, refresh = refresh, access
    return tuple(
        (name, value.replace("@", access).replace("~", refresh)) for name, value in headers
    )


ATTACKS = [
    _two("the header twice, both good", "Bearer @", "Bearer @"),
    _two("a good header, then a bad one", "Bearer @", "Bearer x"),
    _two("a bad header, then a good one", "Bearer x", "Bearer @"),
    _two("a good header, then an empty one", "Bearer @", ""),
    _two("an empty header, then a good one", "", "Bearer @"),
    _two("Basic, then a good header", "Basic YTpi", "Bearer @"),
    _two("a good header, then Basic", "Bearer @", "Basic YTpi"),
    _two("two tokens in one header", "Bearer @, Bearer @"),
    _two("a parameter after the token", "Bearer @,realm=x"),
    _headers("no token at all", "T7", MISSING),
    _headers("an empty header", "T7", MISSING, ("Authorization", "")),
    _headers("no scheme", "T7", MISSING, ("Authorization", "@")),
    _headers("the scheme alone", "T7", WRONG, ("Authorization", "Bearer")),
    _headers("Basic", "T7", MISSING, ("Authorization", "Basic @")),
    _headers("Token", "T7", MISSING, ("Authorization", "Token @")),
    _headers("JWT", "T7", MISSING, ("Authorization", "JWT @")),
    _headers("DPoP", "T7", MISSING, ("Authorization", "DPoP @")),
    _headers("Bearer with a colon", "T7", MISSING, ("Authorization", "Bearer: @")),
    _headers("Bearer and no space", "T7", MISSING, ("Authorization", "Bearer@")),
    _headers("Bearer and a tab", "T7", MISSING, ("Authorization", "Bearer\t@")),
    _headers("Bearer twice", "T7", WRONG, ("Authorization", "Bearer Bearer @")),
    _headers("two spaces", "T7", WRONG, ("Authorization", "Bearer  @")),
    _headers("a full-width scheme", "T7", MISSING, ("Authorization", "Bearer\xa0@")),
    _headers("in quotes", "T7", WRONG, ("Authorization", 'Bearer "@"')),
    _headers("as a parameter", "T7", WRONG, ("Authorization", "Bearer token=@")),
    _headers("Proxy-Authorization", "R3", MISSING, ("Proxy-Authorization", "Bearer @")),
    _headers("X-Authorization", "R3", MISSING, ("X-Authorization", "Bearer @")),
    _headers("Authorization_", "R3", MISSING, ("Authorization_", "Bearer @")),
    _headers("HTTP_AUTHORIZATION", "R3", MISSING, ("HTTP_AUTHORIZATION", "Bearer @")),
    _headers("X-Access-Token", "R3", MISSING, ("X-Access-Token", "@")),
    _headers("in a cookie", "R3", MISSING, ("Cookie", "access_token=@")),
    _headers("in the refresh cookie", "R3", MISSING, ("Cookie", f"{COOKIE}=@")),
    _headers("the refresh cookie alone", "T2", MISSING, ("Cookie", f"{COOKIE}=~")),
    _query("in the query", "?access_token=@"),
    _query("in the query, as token", "?token=@"),
    _query("in the query, as a header", "?Authorization=Bearer%20@"),
    _body("in a form", FORM, lambda t: f"access_token={t}".encode(), MISSING),
    _body("in JSON called text", TEXT, lambda t: compact({"access_token": t}), MISSING),
    _body("in JSON called a form", FORM, lambda t: compact({"access_token": t}), MISSING),
    _body(
        "in a form part",
        PART,
        lambda t: PART_BODY.replace("@", t).encode(),
        MISSING,
    ),
    _body("in camel case", JSON, lambda t: compact({"accessToken": t}), MISSING),
    _body("in capitals", JSON, lambda t: compact({"ACCESS_TOKEN": t}), MISSING),
    _body("a level too deep", JSON, lambda t: compact({"body": {"access_token": t}}), MISSING),
    _body("in a list of objects", JSON, lambda t: compact([{"access_token": t}]), MISSING),
    _body("as the whole body", JSON, lambda t: compact(t), MISSING),
    _body("null", JSON, lambda t: compact({"access_token": None}), MISSING),
    _body("a list", JSON, lambda t: compact({"access_token": [t]}), WRONG),
    _body("an object", JSON, lambda t: compact({"access_token": {"token": t}}), WRONG),
    _body("a number", JSON, lambda t: compact({"access_token": 1}), WRONG),
    _body("with the scheme", JSON, lambda t: compact({"access_token": f"Bearer {t}"}), WRONG),
    _body(
        "a lone surrogate after it", JSON, lambda t: compact({"access_token": f"{t}\ud800"}), WRONG
    ),
    _body(
        "the member twice",
        JSON,
        lambda t: f'{{"access_token":"{t}","access_token":"{t}"}}'.encode(),
        "invalid_request",
        400,
    ),
    _body(
        "the member twice, with an escape",
        JSON,
        lambda t: f'{{"access_token":"{t}","access\\u005ftoken":"{t}"}}'.encode(),
        "invalid_request",
        400,
    ),
    _body("a body that is not JSON", JSON, lambda t: t.encode(), "invalid_request", 400),
    _body(
        "a body in UTF-16",
        JSON,
        lambda t: compact({"access_token": t}).decode().encode("utf-16"),
        "invalid_request",
        400,
    ),
    _body(
        "in body and header",
        JSON,
        lambda t: compact({"access_token": t}),
        "invalid_request",
        400,
        ("Authorization", "Bearer @"),
    ),
    _body(
        "in the body, and Basic in the header",
        JSON,
        lambda t: compact({"access_token": t}),
        "invalid_request",
        400,
        ("Authorization", "Basic YTpi"),
    ),
    _body(
        "in the body, and an empty header",
        JSON,
        lambda t: compact({"access_token": t}),
        "invalid_request",
        400,
        ("Authorization", ""),
    ),
    _body(
        "in the header, and a bad one in the body",
        JSON,
        lambda t: compact({"access_token": "x"}),
        "invalid_request",
        400,
        ("Authorization", "Bearer @"),
    ),
    _cookie("no cookie", "K3", NO_COOKIE),
    _cookie("an empty cookie", "K3", BAD_COOKIE, ("Cookie", f"{COOKIE}=")),
    _cookie("the name without a value", "K3", BAD_COOKIE, ("Cookie", COOKIE)),
    _cookie("the name twice", "K3", BAD_COOKIE, ("Cookie", f"{COOKIE}=~; {COOKIE}=~")),
    _cookie("good, then bad", "K3", BAD_COOKIE, ("Cookie", f"{COOKIE}=~; {COOKIE}=x")),
    _cookie("bad, then good", "K3", BAD_COOKIE, ("Cookie", f"{COOKIE}=x; {COOKIE}=~")),
    _cookie("good, then empty", "K3", BAD_COOKIE, ("Cookie", f"{COOKIE}=~; {COOKIE}=")),
    _cookie("twice without a space", "K3", BAD_COOKIE, ("Cookie", f"{COOKIE}=~;{COOKIE}=~")),
    _cookie("twice, by a comma", "K3", BAD_COOKIE, ("Cookie", f"{COOKIE}=~,{COOKIE}=~")),
    _cookie(
        "in two headers", "K3", BAD_COOKIE, ("Cookie", f"{COOKIE}=~"), ("Cookie", f"{COOKIE}=~")
    ),
    _cookie(
        "good and bad in two headers",
        "K3",
        BAD_COOKIE,
        ("Cookie", f"{COOKIE}=~"),
        ("Cookie", f"{COOKIE}=x"),
    ),
    _cookie("quoted", "K3", BAD_COOKIE, ("Cookie", f'{COOKIE}="~"')),
    Transport(
        "octal",
        "K3",
        "refresh",
        lambda good: refresh_with((("Cookie", f"{COOKIE}={_octal(good.text)}"),)),
        BAD_COOKIE,
    ),
    Transport(
        "percent-encoded",
        "K3",
        "refresh",
        lambda good: refresh_with(
            (("Cookie", f"{COOKIE}=%{ord(good.text[0]):02X}{good.text[1:]}"),)
        ),
        BAD_COOKIE,
    ),
    _cookie("the name in capitals", "K3", NO_COOKIE, ("Cookie", f"{COOKIE.upper()}=~")),
    _cookie("the name in small letters", "K3", NO_COOKIE, ("Cookie", f"{COOKIE.lower()}=~")),
    _cookie("the name in quotes", "K3", NO_COOKIE, ("Cookie", f'"{COOKIE}"=~')),
    _cookie("no prefix", "K3", NO_COOKIE, ("Cookie", "refresh_token=~")),
    _cookie("another prefix", "K3", NO_COOKIE, ("Cookie", "__Secure-refresh_token=~")),
    _cookie("a cookie without a name", "K3", NO_COOKIE, ("Cookie", f"={COOKIE}=~")),
    _cookie("a space after the name", "K3", NO_COOKIE, ("Cookie", f"{COOKIE} =~")),
    _cookie("a no-break space before the name", "K3", NO_COOKIE, ("Cookie", f"\xa0{COOKIE}=~")),
    _cookie("a next-line before the name", "K3", NO_COOKIE, ("Cookie", f"a=b; \x85{COOKIE}=~")),
    _cookie("a no-break space after the value", "K3", BAD_COOKIE, ("Cookie", f"{COOKIE}=~\xa0")),
    _cookie("within another cookie's quotes", "K3", BAD_COOKIE, ("Cookie", f'a="x; {COOKIE}=~"')),
    _cookie("after a comma in another cookie", "K3", NO_COOKIE, ("Cookie", f"a=b,{COOKIE}=~")),
    _cookie(
        "$Version before it", "K3", BAD_COOKIE, ("Cookie", f'$Version="1"; {COOKIE}="~"; $Path="/"')
    ),
    _cookie("the access token in it", "T2", BAD_COOKIE, ("Cookie", f"{COOKIE}=@")),
    _cookie("Cookie2", "K3", NO_COOKIE, ("Cookie2", f"{COOKIE}=~")),
    _cookie("Cookie_", "K3", NO_COOKIE, ("Cookie_", f"{COOKIE}=~")),
    _cookie("Set-Cookie", "K3", NO_COOKIE, ("Set-Cookie", f"{COOKIE}=~")),
    _cookie("as Bearer", "R6", NO_COOKIE, ("Authorization", "Bearer ~")),
    Transport(
        "in the body",
        "R6",
        "refresh",
        lambda good: refresh_with((JSON,), compact({"refresh_token": good.text})),
        NO_COOKIE,
    ),
    Transport(
        "in a form",
        "R6",
        "refresh",
        lambda good: refresh_with(
            (FORM,), f"grant_type=refresh_token&refresh_token={good.text}".encode()
        ),
        NO_COOKIE,
    ),
    Transport(
        "in the query",
        "R6",
        "refresh",
        lambda good: refresh_with((), query=f"?refresh_token={good.text}"),
        NO_COOKIE,
    ),
]
