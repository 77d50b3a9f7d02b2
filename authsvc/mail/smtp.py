"""Hand mails over to a mail server (RFC 5321, RFC 6409)."""

import smtplib
import socket
import ssl
from contextlib import closing, suppress
from dataclasses import dataclass, field
from email.message import EmailMessage
from typing import Literal

from authsvc.mail.failures import Interrupted, MailRefused, ServerAway
from authsvc.mail.line import Line
from authsvc.mail.smtp_failures import failure_of

Security = Literal["tls", "starttls", "none"]
"""TLS from the first byte, TLS by the command STARTTLS, or no TLS: on this machine only."""


@dataclass(frozen=True)
class Limits:
    """How long the server may take, in seconds.

    Args:
        connecting: for each address of the host.
        step: for each reply, and for the TLS handshake.
        quitting: for the reply to QUIT, when the mail is sent already.
        all: for the whole attempt. It must be shorter than `leases.LEASE`.
    """

    connecting: float = 10
    step: float = 30
    quitting: float = 2
    all: float = 60


@dataclass(frozen=True)
class Server:
    """A mail server.

    Args:
        host: its name or address.
        port: its port.
        security: how the connection is protected.
        login: user name and password; None to send without.
    """

    host: str
    port: int
    security: Security
    login: tuple[str, str] | None = field(default=None, repr=False)


class SmtpTransport:
    """Hands each mail over in a connection of its own.

    Args:
        server: where to.
        limits: how long that may take.
        context: checks the server's certificate; by default against the system's authorities.
    """

    def __init__(
        self,
        server: Server,
        limits: Limits | None = None,
        context: ssl.SSLContext | None = None,
    ) -> None:
        self._server = server
        self._limits = limits or Limits()
        self._context = context or ssl.create_default_context()
        self._line: Line | None = None
        self._is_aborted = False

    def send(self, message: EmailMessage) -> None:
        with Line(self._limits.all) as line:
            self._line = line
            if self._is_aborted:
                raise Interrupted("the service ends")
            try:
                self._converse(message, line)
            except OSError as error:
                if line.cause == "aborted":
                    raise Interrupted("the service ends") from None
                if line.cause == "late":
                    seconds = f"{self._limits.all:g}"
                    raise ServerAway(f"the server took more than {seconds} seconds") from None
                raise failure_of(error) from None

    def abort(self) -> None:
        self._is_aborted = True
        if self._line is not None:
            self._line.cut("aborted")

    def _converse(self, message: EmailMessage, line: Line) -> None:
        sender = message["From"].addresses[0].addr_spec
        with closing(_Conversation(self._server, self._limits, self._context, line)) as smtp:
            # Neither the machine's name, which may take long to find out, nor localhost, which
            # some servers refuse.
            smtp.local_hostname = sender.rpartition("@")[2]
            smtp.ehlo_or_helo_if_needed()
            if self._server.security == "starttls":
                self._encrypt(smtp)
            if self._server.login is not None:
                self._log_in(smtp, *self._server.login)
            to = message["To"].addresses[0].addr_spec
            if not f"{sender}{to}".isascii() and not smtp.has_extn("smtputf8"):
                # The code of a server that refuses such an address itself (RFC 6531 section 3.5).
                raise MailRefused("the server does not support SMTPUTF8, as the address needs", 553)
            smtp.send_message(message, sender, to)
            # It is sent, whatever happens now.
            with suppress(OSError):
                smtp.set_time_limit(self._limits.quitting)
                smtp.quit()

    def _encrypt(self, smtp: smtplib.SMTP) -> None:
        if not smtp.has_extn("starttls"):
            raise ServerAway(
                "the server offers no STARTTLS, without which the password and the links could be "
                "read on the way: correct the port in AUTHSVC_MAIL_URL, or use smtps://"
            )
        smtp.starttls(context=self._context)
        smtp.ehlo_or_helo_if_needed()

    def _log_in(self, smtp: smtplib.SMTP, user: str, password: str) -> None:
        if not f"{user}{password}".isascii():
            raise ServerAway("the user name and password of AUTHSVC_MAIL_URL must be in ASCII")
        try:
            smtp.login(user, password)
        except ValueError:  # of a challenge that is not base64
            raise ServerAway("the server's login cannot be used") from None


class _Conversation(smtplib.SMTP):
    """A connection whose end does not depend on the server."""

    def __init__(self, server: Server, limits: Limits, context: ssl.SSLContext, line: Line) -> None:
        self._implicit_tls = context if server.security == "tls" else None
        self._limits = limits
        self._line = line
        super().__init__(server.host, server.port, "localhost", timeout=limits.connecting)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:
        connected = socket.create_connection((host, port), timeout)
        try:
            self._line.hold(connected)
            connected.settimeout(self._limits.step)
            if self._implicit_tls is None:
                return connected
            return self._implicit_tls.wrap_socket(connected, server_hostname=host)
        except BaseException:
            connected.close()
            raise

    def set_time_limit(self, seconds: float) -> None:
        assert self.sock is not None  # noqa: S101
        self.sock.settimeout(seconds)
