"""Put a mail into the outbox, in the transaction of what it is about."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal
from uuid import UUID

from sqlalchemy import Connection, insert
from uuid_utils.compat import uuid7

from authsvc import clock
from authsvc.database.compiled import Command
from authsvc.mail.model import WaitingMail

Kind = Literal[
    "reset",
    "invitation",
    "verification",
    "registration",
    "resend",
    "change",
    "password_changed",
    "password_reset",
    "email_changed",
    "factor_added",
    "factor_removed",
    "recovery_codes_replaced",
    "recovery_code_used",
    "new_login",
    "suspicious_use",
]
"""Why a mail is sent. What it says is decided when it is sent: see authsvc/users/letters.py."""


@dataclass(frozen=True)
class Mail:
    """A mail to send.

    Args:
        kind: why it is sent.
        email: the address that the person gave, or that the account had.
        email_key: its canonical form.
        user_id: the account; None if the request did not look it up.
        id: of the mail, and of its one-time token.
        detail: what the mail says besides, such as the browser of a new login.
    """

    kind: Kind
    email: str
    email_key: str
    user_id: UUID | None = None
    id: UUID = field(default_factory=uuid7)
    detail: Mapping[str, str] | None = None


class Outbox:
    """The outbox of one app; without mail in the settings nothing is put into it.

    Args:
        is_on: whether the service sends mail.
    """

    def __init__(self, is_on: bool) -> None:
        self.is_on = is_on
        self.wake: Callable[[], object] = lambda: None
        """Tells the sender of this process, if there is one, that a mail may be waiting."""

    def add(self, connection: Connection, *mails: Mail) -> None:
        """Put mails into the outbox, in the connection's transaction.

        Call `wake` after the commit. A sender finds the mail without it too, some seconds later.
        """
        if not self.is_on:
            return
        now = clock.now()
        _INSERT.run_for_each(
            connection,
            [
                {
                    "id": mail.id,
                    "kind": mail.kind,
                    "email": mail.email,
                    "email_key": mail.email_key,
                    "user_id": mail.user_id,
                    "detail": None if mail.detail is None else json.dumps(mail.detail),
                    "created_at": now,
                    "due_at": now,
                    "attempts": 0,
                    "lease": None,
                }
                for mail in mails
            ],
        )


_INSERT = Command(insert(WaitingMail))
