"""Report signs of a stolen cookie to the owner: in the audit trail and by mail."""

from dataclasses import dataclass, field
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, select

from authsvc.audit.record import Event, failures_logged, is_recorded, lately, record, user_at
from authsvc.database import transaction
from authsvc.mail.outbox import Mail, Outbox
from authsvc.problems import DeviceProofMissing, DpopProofInvalid, DpopProofMissing
from authsvc.sessions.two_places import TwoPlaces
from authsvc.users.model import User
from authsvc.web.browsers import browser_of
from authsvc.web.client import Client

MAILS = 5
"""How many mails of a sign an account gets in an hour. A stranger may have registered the address,
and can open any number of sessions."""


@dataclass(frozen=True)
class TheftReports:
    """Reports signs of theft, at most hourly for a session and a detail.

    Args:
        outbox: takes the mail to the owner.
    """

    outbox: Outbox
    _places: TwoPlaces = field(default_factory=TwoPlaces)

    def failed_proof(
        self,
        user_id: UUID,
        sid: UUID,
        refused: DpopProofMissing | DpopProofInvalid | DeviceProofMissing,
        client: Client,
        now: datetime,
    ) -> None:
        """Report that the cookie of a bound session came without its key or its device.

        Args:
            user_id: the owner of the session.
            sid: the session.
            refused: why the proof was refused.
            client: where the request came from.
            now: our time.
        """
        self._report(Event("refresh_refused", user_id, sid, refused.code), "key", client, now)

    def used(self, user_id: UUID, sid: UUID, client: Client, now: datetime) -> None:
        """Report an unbound session that is used from two places in turn.

        It costs no statement, except where there is something to report.

        Args:
            user_id: the owner of the session.
            sid: the session, which was just refreshed.
            client: where the request came from.
            now: our time.
        """
        changed = self._places.use(sid, client, now)
        if changed is not None:
            self._report(Event("suspicious_use", user_id, sid, changed), changed, client, now)

    def _report(self, event: Event, sign: str, client: Client, now: datetime) -> None:
        """Record the event and mail the owner, unless both were done within the hour.

        The request goes on if that fails. The account is locked before it is asked again what is
        recorded: requests of a thief that come at the same time cause one mail.
        """
        browser = browser_of(client.user_agent)
        detail = {
            "sign": sign,
            "browser": browser.family,
            "system": browser.system,
            "ip_address": client.ip_address or "",
        }
        owner = (
            select(User.email, User.email_key)
            .where(User.id == event.user_id)
            .with_for_update(key_share=True)
        )

        def report(connection: Connection) -> None:
            for email, key in connection.execute(owner).all():
                if is_recorded(event, connection):
                    continue
                is_mailed = lately(event, connection) < MAILS
                record(connection, user_at(client), event, at=now)
                if is_mailed:
                    mail = Mail("suspicious_use", email, key, event.user_id, detail=detail)
                    self.outbox.add(connection, mail)

        with failures_logged(event):
            if not is_recorded(event):
                transaction(report)
                self.outbox.wake()
