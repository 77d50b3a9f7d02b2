"""Settings: their sources, the values of each, and the messages about invalid ones."""

import os
import traceback
from collections.abc import Callable
from itertools import combinations
from pathlib import Path
from typing import Any

import pytest
from flask import Flask
from sqlalchemy.engine import make_url

from authsvc.settings import Settings, SettingsInvalid
from authsvc.settings.sources import load_settings
from authsvc.tokens.key_pairs import key_from_pem
from authsvc.tokens.shared_secret import EXAMPLE_SECRETS
from tests.conftest import MakeApp
from tests.support.key_pair_settings import ED25519, P256, PEM, signed_by
from tests.support.people import Person
from tests.support.signing_secrets import ACCESS_SECRET, REFRESH_SECRET

ACCESS, REFRESH = ACCESS_SECRET.hex(), REFRESH_SECRET.hex()
OTHER = ("5a" * 63) + "a5"


def load(instance: Path, **changed: str | None) -> Settings:
    """Return settings from a good environment with changes; None removes a setting."""
    chosen = {"access_token_secret": ACCESS, "refresh_token_secret": REFRESH, **changed}
    environ = {f"AUTHSVC_{name.upper()}": value for name, value in chosen.items() if value}
    return load_settings(instance, environ)


def faults(instance: Path, **changed: str | None) -> list[str]:
    """Return the faults that loading a bad environment reports."""
    with pytest.raises(SettingsInvalid) as caught:
        load(instance, **changed)
    title, *lines = str(caught.value).splitlines()
    assert title == "Invalid settings:"
    assert all(line.startswith("  - ") for line in lines)
    return [line.removeprefix("  - ") for line in lines]


def test_every_default_is_the_documented_one(instance: Path) -> None:
    settings = load(instance)
    secret = {"database_url", "access_token_secret", "refresh_token_secret", "rate_limit_storage"}
    assert settings.model_dump(exclude=secret) == {
        "aal2_roles": (),
        "database_prepare": "auto",
        "access_token_algorithm": "HS256",
        "access_token_private_key": None,
        "access_token_private_key_previous": None,
        "factor_secret": None,
        "factor_secret_previous": None,
        "passkey_domain": None,
        "access_token_secret_previous": None,
        "refresh_token_secret_previous": None,
        "access_token_ttl": 600,
        "refresh_token_ttl": 604_800,
        "refresh_token_idle_ttl": 259_200,
        "issuer": None,
        "audience": (),
        "client_id": "web",
        "allowed_origins": (),
        "exposed_headers": (),
        "cookie_secure": True,
        "cookie_samesite": "Strict",
        "cookie_partitioned": False,
        "hsts_include_subdomains": False,
        "require_bound_sessions": False,
        "device_binding": False,
        "registration": "open",
        "password_min_length": 15,
        "mail_url": None,
        "mail_from": None,
        "mail_templates": None,
        "mail_locale": "en",
        "mail_new_logins": True,
        "app_url": None,
        "email_verification": "optional",
        "trusted_proxies": 0,
        "rate_limit_factor": 1,
        "revocation_staleness_limit": 30,
        "audit_ttl": 7_776_000,
        "metrics_token": None,
        "log_level": "info",
        "demo": False,
    }
    assert settings.rate_limit_storage.get_secret_value() == "database"
    assert settings.database_url.get_secret_value() == f"sqlite:///{instance / 'authsvc.db'}"
    assert (settings.token_issuer, settings.token_audience) == ("authsvc", "authsvc")


def test_a_secret_is_the_bytes_that_its_hex_spells(instance: Path) -> None:
    settings = load(instance, access_token_secret=ACCESS.upper())
    assert settings.access_token_secret.get_secret_value() == ACCESS_SECRET
    assert settings.refresh_token_secret.get_secret_value() == REFRESH_SECRET


@pytest.mark.parametrize(("text", "claim"), [("a", "a"), ("a,b", ("a", "b")), (None, "authsvc")])
def test_one_audience_is_a_string_and_several_are_a_list(
    instance: Path, text: str | None, claim: object
) -> None:
    assert load(instance, audience=text).token_audience == claim


