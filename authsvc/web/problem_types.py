"""The `type` of a problem: a URI that leads to its explanation, on the page /docs of the issuer."""

from collections.abc import Iterable

from flask import Blueprint, Flask, current_app, has_request_context, request

from authsvc.web.blueprints import blueprints_of

_ISSUERS = "authsvc.issuers"


def explain_by(app: Flask, issuer: str, blueprints: Iterable[Blueprint | None]) -> None:
    """Let the problems of the app's routes lead to the explanations of an issuer.

    Args:
        app: the app.
        issuer: the issuer's name; its page is known only if that is a URL.
        blueprints: those whose problems lead there; None stands for all other routes.
    """
    url = issuer.rstrip("/") if issuer.startswith(("https://", "http://")) else ""
    app.extensions.setdefault(_ISSUERS, {}).update(dict.fromkeys(blueprints, url))


def type_of(code: str) -> str:
    """Return the URI of the problem with this code: absolute if the issuer's URL is known."""
    return f"{_issuer() or _prefix()}/docs#{code}"


def _issuer() -> str:
    issuers: dict[Blueprint | None, str] = current_app.extensions.get(_ISSUERS, {})
    if has_request_context():
        for blueprint in blueprints_of(current_app, request):
            if blueprint in issuers:
                return issuers[blueprint]
    known = {issuers[None]} if None in issuers else set(issuers.values())
    return known.pop() if len(known) == 1 else ""


def _prefix() -> str:
    """Return the path below which the server has mounted the app."""
    return request.script_root if has_request_context() else ""
