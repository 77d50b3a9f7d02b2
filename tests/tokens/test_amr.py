"""How a person authenticated: the claims `amr` and `acr` of an access token."""

from collections.abc import Iterator
from datetime import timedelta
from itertools import permutations

import pytest
import time_machine
from hypothesis import given
from hypothesis import strategies as st

from authsvc.roles import Roles
from authsvc.tokens import amr
from authsvc.tokens.access import AccessTokens, AccessTokenVerifier, access_keyring
from authsvc.tokens.amr import ONE_TIME_CODE, PASSWORD, Amr, acr_of, combined, passkey_amr
from authsvc.tokens.jws import TokenInvalid
from authsvc.tokens.keyring import hmac_key
from tests.support.responses import claims
from tests.support.signing_secrets import ACCESS_SECRET
from tests.tokens.forgery import ALICE, ISS, NOW, SESSION, by_hand, payload

AUD = "https://api.example.com"
KEYRING = access_keyring(hmac_key(ACCESS_SECRET))
VERIFIER = AccessTokenVerifier(KEYRING, iss=ISS, aud=AUD)
HEADER = {"alg": "HS256", "kid": hmac_key(ACCESS_SECRET).kid, "typ": "at+jwt"}
ORDERS = list(permutations([PASSWORD, ONE_TIME_CODE, passkey_amr(synced=True)]))
BOTH: Amr = ("pwd", "otp", "mfa")


@pytest.fixture(autouse=True)
def now() -> Iterator[None]:
    with time_machine.travel(NOW, tick=False):
        yield


def issue(
    methods: Amr = PASSWORD, roles: Roles = (), aal2_roles: frozenset[str] = frozenset()
) -> str:
    """Return an access token of a service that gives some roles to two factors only."""
    tokens = AccessTokens(KEYRING, ISS, AUD, 600, aal2_roles=aal2_roles)
    times = {"auth_time": NOW, "session_ends": NOW + timedelta(days=1), "now": NOW}
    issued = tokens.issue(sub=ALICE, sid=SESSION, amr=methods, roles=roles, **times)
    return issued.access_token


@pytest.mark.parametrize(
    ("methods", "acr"),
    [
        (PASSWORD, "aal1"),
        (BOTH, "aal2"),
        (("hwk", "mfa"), "aal2"),
        (("swk", "mfa"), "aal2"),
        (("pwd", "swk", "mfa"), "aal2"),
    ],
)
def test_a_token_has_the_methods_and_the_level_that_follows(methods: Amr, acr: str) -> None:
    token = issue(methods)
    assert (claims(token)["amr"], claims(token)["acr"]) == (list(methods), acr)
    verified = VERIFIER.verify(token)
    assert (verified.amr, verified.acr) == (methods, acr)


def test_each_way_of_logging_in_has_its_methods() -> None:
    assert combined(PASSWORD) == ("pwd",)
    assert combined(PASSWORD, ()) == ("pwd",)
    assert combined(PASSWORD, ONE_TIME_CODE) == BOTH
    assert passkey_amr(synced=False) == ("hwk", "mfa")
    assert passkey_amr(synced=True) == ("swk", "mfa")
    assert combined(PASSWORD, passkey_amr(synced=True)) == ("pwd", "swk", "mfa")


@pytest.mark.parametrize("order", ORDERS)
def test_methods_are_combined_in_one_order_whatever_came_first(order: tuple[Amr, ...]) -> None:
    assert combined(*order) == ("pwd", "otp", "swk", "mfa")


def test_no_password_or_code_alone_is_two_factors() -> None:
    assert acr_of(()) == acr_of(("pwd",)) == acr_of(("otp",)) == acr_of(("pwd", "otp")) == "aal1"


@given(st.sets(st.sampled_from(amr.METHODS)))
def test_the_text_of_a_row_has_exactly_the_methods(methods: set[amr.Method]) -> None:
    ordered = amr.among(methods)
    assert set(ordered) == methods
    assert amr.parse(amr.join(ordered)) == ordered


@pytest.mark.parametrize(
    ("text", "known"), [("", ()), ("pwd", ("pwd",)), ("sms face pwd mfa", ("pwd", "mfa"))]
)
def test_methods_of_a_later_version_in_a_row_are_ignored(text: str, known: Amr) -> None:
    assert amr.parse(text) == known


@pytest.mark.parametrize(
    ("sent", "known"),
    [(["face", "pwd"], ("pwd",)), (["mfa", "face"], ("mfa",)), (["face"], ()), (["PWD"], ())],
)
def test_methods_of_a_later_version_in_a_token_are_ignored(sent: list[str], known: Amr) -> None:
    verified = VERIFIER.verify(forged(amr=sent, acr=acr_of(known)))
    assert (verified.amr, verified.acr) == (known, acr_of(known))


def test_a_token_of_an_earlier_version_has_no_methods_and_one_factor() -> None:
    verified = VERIFIER.verify(forged())
    assert (verified.amr, verified.acr) == ((), "aal1")
    assert {"amr", "acr"}.isdisjoint(verified.payload())


@pytest.mark.parametrize(
    "wrong",
    [
        {"amr": ["pwd"]},
        {"acr": "aal1"},
        {"acr": "aal2"},
        {"amr": ["pwd"], "acr": "aal2"},
        {"amr": ["pwd", "mfa"], "acr": "aal1"},
        {"amr": ["pwd", "mfa"], "acr": ["aal2"]},
        {"amr": ["pwd", "mfa"], "acr": None},
        {"amr": ["pwd", "mfa"], "acr": "AAL2"},
        {"amr": ["pwd", "mfa"], "acr": "aal3"},
        {"amr": "mfa", "acr": "aal2"},
        {"amr": {"mfa": 1}, "acr": "aal2"},
        {"amr": ["mfa", "mfa"], "acr": "aal2"},
        {"amr": ["mfa", 1], "acr": "aal2"},
        {"amr": ["mfa", ["pwd"]], "acr": "aal2"},
        {"amr": ["mfa", ""], "acr": "aal2"},
        {"amr": [], "acr": "aal1"},
        {"amr": None, "acr": "aal1"},
        {"amr": None, "acr": None},
    ],
    ids=str,
)
def test_malformed_or_contradictory_methods_and_levels_are_refused(
    wrong: dict[str, object],
) -> None:
    with pytest.raises(TokenInvalid):
        VERIFIER.verify(forged(**wrong))


@pytest.mark.parametrize(
    ("methods", "roles"),
    [
        (PASSWORD, ("editor",)),
        ((), ("editor",)),
        (BOTH, ("admin", "editor")),
        (("swk", "mfa"), ("admin", "editor")),
    ],
)
def test_a_role_that_needs_two_factors_is_in_tokens_of_two_factors_only(
    methods: Amr, roles: Roles
) -> None:
    token = issue(methods, ("admin", "editor"), frozenset(["admin", "owner"]))
    assert claims(token)["roles"] == list(roles)
    assert VERIFIER.verify(token).roles == roles


def test_if_no_role_is_left_the_token_has_no_such_claim() -> None:
    assert "roles" not in claims(issue(PASSWORD, ("admin",), frozenset(["admin"])))


def forged(**members: object) -> str:
    """Return a validly signed token with these claims besides the usual ones."""
    return by_hand(ACCESS_SECRET, HEADER, {**payload(aud=AUD), **members})
