"""Start the thread that sends mail, in each process that serves requests."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click
from flask import Flask
from flask.helpers import get_debug_flag
from werkzeug.serving import is_running_from_reloader

from authsvc.mail.outbox import Outbox
from authsvc.users.one_time_tokens import purge_a_little
from authsvc.web import registry

if TYPE_CHECKING:
    from authsvc.mail.thread import SenderThread


def start_sender(app: Flask, goes_on: Callable[[], bool] = lambda: True) -> SenderThread | None:
    """Start to send mail in this process, and return what stops it; None if mail is off.

    Args:
        app: the app. Its requests wake the thread.
        goes_on: returns whether another mail may be begun.
    """
    outbox = registry.of(app, Outbox)
    if not outbox.is_on:
        return None
    # Imported here: a service without mail needs neither.
    from authsvc.mail.sender import Sender
    from authsvc.mail.thread import SenderThread

    sender = registry.of(app, Sender)
    thread = SenderThread(sender, app.app_context, purge_a_little, goes_on)
    outbox.wake = thread.wake
    thread.start()
    return thread


def start_sender_under_flask_run(app: Flask) -> None:
    """Start to send mail if `flask run` makes the app in the process that will serve it."""
    context = click.get_current_context(silent=True)
    if context is None or context.info_name != "run":
        return
    reload = context.params.get("reload")
    if is_running_from_reloader() or not (get_debug_flag() if reload is None else reload):
        start_sender(app)