ACCEPTED = [
    ("access_token_ttl", "1", 1),
    ("access_token_ttl", "900", 900),
    ("refresh_token_ttl", str(400 * 86_400), 400 * 86_400),
    ("refresh_token_ttl", "601", 601),
    ("refresh_token_idle_ttl", "1200", 1200),
    ("issuer", "https://auth.example.com/tenant", "https://auth.example.com/tenant"),
    ("issuer", "https://auth.example.com/", "https://auth.example.com/"),
    ("audience", "https://api.example.com", ("https://api.example.com",)),
    ("audience", "a, https://b.example ,c,", ("a", "https://b.example", "c")),
    ("audience", f"{'a' * 124},{'b' * 124}", ("a" * 124, "b" * 124)),
    ("client_id", "notes app", "notes app"),
    ("client_id", "x" * 64, "x" * 64),
    ("cookie_secure", "false", False),
    ("cookie_samesite", "Lax", "Lax"),
    ("cookie_partitioned", "true", True),
    ("hsts_include_subdomains", "true", True),
    ("exposed_headers", "X-Total, Link", ("X-Total", "Link")),
    ("cookie_samesite", "None", "None"),
    ("registration", "closed", "closed"),
    ("password_min_length", "10", 10),
    ("password_min_length", "64", 64),
    ("trusted_proxies", "10", 10),
    ("rate_limit_factor", "1000", 1000),
    ("revocation_staleness_limit", "1", 1),
    ("audit_ttl", "1", 1),
    (
        "allowed_origins",
        "https://app.example.com, http://localhost:5173,https://[::1]:8443",
        ("https://app.example.com", "http://localhost:5173", "https://[::1]:8443"),
    ),
]


@pytest.mark.parametrize(("name", "text", "value"), ACCEPTED)
def test_a_good_value_is_accepted(instance: Path, name: str, text: str, value: object) -> None:
    assert getattr(load(instance, **{name: text}), name) == value


REFUSED = [
    ("access_token_ttl", "901", "must be a whole number from 1 to 900"),
    ("access_token_ttl", "0", "must be a whole number from 1 to 900"),
    ("access_token_ttl", "ten", "must be a whole number from 1 to 900"),
    ("access_token_ttl", "1.5", "must be a whole number from 1 to 900"),
    ("access_token_ttl", "9" * 5000, "must be a whole number from 1 to 900"),
    ("refresh_token_ttl", str(400 * 86_400 + 1), "must be a whole number from 1 to 34560000"),
    ("refresh_token_ttl", "600", "must be longer than AUTHSVC_ACCESS_TOKEN_TTL"),
    ("refresh_token_idle_ttl", "1199", "must be at least twice AUTHSVC_ACCESS_TOKEN_TTL"),
    ("issuer", "auth.example.com", "must be an https:// URL without query or fragment"),
    ("issuer", "https://auth.example.com?x", "must be an https:// URL without query or fragment"),
    ("issuer", "https://auth.example.com#x", "must be an https:// URL without query or fragment"),
    ("issuer", "https://auth.example.com:x", "must be an https:// URL without query or fragment"),
    ("issuer", "https://[::1", "must be an https:// URL without query or fragment"),
    ("issuer", "https://auth.example.com/<x>", "must be an https:// URL without query or fragment"),
    ("issuer", "https://auth.example.com/ x", "must be an https:// URL without query or fragment"),
    ("audience", ",", "names no audience: write one, or unset it"),
    ("audience", "a,b,a", "has the same audience twice"),
    ("audience", "a\tb", "has a character that cannot be printed"),
    ("audience", f"{'a' * 124},{'b' * 125}", "is longer than 256 bytes as JSON"),
    ("audience", "\u00fc" * 43, "is longer than 256 bytes as JSON"),
    ("client_id", "x" * 65, "must be 1 to 64 printable ASCII characters"),
    ("client_id", "caf\u00e9", "must be 1 to 64 printable ASCII characters"),
    ("client_id", "a\tb", "must be 1 to 64 printable ASCII characters"),
    ("cookie_secure", "perhaps", "must be true or false"),
    ("cookie_samesite", "lax", "must be 'Strict', 'Lax' or 'None'"),
    ("registration", "shut", "must be 'open' or 'closed'"),
    ("password_min_length", "9", "must be a whole number from 10 to 64"),
    ("password_min_length", "65", "must be a whole number from 10 to 64"),
    ("trusted_proxies", "-1", "must be a whole number from 0 to 10"),
    ("trusted_proxies", "11", "must be a whole number from 0 to 10"),
    ("rate_limit_factor", "0", "must be a whole number from 1 to 1000000"),
    ("revocation_staleness_limit", "0", "must be a whole number from 1 to 86400"),
    ("rate_limit_storage", "memory://", "must be `database` or a redis:// URL"),
    ("rate_limit_storage", "redis", "must be `database` or a redis:// URL"),
    ("exposed_headers", "*", "which is not the name of a header: list exact names"),
    ("exposed_headers", "X-Total Link", "which is not the name of a header"),
    ("exposed_headers", "X:", "which is not the name of a header"),
    ("metrics_token", "canary", "must be 32 or more letters, digits"),
    ("metrics_token", "canary" * 5, "must be 32 or more letters, digits"),
    ("metrics_token", f"canary {'x' * 32}", "must be 32 or more letters, digits"),
    ("metrics_token", "canaryé" * 8, "must be 32 or more letters, digits"),
]


