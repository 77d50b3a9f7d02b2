"""The `type` of a problem: a URI that leads to its explanation, on the page /docs of the issuer."""

from collections.abc import Iterable

from flask import Blueprint, Flask, current_app, has_request_context, request

_ISSUERS = "authsvc.issuers"


def explain_by(app: Flask, issuer: str, blueprints: Iterable[Blueprint | None]) -> None:
    """Let the problems of the app's routes lead to the explanations of an issuer.

    Args:
        app: the app.
        issuer: the issuer's name; its page is known only if that is a URL.
        blueprints: those whose problems lead there; None stands for all other routes.
    """
    if issuer.startswith(("https://", "http://")):
        issuers = app.extensions.setdefault(_ISSUERS, {})
        issuers.update(dict.fromkeys(blueprints, issuer.rstrip("/")))


def type_of(code: str) -> str:
    """Return the URI of the problem with this code: absolute if the issuer's URL is known."""
    return f"{_issuer() or _prefix()}/docs#{code}"


def _issuer() -> str:
    issuers: dict[Blueprint | None, str] = current_app.extensions.get(_ISSUERS, {})
    if has_request_context():
        for name in request.blueprints:
            blueprint = current_app.blueprints.get(name)
            if blueprint in issuers:
                return issuers[blueprint]
    return issuers.get(None, "")


def _prefix() -> str:
    """Return the path below which the server has mounted the app."""
    return request.script_root if has_request_context() else ""
