"""create_app: how the rooms are wired together, and nothing else. Read it first."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

from flask import Blueprint, Flask

from authsvc.auth import auth
from authsvc.database import connect_app
from authsvc.factors.challenges import Challenges
from authsvc.factors.encryption import SecretBox
from authsvc.factors.relying_party import RelyingParty
from authsvc.factors.second_factor import Factors
from authsvc.guard.access_token import AccessTokenGuard
from authsvc.guard.cross_origin import CrossOriginGuard
from authsvc.guard.device_headers import DeviceHeaders
from authsvc.guard.own_origin import OwnOrigin
from authsvc.guard.refresh_cookie import RefreshCookie
from authsvc.mail.outbox import Outbox
from authsvc.monitoring.development import reloads
from authsvc.monitoring.instruments import Instruments
from authsvc.monitoring.request_log import RequestLog
from authsvc.monitoring.request_metrics import RequestMetrics
from authsvc.openapi.description import Description
from authsvc.operations import operations
from authsvc.ratelimit.attempts import Attempts
from authsvc.ratelimit.counts import Counts
from authsvc.ratelimit.database_counts import DatabaseCounts
from authsvc.ratelimit.failed_networks import FailedNetworks
from authsvc.ratelimit.mail_limits import MailLimits
from authsvc.ratelimit.session_limits import SessionLimits
from authsvc.ratelimit.throttle import Throttle
from authsvc.resources import resources
from authsvc.sessions.binding import Binding
from authsvc.sessions.device import DeviceBinding
from authsvc.sessions.own_claims import AccessClaims, OwnClaims
from authsvc.sessions.recently_revoked import RecentlyRevoked
from authsvc.sessions.refresh import Refreshing
from authsvc.sessions.theft import TheftReports
from authsvc.sessions.tokens import SessionTokens
from authsvc.settings import Settings
from authsvc.settings.keys import access_keys, factor_secrets, refresh_keys, refresh_secrets
from authsvc.settings.sources import instance_folder, load_settings
from authsvc.tokens.access import AccessTokens, access_keyring
from authsvc.tokens.device import DeviceTokens
from authsvc.tokens.keyring import Keyring
from authsvc.tokens.one_time import OneTimeTokens
from authsvc.tokens.proof import Nonces
from authsvc.tokens.refresh import RefreshTokens
from authsvc.users.passwords import Passwords
from authsvc.web import registry
from authsvc.web.error_handlers import keep_problems, render_problems
from authsvc.web.flask_app import Service
from authsvc.web.forwarded import ForwardedHeaders
from authsvc.web.headers import ResponseHeaders
from authsvc.web.json_body import MAX_BODY


def create_app(
    settings: Settings | None = None, *, access_claims: AccessClaims | None = None
) -> Flask:
    """Return the service as a Flask app. Blueprints registered on it are protected like its own.

    Args:
        settings: by default those of the environment and of ``instance/authsvc.env``.
        access_claims: returns claims of your own for the access tokens of the user with this id.
            It is called at each login and refresh: see docs/signals-and-claims.md.

    Raises:
        SettingsInvalid: with every fault of the settings in one message.
    """
    instance = instance_folder()
    settings = settings or load_settings(instance)
    app = Service("authsvc", static_folder=None, instance_path=str(instance))
    settings.refuse_debug_in_public(app.debug, reloads())
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    instruments = Instruments()
    url = settings.database_url.get_secret_value()
    instruments.watch_pool(connect_app(app, url, settings.database_prepare))
    render_problems(app)
    keyring = access_keyring(*access_keys(settings))
    _add_parts(app, settings, keyring, instruments, OwnClaims(access_claims))
    _add_mail(app, settings, instruments)
    _add_guards(app, settings, keyring, instruments)
    _add_middleware(app, settings, instruments)
    for blueprint in (auth, resources, operations, *_demo(settings)):
        # A prefix of ours: an operator's own blueprints may be called "auth" or "resources" too.
        app.register_blueprint(blueprint, name=f"authsvc.{blueprint.name}")
        keep_problems(app, f"authsvc.{blueprint.name}")
    return app


def _demo(settings: Settings) -> Iterator[Blueprint]:
    if settings.demo:
        # Imported here: most services never need it. It holds its files.
        from authsvc.operations.demo import demo

        yield demo


def _add_parts(
    app: Flask,
    settings: Settings,
    keyring: Keyring,
    instruments: Instruments,
    own_claims: OwnClaims,
) -> None:
    """Make what the views use, and find by its type."""
    cookie = RefreshCookie(
        settings.cookie_secure, settings.cookie_samesite, settings.cookie_partitioned
    )
    session_tokens = _session_tokens(settings, keyring, own_claims)
    binding = Binding(Nonces(*refresh_secrets(settings)), settings.require_bound_sessions)
    attempts = Attempts(_counts(settings), settings.rate_limit_factor)
    session_limits = SessionLimits(attempts)
    outbox = Outbox(settings.sends_mail)
    device_headers = DeviceHeaders(settings)
    made_by = DeviceTokens(*refresh_secrets(settings))
    devices = DeviceBinding(
        settings.device_binding, made_by, device_headers, session_tokens, session_limits
    )
    for part in (
        settings,
        instruments,
        cookie,
        session_tokens.access,
        session_tokens,
        binding,
        outbox,
        Throttle(attempts),
        FailedNetworks(),
        MailLimits(attempts),
        _factors(settings, outbox),
        devices,
        Refreshing(session_tokens, binding, devices, session_limits, TheftReports(outbox)),
        Description(app, settings, cookie),
        Passwords(settings.password_min_length, metrics=instruments.passwords),
    ):
        registry.add(app, part)


def _factors(settings: Settings, outbox: Outbox) -> Factors:
    box = SecretBox(*factor_secrets(settings))
    return Factors(box, Challenges(*refresh_secrets(settings)), outbox)


def _session_tokens(settings: Settings, keyring: Keyring, own_claims: OwnClaims) -> SessionTokens:
    access_tokens = AccessTokens(
        keyring,
        settings.token_issuer,
        settings.token_audience,
        settings.access_token_ttl,
        settings.client_id,
        frozenset(settings.aal2_roles),
    )
    return SessionTokens(
        access_tokens,
        RefreshTokens(*refresh_keys(settings), iss=settings.token_issuer),
        ttl=timedelta(seconds=settings.refresh_token_ttl),
        idle_ttl=timedelta(seconds=settings.refresh_token_idle_ttl),
        own_claims=own_claims,
    )


def _add_mail(app: Flask, settings: Settings, instruments: Instruments) -> None:
    """Make the outbox, which every app has, and what sends mail where it is configured."""
    tokens = OneTimeTokens(*refresh_secrets(settings))
    registry.add(app, tokens)
    if settings.mail_url is None or settings.mail_from is None or settings.app_url is None:
        return
    # Imported here: a service without mail needs none of it.
    from authsvc.mail.messages import Messages
    from authsvc.mail.sender import Sender
    from authsvc.mail.template_check import check_templates
    from authsvc.mail.transport_of_url import transport_of
    from authsvc.users.letters import Letters

    messages = Messages(
        settings.mail_from, settings.app_url, settings.mail_templates, settings.mail_locale
    )
    if settings.mail_templates is not None:
        check_templates(messages, settings.mail_templates)
    transport = transport_of(settings.mail_url.get_secret_value())
    sender = Sender(Letters(tokens).letter, messages, transport, instruments.mail)
    registry.add(app, sender)


def _add_guards(app: Flask, settings: Settings, keyring: Keyring, instruments: Instruments) -> None:
    """Protect every route: refuse other origins first, then ask for an access token."""
    revoked = RecentlyRevoked(
        settings.access_token_ttl, settings.revocation_staleness_limit, instruments.revocations
    )
    own = OwnOrigin(settings)
    registry.add(app, own)
    registry.add(app, RelyingParty(own, settings.passkey_domain, settings.allowed_origins))
    CrossOriginGuard(app, settings, own)
    guard = AccessTokenGuard(
        app,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        keys=keyring,
        max_life=settings.access_token_ttl,
        was_revoked=revoked.contains,
        small_bodies=True,
    )
    registry.add(app, guard)


def _add_middleware(app: Flask, settings: Settings, instruments: Instruments) -> None:
    """Wrap the app: proxies outermost, then headers, then the log, then metrics."""
    measured = RequestMetrics(app.wsgi_app, instruments.requests)
    log = RequestLog(measured, settings.log_level)
    hsts = settings.hsts_include_subdomains
    _wrap(app, ResponseHeaders(log, hsts_include_subdomains=hsts))
    forwarded = ForwardedHeaders(app.wsgi_app, settings.trusted_proxies, settings.prefix)
    registry.add(app, forwarded)
    _wrap(app, forwarded)


def _counts(settings: Settings) -> Counts:
    where = settings.rate_limit_storage.get_secret_value()
    if where == "database":
        return DatabaseCounts()
    # Imported here: only an operator who has Redis needs its library.
    from authsvc.ratelimit.redis_counts import RedisCounts

    return RedisCounts(where)


def _wrap(app: Flask, middleware: Any) -> None:
    app.wsgi_app = middleware  # type: ignore[method-assign]
