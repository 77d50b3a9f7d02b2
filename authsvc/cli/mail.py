"""`mail`: send what waits in the outbox, and a test mail."""

from __future__ import annotations

import signal
import sys
from pathlib import Path
from threading import Event
from typing import TYPE_CHECKING

import click

from authsvc import clock
from authsvc.cli.commands import Commands
from authsvc.cli.shell import app_context, printable

if TYPE_CHECKING:
    from authsvc.mail.failures import MailNotSent
    from authsvc.mail.outbox import Kind
    from authsvc.mail.smtp import Server

_SECURITY = {"tls": "TLS", "starttls": "STARTTLS", "none": "no TLS, since it is this machine"}


class Progress:
    """Counts what a sender does, and may show it: see `authsvc.mail.observer.Observer`.

    Args:
        is_shown: whether each mail is a line of the output.
    """

    def __init__(self, is_shown: bool) -> None:
        self.number_sent = self.number_put_back = self.number_given_up = 0
        self._is_shown = is_shown

    def sent(self, kind: Kind) -> None:
        self.number_sent += 1
        self._show("sent", kind)

    def put_back(self, kind: Kind) -> None:
        self.number_put_back += 1
        self._show("put back", kind)

    def failed(self, kind: Kind) -> None:
        self.number_given_up += 1
        self._show("given up", kind)

    def waiting(self, number: int, age_of_oldest_seconds: float) -> None: ...

    def _show(self, what: str, kind: Kind) -> None:
        if self._is_shown:
            click.echo(f"{clock.rfc3339(clock.now())} {what}: {kind}")


@click.group(cls=Commands)
def mail() -> None:
    """Mail."""


@mail.command("send")
@click.option("--once", is_flag=True, help="Send what is due now, and end.")
def send(once: bool) -> None:
    """Send the mails that wait.

    The running service does this itself. Run this command where the service cannot reach the mail
    server, or to send what waits while the service is stopped. It is safe to run it at any time,
    also several times at once: each mail is sent by one of them.

    It runs until Ctrl+C or SIGTERM, and prints a line for each mail. With --once, such as for
    cron, it ends when no mail is due, and prints how many were sent, put back (they are tried
    again later) and given up. The exit status is 1 if a mail was put back or given up; standard
    error says why.

    \b
    authsvc mail send
    authsvc mail send --once
    """
    from authsvc.mail.sender import Sender
    from authsvc.web import registry

    progress = Progress(is_shown=not once)
    with app_context():
        _mail_url()
        sender = registry.get(Sender)
        sender.observer = progress
        if once:
            sender.send_due()
        else:
            _send_until_stopped()
    click.echo(
        f"{progress.number_sent} sent, {progress.number_put_back} put back, "
        f"{progress.number_given_up} given up."
    )
    if once and progress.number_put_back + progress.number_given_up > 0:
        sys.exit(1)


@mail.command("test")
@click.argument("address")
def send_test(address: str) -> None:
    """Send a test mail to ADDRESS.

    Says which server took it and whether the connection was encrypted, or why it was not sent and
    what you can do. It uses the settings of the service, and needs no account.

    \b
    authsvc mail test you@example.com
    """
    from authsvc.mail.failures import MailNotSent
    from authsvc.mail.letter import Letter
    from authsvc.mail.sender import Sender
    from authsvc.settings import Settings
    from authsvc.users.emails import checked_email
    from authsvc.web import registry

    with app_context():
        place = _place(_mail_url())
        to, _ = checked_email(address)
        try:
            registry.get(Sender).send_now(Letter("test", to))
        except MailNotSent as failure:
            raise click.ClickException(f"{place} did not take the mail: {_why(failure)}") from None
        sender = registry.get(Settings).mail_from
    click.echo(f"{place} took the mail from {sender} to {to}.")
    click.echo("If it does not arrive, look for it under spam, and see docs/recovery.md.", err=True)


def _mail_url() -> str:
    from authsvc.admin.links import MAIL_SETTINGS
    from authsvc.settings import Settings
    from authsvc.web import registry

    url = registry.get(Settings).mail_url
    if url is None:
        raise click.ClickException(f"This service sends no mail. Set {MAIL_SETTINGS}.")
    return url.get_secret_value()


def _send_until_stopped() -> None:
    from flask import current_app

    from authsvc.server.mail_thread import start_sender

    stopped = Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stopped.set())
    thread = start_sender(current_app._get_current_object())  # type: ignore[attr-defined]
    click.echo("Sending what waits. Stop with Ctrl+C.", err=True)
    stopped.wait()
    if thread is not None:
        thread.stop()


def _place(url: str) -> str:
    """Say where mail goes, without the password."""
    from authsvc.mail.transport_of_url import place_of

    place = place_of(url)
    if isinstance(place, Path):
        return f"The folder {place}"
    return f"The mail server {_address(place)} ({_SECURITY[place.security]})"


def _address(server: Server) -> str:
    host = f"[{server.host}]" if ":" in server.host else server.host
    return f"{host}:{server.port}"


def _why(failure: MailNotSent) -> str:
    said = f' It said "{printable(failure.reply)}".' if failure.reply else ""
    return f"{failure}.{said} {_advice(failure)}"


def _advice(failure: MailNotSent) -> str:
    from authsvc.mail.failures import MailBroken, MailRefused, ServerAway

    match failure:
        case MailBroken():
            return "Correct the template in the folder AUTHSVC_MAIL_TEMPLATES."
        case MailRefused():
            return "Try another address. If that is refused too, ask who runs the mail server."
        case ServerAway():
            return "Correct AUTHSVC_MAIL_URL, or see why this machine cannot use that server."
    return "Try again in some minutes. If it is refused again, ask who runs the mail server."
