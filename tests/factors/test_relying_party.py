"""The domain that passkeys belong to, and the origins whose pages may use them."""

import pytest
from flask import Flask

from tests.conftest import MakeApp
from tests.support.passkeys import add_passkey, assertion, creation_options, request_options, send
from tests.support.people import Person
from tests.support.software_authenticator import SoftwareAuthenticator


def domain_of(alice: Person) -> str:
    """Return the domain in both kinds of options."""
    of_login, of_new = request_options(alice)["rpId"], creation_options(alice)["rp"]["id"]
    assert of_login == of_new
    return str(of_login)


def at_home(alice: Person, app: Flask) -> Person:
    """Return Alice, logged in to another app of the service."""
    return Person(app, alice.email, alice.password).logged_in()


@pytest.mark.parametrize(
    ("settings", "domain"),
    [
        ({}, "localhost"),
        ({"issuer": "https://auth.example.com"}, "auth.example.com"),
        ({"issuer": "https://auth.example.com:8443/path"}, "auth.example.com"),
        ({"passkey_domain": "example.com"}, "example.com"),
        (
            {"issuer": "https://auth.example.com", "passkey_domain": "example.com"},
            "example.com",
        ),
    ],
    ids=["request", "issuer", "issuer with a port", "setting", "setting before issuer"],
)
def test_the_domain_is_that_of_the_setting_the_issuer_or_the_request(
    make_app: MakeApp, alice: Person, settings: dict[str, str], domain: str
) -> None:
    assert domain_of(at_home(alice, make_app(**settings))) == domain


def test_without_an_issuer_the_domain_is_the_host_of_the_request(alice: Person) -> None:
    alice.logged_in()
    for host, domain in (("App.Example.com:8443", "app.example.com"), ("localhost", "localhost")):
        answer = alice.call("POST", "/auth/passkey/options", json={}, headers={"Host": host})
        assert answer.json["rpId"] == domain


@pytest.mark.parametrize("host", ["", "a b", "a/b", "\u00e9", "example.com@evil.example"])
def test_a_host_that_is_not_one_makes_no_origin_that_would_match(
    make_app: MakeApp, alice: Person, host: str
) -> None:
    alice.app = make_app(passkey_domain="localhost")
    authenticator = add_passkey(alice.logged_in())
    credential = assertion(alice, authenticator, origin="")
    answer = send(alice, credential, Host=host)
    assert answer.status_code in (400, 401)


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("https://auth.example.com", 200),
        ("https://app.example.com", 200),
        ("https://shop.example.com", 200),
        ("capacitor://localhost", 200),
        ("https://example.com", 401),
        ("https://other.example.com", 401),
        ("http://app.example.com", 401),
        ("https://app.example.com:8443", 401),
        ("https://app.example.com.evil.example", 401),
        ("capacitor://localhost:1", 401),
    ],
)
def test_pages_of_the_service_and_of_the_allowed_origins_use_passkeys_and_no_others(
    make_app: MakeApp, alice: Person, origin: str, status: int
) -> None:
    allowed = ["https://app.example.com", "https://shop.example.com", "capacitor://localhost"]
    alice.app = make_app(
        issuer="https://auth.example.com",
        passkey_domain="example.com",
        allowed_origins=tuple(allowed),
    )
    sibling = SoftwareAuthenticator("https://app.example.com")
    add_passkey(alice.logged_in(), sibling)
    answer = send(alice.on_another_device(), assertion(alice, sibling, origin=origin))
    assert answer.status_code == status


def test_a_passkey_of_one_domain_is_refused_at_another(make_app: MakeApp, alice: Person) -> None:
    here = at_home(alice, make_app(issuer="https://auth.example.com"))
    authenticator = add_passkey(here, SoftwareAuthenticator("https://auth.example.com"))
    there = Person(
        make_app(issuer="https://auth.example.org", allowed_origins=("https://auth.example.com",)),
        alice.email,
        alice.password,
    )
    credential = authenticator.get(request_options(there), rp_id="auth.example.com")
    assert send(there, credential).status_code == 401
    assert send(here, assertion(here, authenticator)).status_code == 200
