"""What every change of an account's factors must pass, in one transaction with the change."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection

from authsvc import clock
from authsvc.audit.record import Event, record, user_at
from authsvc.database import transaction
from authsvc.factors.news import News, tell
from authsvc.guard.access_token import current_access_token
from authsvc.mail.outbox import Outbox
from authsvc.problems import EmailUnverified
from authsvc.sessions.reauthenticate import add_methods
from authsvc.sessions.recent import demand_recent_login
from authsvc.settings import Settings
from authsvc.tokens.amr import Amr
from authsvc.users import accounts
from authsvc.users.voided_links import void_change
from authsvc.web import registry
from authsvc.web.client import Client, current_client

T = TypeVar("T")


@dataclass(frozen=True)
class Change:
    """A change of the factors of the request's account, in a transaction that has locked it.

    Args:
        connection: of the transaction.
        user_id: the account.
        sid: the session of the request.
        amr: how the user of the session authenticated.
        client: where the request came from.
        outbox: takes the mail that tells the owner.
        now: our time.
    """

    connection: Connection
    user_id: UUID
    sid: UUID
    amr: Amr
    client: Client
    outbox: Outbox
    now: datetime

    def happened(self, event: News, factor: str | None = None) -> None:
        """Record what happened, and mail it to the owner.

        Args:
            event: what happened.
            factor: which factor: `totp` or `passkey`.
        """
        happened = Event(event, self.user_id, self.sid, factor)
        record(self.connection, user_at(self.client), happened, at=self.now)
        detail = None if factor is None else {"factor": factor}
        tell(self.connection, self.outbox, event, self.user_id, detail)

    def factor_added(self, factor: str, given: Amr) -> None:
        """Record and mail it, and add to the session the methods of the factor, which it showed.

        A link to another address is void: it may have been asked for without a second factor.

        Args:
            factor: which factor, as in `happened`.
            given: its methods.
        """
        self.happened("factor_added", factor)
        add_methods(self.connection, self.sid, self.amr, given)
        if self.outbox.is_on:
            void_change(self.connection, self.user_id)


def change_factors(work: Callable[[Change], T], *, adds: bool = False) -> T:
    """Run `work` in a transaction, if the person authenticated lately, and return what it returns.

    Args:
        work: makes the change; what it raises changes nothing.
        adds: whether a factor is added. This needs a verified address where addresses are
            verified, so that a stranger who registers it can prepare none.

    Raises:
        ReauthenticationRequired: the person must authenticate again.
        EmailUnverified: the address must be verified first.
        AccessTokenRevoked: the session has ended.
    """
    token, client, outbox = current_access_token(), current_client(), registry.get(Outbox)
    needs_verified = adds and registry.get(Settings).verification != "off"

    def change(connection: Connection) -> T:
        now = clock.now()
        amr = demand_recent_login(connection, token, now)
        if needs_verified and not accounts.is_verified(connection, token.sub):
            raise EmailUnverified
        return work(Change(connection, token.sub, token.sid, amr, client, outbox, now))

    result = transaction(change)
    outbox.wake()
    return result
