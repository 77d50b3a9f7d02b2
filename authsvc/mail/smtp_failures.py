"""What an exception of smtplib, of a socket or of TLS means for a mail, and for the operator.

A reply's text may contain the recipient's address, so a reason has the reply's numbers alone.
"""

import re
import smtplib
import socket
import ssl

from authsvc.mail.failures import MailNotSent, MailRefused, ServerAway

_ABOUT_THE_LOGIN = frozenset({503, 530, 534, 535, 538})
"""Replies to any command that ask for a login (RFC 4954 section 6; 503 from some servers)."""

_ENHANCED = re.compile(r"[245]\.\d{1,3}\.\d{1,3}(?!\S)")
"""An enhanced status code (RFC 3463)."""


def failure_of(error: OSError) -> MailNotSent:
    """Return what to do with the mail, and why. All exceptions of smtplib are OSErrors."""
    match error:
        case smtplib.SMTPRecipientsRefused():
            ((code, reply),) = error.recipients.values()
            return _about_the_mail("the server refused the address", code, reply)
        case smtplib.SMTPDataError():
            return _about_the_mail(
                "the server refused the message", error.smtp_code, error.smtp_error
            )
        case smtplib.SMTPResponseException():
            what = _REFUSALS.get(type(error), "the server refused a command")
            return _from_reply(ServerAway, what, error.smtp_code, error.smtp_error)
    return ServerAway(_reason(error))


_REFUSALS: dict[type[Exception], str] = {
    smtplib.SMTPConnectError: "the server refused the connection",
    smtplib.SMTPAuthenticationError: (
        "the server refused the user name or password of AUTHSVC_MAIL_URL"
    ),
    smtplib.SMTPSenderRefused: "the server refused the address of AUTHSVC_MAIL_FROM",
}


def _about_the_mail(what: str, code: int, reply: bytes | str) -> MailNotSent:
    kind: type[MailNotSent] = MailNotSent
    if code == 421 or code in _ABOUT_THE_LOGIN:  # 421: the server closes the connection
        kind = ServerAway
    elif 500 <= code <= 599:
        kind = MailRefused
    return _from_reply(kind, what, code, reply)


def _from_reply(kind: type[MailNotSent], what: str, code: int, reply: bytes | str) -> MailNotSent:
    text = reply.decode("utf-8", "replace") if isinstance(reply, bytes) else reply
    text = " ".join(re.sub("[^ -~]", " ", text).split())
    enhanced = _ENHANCED.match(text)
    numbers = f"{code} {enhanced[0]}" if enhanced else f"{code}"
    return kind(f"{what} ({numbers})", code, text)


def _reason(error: OSError) -> str:
    match error:
        case socket.gaierror():
            return f"the host of AUTHSVC_MAIL_URL was not found ({error.strerror})"
        case ssl.SSLCertVerificationError():
            return f"the server's certificate is not valid ({error.verify_message})"
        case ssl.SSLError():
            return f"TLS with the server failed ({error.reason}): is the port right?"
        case OSError(strerror=str(text)):
            return f"the server cannot be reached ({text})"
        case TimeoutError():
            return "the server does not answer"
        case smtplib.SMTPServerDisconnected():
            return f"the connection was lost ({error})"
    return "the server offers no way to log in, but AUTHSVC_MAIL_URL has a user name"