@pytest.mark.parametrize(("name", "text", "fault_text"), REFUSED)
def test_a_bad_value_is_refused_by_its_name(
    instance: Path, name: str, text: str, fault_text: str
) -> None:
    [fault] = faults(instance, **{name: text})
    assert fault.startswith(f"AUTHSVC_{name.upper()}")
    assert fault_text in fault
    assert "canary" not in fault


@pytest.mark.parametrize(
    "origin",
    [
        "*",
        "null",
        "app.example.com",
        "ftp://app.example.com",
        "file://",
        "capacitor://",
        "chrome-extension://*",
        "chrome-extension://abc",
        "moz-extension://abc",
        "htps://app.example.com",
        "https://app.example.com/",
        "https://app.example.com/page",
        "https://app.example.com?x",
        "https://app.example.com#x",
        "https://App.example.com",
        "HTTPS://app.example.com",
        "https://app.example.com:443",
        "http://app.example.com:80",
        "https://app.example.com:",
        "https://app.example.com:08443",
        "https://app.example.com:99999",
        "https://app.example.com:x",
        "https://alice@app.example.com",
        "https://*.example.com",
        "https://app example.com",
        "https://app.example.com\\page",
        "https://bücher.example.com",
        "https://[::1",
    ],
)
def test_what_is_not_exactly_an_origin_stops_the_boot(instance: Path, origin: str) -> None:
    [fault] = faults(instance, allowed_origins=f"https://good.example.com,{origin}")
    assert fault.startswith("AUTHSVC_ALLOWED_ORIGINS has ")
    assert "which is not an origin: write scheme://host or scheme://host:port" in fault


def test_samesite_none_needs_a_secure_cookie(instance: Path) -> None:
    [fault] = faults(instance, cookie_samesite="None", cookie_secure="false")
    assert fault == (
        "AUTHSVC_COOKIE_SAMESITE=None needs AUTHSVC_COOKIE_SECURE=true, because browsers refuse "
        "such a cookie otherwise: unset one of the two"
    )


def test_a_partitioned_cookie_must_be_secure(instance: Path) -> None:
    """Issue 14, number 16."""
    [fault] = faults(instance, cookie_partitioned="true", cookie_secure="false")
    assert fault.startswith("AUTHSVC_COOKIE_PARTITIONED=true needs AUTHSVC_COOKIE_SECURE=true")


@pytest.mark.parametrize(
    "cookie", [{"cookie_secure": "false"}, {"cookie_partitioned": "true"}], ids=str
)
def test_device_binding_needs_a_secure_cookie_that_is_not_partitioned(
    instance: Path, cookie: dict[str, str]
) -> None:
    [fault] = faults(instance, device_binding="true", **cookie)
    assert fault == (
        "AUTHSVC_DEVICE_BINDING=true needs AUTHSVC_COOKIE_SECURE=true and "
        "AUTHSVC_COOKIE_PARTITIONED=false, because browsers bind no other cookies: unset one of "
        "them"
    )
    load(instance, device_binding="false", **cookie)
    load(instance, device_binding="true")


