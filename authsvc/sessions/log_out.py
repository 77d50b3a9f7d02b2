"""Log out: end the sessions of refresh tokens, with those of other requests in one commit."""

from sqlalchemy import Connection

from authsvc import clock, signals
from authsvc.audit.record import Actor, Event, record
from authsvc.database.shared_transaction import shared_transaction
from authsvc.sessions.revoke import Revoked, revoke_tokens
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens.refresh import RefreshClaims
from authsvc.web import log_context


def log_out(tokens: SessionTokens, refresh_tokens: list[str], actor: Actor) -> None:
    """Revoke the sessions of these refresh tokens, durably. Other strings are ignored."""
    known = tokens.of_this_service(refresh_tokens)
    for token in known:
        log_context.bind(user=token.claims.sub, session=token.claims.sid)
    if known:
        revoked = shared_transaction(lambda connection: _log_out(connection, known, actor))
        signals.send_ended(revoked, "logged_out")


def _log_out(
    connection: Connection, refresh_tokens: list[RefreshClaims], actor: Actor
) -> list[Revoked]:
    now = clock.now()
    revoked = revoke_tokens(connection, refresh_tokens, now)
    record(connection, actor, *(Event("logged_out", user, sid) for sid, user in revoked), at=now)
    return revoked
