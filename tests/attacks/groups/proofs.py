"""D1: a proof is accepted for exactly what the contract says; here each has one fault.

What is wrong with the encoding or the JSON of a token is wrong with those of a proof too, so the
rows of those groups are used again.
"""

import json
from collections.abc import Callable
from typing import Any

from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256K1,
    SECP256R1,
    SECP384R1,
    EllipticCurve,
    generate_private_key,
)
from cryptography.hazmat.primitives.asymmetric.utils import (
    decode_dss_signature,
    encode_dss_signature,
)
from cryptography.hazmat.primitives.hashes import SHA256, SHA384, HashAlgorithm

from tests.attacks.attack import BOTH, Attack
from tests.attacks.groups import json_text, structure
from tests.attacks.tokens import Good, b64, compact, unb64
from tests.support.dpop import ORIGIN, Prover

ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
PRIME = 2**256 - 2**224 + 2**192 + 2**96 - 1
URI = f"{ORIGIN}/auth/refresh"
KIND = ("proof",)
MISSING = object()
OTHER = Prover()

Forge = Callable[[Good], str]

_VALUES: dict[str, list[object]] = {
    "alg": [
        *["none", "None", "NONE", "", "es256", "ES256 ", " ES256", "ES256\0", "ES256K", "ES384"],
        *["ES512", "HS256", "RS256", "PS256", "EdDSA", "Ed25519", "ESP256", "ECDH-ES"],
        *[None, True, 256, ["ES256"], {"ES256": "ES256"}, MISSING],
    ],
    "typ": [
        *["", "JWT", "at+jwt", "dpop", "DPOP+JWT", "dpop+JWT", "dpop+jwt ", "dpop+jwt\0"],
        *["application/dpop+jwt", "dpop%2Bjwt", None, 1, ["dpop+jwt"], MISSING],
    ],
    "jwk": [None, True, 1, "", "jwk", [], {}, MISSING],
    "kid": ["1", None],
    "jku": ["https://attacker.example/jwks.json"],
    "x5u": ["https://attacker.example/cert.pem"],
    "x5c": [["MIIB"]],
    "crit": [["exp"], [], None],
    "b64": [False, True],
    "cty": ["JWT"],
    "zip": ["DEF"],
    "nonce": ["x"],
    "unknown": [None],
}
_KEY_VALUES: dict[str, list[object]] = {
    "kty": ["", "ec", "EC ", "RSA", "OKP", "oct", None, ["EC"], MISSING],
    "crv": ["", "p-256", "P-256 ", "P-384", "secp256k1", "Ed25519", None, 256, ["P-256"], MISSING],
    "x": ["", "AA", "A" * 43, "A" * 44, "=" * 43, "é", "\ud800", None, 1, [], MISSING],
    "y": ["", "AA", "A" * 43, "A" * 44, "=" * 43, "é", "\ud800", None, 1, [], MISSING],
    "d": ["AA", None],
    "kid": ["1", None],
    "use": ["sig"],
    "alg": ["ES256"],
    "key_ops": [["verify"]],
    "ext": [True],
    "x5c": [["MIIB"]],
    "k": ["AA"],
}
_CLAIMS: dict[str, list[object]] = {
    "htm": ["", "GET", "post", "Post", "POST ", "PUT", "*", None, 1, ["POST"], MISSING],
    "htu": [
        *["", "*", "/auth/refresh", "auth/refresh", "//localhost/auth/refresh", f"{ORIGIN}"],
        *[f"{ORIGIN}/", f"{URI}/", f"{URI}?", f"{URI}?a=b", f"{URI}#", f"{URI} ", f" {URI}"],
        *[f"{ORIGIN}//auth/refresh", f"{ORIGIN}/auth/./refresh", f"{ORIGIN}/x/../auth/refresh"],
        *[f"{ORIGIN}/auth/login", f"{ORIGIN}/auth/logout", f"{ORIGIN}/auth%2Frefresh"],
        *[f"{ORIGIN}/auth/refre%73h", f"{ORIGIN}/AUTH/refresh", f"{ORIGIN}/auth\\refresh"],
        *["http://attacker.example/auth/refresh", "https://localhost/auth/refresh"],
        *["HTTP://localhost/auth/refresh", "http://LOCALHOST/auth/refresh"],
        *["http://localhost:80/auth/refresh", "http://localhost:81/auth/refresh"],
        *["http://localhost./auth/refresh", "http://a@localhost/auth/refresh"],
        *["http://127.0.0.1/auth/refresh", "http://localhost:/auth/refresh"],
        *[None, 1, True, [URI], {"htu": URI}, MISSING],
    ],
    "iat": ["", "now", "0", None, True, False, 1.5, 1e300, [], {}, [0], MISSING],
    "jti": ["", None, 0, 1, True, [], ["one"], {}, MISSING],
    "nonce": [None, 0, 1, True, [], {}, ["x"]],
}
_SPELLINGS = ["1e9", "1E400", "-1e9", "0x10", "1_000", "00", "+1", "1.0", "NaN", "Infinity"]
"""Of `iat`, in the JSON text."""


