"""Count attempts, and refuse those beyond a limit."""

import hashlib
import ipaddress
import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from math import ceil
from typing import NamedTuple
from uuid import UUID

from authsvc import clock
from authsvc.problems import (
    EmailTaken,
    InvalidCredentials,
    Problem,
    RateLimited,
    WrongCode,
    WrongPassword,
)
from authsvc.ratelimit.counts import Count, Counts, Tally
from authsvc.ratelimit.limits import (
    FACTOR_CHANGES_PER_ACCOUNT,
    FAILED_PROOFS_PER_SESSION,
    FAILURES_PER_ACCOUNT,
    FAILURES_PER_ACCOUNT_IN_A_DAY,
    FAILURES_PER_ADDRESS,
    MAILS_OF_A_KIND,
    MAILS_PER_ADDRESS,
    MAILS_PER_NETWORK,
    NOTICES_PER_ACCOUNT,
    PASSWORD_CHANGES_PER_ACCOUNT,
    REFRESHES_PER_SESSION,
    REGISTRATIONS_PER_ADDRESS,
    Limit,
)
from authsvc.ratelimit.refresh_counter import RefreshCounter

_log = logging.getLogger(__name__)


class Failures(NamedTuple):
    """How often something failed for an account.

    Args:
        logins: to log in.
        confirmations: to give the password or a passkey again within a session.
        codes: to give a code of the authenticator app, at a login or within a session.
    """

    logins: int
    confirmations: int
    codes: int


