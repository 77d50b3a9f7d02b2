"""Change a password: revoke every session of the account and open a new one."""

from uuid import UUID

from sqlalchemy import Connection

from authsvc import clock, signals
from authsvc.audit.record import Event, record, user_at
from authsvc.database import transaction
from authsvc.mail.outbox import Outbox
from authsvc.sessions.open import Authentication, Opened, insert_session
from authsvc.sessions.recent import demand_recent_login
from authsvc.sessions.revoke import Revoked, revoke_sessions, revoke_tokens
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens.claims import Claims
from authsvc.tokens.refresh import RefreshClaims
from authsvc.users.password_news import void_links_and_tell
from authsvc.users.stored_password import replace_password
from authsvc.web.client import Client


def change_password(
    tokens: SessionTokens,
    access_token: Claims,
    hashes: tuple[str, str],
    client: Client,
    replaced: list[str],
    outbox: Outbox,
) -> Opened:
    """Store a new password, revoke all sessions, the request's own too, and open one like it.

    Args:
        tokens: issues the two tokens.
        access_token: the claims of the request's access token.
        hashes: the hash that the current password was verified against, and the new one.
        client: where the request came from, and the key to bind the new session to.
        replaced: the request's refresh tokens: the new cookie overwrites theirs, of any user.
        outbox: takes the mail that tells the owner, where mail is configured.

    Raises:
        WrongPassword: the stored hash is not the verified one any more.
        ReauthenticationRequired, AccessTokenRevoked: see `demand_recent_login`.
        AccessClaimsFailed: the operator's function gave no claims.
    """
    user_id, known = access_token.sub, tokens.of_this_service(replaced)
    own_claims = tokens.own_claims.of(user_id)

    def change(connection: Connection) -> tuple[Opened, list[UUID], list[Revoked]]:
        owner = replace_password(connection, user_id, *hashes)
        now = clock.now()
        amr = demand_recent_login(connection, access_token, now, has_password=True)
        again = Authentication(owner.roles, amr, now)
        address = owner.email, owner.email_key
        void_links_and_tell(connection, outbox, "password_changed", user_id, *address)
        return _replace_sessions(connection, tokens, access_token, known, again, own_claims, client)

    opened, revoked, others = transaction(change)
    outbox.wake()
    _send_signals(user_id, revoked, others, opened.sid)
    return opened


def _replace_sessions(
    connection: Connection,
    tokens: SessionTokens,
    access_token: Claims,
    replaced: list[RefreshClaims],
    again: Authentication,
    own_claims: str,
    client: Client,
) -> tuple[Opened, list[UUID], list[Revoked]]:
    """Revoke the sessions of the user and those that the request replaces, and open a new one."""
    revoked = revoke_sessions(connection, access_token.sub, again.at)
    others = revoke_tokens(connection, replaced, again.at)
    opened = insert_session(connection, tokens, access_token.sub, again, own_claims, client)
    events = _events(access_token, revoked, others, opened.sid)
    record(connection, user_at(client), *events, at=again.at)
    return opened, revoked, others


def _send_signals(user_id: UUID, revoked: list[UUID], others: list[Revoked], opened: UUID) -> None:
    signals.send(signals.password_changed, user_id=user_id)
    signals.send_ended([(sid, user_id) for sid in revoked], "password_changed")
    signals.send_ended(others, "replaced")
    signals.send(signals.logged_in, user_id=user_id, session_id=opened)


def _events(
    access_token: Claims, revoked: list[UUID], others: list[Revoked], opened: UUID
) -> list[Event]:
    user_id = access_token.sub
    return [
        Event("password_changed", user_id, access_token.sid),
        *(Event("session_revoked", user_id, sid) for sid in revoked),
        *(Event("session_revoked", owner, sid, "replaced") for sid, owner in others),
        Event("logged_in", user_id, opened),
    ]
