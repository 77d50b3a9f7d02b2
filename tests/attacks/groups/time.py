"""T5 and T6: the times are plain integers in order, and the token is neither old nor early."""

from time import time

from tests.attacks.attack import ACCESS, EXPIRED, Attack
from tests.attacks.tokens import Good, b64, compact

_TIMES = ["exp", "iat", "auth_time"]
_SPELLINGS = {
    "a string": '"{now}"',
    "a float": "{now}.0",
    "a fraction": "{now}.5",
    "an exponent": "1e9",
    "true": "true",
    "null": "null",
    "a list": "[{now}]",
    "an object": '{{"seconds":{now}}}',
    "negative": "-1",
    "minus zero as a float": "-0.0",
    "Arabic digits": '"١٧٣٢٤٤٣٤٢٠"',
    "an RFC 3339 time": '"2026-11-24T10:57:00Z"',
    "milliseconds": "{now}000",
    "empty": '""',
    "1e400": "1e400",
}


def _now() -> int:
    return int(time())


def _spelt(name: str, how: str, spelling: str) -> Attack:
    # An `exp` in milliseconds is a life too long for an access token; a refresh token's own
    # `exp` may be any later time, since the row decides.
    on = ACCESS if (name, how) == ("exp", "milliseconds") else ("access", "refresh")
    return Attack(
        f"{name} is {how}",
        "T5",
        lambda good: good.with_raw_claim(name, spelling.format(now=good.claims[name])),
        on,
    )


def _nbf(good: Good, spelling: str) -> str:
    return good.with_raw_claim("nbf", spelling.format(now=good.claims["iat"]))


def _later(good: Good) -> str:
    return good.spliced(1, b64(compact({**good.claims, "exp": good.claims["exp"] + 1})))


ATTACKS = [
    *(_spelt(name, how, spelling) for name in _TIMES for how, spelling in _SPELLINGS.items()),
    Attack(
        "expired longer ago than the leeway",
        "T6",
        lambda good: good.with_claims(exp=_now() - 11, iat=_now() - 300, auth_time=_now() - 300),
        code_end=EXPIRED,
    ),
    Attack(
        "expired by the leeway exactly, or a little more",
        "T6",
        lambda good: good.with_claims(exp=_now() - 10, iat=_now() - 300, auth_time=_now() - 300),
        code_end=EXPIRED,
    ),
    Attack(
        "expired a year ago",
        "T6",
        lambda good: good.with_claims(
            exp=_now() - 31_536_000, iat=_now() - 31_536_300, auth_time=_now() - 31_536_300
        ),
        code_end=EXPIRED,
    ),
    Attack(
        "expired in 1970",
        "T6",
        lambda good: good.with_claims(exp=1, iat=0, auth_time=0),
        code_end=EXPIRED,
    ),
    Attack(
        "issued in an hour",
        "T6",
        lambda good: good.with_claims(iat=_now() + 3600, exp=_now() + 3900),
    ),
    Attack("issued after the leeway", "T6", lambda good: good.with_claims(iat=_now() + 30)),
    Attack(
        "issued in milliseconds since 1970",
        "T6",
        lambda good: good.with_claims(iat=_now() * 1000, exp=_now() * 1000 + 300),
    ),
    Attack(
        "logged in after it was issued",
        "T6",
        lambda good: good.with_claims(auth_time=good.claims["iat"] + 1),
    ),
    Attack(
        "a life of one second too long",
        "T6",
        lambda good: good.with_claims(exp=good.claims["iat"] + 601),
        ACCESS,
    ),
    Attack(
        "a life of a year", "T6", lambda good: good.with_claims(exp=_now() + 31_536_000), ACCESS
    ),
    Attack("a life of 10^300 seconds", "T6", lambda good: good.with_claims(exp=10**300), ACCESS),
    Attack(
        "a life of ever, by iat 0", "T6", lambda good: good.with_claims(iat=0, auth_time=0), ACCESS
    ),
    Attack("exp under the old signature", "T1", _later),
    *(
        Attack(f"nbf is {how}", "T6", lambda good, spelling=spelling: _nbf(good, spelling))
        for how, spelling in _SPELLINGS.items()
        if how != "an exponent"
    ),
    Attack("nbf in an hour", "T6", lambda good: good.with_claims(nbf=_now() + 3600)),
    Attack("nbf after the leeway", "T6", lambda good: good.with_claims(nbf=_now() + 30)),
    Attack("nbf in the year 9999", "T6", lambda good: good.with_claims(nbf=253_402_300_799)),
]
