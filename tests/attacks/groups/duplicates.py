"""T4: a member that comes twice is read differently by two parsers, so it is refused."""

import json

from tests.attacks.attack import Attack
from tests.attacks.tokens import Good, compact

_CLAIMS = ["sub", "sid", "jti", "iss", "aud", "exp", "iat", "auth_time"]


def _twice(object_text: bytes, name: str, *, escaped: bool, first: bool) -> bytes:
    """The object with one of its members once more, with the same value."""
    value = json.dumps(json.loads(object_text)[name])
    spelt = f"\\u{ord(name[0]):04x}{name[1:]}" if escaped else name
    again = f'"{spelt}":{value}'.encode()
    inner = object_text[1:-1]
    return b"{" + (again + b"," + inner if first else inner + b"," + again) + b"}"


def _claim(name: str, *, escaped: bool = False, first: bool = False) -> Attack:
    def forge(good: Good) -> str:
        payload = compact(good.claims)
        return good.signed(payload=_twice(payload, name, escaped=escaped, first=first))

    how = "with an escape" if escaped else "before" if first else "after"
    return Attack(f"the claim {name} twice, {how}", "T4", forge)


def _member(name: str, *, escaped: bool) -> Attack:
    def forge(good: Good) -> str:
        return good.signed(header=_twice(compact(good.header), name, escaped=escaped, first=False))

    return Attack(f"the header's {name} twice{', with an escape' if escaped else ''}", "T4", forge)


ATTACKS = [
    *(_claim(name) for name in _CLAIMS),
    *(_claim(name, escaped=True) for name in _CLAIMS),
    *(_claim(name, first=True) for name in ("exp", "sid")),
    *(
        _member(name, escaped=escaped)
        for name in ("alg", "typ", "kid")
        for escaped in (False, True)
    ),
    Attack(
        "an unknown claim twice",
        "T4",
        lambda good: good.signed(payload=compact(good.claims)[:-1] + b',"x":1,"x":1}'),
    ),
    Attack(
        "a duplicate in a nested object",
        "T4",
        lambda good: good.signed(payload=compact(good.claims)[:-1] + b',"x":{"y":1,"y":1}}'),
    ),
]
