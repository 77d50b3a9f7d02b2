"""T3: a known key, found by a look-up; header members are `alg`, `typ` and `kid` only."""

from tests.attacks.attack import Attack
from tests.attacks.tokens import Good, b64, compact

_KIDS: list[object] = [
    *["", "0", "current", "AAAAAAAAAAAAAAAA", "../../../../dev/null", "/dev/null", "\0"],
    *["' OR '1'='1", "' UNION SELECT 'key' --", "$(id)", "https://attacker.example/key"],
    *[None, True, 7, 1.5, ["kid"], {"kid": "kid"}, "x" * 1024],
]
_KEY = {"kty": "oct", "k": b64(b"the attacker's key" * 4)}
_MEMBERS: dict[str, object] = {
    "jwk": _KEY,
    "jku": "https://attacker.example/jwks.json",
    "x5u": "https://attacker.example/cert.pem",
    "x5c": ["MIIB"],
    "x5t": b64(b"x" * 20),
    "x5t#S256": b64(b"x" * 32),
    "zip": "DEF",
    "enc": "A128GCM",
    "cty": "JWT",
    "b64": False,
    "crit": ["exp"],
    "iss": "authsvc",
    "exp": 9999999999,
    "epk": {"kty": "EC"},
    "apu": "AA",
    "p2c": 10**9,
    "url": "https://attacker.example/",
    "nonce": "1",
    "unknown": None,
    "KID": "AAAAAAAAAAAAAAAA",
}


def _by_own_key(good: Good) -> str:
    return good.signed(header=compact({**good.header, "jwk": _KEY}), key=b"the attacker's key" * 4)


def _reordered(good: Good) -> str:
    return good.signed(header=compact(dict(reversed(good.header.items()))))


def _kid_of_the_other(good: Good) -> str:
    return good.with_header(kid=Good(good.kind, good.other, good.text).header["kid"])


def _signed_by(key: bytes, name: str) -> Attack:
    return Attack(f"signed by {name}", "T3", lambda good: good.signed(key=key))


ATTACKS = [
    *(
        Attack(f"kid {str(kid)[:30]!r}", "T3", lambda good, kid=kid: good.with_header(kid=kid))
        for kid in _KIDS
    ),
    *(
        Attack(
            f"a header member {name}",
            "T3",
            lambda good, name=name, value=value: good.with_header(**{name: value}),
        )
        for name, value in _MEMBERS.items()
    ),
    Attack(
        "crit and the b64 it names", "T3", lambda good: good.with_header(b64=False, crit=["b64"])
    ),
    Attack("signed by the jwk in its own header", "T3", _by_own_key),
    Attack("the kid of the other token's key", "T3", _kid_of_the_other),
    Attack("no kid", "T3", lambda good: good.without_header("kid")),
    Attack("no typ", "T2", lambda good: good.without_header("typ")),
    Attack("an empty header", "T3", lambda good: good.signed(header=b"{}")),
    Attack("the header's members in another order", "T3", _reordered),
    _signed_by(b"", "an empty key"),
    _signed_by(b"\0" * 64, "a key of zeros"),
    _signed_by(b"secret", "a guessed key"),
    Attack(
        "signed by the key's hex text", "T1", lambda good: good.signed(key=good.key.hex().encode())
    ),
    Attack("signed by half the key", "T1", lambda good: good.signed(key=good.key[:32])),
    Attack(
        "signed by the key and one byte more", "T1", lambda good: good.signed(key=good.key + b"x")
    ),
]
