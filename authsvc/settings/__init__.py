"""Every AUTHSVC_* setting: its default, and how they fit together."""

from typing import Annotated, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretBytes,
    SecretStr,
    ValidationInfo,
    field_validator,
    model_validator,
)
from pydantic_core import PydanticCustomError

from authsvc.origins import is_this_machine, origin_of
from authsvc.settings.values import (
    Bearer,
    Origins,
    PrivateKey,
    Secret,
    checked_database_url,
)
from authsvc.tokens.access import MAX_LIFE
from authsvc.tokens.key_pairs import Algorithm
from authsvc.tokens.keyring import Key
from authsvc.tokens.shared_secret import MAKE_SECRETS

PREFIX = "AUTHSVC_"
DAY = 24 * 60 * 60
MAX_COOKIE_AGE = 400 * DAY  # RFC 6265bis section 5.6.2: browsers keep no cookie for longer


class SettingsInvalid(Exception):
    """The settings cannot be run with; the message names each fault and what to do."""


class Settings(BaseModel):
    """One frozen value, checked as a whole before anything else happens."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: Annotated[SecretStr, Field(validate_default=True)]
    access_token_algorithm: Literal["HS256", Algorithm] = "HS256"  # noqa: S105
    access_token_secret: Annotated[Secret | None, Field(validate_default=True)] = None
    refresh_token_secret: Secret
    access_token_secret_previous: Secret | None = None
    refresh_token_secret_previous: Secret | None = None
    access_token_private_key: Annotated[PrivateKey | None, Field(validate_default=True)] = None
    access_token_private_key_previous: PrivateKey | None = None
    access_token_ttl: int = Field(600, ge=1, le=MAX_LIFE)
    refresh_token_ttl: int = Field(7 * DAY, ge=1, le=MAX_COOKIE_AGE)
    refresh_token_idle_ttl: int = Field(3 * DAY, ge=1)
    issuer: str | None = None
    audience: str | None = None
    allowed_origins: Origins = ()
    cookie_secure: bool = True
    cookie_samesite: Literal["Strict", "Lax", "None"] = "Strict"
    registration: Literal["open", "closed"] = "open"
    password_min_length: int = Field(15, ge=10, le=64)
    trusted_proxies: int = Field(0, ge=0, le=10)
    rate_limit_storage: SecretStr = SecretStr("database")
    rate_limit_factor: int = Field(1, ge=1)
    revocation_staleness_limit: int = Field(30, ge=1)
    audit_ttl: int = Field(90 * DAY, ge=1)
    metrics_token: Bearer | None = None
    demo: bool = False

    @field_validator("database_url")
    @classmethod
    def _known_database(cls, url: SecretStr) -> SecretStr:
        return SecretStr(checked_database_url(url.get_secret_value()))

    @field_validator("rate_limit_storage")
    @classmethod
    def _known_storage(cls, storage: SecretStr) -> SecretStr:
        scheme, _, host = storage.get_secret_value().partition("://")
        redis = scheme in ("redis", "rediss", "redis+unix") and host
        if not redis and storage.get_secret_value() != "database":
            raise ValueError("is neither `database` nor a redis:// URL")
        return storage

    @field_validator("issuer")
    @classmethod
    def _absolute_url(cls, issuer: str | None) -> str | None:
        if issuer is not None:
            fault = "is not an https:// URL without query and fragment (RFC 8414)"
            try:
                parts = urlsplit(issuer)
                known = parts.scheme in ("http", "https") and parts.hostname and origin_of(issuer)
            except ValueError:  # a port or an IPv6 address that is none
                raise ValueError(fault) from None
            if not known or "?" in issuer or "#" in issuer:
                raise ValueError(fault)
        return issuer

    @field_validator("access_token_secret")
    @classmethod
    def _there_for_hs256(
        cls, secret: SecretBytes | None, info: ValidationInfo
    ) -> SecretBytes | None:
        if secret is None and info.data.get("access_token_algorithm") == "HS256":
            raise _MISSING
        return secret

    @field_validator("access_token_private_key")
    @classmethod
    def _of_the_algorithm(cls, key: Key | None, info: ValidationInfo) -> Key | None:
        algorithm = info.data.get("access_token_algorithm")
        if key is None and algorithm not in (None, "HS256"):
            raise _MISSING
        if key is not None and algorithm not in (None, key.algorithm):
            raise ValueError(
                f"is a key for {key.algorithm}, but {PREFIX}ACCESS_TOKEN_ALGORITHM is {algorithm}: "
                f"set that to {key.algorithm}, or unset this"
            )
        return key

    @field_validator("access_token_private_key_previous")
    @classmethod
    def _another_key(cls, key: Key | None, info: ValidationInfo) -> Key | None:
        current = info.data.get("access_token_private_key")
        if key is not None and current is not None and key.kid == current.kid:
            raise ValueError(f"equals {PREFIX}ACCESS_TOKEN_PRIVATE_KEY: {_USE_REPLACED}")
        return key

    @field_validator(
        "refresh_token_secret", "access_token_secret_previous", "refresh_token_secret_previous"
    )
    @classmethod
    def _all_different(cls, secret: SecretBytes | None, info: ValidationInfo) -> SecretBytes | None:
        for name in _SECRETS:
            other = info.data.get(name)
            if secret is not None and other is not None and _same_key(secret, other):
                raise ValueError(f"equals {PREFIX}{name.upper()}: {_make_or_remove(info)}")
        return secret

    @model_validator(mode="after")
    def _fit_together(self) -> "Settings":
        faults = []
        if self.refresh_token_ttl <= self.access_token_ttl:
            faults.append(f"{PREFIX}REFRESH_TOKEN_TTL must be longer than {PREFIX}ACCESS_TOKEN_TTL")
        if self.refresh_token_idle_ttl < 2 * self.access_token_ttl:
            faults.append(
                f"{PREFIX}REFRESH_TOKEN_IDLE_TTL must be at least twice {PREFIX}ACCESS_TOKEN_TTL, "
                "or a page in use would be logged out"
            )
        if self.cookie_samesite == "None" and not self.cookie_secure:
            faults.append(f"{PREFIX}COOKIE_SAMESITE=None needs {PREFIX}COOKIE_SECURE=true")
        if self.in_public and not self.cookie_secure:
            faults.append(
                f"{PREFIX}COOKIE_SECURE=false is for plain HTTP: not with a public {PREFIX}ISSUER"
            )
        if self.demo and self.in_public:
            faults.append(
                f"{PREFIX}DEMO is for trying things out: not with a public {PREFIX}ISSUER"
            )
        if faults:
            raise ValueError("\n".join(faults))
        return self

    @property
    def in_public(self) -> bool:
        """Whether the issuer is an https URL that is not this machine's own."""
        parts = urlsplit(self.issuer or "")
        return parts.scheme == "https" and not is_this_machine(parts.hostname or "")

    def refuse_debug_in_public(self, debug: bool) -> None:
        """Stop the boot where Flask's debug mode would show its innards to everybody.

        Raises:
            SettingsInvalid: debug mode is on, and the issuer is a public https URL.
        """
        if debug and self.in_public:
            raise SettingsInvalid(
                f"authsvc cannot start in debug mode with a public {PREFIX}ISSUER: "
                "unset FLASK_DEBUG"
            )

    @property
    def token_issuer(self) -> str:
        """The ``iss`` claim of both tokens."""
        return self.issuer or "authsvc"

    @property
    def token_audience(self) -> str:
        """The ``aud`` claim of access tokens."""
        return self.audience or self.token_issuer


_SECRETS = tuple(name for name in Settings.model_fields if "secret" in name)
_MISSING = PydanticCustomError("missing", "Field required")
_USE_REPLACED = "give it the one that was replaced, or unset it"


def _same_key(one: SecretBytes, other: SecretBytes) -> bool:
    """HMAC pads a key with zeros, so keys that differ in trailing zeros alone are one key."""
    return one.get_secret_value().rstrip(b"\0") == other.get_secret_value().rstrip(b"\0")


def _make_or_remove(info: ValidationInfo) -> str:
    previous = str(info.field_name).endswith("_previous")
    return _USE_REPLACED if previous else MAKE_SECRETS
