"""The rules that relate one setting to another, as validators of `Settings`."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from pydantic import SecretBytes, ValidationInfo
from pydantic_core import PydanticCustomError

from authsvc.settings.values import PREFIX
from authsvc.tokens.keyring import Key
from authsvc.tokens.shared_secret import MAKE_SECRETS

if TYPE_CHECKING:
    from authsvc.settings import Settings

_MISSING = PydanticCustomError("missing", "Field required")
_USE_REPLACED = "set it to the one that was replaced, or unset it"


def present_with_hs256(secret: SecretBytes | None, info: ValidationInfo) -> SecretBytes | None:
    """Require the access secret where it signs."""
    if secret is None and info.data.get("access_token_algorithm") == "HS256":
        raise _MISSING
    return secret


def of_the_algorithm(key: Key | None, info: ValidationInfo) -> Key | None:
    """Require a private key where it signs, and one of the configured algorithm.

    Raises:
        ValueError: the key is for another algorithm.
    """
    algorithm = info.data.get("access_token_algorithm")
    if key is None and algorithm not in (None, "HS256"):
        raise _MISSING
    if key is not None and algorithm not in (None, key.algorithm):
        raise ValueError(
            f"is a key for {key.algorithm}, but {PREFIX}ACCESS_TOKEN_ALGORITHM is {algorithm}: "
            f"set {PREFIX}ACCESS_TOKEN_ALGORITHM={key.algorithm}, or unset this"
        )
    return key


def another_key(key: Key | None, info: ValidationInfo) -> Key | None:
    """Require a previous private key that is not the current one.

    Raises:
        ValueError: they are equal.
    """
    current = info.data.get("access_token_private_key")
    if key is not None and current is not None and key.kid == current.kid:
        raise ValueError(f"equals {PREFIX}ACCESS_TOKEN_PRIVATE_KEY: {_USE_REPLACED}")
    return key


def another_secret(secret: SecretBytes | None, info: ValidationInfo) -> SecretBytes | None:
    """Require a secret that differs from those declared before it.

    Raises:
        ValueError: it equals one of them.
    """
    for name, other in info.data.items():
        if "secret" in name and _same_key(secret, other):
            previous = str(info.field_name).endswith("_previous")
            what_to_do = _USE_REPLACED if previous else MAKE_SECRETS
            raise ValueError(f"equals {PREFIX}{name.upper()}: {what_to_do}")
    return secret


def _same_key(one: SecretBytes | None, other: SecretBytes | None) -> bool:
    """Return whether two secrets are one HMAC key, which ignores trailing zeros."""
    if one is None or other is None:
        return False
    return one.get_secret_value().rstrip(b"\0") == other.get_secret_value().rstrip(b"\0")


def fits_together(settings: Settings) -> Settings:
    """Return the settings if no two of them contradict each other.

    Raises:
        ValueError: with every contradiction, one a line.
    """
    faults = [
        *_faults_of_lives(settings),
        *_faults_of_the_cookie(settings),
        *_faults_of_mail(settings),
        *_faults_of_factors(settings),
    ]
    if settings.demo and settings.in_public:
        faults.append(
            f"{PREFIX}DEMO must be false with a public {PREFIX}ISSUER, because the demo page is "
            "for trying things out: unset it"
        )
    if faults:
        raise ValueError("\n".join(faults))
    return settings


def _faults_of_lives(settings: Settings) -> list[str]:
    faults = []
    if settings.refresh_token_ttl <= settings.access_token_ttl:
        faults.append(
            f"{PREFIX}REFRESH_TOKEN_TTL must be longer than {PREFIX}ACCESS_TOKEN_TTL, or a session "
            "could never be refreshed: raise it"
        )
    if settings.refresh_token_idle_ttl < 2 * settings.access_token_ttl:
        faults.append(
            f"{PREFIX}REFRESH_TOKEN_IDLE_TTL must be at least twice {PREFIX}ACCESS_TOKEN_TTL, "
            "or a page in use would be logged out: raise it"
        )
    return faults


def _faults_of_the_cookie(settings: Settings) -> list[str]:
    faults = []
    if settings.cookie_samesite == "None" and not settings.cookie_secure:
        faults.append(
            f"{PREFIX}COOKIE_SAMESITE=None needs {PREFIX}COOKIE_SECURE=true, because browsers "
            "refuse such a cookie otherwise: unset one of the two"
        )
    if settings.cookie_partitioned and not settings.cookie_secure:
        faults.append(
            f"{PREFIX}COOKIE_PARTITIONED=true needs {PREFIX}COOKIE_SECURE=true, because browsers "
            "refuse such a cookie otherwise: unset one of the two"
        )
    if settings.device_binding and (not settings.cookie_secure or settings.cookie_partitioned):
        faults.append(
            f"{PREFIX}DEVICE_BINDING=true needs {PREFIX}COOKIE_SECURE=true and "
            f"{PREFIX}COOKIE_PARTITIONED=false, because browsers bind no other cookies: unset one "
            "of them"
        )
    if settings.in_public and not settings.cookie_secure:
        faults.append(
            f"{PREFIX}COOKIE_SECURE must be true with a public {PREFIX}ISSUER, because false is "
            "for plain HTTP: unset it"
        )
    return faults


def _faults_of_mail(settings: Settings) -> list[str]:
    needed = {
        "MAIL_URL": settings.mail_url,
        "MAIL_FROM": settings.mail_from,
        "APP_URL": settings.app_url,
    }
    missing = [name for name, value in needed.items() if value is None]
    faults = []
    if 0 < len(missing) < len(needed):
        faults += [
            f"{PREFIX}{name} is missing: mail needs {PREFIX}MAIL_URL, {PREFIX}MAIL_FROM and "
            f"{PREFIX}APP_URL. Set it, or unset the others"
            for name in missing
        ]
    wanted = "email_verification" in settings.model_fields_set
    if wanted and settings.email_verification != "off" and settings.mail_url is None:
        faults.append(
            f"{PREFIX}EMAIL_VERIFICATION={settings.email_verification} needs mail: set "
            f"{PREFIX}MAIL_URL, {PREFIX}MAIL_FROM and {PREFIX}APP_URL, or unset it"
        )
    if settings.in_public and settings.app_url and not settings.app_url.startswith("https://"):
        faults.append(
            f"{PREFIX}APP_URL must be an https:// URL with a public {PREFIX}ISSUER, because the "
            "links of mails lead there: correct it"
        )
    return faults


def _faults_of_factors(settings: Settings) -> list[str]:
    faults = []
    if settings.factor_secret_previous is not None and settings.factor_secret is None:
        faults.append(
            f"{PREFIX}FACTOR_SECRET is missing: {PREFIX}FACTOR_SECRET_PREVIOUS only decrypts. Set "
            "it, or unset the other"
        )
    domain, host = settings.passkey_domain, urlsplit(settings.issuer or "").hostname
    is_above = domain and host and "." in domain and host.endswith(f".{domain}")
    if domain and host and host != domain and not is_above:
        faults.append(
            f"{PREFIX}PASSKEY_DOMAIN must be the host of {PREFIX}ISSUER or a domain above it, such "
            "as example.com, or browsers refuse the passkeys: correct one of the two"
        )
    return faults
