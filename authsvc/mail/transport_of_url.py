"""Choose the transport that AUTHSVC_MAIL_URL names."""

from pathlib import Path
from urllib.parse import unquote, urlsplit

from authsvc.mail.smtp import Security, Server, SmtpTransport
from authsvc.mail.transports import Folder, Transport
from authsvc.origins import is_this_machine

_PORTS = {"smtp": 587, "smtps": 465}
"""RFC 6409 section 3.1, RFC 8314 section 3.3."""


def transport_of(url: str) -> Transport:
    """Return the transport of a checked AUTHSVC_MAIL_URL."""
    place = place_of(url)
    return SmtpTransport(place) if isinstance(place, Server) else Folder(place)


def place_of(url: str) -> Server | Path:
    """Return the mail server or the folder of a checked AUTHSVC_MAIL_URL.

    A server on this machine is used without TLS: no other machine can read what it is sent, and
    its certificate is seldom for that name.
    """
    parts = urlsplit(url)
    if parts.scheme == "file":
        return Path(unquote(parts.path))
    host = parts.hostname or ""
    security: Security = "tls"
    if parts.scheme == "smtp":
        security = "none" if is_this_machine(host) else "starttls"
    login = None
    if parts.username is not None and parts.password is not None:
        login = (unquote(parts.username), unquote(parts.password))
    return Server(host, parts.port or _PORTS[parts.scheme], security, login)