APPS = [
    "capacitor://localhost",
    "ionic://localhost",
    "tauri://localhost",
    "app://localhost",
    "chrome-extension://" + "abcdefghijklmnop" * 2,
    "moz-extension://2d5f5a2b-6e0b-4d3c-8a4f-0123456789ab",
]


@pytest.mark.parametrize("origin", APPS)
def test_the_origin_of_an_app_or_extension_is_accepted(instance: Path, origin: str) -> None:
    """Issue 14, number 16."""
    assert load(instance, allowed_origins=origin).allowed_origins == (origin,)
    for wrong in (f"{origin}/", f"{origin}/page", f"{origin}?x", f"{origin}:80", origin.upper()):
        [fault] = faults(instance, allowed_origins=wrong)
        assert "which is not an origin" in fault


def test_a_cookie_for_plain_http_is_refused_with_a_public_https_issuer(instance: Path) -> None:
    [fault] = faults(instance, cookie_secure="false", issuer="https://auth.example.com")
    assert fault.startswith("AUTHSVC_COOKIE_SECURE must be true with a public AUTHSVC_ISSUER")
    for issuer in (None, "http://auth.example.com", "https://localhost"):
        assert not load(instance, cookie_secure="false", issuer=issuer).cookie_secure


def test_all_faults_are_reported_in_one_message(instance: Path) -> None:
    found = faults(
        instance,
        access_token_secret=None,
        refresh_token_secret="abc",
        access_token_ttl="901",
        allowed_origins="*",
        colour="blue",
    )
    names = {line.split()[0].removeprefix("AUTHSVC_").rstrip(":") for line in found}
    assert names == {
        "ACCESS_TOKEN_SECRET",
        "REFRESH_TOKEN_SECRET",
        "ACCESS_TOKEN_TTL",
        "ALLOWED_ORIGINS",
        "COLOUR",
    }


@pytest.mark.parametrize("name", ["colour", "access_token_tttl", "access_token_ttl_file"])
def test_an_unknown_name_is_refused(instance: Path, name: str) -> None:
    assert faults(instance, **{name: "x"}) == [
        f"AUTHSVC_{name.upper()} is not a setting: correct the name or unset it"
    ]


def test_other_peoples_names_are_left_alone(instance: Path) -> None:
    environ = {"AUTHSVC_ACCESS_TOKEN_SECRET": ACCESS, "AUTHSVC_REFRESH_TOKEN_SECRET": REFRESH}
    assert load_settings(instance, {**environ, "PORT": "1", "authsvc_x": "1", "XAUTHSVC_": "1"})


SECRETS = [
    "access_token_secret",
    "refresh_token_secret",
    "access_token_secret_previous",
    "refresh_token_secret_previous",
    "factor_secret",
    "factor_secret_previous",
]
PLACEHOLDERS = ["00" * 64, "ab" * 64, "ff" * 80, *(example.hex() for example in EXAMPLE_SECRETS)]


@pytest.mark.parametrize("name", SECRETS)
@pytest.mark.parametrize(
    ("value", "fault_text"),
    [
        ("canary" * 30, "is not hexadecimal"),
        ("0x" + OTHER, "is not hexadecimal"),
        (OTHER + "1", "is not hexadecimal"),
        ("é" * 128, "is not hexadecimal"),
        (OTHER[:-2], "has 63 bytes, not the 64 that it needs"),
        *((text, "is a placeholder, not a secret") for text in PLACEHOLDERS),
    ],
)
def test_a_bad_secret_is_refused_and_never_shown(
    instance: Path, name: str, value: str, fault_text: str
) -> None:
    [fault] = faults(instance, **{name: value})
    assert fault.startswith(f"AUTHSVC_{name.upper()} {fault_text}")
    assert "run `python -m authsvc secrets`" in fault
    assert value not in fault


@pytest.mark.parametrize("name", SECRETS[:2])
@pytest.mark.parametrize("value", [None, "", "   "])
def test_a_missing_secret_is_refused(instance: Path, name: str, value: str | None) -> None:
    [fault] = faults(instance, **{name: value})
    assert fault.startswith(f"AUTHSVC_{name.upper()} is missing: run `python -m authsvc secrets`")


