"""create_app: how the rooms are wired together, and nothing else. Read it first."""

from datetime import timedelta
from pathlib import Path
from typing import Any

from flask import Flask
from pydantic import SecretBytes
from werkzeug.middleware.proxy_fix import ProxyFix

from authsvc.auth import auth
from authsvc.database import connect_app
from authsvc.guard.access_token import AccessTokenGuard
from authsvc.guard.cross_origin import CrossOriginGuard
from authsvc.monitoring.instruments import Instruments, RequestMetrics
from authsvc.monitoring.logs import RequestLog
from authsvc.operations import operations
from authsvc.operations.demo import demo
from authsvc.operations.openapi import Description
from authsvc.ratelimit.counts import Counts
from authsvc.ratelimit.database_counts import DatabaseCounts
from authsvc.ratelimit.throttle import Throttle
from authsvc.resources import resources
from authsvc.sessions.lifecycle import Sessions
from authsvc.sessions.recently_revoked import Revocations
from authsvc.settings import Settings
from authsvc.settings.sources import load_settings
from authsvc.tokens.access import AccessTokens, access_keyring
from authsvc.tokens.keyring import Key, hmac_key
from authsvc.tokens.refresh import RefreshTokens
from authsvc.users.passwords import Passwords
from authsvc.web.error_handlers import render_problems
from authsvc.web.flask_app import Service
from authsvc.web.headers import ResponseHeaders
from authsvc.web.json_body import MAX_BODY
from authsvc.web.registry import install


def instance_folder() -> Path:
    """``instance/`` of the working directory: the settings' file and the SQLite database.

    Not beside the package: an installed package stands in site-packages, where an upgrade
    would sweep away the secrets and the accounts.
    """
    return Path.cwd() / "instance"


def create_app(settings: Settings | None = None) -> Flask:
    """The service as a Flask app. Blueprints registered on it are protected like its own.

    Args:
        settings: by default those of the environment and of ``instance/authsvc.env``.

    Raises:
        SettingsInvalid: with every fault of the settings in one message.
    """
    instance = instance_folder()
    settings = settings or load_settings(instance)
    app = Service("authsvc", static_folder=None, instance_path=str(instance))
    settings.refuse_debug_in_public(app.debug)
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY
    instruments = Instruments()
    instruments.watch_pool(connect_app(app, settings.database_url.get_secret_value()))

    keyring = access_keyring(*_access_keys(settings))
    access_tokens = AccessTokens(
        keyring, settings.token_issuer, settings.token_audience, settings.access_token_ttl
    )
    sessions = Sessions(
        access_tokens,
        RefreshTokens(*_refresh_keys(settings), iss=settings.token_issuer),
        ttl=timedelta(seconds=settings.refresh_token_ttl),
        idle_ttl=timedelta(seconds=settings.refresh_token_idle_ttl),
    )
    revocations = Revocations(
        settings.access_token_ttl, settings.revocation_staleness_limit, instruments.revocations
    )
    install(app, settings)
    install(app, instruments)
    install(app, access_tokens)
    install(app, sessions)
    install(app, Description(app))
    install(app, Passwords(settings.password_min_length, watch=instruments.passwords))
    install(app, Throttle(_counts(settings), settings.rate_limit_factor))

    render_problems(app)
    CrossOriginGuard(app, settings)
    guard = AccessTokenGuard(
        app,
        issuer=settings.token_issuer,
        audience=settings.token_audience,
        keys=keyring,
        max_life=settings.access_token_ttl,
        was_revoked=revocations.include,
        small_bodies=True,
    )
    install(app, guard)
    _wrap(app, ResponseHeaders(RequestLog(RequestMetrics(app.wsgi_app, instruments))))
    if settings.trusted_proxies:
        hops = settings.trusted_proxies
        _wrap(app, ProxyFix(app.wsgi_app, x_for=hops, x_proto=hops, x_host=hops))
    app.register_blueprint(auth)
    app.register_blueprint(resources)
    app.register_blueprint(operations)
    if settings.demo:
        app.register_blueprint(demo)
    return app


def _access_keys(settings: Settings) -> list[Key]:
    """The one that signs, and then those of either kind that still verify."""
    key_pair = settings.access_token_private_key
    signing = _shared(settings.access_token_secret) if key_pair is None else [key_pair]
    previous = settings.access_token_private_key_previous
    return [
        *signing,
        *([] if previous is None else [previous]),
        *_shared(settings.access_token_secret_previous),
    ]


def _refresh_keys(settings: Settings) -> list[Key]:
    return _shared(settings.refresh_token_secret, settings.refresh_token_secret_previous)


def _shared(*secrets: SecretBytes | None) -> list[Key]:
    return [hmac_key(secret.get_secret_value()) for secret in secrets if secret is not None]


def _counts(settings: Settings) -> Counts:
    where = settings.rate_limit_storage.get_secret_value()
    if where == "database":
        return DatabaseCounts()
    # Here, so that only who has a Redis waits for its library to load.
    from authsvc.ratelimit.redis_counts import RedisCounts

    return RedisCounts(where)


def _wrap(app: Flask, middleware: Any) -> None:
    app.wsgi_app = middleware  # type: ignore[method-assign]
