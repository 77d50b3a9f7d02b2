"""GET /demo/inbox: every mail that the service wrote into a folder.

It exists only in the demo, only if AUTHSVC_MAIL_URL is a folder, and only for this machine.
"""

from pathlib import Path

from flask import Response, json, jsonify, make_response, request
from werkzeug.http import generate_etag

from authsvc import clock
from authsvc.guard.access_token import public
from authsvc.operations.demo_page import POLICY, demo_page, mail_folder
from authsvc.operations.mail_files import Mail, newest_files, read_mail
from authsvc.problems import NotFound
from authsvc.web.outputs import JSON

MAIL_POLICY = (
    "sandbox allow-top-navigation-by-user-activation; default-src 'none'; "
    "style-src 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'self'"
)
"""For the HTML of a mail: it runs no script, sends no form and loads nothing."""

BASE = '<!doctype html><base target="_top">'
"""Before the HTML of a mail: its links leave the frame. A parser skips the mail's own doctype."""


@public
def inbox() -> Response:
    _folder()
    return demo_page("demo_inbox.html", f"{POLICY}; frame-src 'self'")


@public
def mails() -> Response:
    """Return the newest mails, without their bodies, newest first.

    The page asks every few seconds, so no mail is read if no file has changed.
    """
    folder = _folder()
    files = newest_files(folder)
    response = Response(mimetype=JSON)
    response.cache_control.no_cache = True
    response.set_etag(generate_etag(repr(files).encode()))
    response.make_conditional(request)
    if response.status_code == 200:
        found = (read_mail(folder, id, at) for id, at in files.items())
        response.data = json.dumps({"mails": [_summary(mail) for mail in found if mail]})
    return response


@public
def mail(id: str) -> Response:
    """Return one mail, except for its HTML."""
    found = _mail(id)
    return jsonify(**_summary(found), text=found.text, has_html=found.html is not None)


@public
def html(id: str) -> Response:
    """Return the HTML of a mail as a document that can do nothing but show itself."""
    found = _mail(id)
    if found.html is None:
        raise NotFound
    response = make_response(BASE + found.html)
    response.headers["Content-Security-Policy"] = MAIL_POLICY
    return response


def _folder() -> Path:
    folder = mail_folder()
    if folder is None:
        raise NotFound
    return folder


def _mail(id: str) -> Mail:
    folder = _folder()
    at = newest_files(folder).get(id)
    found = None if at is None else read_mail(folder, id, at)
    if found is None:
        raise NotFound
    return found


def _summary(mail: Mail) -> dict[str, str]:
    return {
        "id": mail.id,
        "at": clock.rfc3339(mail.at),
        "sender": mail.sender,
        "recipient": mail.recipient,
        "subject": mail.subject,
    }
