"""Signals (blinker) that an operator's code connects to: what happened to an account or a session.

Each is sent once, after the commit, in the process that did it. A receiver runs inside the request,
in an app context of its own, so that what it leaves open is closed and no other code is affected.
"""

import logging
from collections.abc import Callable, Iterable
from typing import Any, Literal
from uuid import UUID

from blinker import NamedSignal, Namespace
from flask import Flask, current_app

__all__ = ["logged_in", "password_changed", "session_ended", "user_deleted", "user_registered"]

Reason = Literal[
    "logged_out", "revoked", "replaced", "password_changed", "account_disabled", "account_deleted"
]
"""Why a session ended."""

_signals = Namespace()
_log = logging.getLogger(__name__)

user_registered = _signals.signal(
    "user_registered",
    """An account was created.

    Receivers get the Flask app, then:
        user_id (UUID): the id of the account.
    """,
)
logged_in = _signals.signal(
    "logged_in",
    """A session was opened: by a login, or by a change of the password.

    Receivers get the Flask app, then:
        user_id (UUID): the id of the account.
        session_id (UUID): the id of the session, the `sid` claim of its access tokens.
    """,
)
session_ended = _signals.signal(
    "session_ended",
    """A session was revoked. A session that expires sends no signal.

    Receivers get the Flask app, then:
        user_id (UUID | None): the id of the account; None if it was deleted by SQL.
        session_id (UUID): the id of the session.
        reason (str): `logged_out`; `revoked`, in a list of sessions or by an operator;
            `replaced`, by a login in the same browser; `password_changed`; `account_disabled`;
            or `account_deleted`.
    """,
)
password_changed = _signals.signal(
    "password_changed",
    """The password of an account was changed.

    Receivers get the Flask app, then:
        user_id (UUID): the id of the account.
    """,
)
user_deleted = _signals.signal(
    "user_deleted",
    """An account was deleted, with its sessions.

    Receivers get the Flask app, then:
        user_id (UUID): the id that the account had.
    """,
)


def send(signal: NamedSignal, **facts: Any) -> None:
    """Call the receivers of a signal, each in an app context of its own.

    A receiver that raises is logged; the others run, and the request goes on. Call this after the
    commit, and outside of any transaction.
    """
    if not signal.receivers or signal.is_muted:
        return
    app: Flask = current_app._get_current_object()  # type: ignore[attr-defined]
    for receiver in signal.receivers_for(app):
        try:
            with app.app_context():
                app.ensure_sync(receiver)(app, **facts)
        except Exception:
            _log.exception("a receiver of %s failed: %s", signal.name, _name(receiver))


def send_ended(sessions: Iterable[tuple[UUID, UUID | None]], reason: Reason) -> None:
    """Send `session_ended` for each session.

    Args:
        sessions: the ids of each session and of its user.
        reason: why they ended.
    """
    for session_id, user_id in sessions:
        send(session_ended, user_id=user_id, session_id=session_id, reason=reason)


def _name(receiver: Callable[..., Any]) -> str:
    """Return the name of a function or of its class, never its arguments, which may be secret."""
    named = receiver if hasattr(receiver, "__qualname__") else type(receiver)
    return f"{named.__module__}.{named.__qualname__}"
