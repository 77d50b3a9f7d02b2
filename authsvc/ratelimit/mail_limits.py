"""The limits of mails: how many are asked for, and how many notices an account gets."""

from collections.abc import Iterator
from contextlib import contextmanager
from uuid import UUID

from authsvc.ratelimit.attempts import Attempts, network_of
from authsvc.ratelimit.limits import (
    MAILS_OF_A_KIND,
    MAILS_PER_ADDRESS,
    MAILS_PER_NETWORK,
    NOTICES_PER_ACCOUNT,
)


class MailLimits:
    """Limits mails.

    Args:
        attempts: counts them.
    """

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    @contextmanager
    def request(
        self, kind: str, email_key: str, address: str | None, user_id: UUID | None = None
    ) -> Iterator[bool]:
        """Enclose one request for a mail, and yield whether the mail is to be sent.

        It is not sent within some minutes of another of its kind to the same address. The same
        counts are kept for addresses with and without an account.

        Args:
            kind: what the mail is for.
            email_key: the address that it goes to, in canonical form.
            address: the network address of the request.
            user_id: the account, if the person is logged in: others cannot silence its mails.

        Raises:
            RateLimited: too many mails were asked for to this address, or from this network.
        """
        limits = [
            self._attempts.count(MAILS_PER_ADDRESS, "mail address", email_key),
            self._attempts.count(MAILS_PER_NETWORK, "address", network_of(address)),
        ]
        which = f"{kind}:{user_id}:{email_key}"
        of_kind = self._attempts.count(MAILS_OF_A_KIND, "mail", which)
        with self._attempts.enclose(limits, failure=(), besides=[of_kind]) as tallies:
            yield tallies[-1].value == 1

    def notice(self, kind: str, user_id: UUID) -> bool:
        """Count one notice to the owner of an account, and return whether it may be mailed."""
        count = self._attempts.count(NOTICES_PER_ACCOUNT, kind, str(user_id))
        return self._attempts.add(count).value <= count.limit
