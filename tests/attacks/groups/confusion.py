"""T2 and K4: no token is accepted as the other kind or for another session or person."""

from uuid import uuid4

from tests.attacks.attack import REFRESH, Attack
from tests.attacks.tokens import SECRETS, Good, compact

_TYPS: list[object] = [
    *["JWT", "jwt", "AT+JWT", "At+Jwt", "RT+JWT", "application/at+jwt", "application/rt+jwt"],
    *["at+jwt ", " rt+jwt", "at+jwt\0", "at jwt", "id+jwt", "secevent+jwt", "dpop+jwt", "rt", "at"],
    *["refresh", "access", "", None, True, 1, ["at+jwt"], ["rt+jwt"], {"typ": "at+jwt"}],
]


def _turned(good: Good) -> Good:
    return Good("refresh" if good.kind == "access" else "access", good.other, good.text)


def _with_typ_of_the_other(good: Good) -> str:
    return good.with_header(typ=_turned(good).header["typ"])


def _resigned(good: Good) -> str:
    """Return the other token, signed with this one's secret: as if both secrets were equal."""
    return good.signed_text(".".join(_turned(good).parts[:2]))


def _retyped(good: Good) -> str:
    """Return a token of this kind (typ, kid and key) with the claims of the other token."""
    return good.signed(payload=compact(_turned(good).claims))


def _retyped_by_the_other_key(good: Good) -> str:
    return good.signed(payload=compact(_turned(good).claims), key=SECRETS[_turned(good).kind])


def _header_of_the_other(good: Good) -> str:
    return good.signed(header=compact(_turned(good).header))


def _this_by_the_other_key(good: Good) -> str:
    return _turned(good).signed_text(".".join(good.parts[:2]))


def _header_and_key_of_the_other(good: Good) -> str:
    return _turned(good).signed(payload=compact(good.claims))


ATTACKS = [
    *(
        Attack(f"typ {typ!r}", "T2", lambda good, typ=typ: good.with_header(typ=typ))
        for typ in _TYPS
    ),
    Attack("the other token", "T2", lambda good: good.other),
    Attack("the other token under this one's secret", "T2", _resigned),
    Attack("the other's claims, with typ, kid and key of this one", "T2", _retyped),
    Attack("the other's claims, with typ and kid of this one", "T2", _retyped_by_the_other_key),
    Attack("the other's header over these claims", "T2", _header_of_the_other),
    Attack("these claims, with header and key of the other", "T2", _header_and_key_of_the_other),
    Attack("this token under the other's secret", "T2", _this_by_the_other_key),
    Attack("the typ of the other", "T2", _with_typ_of_the_other),
    Attack(
        "the other's audience", "T2", lambda good: good.with_claims(aud=_turned(good).claims["aud"])
    ),
    Attack("the other's signature", "T1", lambda good: good.spliced(2, good.other.split(".")[2])),
    Attack("the other's payload", "T1", lambda good: good.spliced(1, good.other.split(".")[1])),
    Attack("the other's header", "T1", lambda good: good.spliced(0, good.other.split(".")[0])),
    Attack(
        "a session that is not there",
        "K4",
        lambda good: good.with_claims(sid=str(uuid4())),
        REFRESH,
    ),
    Attack("another person's id", "K4", lambda good: good.with_claims(sub=str(uuid4())), REFRESH),
    Attack(
        "a second token of the same session",
        "K4",
        lambda good: good.with_claims(jti=str(uuid4())),
        REFRESH,
        planted=False,
    ),
    Attack(
        "a later end of the same session",
        "K4",
        lambda good: good.with_claims(exp=good.claims["exp"] + 3600),
        REFRESH,
        planted=False,
    ),
    Attack(
        "the same claims in another order",
        "K4",
        lambda good: good.signed(payload=compact(dict(reversed(good.claims.items())))),
        REFRESH,
        planted=False,
    ),
    Attack(
        "one more claim", "K4", lambda good: good.with_claims(admin=True), REFRESH, planted=False
    ),
]