def _changed(object: dict[str, Any], name: str, value: object) -> bytes:
    changed = {**object, name: value}
    if value is MISSING:
        del changed[name]
    return compact(changed)


def _named(what: str, name: str, value: object) -> str:
    return f"{what} {name} {'missing' if value is MISSING else repr(value)[:60]}"


def _header(name: str, value: object) -> Attack:
    def forge(good: Good) -> str:
        return good.signed(header=_changed(good.header, name, value))

    return Attack(_named("header", name, value), "D1", forge, KIND)


def _jwk(name: str, value: object) -> Attack:
    def forge(good: Good) -> str:
        jwk = json.loads(_changed(good.header["jwk"], name, value))
        return good.with_header(jwk=jwk)

    return Attack(_named("key", name, value), "D1", forge, KIND)


def _claim(name: str, value: object) -> Attack:
    def forge(good: Good) -> str:
        origin = good.claims["htu"].removesuffix("/auth/refresh")
        here = value.replace(ORIGIN, origin) if isinstance(value, str) else value
        return good.signed(payload=_changed(good.claims, name, here))

    return Attack(_named("claim", name, value), "D1", forge, KIND)


def _one(name: str, forge: Forge) -> Attack:
    return Attack(name, "D1", forge, KIND)


def _twice(text: bytes, name: str, *, escaped: bool) -> bytes:
    """Return JSON with one of its members once more, with the same value."""
    match = json.loads(text)
    value = json.dumps(match["jwk"][name] if name not in match else match[name])
    spelt = f"\\u{ord(name[0]):04x}{name[1:]}" if escaped else name
    again = f'"{spelt}":{value},'.encode()
    return text.replace(f'"{name}":'.encode(), again + f'"{name}":'.encode(), 1)


def _duplicate(name: str, *, escaped: bool) -> Attack:
    def forge(good: Good) -> str:
        if name in good.claims:
            return good.signed(payload=_twice(compact(good.claims), name, escaped=escaped))
        return good.signed(header=_twice(compact(good.header), name, escaped=escaped))

    return _one(f"{name} twice{', with an escape' if escaped else ''}", forge)


def _coordinates(name: str, change: Callable[[int, int], tuple[bytes, bytes]]) -> Attack:
    def forge(good: Good) -> str:
        jwk = good.header["jwk"]
        x, y = (int.from_bytes(unb64(jwk[part]), "big") for part in "xy")
        new_x, new_y = change(x, y)
        return good.with_header(jwk={**jwk, "x": b64(new_x), "y": b64(new_y)})

    return _one(name, forge)


def _bytes(number: int, size: int = 32) -> bytes:
    return number.to_bytes(size, "big")


def _unused_bit(good: Good) -> str:
    jwk = good.header["jwk"]
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_"
    x = jwk["x"][:-1] + alphabet[alphabet.index(jwk["x"][-1]) | 1]
    return good.with_header(jwk={**jwk, "x": x})


def _numbers(name: str, change: Callable[[int, int], bytes]) -> Attack:
    """Replace the signature, which has two numbers."""

    def forge(good: Good) -> str:
        signature = unb64(good.parts[2])
        r, s = (int.from_bytes(half, "big") for half in (signature[:32], signature[32:]))
        return good.spliced(2, b64(change(r, s)))

    return _one(f"the signature {name}", forge)


def _by_another(curve: EllipticCurve, crv: str, alg: str, hash: HashAlgorithm) -> Attack:
    """Sign really by a key of a curve, as its own algorithm or as ES256."""
    key = generate_private_key(curve)
    size = (curve.key_size + 7) // 8
    numbers = key.public_key().public_numbers()
    jwk = {"kty": "EC", "crv": crv}
    jwk |= {"x": b64(_bytes(numbers.x, size)), "y": b64(_bytes(numbers.y, size))}

    def forge(good: Good) -> str:
        head = b64(compact({**good.header, "alg": alg, "jwk": jwk}))
        signed = f"{head}.{good.parts[1]}"
        r, s = decode_dss_signature(key.sign(signed.encode(), ECDSA(hash)))
        return f"{signed}.{b64(_bytes(r, size) + _bytes(s, size))}"

    return _one(f"by a key of {crv}, as {alg} with {hash.name}", forge)


def _signed(good: Good) -> bytes:
    return good.text.rpartition(".")[0].encode()


def _by_the_other(good: Good) -> str:
    return OTHER.signed_by_hand(compact({**good.header, "jwk": OTHER.jwk}), compact(good.claims))


