"""T5: every claim is present, of its type and in its canonical form."""

from collections.abc import Callable

from tests.attacks.attack import BOTH, REFRESH, Attack
from tests.attacks.tokens import Good, compact

_ALL = ["sub", "sid", "jti", "iss", "aud", "exp", "iat", "auth_time"]
_IDS = ["sub", "sid", "jti"]
_NOT_IDS: dict[str, Callable[[str], object]] = {
    "empty": lambda id: "",
    "null": lambda id: None,
    "a number": lambda id: 1,
    "true": lambda id: True,
    "a list": lambda id: [id],
    "an object": lambda id: {"id": id},
    "in capitals": lambda id: id.upper(),
    "without hyphens": lambda id: id.replace("-", ""),
    "in braces": lambda id: f"{{{id}}}",
    "a URN": lambda id: f"urn:uuid:{id}",
    "with a space after": lambda id: f"{id} ",
    "with a line break after": lambda id: f"{id}\n",
    "with NUL after": lambda id: f"{id}\0",
    "a lone surrogate": lambda id: "\ud800",
    "too short": lambda id: id[:-1],
    "too long": lambda id: f"{id}0",
    "in full-width digits": lambda id: "０" + id[1:],  # noqa: RUF001
    "an SQL injection": lambda id: "' OR 1=1 --",
    "an e-mail address": lambda id: "alice@example.com",
}
_NOT_NAMES: dict[str, Callable[[str], object]] = {
    "empty": lambda name: "",
    "null": lambda name: None,
    "a list of a list of it": lambda name: [[name]],
    "a list of others": lambda name: ["https://attacker.example", "another"],
    "an empty list": lambda name: [],
    "a list with it twice": lambda name: [name, name],
    "a list of it and a number": lambda name: [name, 0],
    "a list of it and an empty name": lambda name: [name, ""],
    "an object": lambda name: {name: name},
    "a number": lambda name: 0,
    "true": lambda name: True,
    "in capitals": lambda name: name.upper(),
    "with a slash after": lambda name: f"{name}/",
    "with a space after": lambda name: f"{name} ",
    "with NUL after": lambda name: f"{name}\0",
    "its beginning": lambda name: name[:-1],
    "longer": lambda name: f"{name}x",
    "another": lambda name: "https://attacker.example",
    "a star": lambda name: "*",
}


_LISTS: dict[str, Callable[[str], object]] = {
    "a list of it": lambda name: [name],
    "a list of it and another": lambda name: [name, "another"],
}
"""Only the `aud` of an access token may be a list."""


def _replaced(
    name: str, how: str, change: Callable[[str], object], on: tuple[str, ...] = BOTH
) -> Attack:
    def forge(good: Good) -> str:
        return good.with_claims(**{name: change(good.claims[name])})

    return Attack(f"{name} is {how}", "T5", forge, on)


def _misnamed(name: str) -> Attack:
    def forge(good: Good) -> str:
        return good.signed(
            payload=compact(good.claims).replace(f'"{name}"'.encode(), f'"{name.upper()}"'.encode())
        )

    return Attack(f"{name.upper()} in the place of {name}", "T5", forge)


ATTACKS = [
    *(
        Attack(f"no {name}", "T5", lambda good, name=name: good.without_claims(name))
        for name in _ALL
    ),
    *(_misnamed(name) for name in _ALL),
    *(_replaced(name, how, change) for name in _IDS for how, change in _NOT_IDS.items()),
    *(
        _replaced(name, how, change)
        for name in ("iss", "aud")
        for how, change in _NOT_NAMES.items()
    ),
    *(
        _replaced(name, how, change, on)
        for name, on in (("iss", BOTH), ("aud", REFRESH))
        for how, change in _LISTS.items()
    ),
]