@pytest.mark.parametrize(("first", "second"), list(combinations(SECRETS, 2)))
def test_no_secret_may_equal_another(instance: Path, first: str, second: str) -> None:
    [fault] = faults(instance, **{first: OTHER, second: OTHER})
    assert fault.startswith(f"AUTHSVC_{second.upper()} equals AUTHSVC_{first.upper()}: ")
    assert OTHER not in fault
    # HMAC pads a key with zeros.
    assert faults(instance, **{first: OTHER, second: OTHER + "0000"}) == [fault]
    assert faults(instance, **{first: OTHER + "00", second: OTHER}) == [fault]


KEYS = ["access_token_private_key", "access_token_private_key_previous"]
NO_SECRET = {"access_token_secret": None}


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
def test_with_a_private_key_no_access_secret_is_needed(instance: Path, algorithm: str) -> None:
    settings = load(instance, **NO_SECRET, **signed_by(algorithm))
    assert settings.access_token_private_key == load_key(PEM[algorithm])
    assert load(instance, **signed_by(algorithm)).access_token_algorithm == algorithm


def load_key(pem: str) -> Any:
    """Return a value that equals the key of that PEM text."""
    kid = key_from_pem(pem).kid

    class SameKey:
        def __eq__(self, other: object) -> bool:
            return getattr(other, "kid", None) == kid

    return SameKey()


@pytest.mark.parametrize("spell", [str.strip, lambda pem: pem.replace("\n", "\\n")])
def test_the_lines_of_a_private_key_may_be_spelt_in_one(
    instance: Path, spell: Callable[[str], str]
) -> None:
    for pem in PEM.values():
        settings = load(instance, access_token_private_key_previous=spell(pem))
        assert settings.access_token_private_key_previous == load_key(pem)


@pytest.mark.parametrize("quote", ["", '"', "'"])
def test_a_private_key_in_the_env_file_is_read_with_and_without_quotes(
    instance: Path, quote: str
) -> None:
    pem = ED25519.strip().replace("\n", "\\n")
    line = f"AUTHSVC_ACCESS_TOKEN_PRIVATE_KEY_PREVIOUS={quote}{pem}{quote}\n"
    (instance / "authsvc.env").write_text(line)
    assert load(instance).access_token_private_key_previous == load_key(ED25519)


@pytest.mark.parametrize("algorithm", ["EdDSA", "ES256"])
@pytest.mark.parametrize("value", [None, "", "  "])
def test_a_missing_private_key_is_refused(
    instance: Path, algorithm: str, value: str | None
) -> None:
    [fault] = faults(
        instance, access_token_algorithm=algorithm, access_token_private_key=value, **NO_SECRET
    )
    assert fault == (
        "AUTHSVC_ACCESS_TOKEN_PRIVATE_KEY is missing: run `python -m authsvc keys generate` "
        "and keep the two lines that it prints"
    )


@pytest.mark.parametrize("name", KEYS)
@pytest.mark.parametrize("value", ["canary", "PUBLIC KEY-----canary"])
def test_a_bad_private_key_is_refused_and_never_shown(
    instance: Path, name: str, value: str
) -> None:
    [fault] = faults(
        instance,
        **{"access_token_algorithm": "EdDSA", **NO_SECRET, **signed_by("EdDSA"), name: value},
    )
    assert fault.startswith(f"AUTHSVC_{name.upper()} is ")
    assert "run `python -m authsvc keys generate`" in fault
    assert "canary" not in fault


@pytest.mark.parametrize(
    ("algorithm", "kind"), [("ES256", "EdDSA"), ("EdDSA", "ES256"), ("HS256", "EdDSA")]
)
def test_a_private_key_for_another_algorithm_is_refused(
    instance: Path, algorithm: str, kind: str
) -> None:
    [fault] = faults(instance, access_token_algorithm=algorithm, access_token_private_key=PEM[kind])
    assert fault == (
        f"AUTHSVC_ACCESS_TOKEN_PRIVATE_KEY is a key for {kind}, but AUTHSVC_ACCESS_TOKEN_ALGORITHM "
        f"is {algorithm}: set AUTHSVC_ACCESS_TOKEN_ALGORITHM={kind}, or unset this"
    )