_LONG = [attack for attack in structure.ATTACKS if attack.name.startswith("rightly signed")]
"""They have a token's length in characters, and no proof's."""

ATTACKS = [
    *(attack for attack in structure.ATTACKS if attack.on == BOTH and attack not in _LONG),
    *(attack for attack in json_text.ATTACKS if attack.reason == "T4"),
    *(_header(name, value) for name, values in _VALUES.items() for value in values),
    *(_jwk(name, value) for name, values in _KEY_VALUES.items() for value in values),
    *(_claim(name, value) for name, values in _CLAIMS.items() for value in values),
    *(
        _one(f"iat spelt {text}", lambda good, text=text: good.with_raw_claim("iat", text))
        for text in _SPELLINGS
    ),
    *(
        _duplicate(name, escaped=escaped)
        for name in ("alg", "typ", "jwk", "kty", "crv", "x", "y", "jti", "htm", "htu", "iat")
        for escaped in (False, True)
    ),
    _coordinates("the point at infinity", lambda x, y: (_bytes(0), _bytes(0))),
    _coordinates("a point off the curve", lambda x, y: (_bytes(x), _bytes(y ^ 1))),
    _coordinates("the inverse point", lambda x, y: (_bytes(x), _bytes(PRIME - y))),
    _coordinates("x and y swapped", lambda x, y: (_bytes(y), _bytes(x))),
    _coordinates("x is the prime", lambda x, y: (_bytes(PRIME), _bytes(y))),
    _coordinates("x of 33 bytes", lambda x, y: (_bytes(x, 33), _bytes(y))),
    _coordinates("y of 33 bytes", lambda x, y: (_bytes(x), _bytes(y, 33))),
    _coordinates("x of 31 bytes", lambda x, y: (_bytes(x)[1:], _bytes(y))),
    _coordinates("y of 64 bytes", lambda x, y: (_bytes(x), _bytes(y, 64))),
    _coordinates("a compressed point", lambda x, y: (b"\2" + _bytes(x), b"")),
    _one("an unused bit set in x", _unused_bit),
    _one("the key within a list", lambda good: good.with_header(jwk=[good.header["jwk"]])),
    _one("the claims within the header", lambda good: good.with_header(**good.claims)),
    _numbers("in DER", encode_dss_signature),
    _numbers("with a zero r", lambda r, s: _bytes(0) + _bytes(s)),
    _numbers("with a zero s", lambda r, s: _bytes(r) + _bytes(0)),
    _numbers("of 64 zeros", lambda r, s: bytes(64)),
    _numbers("with r the order", lambda r, s: _bytes(ORDER) + _bytes(s)),
    _numbers("with s the order", lambda r, s: _bytes(r) + _bytes(ORDER)),
    _numbers("with s beyond the order", lambda r, s: _bytes(r) + _bytes(s + ORDER, 33)[1:]),
    _numbers("of ones", lambda r, s: _bytes(1) + _bytes(1)),
    _numbers("with r and s swapped", lambda r, s: _bytes(s) + _bytes(r)),
    _numbers("in little-endian", lambda r, s: _bytes(r)[::-1] + _bytes(s)[::-1]),
    _numbers("of 63 bytes", lambda r, s: (_bytes(r) + _bytes(s))[:-1]),
    _numbers("of 65 bytes", lambda r, s: b"\0" + _bytes(r) + _bytes(s)),
    _numbers("of 33 bytes each", lambda r, s: _bytes(r, 33) + _bytes(s, 33)),
    _one("rightly signed and too long", lambda good: good.with_claims(x="x" * 3000)),
    _one("signed by another key", lambda good: good.spliced(2, b64(OTHER.sign(_signed(good))))),
    _one("a good proof by another key", _by_the_other),
    _by_another(SECP384R1(), "P-384", "ES384", SHA384()),
    _by_another(SECP384R1(), "P-384", "ES256", SHA256()),
    _by_another(SECP256K1(), "secp256k1", "ES256K", SHA256()),
    _by_another(SECP256K1(), "P-256", "ES256", SHA256()),
    _by_another(SECP256R1(), "P-256", "ES256", SHA384()),
]

HEADERS: dict[str, tuple[str, ...]] = {
    "nothing in the header": ("",),
    "two headers, both good": ("@", "@"),
    "a good header, then an empty one": ("@", ""),
    "an empty header, then a good one": ("", "@"),
    "a good header, then a bad one": ("@", "x"),
    "two proofs in one header": ("@, @",),
    "a comma after it": ("@,",),
    "a parameter after it": ("@;a=b",),
    "with a scheme": ("DPoP @",),
    "a header of 8,000 characters": ("x" * 8000,),
}
"""Values of the header, in which `@` is replaced by a good proof."""
