"""T5: the `roles` claim may be missing; otherwise it is a short list of different names."""

from tests.attacks.attack import Attack

_NOT_ROLES: dict[str, object] = {
    "null": None,
    "a string": "admin",
    "a string of several": "admin editor",
    "true": True,
    "a number": 1,
    "an object": {"admin": True},
    "an object without members": {},
    "a list without members": [],
    "a list of a number": [1],
    "a list of null": [None],
    "a list of true": ["admin", True],
    "a list in a list": [["admin"]],
    "a list in a list at its end": ["admin", ["editor"]],
    "an object in a list": [{"role": "admin"}],
    "the same twice": ["admin", "admin"],
    "the same twice, apart": ["admin", "editor", "admin"],
    "17 roles": [f"role-{number}" for number in range(17)],
    "as many as 4 KiB hold": [str(number) for number in range(100, 500)],
    "an empty name": [""],
    "two names in one": ["admin editor"],
    "in capitals": ["Admin"],
    "with a space after": ["admin "],
    "with a line break after": ["admin\n"],
    "with NUL after": ["admin\0"],
    "with a hyphen before": ["-admin"],
    "of 65 letters": ["a" * 65],
    "in full-width letters": ["\uff41dmin"],
    "in look-alike letters": ["\u0430dmin"],
    "a lone surrogate": ["\ud800"],
    "a lone surrogate after": ["admin\udfff"],
    "a star": ["*"],
    "an SQL injection": ["' OR 1=1 --"],
    "a header of its own": ['admin", realm="x'],
}

ATTACKS = [
    *(
        Attack(f"roles is {how}", "T5", lambda good, value=value: good.with_claims(roles=value))
        for how, value in _NOT_ROLES.items()
    ),
    Attack("roles twice", "T4", lambda good: good.with_raw_claim("roles", '["a"],"roles":["a"]')),
    Attack(
        "roles twice, with an escape",
        "T4",
        lambda good: good.with_raw_claim("roles", '["a"],"\\u0072oles":["a"]'),
    ),
    Attack("roles is NaN", "T4", lambda good: good.with_raw_claim("roles", "NaN")),
    Attack("a role is NaN", "T4", lambda good: good.with_raw_claim("roles", '["admin",NaN]')),
]