def test_a_previous_private_key_that_equals_the_current_is_refused(instance: Path) -> None:
    [fault] = faults(instance, **signed_by("ES256"), access_token_private_key_previous=P256)
    assert fault == (
        "AUTHSVC_ACCESS_TOKEN_PRIVATE_KEY_PREVIOUS equals AUTHSVC_ACCESS_TOKEN_PRIVATE_KEY: "
        "set it to the one that was replaced, or unset it"
    )


@pytest.mark.parametrize("algorithm", ["none", "RS256", "eddsa", "Ed25519", "HS512"])
def test_another_algorithm_is_refused(instance: Path, algorithm: str) -> None:
    found = faults(instance, access_token_algorithm=algorithm)
    assert found == ["AUTHSVC_ACCESS_TOKEN_ALGORITHM must be 'HS256', 'EdDSA' or 'ES256'"]


def test_a_rotation_is_accepted(instance: Path) -> None:
    settings = load(instance, access_token_secret=OTHER, access_token_secret_previous=ACCESS)
    assert settings.access_token_secret_previous is not None
    assert settings.access_token_secret_previous.get_secret_value() == ACCESS_SECRET


def test_no_secret_is_shown_by_repr_str_or_a_traceback(instance: Path) -> None:
    password = "canary-password"
    settings = load(
        instance,
        database_url=f"postgresql://alice:{password}@localhost/authsvc",
        rate_limit_storage=f"redis://:{password}@localhost/0",
        access_token_secret_previous=OTHER,
        access_token_private_key_previous=ED25519,
    )
    try:
        load(instance, access_token_secret=ACCESS[:-1] + "x", access_token_ttl="901")
    except SettingsInvalid:
        shown = traceback.format_exc()
    shown += repr(settings) + str(settings) + repr(settings.model_dump())
    assert ED25519.splitlines()[1] not in shown
    for secret in (ACCESS[:40], REFRESH[:40], OTHER[:40], password, repr(ACCESS_SECRET)[2:30]):
        assert secret not in shown


def test_an_error_of_settings_made_in_code_does_not_show_the_value() -> None:
    with pytest.raises(ValueError, match="is not hexadecimal") as caught:
        Settings.model_validate({"access_token_secret": "canary", "refresh_token_secret": REFRESH})
    assert "canary" not in str(caught.value)
    assert REFRESH not in str(caught.value)


def test_settings_cannot_be_changed(instance: Path) -> None:
    settings = load(instance)
    with pytest.raises(ValueError, match="frozen"):
        settings.access_token_ttl = 1


@pytest.mark.parametrize(
    "url",
    [
        "postgresql://user:p%2Cw%40@a:5432,b:5433/db?target_session_attrs=read-write",
        "postgresql://user:p%2Cw%40@/db?host=a:5432&host=b:5433&target_session_attrs=read-write",
    ],
)
def test_a_postgres_url_may_name_several_hosts_in_both_forms(instance: Path, url: str) -> None:
    taken = make_url(load(instance, database_url=url).database_url.get_secret_value())
    assert (taken.username, taken.password, taken.database) == ("user", "p,w@", "db")
    assert dict(taken.query) == {
        "host": ("a:5432", "b:5433"),
        "target_session_attrs": "read-write",
    }


@pytest.mark.parametrize("scheme", ["postgres", "postgresql", "postgresql+psycopg"])
def test_postgres_urls_of_all_spellings_are_taken(instance: Path, scheme: str) -> None:
    settings = load(instance, database_url=f"{scheme}://alice:p%40%24ss@db.test:5433/authsvc")
    url = make_url(settings.database_url.get_secret_value())
    assert url.drivername == "postgresql+psycopg"
    assert (url.username, url.password, url.host, url.port) == ("alice", "p@$ss", "db.test", 5433)