class Throttle:
    """Counts attempts where all workers see them.

    Args:
        counts: where they are kept.
        factor: multiplies all limits, for load tests.
    """

    def __init__(self, counts: Counts, factor: int) -> None:
        self._counts = counts
        self._factor = factor
        limit = REFRESHES_PER_SESSION.amount * factor
        self._refreshes = RefreshCounter(limit, REFRESHES_PER_SESSION.seconds)

    @contextmanager
    def login(self, email_key: str | None, address: str | None) -> Iterator[None]:
        """Enclose one attempt to log in: it is refused beforehand, or counted if it fails.

        Args:
            email_key: the account's address; None for a passkey that is not registered.
            address: the network address of the request.

        Raises:
            RateLimited: too many attempts have failed for this account, or from this address.
        """
        network = self._count(FAILURES_PER_ADDRESS, "address", _network(address))
        account = [] if email_key is None else self._login_failures(email_key)
        with self._attempt([network, *account], failure=InvalidCredentials):
            yield
        self._forget(decrement=[network], forget=account)

    @contextmanager
    def verification(self, email_key: str, address: str | None) -> Iterator[None]:
        """Enclose one verification of an address by its password.

        A failure counts as a failed login; a success forgets none of them.

        Raises:
            RateLimited: too many attempts have failed for this account, or from this address.
        """
        network = self._count(FAILURES_PER_ADDRESS, "address", _network(address))
        counts = [network, *self._login_failures(email_key)]
        with self._attempt(counts, failure=InvalidCredentials):
            yield
        self._counts.release(decrement=counts)

    @contextmanager
    def confirmation(self, user_id: UUID, *, forgets: bool = True) -> Iterator[None]:
        """Enclose one confirmation by a person who is logged in: of the password or of a factor.

        These failures are counted apart, so that no outsider can hinder the owner.

        Args:
            user_id: the account.
            forgets: whether a success forgets the failures before it, which only the right password
                may do: the thief of a session could set up a factor, and go on guessing.

        Raises:
            RateLimited: too many attempts have failed for this account.
        """
        account = self._confirmation_failures(user_id)
        with self._attempt(account, failure=(WrongPassword, WrongCode, InvalidCredentials)):
            yield
        if forgets:
            self._counts.release(forget=account)
        else:
            self._counts.release(decrement=account)

    @contextmanager
    def code(self, user_id: UUID) -> Iterator[None]:
        """Enclose one use of a code of the authenticator app, at a login or within a session.

        Both are counted together, and only a right code forgets the failures: neither the right
        password nor a new one does, so a thief of the password or the mailbox gets no more guesses.

        Raises:
            RateLimited: too many codes were wrong for this account.
        """
        account = self._wrong_codes(user_id)
        with self._attempt(account, failure=InvalidCredentials):
            yield
        self._forget(forget=account)

    @contextmanager
    def password_change(self, user_id: UUID) -> Iterator[None]:
        """Enclose one change of a password that is mailed to the owner; one that fails is not
        counted.

        Raises:
            RateLimited: the password was changed too often.
        """
        count = self._count(PASSWORD_CHANGES_PER_ACCOUNT, "password change", str(user_id))
        with self._attempt([count], failure=()):
            yield

    @contextmanager
    def factor_change(self, user_id: UUID) -> Iterator[None]:
        """Enclose one change of the account's factors; one that fails is not counted.

        Raises:
            RateLimited: there were too many.
        """
        count = self._count(FACTOR_CHANGES_PER_ACCOUNT, "factor change", str(user_id))
        with self._attempt([count], failure=()):
            yield

    def unlock(self, email_key: str, user_id: UUID) -> None:
        """Forget the failures of an account: to log in, to confirm, and wrong codes."""
        self.password_replaced(email_key, user_id)
        self._counts.release(forget=self._wrong_codes(user_id))

    def password_replaced(self, email_key: str, user_id: UUID) -> None:
        """Forget the failures of an account whose password is replaced, except wrong codes."""
        counts = [*self._login_failures(email_key), *self._confirmation_failures(user_id)]
        self._counts.release(forget=counts)

    def failures(self, email_key: str, user_id: UUID) -> Failures:
        """Return the failures of the last day, each kind counted since its last success."""
        _, login = self._login_failures(email_key)
        _, confirmation = self._confirmation_failures(user_id)
        _, code = self._wrong_codes(user_id)
        tallies = self._counts.look([login, confirmation, code])
        return Failures(*(tally.value for tally in tallies))

    @contextmanager
    def registration(self, address: str | None) -> Iterator[None]:
        """Enclose one registration; one that is refused as invalid is not counted.

        Raises:
            RateLimited: there were too many from this address.
        """
        network = self._count(REGISTRATIONS_PER_ADDRESS, "address", _network(address))
        with self._attempt([network], failure=EmailTaken):
            yield

    @contextmanager
    def mail(
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
            self._count(MAILS_PER_ADDRESS, "mail address", email_key),
            self._count(MAILS_PER_NETWORK, "address", _network(address)),
        ]
        which = f"{kind}:{user_id}:{email_key}"
        of_kind = self._count(MAILS_OF_A_KIND, "mail", which)
        with self._attempt(limits, failure=(), besides=[of_kind]) as tallies:
            yield tallies[-1].value == 1

    def notice(self, kind: str, user_id: UUID) -> bool:
        """Count one notice to the owner of an account, and return whether it may be mailed."""
        count = self._count(NOTICES_PER_ACCOUNT, kind, str(user_id))
        [tally] = self._counts.add([count])
        return tally.value <= count.limit

    def refresh(self, sid: UUID) -> None:
        """Count one refresh, before it is made.

        Raises:
            RateLimited: this session has been refreshed too often.
        """
        unreported = self._refreshes.add(sid)
        if unreported == 0:
            return
        count = self._count(REFRESHES_PER_SESSION, "session", str(sid))
        try:
            [tally] = self._counts.add([count], unreported)
        except Exception:
            self._refreshes.put_back(sid, unreported)
            raise
        if tally.value > count.limit:
            seconds = _seconds_left(count, tally)
            self._refreshes.close(sid, seconds)
            raise RateLimited(seconds)

    def failed_proof(self, sid: UUID, address: str | None) -> None:
        """Count one proof that failed. A good proof is neither counted nor hindered.

        Raises:
            RateLimited: too many have failed for this session from this address.
        """
        which = f"{sid}:{_network(address)}"
        count = self._count(FAILED_PROOFS_PER_SESSION, "proof", which)
        _refuse_beyond([count], self._counts.add([count]), spare=0)

    @contextmanager
    def _attempt(
        self,
        counts: list[Count],
        *,
        failure: type[Problem] | tuple[type[Problem], ...],
        besides: Sequence[Count] = (),
    ) -> Iterator[list[Tally]]:
        """Count an attempt before it is made, since others are made at the same time.

        The count is taken back if the attempt ends in another problem than the failure. If the
        limit was reached before, reading is enough: refused attempts cause no write.

        Args:
            counts: refuse the attempt if one of them is at its limit.
            failure: the problem that is counted.
            besides: counted with the others, in the same statement, and refuse nothing.
        """
        _refuse_beyond(counts, self._counts.look(counts), spare=1)
        everything = [*counts, *besides]
        tallies = self._counts.add(everything)
        try:
            _refuse_beyond(counts, tallies[: len(counts)], spare=0)
            yield tallies
        except failure:
            raise
        except Exception:
            self._counts.release(decrement=everything)
            raise

    def _login_failures(self, email_key: str) -> list[Count]:
        return [
            self._count(FAILURES_PER_ACCOUNT, "account", email_key),
            self._count(FAILURES_PER_ACCOUNT_IN_A_DAY, "account", email_key),
        ]

    def _confirmation_failures(self, user_id: UUID) -> list[Count]:
        return [
            self._count(FAILURES_PER_ACCOUNT, "password", str(user_id)),
            self._count(FAILURES_PER_ACCOUNT_IN_A_DAY, "password", str(user_id)),
        ]

    def _wrong_codes(self, user_id: UUID) -> list[Count]:
        return [
            self._count(FAILURES_PER_ACCOUNT, "code", str(user_id)),
            self._count(FAILURES_PER_ACCOUNT_IN_A_DAY, "code", str(user_id)),
        ]

    def _forget(self, *, forget: list[Count], decrement: Sequence[Count] = ()) -> None:
        """Release counts after a success that has happened already: its response must arrive."""
        try:
            self._counts.release(decrement, forget)
        except Exception as error:
            _log.warning("failures before a success were not forgotten: %s", error)

    def _count(self, limit: Limit, what: str, which: str) -> Count:
        # The counts outlive the attempts, so they must not hold an address as plain text.
        name = hashlib.sha256(f"{what}:{which}".encode()).hexdigest()
        return Count(f"{limit.of}/{name}", limit.amount * self._factor, limit.seconds)


def _refuse_beyond(counts: Sequence[Count], tallies: Sequence[Tally], *, spare: int) -> None:
    """
    Args:
        spare: how many more than those counted must still be allowed.

    Raises:
        RateLimited: a limit is reached; it has the longest wait.
    """
    waits = [
        _seconds_left(count, tally)
        for count, tally in zip(counts, tallies, strict=True)
        if tally.value + spare > count.limit
    ]
    if waits:
        raise RateLimited(max(waits))


def _seconds_left(count: Count, tally: Tally) -> int:
    """Return the seconds until the window ends: at most one window, if a clock was set back."""
    seconds = ceil((tally.ends - clock.now()).total_seconds())
    return max(1, min(seconds, count.seconds))


def _network(address: str | None) -> str:
    """Return the address, or for IPv6 the /64 that one customer has."""
    try:
        ip = ipaddress.ip_address(address or "")
    except ValueError:
        return "unknown"
    if isinstance(ip, ipaddress.IPv4Address):
        return str(ip)
    return str(ipaddress.ip_network((ip, 64), strict=False))
