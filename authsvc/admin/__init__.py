"""What an operator does to an account; each function is one transaction.

Each function that takes an e-mail address also takes the id of an account, and raises `NotFound` if
there is no such account.
"""

from collections.abc import Callable, Collection, Sequence
from datetime import datetime

from sqlalchemy import Connection

from authsvc import clock, roles, signals
from authsvc.admin.lookup import account_of, lock_account
from authsvc.audit.operator import current_operator
from authsvc.audit.read import Recorded, newest
from authsvc.audit.record import Event, record
from authsvc.database import transaction
from authsvc.mail.outbox import Outbox
from authsvc.problems import Fault, FaultCode, ValidationFailed
from authsvc.roles import Roles
from authsvc.sessions import list as session_list
from authsvc.sessions.list import LiveSession
from authsvc.sessions.revoke import Revoked, revoke_all, revoke_and_record
from authsvc.sessions.tokens import SessionTokens
from authsvc.settings import Settings
from authsvc.users import accounts, registration
from authsvc.users.accounts import Account
from authsvc.users.password_news import void_links_and_tell
from authsvc.users.passwords import Passwords
from authsvc.users.stored_password import overwrite_password
from authsvc.users.voided_links import void_change
from authsvc.web import registry


def register(email: str, password: str, locale: str | None = None) -> Account:
    """Create an account and return it.

    A link that verifies the address is mailed, where addresses are verified.

    Args:
        email: the address.
        password: of the account.
        locale: the language of the person's mails (BCP 47).

    Raises:
        ValidationFailed: the address is not valid, or the password is weak.
        EmailTaken: an account has that address.
    """
    passwords, outbox = registry.get(Passwords), registry.get(Outbox)
    verifies = registry.get(Settings).verification != "off"
    account = registration.register(
        passwords,
        email,
        password,
        current_operator(),
        locale=locale,
        outbox=outbox if verifies else None,
    )
    outbox.wake()
    return account


def disable(email: str) -> None:
    """Disable an account: refuse its logins, revoke its sessions, and void a link to another
    address, which would work once the account is enabled.
    """
    user_id = account_of(email).id

    def disable_account(connection: Connection) -> list[Revoked]:
        accounts.set_disabled(connection, user_id, clock.now())
        if registry.get(Outbox).is_on:
            void_change(connection, user_id)
        record(connection, current_operator(), Event("account_disabled", user_id))
        return revoke_and_record(connection, user_id, current_operator())

    signals.send_ended(transaction(disable_account), "account_disabled")


def enable(email: str) -> None:
    """Enable an account; its revoked sessions stay revoked."""
    user_id = account_of(email).id

    def enable_account(connection: Connection) -> None:
        accounts.set_disabled(connection, user_id, None)
        record(connection, current_operator(), Event("account_enabled", user_id))

    transaction(enable_account)


def set_password(email: str, password: str) -> None:
    """Replace the password of an account, revoke its sessions, and void the links mailed to it.

    Where mail is configured, the owner gets a mail.

    Raises:
        ValidationFailed: the password is weak.
    """
    account = account_of(email)
    passwords = registry.get(Passwords)
    passwords.refuse_weak(password, account.email, "/password")
    new_hash, outbox = passwords.hash(password), registry.get(Outbox)

    def store(connection: Connection) -> list[Revoked]:
        owner = lock_account(connection, account.id)  # whose address may be another one by now
        address = owner.email, owner.email_key
        overwrite_password(connection, account.id, new_hash)
        void_links_and_tell(connection, outbox, "password_changed", account.id, *address)
        record(connection, current_operator(), Event("password_changed", account.id))
        return revoke_and_record(connection, account.id, current_operator())

    revoked = transaction(store)
    outbox.wake()
    signals.send(signals.password_changed, user_id=account.id)
    signals.send_ended(revoked, "password_changed")


def grant(email: str, granted: Collection[str]) -> Roles:
    """Grant roles from the next refresh on, and return all roles of the account.

    Raises:
        ValidationFailed: a name is not valid, or the account would have too many roles.
    """
    for name in granted:
        if not roles.is_role(name):
            raise _invalid_roles(
                FaultCode.INVALID_FORMAT,
                f"{name!r} is not the name of a role. It must match {roles.PATTERN}",
            )
    return _change_roles(email, lambda before: tuple(dict.fromkeys((*before, *granted))))


def withdraw(email: str, withdrawn: Collection[str]) -> Roles:
    """Take roles away from the next refresh on, and return those that are left."""
    return _change_roles(
        email, lambda before: tuple(name for name in before if name not in withdrawn)
    )


def live_sessions(email: str) -> list[LiveSession]:
    """Return the live sessions of an account, newest first."""
    return session_list.live_sessions(account_of(email).id, registry.get(SessionTokens).idle_ttl)


def revoke_sessions(email: str) -> int:
    """Revoke every session of an account, and return how many there were."""
    return revoke_all(account_of(email).id, current_operator(), registry.get(Outbox))


def audit(
    limit: int,
    *,
    email: str | None,
    kinds: Sequence[str],
    suspicious: bool,
    since: datetime | None,
    until: datetime | None,
) -> list[tuple[Recorded, str | None]]:
    """Return the newest `limit` security events, oldest first, each with its e-mail address."""
    user_id = None if email is None else account_of(email).id
    events = newest(
        limit, user_id=user_id, kinds=kinds, suspicious=suspicious, since=since, until=until
    )
    emails = accounts.emails({event.user_id for event in events if event.user_id})
    return [(event, emails.get(event.user_id)) for event in reversed(events)]


def _change_roles(email: str, change: Callable[[Roles], Roles]) -> Roles:
    user_id = account_of(email).id

    def replace(connection: Connection) -> Roles:
        before, after = accounts.replace_roles(connection, user_id, change)
        if len(after) > roles.MAX_ROLES:
            raise _invalid_roles(
                FaultCode.TOO_LONG,
                f"An account can have at most {roles.MAX_ROLES} roles. Revoke some first.",
            )
        changes = [f"+{name}" for name in after if name not in before]
        changes += [f"-{name}" for name in before if name not in after]
        if changes:
            event = Event("roles_changed", user_id, detail=" ".join(changes))
            record(connection, current_operator(), event)
        return after

    return transaction(replace)


def _invalid_roles(code: FaultCode, why: str) -> ValidationFailed:
    return ValidationFailed([Fault("/roles", why, code)])
