"""T1: the algorithm is exactly the configured one, and the header never chooses it."""

from tests.attacks.attack import Attack
from tests.attacks.tokens import Good, compact

_OTHERS = [
    *["HS384", "HS512", "RS256", "RS512", "PS256", "ES256", "ES256K", "ES384", "EdDSA", "Ed25519"],
    *["none", "None", "NONE", "nOnE", "", " ", "hs256", "Hs256", "HS256 ", " HS256", "HS25"],
    *["HS2566", "H", "S256", "HS256\0", "ＨＳ256", "dir", "A128KW", "A256GCMKW"],  # noqa: RUF001
]
_NOT_STRINGS = [None, True, 0, 256, ["HS256"], {"HS256": "HS256"}]


def _unsigned(alg: object) -> Attack:
    return Attack(
        f"alg {alg!r} without a signature",
        "T1",
        lambda good: good.with_header(alg=alg).rpartition(".")[0] + ".",
    )


def _resigned_with(digest: str, alg: str) -> Attack:
    def forge(good: Good) -> str:
        return good.signed(header=compact({**good.header, "alg": alg}), digest=digest)

    return Attack(f"really signed with {alg} by the right key", "T1", forge)


ATTACKS = [
    *(
        Attack(
            f"alg {alg!r}, signed as HS256", "T1", lambda good, alg=alg: good.with_header(alg=alg)
        )
        for alg in [*_OTHERS, *_NOT_STRINGS]
    ),
    *(_unsigned(alg) for alg in ["none", "None", "NONE", "HS256"]),
    _resigned_with("sha384", "HS384"),
    _resigned_with("sha512", "HS512"),
    Attack(
        "the HS256 header over an HS512 signature", "T1", lambda good: good.signed(digest="sha512")
    ),
    Attack(
        "the HS256 header over an HS384 signature", "T1", lambda good: good.signed(digest="sha384")
    ),
    Attack("no alg", "T1", lambda good: good.without_header("alg")),
]
