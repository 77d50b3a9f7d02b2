"""T5: `amr` and `acr` may be missing together; otherwise they are well formed, and agree."""

from tests.attacks.attack import ACCESS, Attack

_NOT_METHODS: dict[str, object] = {
    "null": None,
    "a string": "pwd",
    "a string of several": "pwd otp mfa",
    "true": True,
    "a number": 1,
    "an object": {"pwd": True},
    "a list without members": [],
    "a list of a number": [1],
    "a list of null": [None],
    "a list of true": ["pwd", True],
    "a list in a list": [["pwd"]],
    "the same twice": ["pwd", "pwd"],
    "an empty name": ["pwd", ""],
    "with a line break after": ["pwd", "otp\n"],
    "with NUL after": ["pwd", "otp\0"],
    "a lone surrogate": ["pwd", "\ud800"],
}
_NOT_LEVELS: dict[str, object] = {
    "null": None,
    "empty": "",
    "true": True,
    "a number": 1,
    "a list of it": ["aal1"],
    "higher than the methods": "aal2",
    "one that does not exist": "aal3",
    "in capitals": "AAL1",
    "with a space after": "aal1 ",
    "a URN": "urn:nist:aal1",
}

ATTACKS = [
    *(
        Attack(
            f"amr is {how}", "T5", lambda good, value=value: good.with_claims(amr=value), on=ACCESS
        )
        for how, value in _NOT_METHODS.items()
    ),
    *(
        Attack(
            f"acr is {how}", "T5", lambda good, value=value: good.with_claims(acr=value), on=ACCESS
        )
        for how, value in _NOT_LEVELS.items()
    ),
    Attack("amr alone", "T5", lambda good: good.without_claims("acr"), on=ACCESS),
    Attack("acr alone", "T5", lambda good: good.without_claims("amr"), on=ACCESS),
    Attack(
        "a second factor in amr alone",
        "T5",
        lambda good: good.with_claims(amr=["pwd", "mfa"]),
        on=ACCESS,
    ),
    Attack(
        "amr twice",
        "T4",
        lambda good: good.with_raw_claim("amr", '["pwd"],"amr":["mfa"]'),
        on=ACCESS,
    ),
]