@pytest.mark.parametrize(
    ("url", "fault_text"),
    [
        ("sqlite://", "must name a file"),
        ("sqlite:///:memory:", "must name a file"),
        ("sqlite:///file::memory:?uri=true", "must name a file"),
        ("sqlite:///file:x?mode=memory&uri=true", "must name a file"),
        ("mysql://alice:canary@db.test/authsvc", "must be a sqlite: or a postgresql: URL"),
        ("postgresql+psycopg2://alice:canary@db.test/a", "must be a sqlite: or a"),
        ("postgresql://alice:x@db.test:canary/authsvc", "must be a database URL"),
        ("canary", "must be a database URL"),
    ],
)
def test_a_bad_database_url_is_refused_and_never_shown(
    instance: Path, url: str, fault_text: str
) -> None:
    [fault] = faults(instance, database_url=url)
    assert fault.startswith("AUTHSVC_DATABASE_URL")
    assert fault_text in fault
    assert "canary" not in fault


GOOD = {
    "access_token_secret": ACCESS,
    "refresh_token_secret": REFRESH,
    "access_token_secret_previous": OTHER,
    "refresh_token_secret_previous": OTHER,
    "factor_secret": OTHER,
    "access_token_private_key_previous": ED25519,
    "database_url": "sqlite:////x/y.db",
    "rate_limit_storage": "redis://h/1",
    "metrics_token": "m" * 32,
}
MAY_BE_FILES = list(GOOD)


@pytest.mark.parametrize("name", MAY_BE_FILES)
def test_a_setting_is_read_from_its_file(instance: Path, name: str) -> None:
    (instance / "kept").write_text(f"{GOOD[name]}\n")
    settings = load(instance, **{name: None, f"{name}_file": str(instance / "kept")})
    found = getattr(settings, name)
    if name in KEYS:
        assert found == load_key(GOOD[name])
    else:
        value = found.get_secret_value()
        assert (value.hex() if isinstance(value, bytes) else value) == GOOD[name]


@pytest.mark.parametrize("name", MAY_BE_FILES)
def test_a_setting_and_its_file_together_are_refused(instance: Path, name: str) -> None:
    (instance / "kept").write_text(GOOD[name])
    assert faults(instance, **{name: GOOD[name], f"{name}_file": str(instance / "kept")}) == [
        f"AUTHSVC_{name.upper()} and AUTHSVC_{name.upper()}_FILE are both set: unset one of them"
    ]


def test_a_secret_file_that_cannot_be_read_is_refused_with_the_reason(instance: Path) -> None:
    (instance / "latin").write_bytes(b"\xff\xfe")
    missing, latin = str(instance / "missing"), str(instance / "latin")
    for path, fault_text in [
        (missing, "No such file or directory"),
        (str(instance), "Is a directory"),
        (latin, "it is not text"),
    ]:
        [fault] = faults(instance, access_token_secret=None, access_token_secret_file=path)
        assert fault == (
            f"AUTHSVC_ACCESS_TOKEN_SECRET_FILE is {path}, which cannot be read ({fault_text}): "
            "correct the path or the file"
        )


def test_an_empty_secret_file_is_refused(instance: Path) -> None:
    (instance / "empty").write_text("\n")
    [fault] = faults(
        instance, access_token_secret=None, access_token_secret_file=str(instance / "empty")
    )
    assert fault.startswith("AUTHSVC_ACCESS_TOKEN_SECRET")


def test_the_env_file_fills_in_and_the_environment_wins(instance: Path) -> None:
    (instance / "authsvc.env").write_text(
        f"# secrets\nAUTHSVC_ACCESS_TOKEN_SECRET={ACCESS}\n"
        f"export AUTHSVC_REFRESH_TOKEN_SECRET={REFRESH}\n"
        "AUTHSVC_ACCESS_TOKEN_TTL=300\nAUTHSVC_REGISTRATION=closed\nPORT=1\n"
    )
    settings = load_settings(instance, {"AUTHSVC_ACCESS_TOKEN_TTL": "120"})
    assert settings.access_token_ttl == 120
    assert settings.registration == "closed"
    assert settings.access_token_secret.get_secret_value() == ACCESS_SECRET


def test_a_blank_name_in_the_environment_leaves_the_env_files_value(instance: Path) -> None:
    (instance / "authsvc.env").write_text("AUTHSVC_ACCESS_TOKEN_TTL=300\n")
    assert load(instance, access_token_ttl=" ").access_token_ttl == 300


