"""Render a page of the demo. Nothing inline runs, and nothing of another origin is loaded."""

from pathlib import Path

from flask import Response, make_response, render_template

from authsvc.mail.transport_of_url import place_of
from authsvc.operations.this_machine import is_from_this_machine
from authsvc.settings import Settings
from authsvc.version import __version__
from authsvc.web import registry

POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


def demo_page(template: str, policy: str = POLICY, **values: object) -> Response:
    """Return the page.

    Args:
        template: the file in authsvc/templates.
        policy: its Content-Security-Policy.
        values: what the template uses, besides the settings.
    """
    settings = registry.get(Settings)
    html = render_template(
        template,
        version=__version__,
        has_mail=settings.sends_mail,
        has_inbox=mail_folder() is not None,
        has_totp=settings.factor_secret is not None,
        verification=settings.verification,
        shortest_password=settings.password_min_length,
        **values,
    )
    response = make_response(html)
    response.headers["Content-Security-Policy"] = policy
    return response


def mail_folder() -> Path | None:
    """Return the folder that the service writes its mails into, if it does not send them.

    None for requests of other machines: with the links of the mails they could open each account.
    """
    if not is_from_this_machine():
        return None
    url = registry.get(Settings).mail_url
    place = None if url is None else place_of(url.get_secret_value())
    return place if isinstance(place, Path) else None
