"""The limits of what people may attempt."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import NamedTuple
from uuid import UUID

from authsvc.problems import (
    EmailTaken,
    InvalidCredentials,
    WrongCode,
    WrongPassword,
)
from authsvc.ratelimit.attempts import Attempts, network_of
from authsvc.ratelimit.counts import Count
from authsvc.ratelimit.limits import (
    FACTOR_CHANGES_PER_ACCOUNT,
    FAILURES_PER_ACCOUNT,
    FAILURES_PER_ACCOUNT_IN_A_DAY,
    FAILURES_PER_ADDRESS,
    PASSWORD_CHANGES_PER_ACCOUNT,
    REGISTRATIONS_PER_ADDRESS,
)

_WRONG = (WrongPassword, WrongCode, InvalidCredentials)
"""What a person who confirms within a session can get wrong."""


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
    """Limits logins, confirmations, registrations and changes of an account.

    Args:
        attempts: counts them where all workers see them.
    """

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts

    @contextmanager
    def login(self, email_key: str, address: str | None) -> Iterator[None]:
        """Enclose one attempt to log in: it is refused beforehand, or counted if it fails.

        Raises:
            RateLimited: too many attempts have failed for this account, or from this address.
        """
        network = self._attempts.count(FAILURES_PER_ADDRESS, "address", network_of(address))
        account = self._login_failures(email_key)
        with self._attempts.enclose([network, *account], failure=InvalidCredentials):
            yield
        self._attempts.forget_after_success(decrement=[network], forget=account)

    @contextmanager
    def passkey(self, email_key: str | None, address: str | None) -> Iterator[None]:
        """Enclose one login by a passkey. A failure counts as a failed login of the account.

        Only the network address refuses it: a passkey cannot be guessed, and so a stranger who
        guesses the password does not keep its owner out.

        Args:
            email_key: the account's address; None if the passkey is not registered.
            address: the network address of the request.

        Raises:
            RateLimited: too many attempts have failed from this address.
        """
        network = self._attempts.count(FAILURES_PER_ADDRESS, "address", network_of(address))
        account = [] if email_key is None else self._login_failures(email_key)
        with self._attempts.enclose([network], failure=InvalidCredentials, besides=account):
            yield
        self._attempts.forget_after_success(decrement=[network], forget=account)

    @contextmanager
    def verification(self, email_key: str, address: str | None) -> Iterator[None]:
        """Enclose one verification of an address by its password.

        A failure counts as a failed login; a success forgets none of them.

        Raises:
            RateLimited: too many attempts have failed for this account, or from this address.
        """
        network = self._attempts.count(FAILURES_PER_ADDRESS, "address", network_of(address))
        counts = [network, *self._login_failures(email_key)]
        with self._attempts.enclose(counts, failure=InvalidCredentials):
            yield
        self._attempts.release(decrement=counts)

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
        with self._attempts.enclose(account, failure=_WRONG):
            yield
        if forgets:
            self._attempts.forget_after_success(forget=account)
        else:
            self._attempts.forget_after_success(decrement=account)

    @contextmanager
    def code(self, user_id: UUID) -> Iterator[None]:
        """Enclose one use of a code of the authenticator app, at a login or within a session.

        Both are counted together, and only a right code forgets the failures: neither the right
        password nor a new one does, so a thief of the password or the mailbox gets no more guesses.

        Raises:
            RateLimited: too many codes were wrong for this account.
        """
        account = self._wrong_codes(user_id)
        with self._attempts.enclose(account, failure=InvalidCredentials):
            yield
        self._attempts.forget_after_success(forget=account)

    @contextmanager
    def password_change(self, user_id: UUID) -> Iterator[None]:
        """Enclose one change of a password that is mailed to the owner; one that fails is not
        counted.

        Raises:
            RateLimited: the password was changed too often.
        """
        count = self._attempts.count(PASSWORD_CHANGES_PER_ACCOUNT, "password change", str(user_id))
        with self._attempts.enclose([count], failure=()):
            yield

    @contextmanager
    def factor_change(self, user_id: UUID) -> Iterator[None]:
        """Enclose one change of the account's factors; one that fails is not counted.

        Raises:
            RateLimited: there were too many.
        """
        count = self._attempts.count(FACTOR_CHANGES_PER_ACCOUNT, "factor change", str(user_id))
        with self._attempts.enclose([count], failure=()):
            yield

    def unlock(self, email_key: str, user_id: UUID) -> None:
        """Forget the failures of an account: to log in, to confirm, and wrong codes."""
        self.password_replaced(email_key, user_id)
        self._attempts.release(forget=self._wrong_codes(user_id))

    def password_replaced(self, email_key: str, user_id: UUID) -> None:
        """Forget the failures of an account whose password is replaced, except wrong codes."""
        counts = [*self._login_failures(email_key), *self._confirmation_failures(user_id)]
        self._attempts.release(forget=counts)

    def failures(self, email_key: str, user_id: UUID) -> Failures:
        """Return the failures of the last day, each kind counted since its last success."""
        _, login = self._login_failures(email_key)
        _, confirmation = self._confirmation_failures(user_id)
        _, code = self._wrong_codes(user_id)
        return Failures(*self._attempts.values([login, confirmation, code]))

    @contextmanager
    def registration(self, address: str | None) -> Iterator[None]:
        """Enclose one registration; one that is refused as invalid is not counted.

        Raises:
            RateLimited: there were too many from this address.
        """
        network = self._attempts.count(REGISTRATIONS_PER_ADDRESS, "address", network_of(address))
        with self._attempts.enclose([network], failure=EmailTaken):
            yield

    def _login_failures(self, email_key: str) -> list[Count]:
        return [
            self._attempts.count(FAILURES_PER_ACCOUNT, "account", email_key),
            self._attempts.count(FAILURES_PER_ACCOUNT_IN_A_DAY, "account", email_key),
        ]

    def _confirmation_failures(self, user_id: UUID) -> list[Count]:
        return [
            self._attempts.count(FAILURES_PER_ACCOUNT, "password", str(user_id)),
            self._attempts.count(FAILURES_PER_ACCOUNT_IN_A_DAY, "password", str(user_id)),
        ]

    def _wrong_codes(self, user_id: UUID) -> list[Count]:
        return [
            self._attempts.count(FAILURES_PER_ACCOUNT, "code", str(user_id)),
            self._attempts.count(FAILURES_PER_ACCOUNT_IN_A_DAY, "code", str(user_id)),
        ]