@pytest.mark.parametrize("password", ["p%40ss", "$HOME", "${HOME}", "a#b", "p%%s", "a$$b"])
def test_a_value_in_the_env_file_is_read_literally(instance: Path, password: str) -> None:
    url = f"redis://:{password}@localhost/0"
    (instance / "authsvc.env").write_text(f"AUTHSVC_RATE_LIMIT_STORAGE={url}\n")
    assert load(instance).rate_limit_storage.get_secret_value() == url


def test_a_secret_in_the_environment_replaces_the_env_files_secret_file(instance: Path) -> None:
    (instance / "kept").write_text(OTHER)
    (instance / "authsvc.env").write_text(f"AUTHSVC_ACCESS_TOKEN_SECRET_FILE={instance / 'kept'}\n")
    settings = load(instance)
    assert settings.access_token_secret.get_secret_value() == ACCESS_SECRET


def test_a_secret_file_in_the_environment_replaces_the_env_files_secret(instance: Path) -> None:
    (instance / "kept").write_text(OTHER)
    (instance / "authsvc.env").write_text(f"AUTHSVC_ACCESS_TOKEN_SECRET={ACCESS}\n")
    settings = load(
        instance, access_token_secret=None, access_token_secret_file=str(instance / "kept")
    )
    assert settings.access_token_secret.get_secret_value().hex() == OTHER


def test_an_unknown_name_in_the_env_file_is_refused(instance: Path) -> None:
    (instance / "authsvc.env").write_text("AUTHSVC_COLOUR=blue\n")
    assert faults(instance) == ["AUTHSVC_COLOUR is not a setting: correct the name or unset it"]


def test_a_malformed_line_of_the_env_file_is_refused_by_its_number(instance: Path) -> None:
    file = instance / "authsvc.env"
    file.write_text('# good\nAUTHSVC_ISSUER="canary\nAUTHSVC_ACCESS_TOKEN_TTL=300\n')
    assert faults(instance) == [f"{file}, line 2 is not NAME=value: correct or remove it"]


def test_an_env_file_that_cannot_be_read_is_refused_with_the_reason(instance: Path) -> None:
    file = instance / "authsvc.env"
    file.write_bytes(b"\xff\xfe")
    assert faults(instance) == [f"{file} cannot be read (it is not text): correct or remove it"]
    file.unlink()
    file.mkdir()
    assert faults(instance) == [f"{file} cannot be read (Is a directory): correct or remove it"]


def test_the_environment_is_only_read(instance: Path) -> None:
    before = dict(os.environ)
    (instance / "authsvc.env").write_text("AUTHSVC_ACCESS_TOKEN_TTL=300\n")
    load(instance)
    assert dict(os.environ) == before


NUMBERS = {
    "access_token_ttl": (1, 900),
    "refresh_token_ttl": (1, 34_560_000),
    "refresh_token_idle_ttl": (1, 34_560_000),
    "password_min_length": (10, 64),
    "trusted_proxies": (0, 10),
    "rate_limit_factor": (1, 1_000_000),
    "revocation_staleness_limit": (1, 86_400),
    "audit_ttl": (1, 315_360_000),
}


def test_every_number_has_a_range() -> None:
    """Issue 14, number 9."""
    numbers = [name for name, field in Settings.model_fields.items() if field.annotation is int]
    assert sorted(numbers) == sorted(NUMBERS)


@pytest.mark.parametrize("name", NUMBERS)
@pytest.mark.parametrize("text", ["99999999999", "-99999999999", "9" * 400, "1e3", "inf", "nan"])
def test_an_absurd_number_is_refused_with_its_range(instance: Path, name: str, text: str) -> None:
    """Issue 14, number 9."""
    lowest, highest = NUMBERS[name]
    assert faults(instance, **{name: text}) == [
        f"AUTHSVC_{name.upper()} must be a whole number from {lowest} to {highest}"
    ]


def test_with_every_number_at_its_highest_a_person_can_log_in_and_refresh(
    make_app: MakeApp, app: Flask
) -> None:
    """Issue 14, number 9."""
    highest = {name: limits[1] for name, limits in NUMBERS.items()}
    alice = Person(make_app(**highest), "alice@example.com", "a horse that is correct" * 3)
    alice.register().logged_in()
    assert alice.refresh().status_code == 200
    assert alice.call("GET", "/api/me/sessions").status_code == 200
    assert alice.log_out().status_code == 204
