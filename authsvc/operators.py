"""What an operator does to an account by a command; each is one transaction."""

from collections.abc import Iterator

from authsvc import clock
from authsvc.components import component
from authsvc.database import writing
from authsvc.problems import NotFound
from authsvc.sessions import listing
from authsvc.sessions.lifecycle import Sessions
from authsvc.sessions.listing import LiveSession
from authsvc.sessions.revoke import revoke_all
from authsvc.users import accounts
from authsvc.users.accounts import Account
from authsvc.users.passwords import Passwords


def disable(email: str) -> None:
    """Shut somebody out: no login, and every session ends at once.

    Raises:
        NotFound: nobody has that address; the same holds for all of these.
    """
    user_id = _account(email).id
    with writing() as connection:
        accounts.set_disabled(connection, user_id, clock.now())
        revoke_all(connection, user_id)


def enable(email: str) -> None:
    """Let somebody log in again; the ended sessions stay ended."""
    user_id = _account(email).id
    with writing() as connection:
        accounts.set_disabled(connection, user_id, None)


def set_password(email: str, password: str) -> None:
    """Give somebody a new password; every session ends, since whoever had the old one may have it.

    Raises:
        ValidationFailed: the password is weak.
    """
    account = _account(email)
    accounts.refuse_weak(password, account.email, "/password")
    new_hash = component(Passwords).hash(password)
    with writing() as connection:
        accounts.overwrite_password(connection, account.id, new_hash)
        revoke_all(connection, account.id)


def live_sessions(email: str) -> list[LiveSession]:
    """Somebody's live sessions, newest first."""
    return listing.live_sessions(_account(email).id, component(Sessions).idle_ttl)


def revoke(email: str) -> Iterator[int]:
    """End somebody's sessions; gives their number."""
    user_id = _account(email).id
    ended = len(listing.live_sessions(user_id, component(Sessions).idle_ttl))
    with writing() as connection:
        revoke_all(connection, user_id)
    yield ended


def _account(email: str) -> Account:
    account = accounts.find_by_email(email)
    if account is None:
        raise NotFound("There is no account with this e-mail address.")
    return account
