"""The settings of second factors: the secret, the domain of passkeys, and the roles."""

from pathlib import Path

import pytest

from authsvc.settings import Settings
from tests.settings.test_settings import OTHER, faults, load
from tests.support.signing_secrets import FACTOR_SECRET

FACTOR = FACTOR_SECRET.hex()
DOMAIN = "AUTHSVC_PASSKEY_DOMAIN must be a domain such as example.com, in lower case and ASCII"
NOT_ABOVE = "AUTHSVC_PASSKEY_DOMAIN must be the host of AUTHSVC_ISSUER or a domain above it"


def test_a_service_of_the_version_before_needs_no_new_setting(instance: Path) -> None:
    settings = load(instance)
    assert (settings.factor_secret, settings.passkey_domain, settings.aal2_roles) == (None,) * 2 + (
        (),
    )


@pytest.mark.parametrize("value", [None, "", "   "])
def test_an_empty_factor_secret_is_not_set(instance: Path, value: str | None) -> None:
    assert load(instance, factor_secret=value).factor_secret is None


def test_both_secrets_may_come_from_files(instance: Path, tmp_path: Path) -> None:
    file, previous = tmp_path / "factor", tmp_path / "previous"
    file.write_text(f"{FACTOR}\n")
    previous.write_text(OTHER)
    files = {"factor_secret_file": str(file), "factor_secret_previous_file": str(previous)}
    settings = load(instance, **files)
    assert secret(settings, "factor_secret") == FACTOR
    assert secret(settings, "factor_secret_previous") == OTHER


def secret(settings: Settings, name: str) -> str:
    return str(getattr(settings, name).get_secret_value().hex())


def test_a_previous_secret_needs_a_current_one(instance: Path) -> None:
    assert faults(instance, factor_secret_previous=OTHER) == [
        "AUTHSVC_FACTOR_SECRET is missing: AUTHSVC_FACTOR_SECRET_PREVIOUS only decrypts. Set it, "
        "or unset the other"
    ]


def test_a_factor_secret_can_be_rotated(instance: Path) -> None:
    settings = load(instance, factor_secret=OTHER, factor_secret_previous=FACTOR)
    assert secret(settings, "factor_secret") == OTHER
    assert secret(settings, "factor_secret_previous") == FACTOR


@pytest.mark.parametrize(
    "domain",
    [
        "example.com",
        "auth.example.com",
        "localhost",
        "intranet",
        "xn--bcher-kva.example",
        "my_host.internal",
        "1.example.com",
        "a.b-c.example",
        f"{'a' * 63}.example",
    ],
)
def test_a_domain_of_passkeys_is_accepted(instance: Path, domain: str) -> None:
    assert load(instance, passkey_domain=domain).passkey_domain == domain
    issuer = f"https://{domain}"
    assert load(instance, passkey_domain=domain, issuer=issuer).passkey_domain == domain


@pytest.mark.parametrize(
    "text",
    [
        "Example.com",
        "example.com.",
        ".example.com",
        "example..com",
        "example.com:443",
        "https://example.com",
        "//example.com",
        "example.com/",
        "example.com/path",
        "example.com?x",
        "alice@example.com",
        "*.example.com",
        "*",
        "a.example.com,b.example.com",
        "example com",
        "bücher.example",
        "-a.example",
        "a-.example",
        f"{'a' * 64}.example",
        "a." * 127,
        ".".join(["a" * 50] * 5),
        "192.0.2.7",
        "127.1",
        "3221225991",
        "0x7f000001",
        "0x7f.0x1",
        "0x",
        "::1",
        "[::1]",
        "[2001:db8::1]",
        "2001:db8::1",
        "\u0663.example",
    ],
)
def test_what_is_not_a_domain_of_passkeys_is_refused(instance: Path, text: str) -> None:
    [fault] = faults(instance, passkey_domain=text)
    assert fault.startswith(DOMAIN)


@pytest.mark.parametrize("text", [None, "", "  "])
def test_no_domain_is_that_of_the_issuer(instance: Path, text: str | None) -> None:
    settings = load(instance, passkey_domain=text, issuer="https://auth.example.com")
    assert settings.passkey_domain is None


@pytest.mark.parametrize(
    ("issuer", "domain"),
    [
        ("https://auth.example.com", "auth.example.com"),
        ("https://auth.example.com", "example.com"),
        ("https://a.b.example.com:8443/tenant", "b.example.com"),
        ("https://AUTH.example.com", "example.com"),
        ("http://localhost:8000", "localhost"),
    ],
)
def test_the_domain_is_the_host_of_the_issuer_or_above_it(
    instance: Path, issuer: str, domain: str
) -> None:
    assert load(instance, issuer=issuer, passkey_domain=domain).passkey_domain == domain


@pytest.mark.parametrize(
    ("issuer", "domain"),
    [
        ("https://auth.example.com", "example.net"),
        ("https://example.com", "auth.example.com"),
        ("https://notexample.com", "example.com"),
        ("https://auth.example.com", "com"),
        ("https://auth.localhost", "localhost"),
        ("https://192.0.2.7", "example.com"),
        ("https://[::1]:8000", "localhost"),
    ],
)
def test_a_domain_that_is_not_above_the_host_of_the_issuer_is_refused(
    instance: Path, issuer: str, domain: str
) -> None:
    [fault] = faults(instance, issuer=issuer, passkey_domain=domain)
    assert fault.startswith(NOT_ABOVE)


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("admin", ("admin",)),
        ("admin, editor:all ,", ("admin", "editor:all")),
        ("a", ("a",)),
        ("x" * 64, ("x" * 64,)),
        ("", ()),
        (",", ()),
    ],
)
def test_roles_that_need_two_factors_are_separated_by_commas(
    instance: Path, text: str, names: tuple[str, ...]
) -> None:
    assert load(instance, aal2_roles=text).aal2_roles == names


@pytest.mark.parametrize("name", ["Admin", "*", "a b", "admin;editor", "x" * 65, "-a", "é"])
def test_what_is_not_the_name_of_a_role_is_refused(instance: Path, name: str) -> None:
    [fault] = faults(instance, aal2_roles=f"editor,{name}")
    assert fault.startswith(f"AUTHSVC_AAL2_ROLES has {name!r}, which is not the name of a role")
