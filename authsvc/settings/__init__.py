"""Every AUTHSVC_* setting, its default and its range."""

from typing import Annotated, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from authsvc.origins import is_this_machine
from authsvc.settings import fitting
from authsvc.settings.factors import Domain, RoleNames
from authsvc.settings.mail import AppUrl, Locale, MailFrom, MailUrl, TemplateFolder
from authsvc.settings.token_names import Audiences, ClientId, Issuer
from authsvc.settings.values import (
    PREFIX,
    Bearer,
    DatabaseUrl,
    HeaderNames,
    Origins,
    PrivateKey,
    RateLimitStorage,
    Secret,
)
from authsvc.tokens.access import CLIENT_ID, MAX_LIFE
from authsvc.tokens.algorithms import Algorithm
from authsvc.tokens.claims import Audience

__all__ = ["PREFIX", "Settings", "SettingsInvalid"]

DAY = 24 * 60 * 60
MAX_COOKIE_AGE = 400 * DAY  # RFC 6265bis section 5.6.2: browsers keep a cookie no longer
MAX_AUDIT_TTL = 10 * 365 * DAY


class SettingsInvalid(Exception):
    """Some settings are invalid; the message names each fault and what to do."""


class Settings(BaseModel):
    """The settings, as one frozen value that is validated as a whole at boot."""

    model_config = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)

    database_url: DatabaseUrl
    database_prepare: Literal["auto", "on", "off"] = "auto"
    access_token_algorithm: Literal["HS256", Algorithm] = "HS256"  # noqa: S105
    access_token_secret: Annotated[Secret | None, Field(validate_default=True)] = None
    refresh_token_secret: Secret
    access_token_secret_previous: Secret | None = None
    refresh_token_secret_previous: Secret | None = None
    factor_secret: Secret | None = None
    factor_secret_previous: Secret | None = None
    access_token_private_key: Annotated[PrivateKey | None, Field(validate_default=True)] = None
    access_token_private_key_previous: PrivateKey | None = None
    access_token_ttl: int = Field(600, ge=1, le=MAX_LIFE)
    refresh_token_ttl: int = Field(7 * DAY, ge=1, le=MAX_COOKIE_AGE)
    refresh_token_idle_ttl: int = Field(3 * DAY, ge=1, le=MAX_COOKIE_AGE)
    issuer: Issuer | None = None
    audience: Audiences = ()
    client_id: ClientId = CLIENT_ID
    allowed_origins: Origins = ()
    exposed_headers: HeaderNames = ()
    cookie_secure: bool = True
    cookie_samesite: Literal["Strict", "Lax", "None"] = "Strict"
    cookie_partitioned: bool = False
    hsts_include_subdomains: bool = False
    require_bound_sessions: bool = False
    device_binding: bool = False
    registration: Literal["open", "closed"] = "open"
    password_min_length: int = Field(15, ge=10, le=64)
    mail_url: MailUrl | None = None
    mail_from: MailFrom | None = None
    mail_templates: TemplateFolder | None = None
    mail_locale: Locale = "en"
    mail_new_logins: bool = True
    app_url: AppUrl | None = None
    email_verification: Literal["off", "optional", "required"] = "optional"
    passkey_domain: Domain | None = None
    aal2_roles: RoleNames = ()
    trusted_proxies: int = Field(0, ge=0, le=10)
    rate_limit_storage: RateLimitStorage = SecretStr("database")
    rate_limit_factor: int = Field(1, ge=1, le=1_000_000)
    revocation_staleness_limit: int = Field(30, ge=1, le=DAY)
    audit_ttl: int = Field(90 * DAY, ge=1, le=MAX_AUDIT_TTL)
    metrics_token: Bearer | None = None
    log_level: Literal["debug", "info", "warning", "error"] = "info"
    demo: bool = False

    _access_secret = field_validator("access_token_secret")(fitting.present_with_hs256)
    _private_key = field_validator("access_token_private_key")(fitting.of_the_algorithm)
    _previous_key = field_validator("access_token_private_key_previous")(fitting.another_key)
    _all_different = field_validator(
        "refresh_token_secret",
        "access_token_secret_previous",
        "refresh_token_secret_previous",
        "factor_secret",
        "factor_secret_previous",
    )(fitting.another_secret)
    _fitting = model_validator(mode="after")(fitting.fits_together)

    @property
    def in_public(self) -> bool:
        """Whether the issuer is an https URL of another host than this machine."""
        parts = urlsplit(self.issuer or "")
        return parts.scheme == "https" and not is_this_machine(parts.hostname or "")

    @property
    def sends_mail(self) -> bool:
        """Whether mail is configured. Without it, the routes that need it do not exist."""
        return self.mail_url is not None

    @property
    def verification(self) -> Literal["off", "optional", "required"]:
        """Whether addresses are verified; never without mail."""
        return self.email_verification if self.sends_mail else "off"

    @property
    def prefix(self) -> str:
        """The path below which clients reach the service, as in WSGI; empty at the root."""
        return unquote(urlsplit(self.issuer or "").path.rstrip("/"), "latin-1")

    def refuse_debug_in_public(self, debug: bool, reloads: bool) -> None:
        """Stop the boot if errors would show code and variables to the public.

        Args:
            debug: whether Flask's debug mode is on.
            reloads: whether the server was started with ``--reload``.

        Raises:
            SettingsInvalid: one of them is, and the issuer is a public https URL.
        """
        if not self.in_public:
            return
        for is_on, what, advice in (
            (debug, "in debug mode", "unset FLASK_DEBUG"),
            (reloads, "with --reload", "leave the option out"),
        ):
            if is_on:
                raise SettingsInvalid(
                    f"authsvc cannot start {what} with a public {PREFIX}ISSUER, because errors "
                    f"would show code and variables: {advice}"
                )

    @property
    def token_issuer(self) -> str:
        """The ``iss`` claim of both tokens."""
        return self.issuer or "authsvc"

    @property
    def public_url(self) -> str:
        """The issuer without a slash at its end: what the path of a route is appended to."""
        return self.token_issuer.rstrip("/")

    @property
    def token_audience(self) -> Audience:
        """The ``aud`` claim of access tokens: a string, or several if the setting names several."""
        only, *more = self.audience or (self.token_issuer,)
        return (only, *more) if more else only
