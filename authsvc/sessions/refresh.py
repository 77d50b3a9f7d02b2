"""Refresh a session: issue another access token. Nothing about the session is extended."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import Connection, update

from authsvc import clock
from authsvc.audit.record import Event, record_refusal, user_at
from authsvc.database.shared_transaction import shared_transaction
from authsvc.guard.device_headers import SentMarker
from authsvc.guard.proof_header import SentProof
from authsvc.problems import (
    DeviceProofMissing,
    DpopProofInvalid,
    DpopProofMissing,
    RefreshTokenInvalid,
    ServiceUnavailable,
)
from authsvc.ratelimit.session_limits import SessionLimits
from authsvc.roles import parse
from authsvc.sessions.binding import Binding
from authsvc.sessions.device import DeviceBinding
from authsvc.sessions.lookup import FoundSession, find_session
from authsvc.sessions.model import RefreshToken
from authsvc.sessions.theft import TheftReports
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens import amr
from authsvc.tokens.access import AccessToken
from authsvc.tokens.claims import Claims
from authsvc.tokens.refresh import RefreshClaims
from authsvc.web.client import Client

MAX_USE_INTERVAL = timedelta(hours=1)
"""How old `last_used_at` may be before a refresh updates it. Most refreshes write nothing."""


@dataclass(frozen=True)
class Refreshing:
    """What a refresh is checked with.

    Args:
        tokens: issues the access token.
        binding: checks the proof of a bound session.
        devices: checks the marker of a session that is bound to a device.
        limits: counts refreshes, and failed proofs apart from them.
        theft: reports signs of a stolen cookie.
    """

    tokens: SessionTokens
    binding: Binding
    devices: DeviceBinding
    limits: SessionLimits
    theft: TheftReports


def refresh_session(
    by: Refreshing,
    refresh_token: RefreshClaims,
    client: Client,
    proof: SentProof | None,
    marker: SentMarker | None,
) -> AccessToken:
    """Return an access token for the session of a refresh token. It costs one SELECT.

    The proof comes before the limit: a thief without the key uses up none of the owner's refreshes.

    Args:
        by: what it is checked with.
        refresh_token: a verified refresh token.
        client: the address and browser of the request.
        proof: the proof that came with the request.
        marker: the marker of the device; None if the service binds no sessions to devices.

    Raises:
        RefreshTokenRefused: the session is not live.
        ProofRefused: the proof of its key or device is missing, wrong or not fresh.
        ServiceUnavailable: see `DeviceBinding.demand`.
        RateLimited: there were too many refreshes of the session, or too many failed proofs.
        AccessClaimsFailed: the operator's function gave no claims.
    """
    claims, tokens = refresh_token.claims, by.tokens
    session, now = live_session(by, refresh_token, client, proof, marker)
    access_token = tokens.access.issue(
        sub=claims.sub,
        sid=claims.sid,
        amr=amr.parse(session.amr),
        roles=parse(session.roles or ""),
        extra_json=tokens.own_claims.of(claims.sub),
        auth_time=session.auth_time,
        session_ends=session.expires_at,
        now=now,
    )
    if now - session.last_used_at >= min(MAX_USE_INTERVAL, tokens.idle_ttl / 24):
        _update_last_used(claims.sid, now)
    return access_token


def live_session(
    by: Refreshing,
    refresh_token: RefreshClaims,
    client: Client,
    proof: SentProof | None,
    marker: SentMarker | None = None,
) -> tuple[FoundSession, datetime]:
    """Return the live session of a refresh token, and the time when it was found to be live.

    It refuses a session that is not live, a wrong proof, and one use too many, in this order.

    Args, Raises: as in `refresh_session`; without `marker`, the device is not asked.
    """
    sid = refresh_token.claims.sid
    session = find_session(sid)
    if session is None:
        raise RefreshTokenInvalid
    now = clock.now()
    refusal = session.refusal(refresh_token, now, by.tokens.idle_ttl)
    if refusal is not None:
        if session.user_id is not None:
            event = Event("refresh_refused", session.user_id, sid, refusal.code)
            record_refusal(user_at(client), event, now)
        raise refusal
    try:
        if session.key_thumbprint is not None:
            by.binding.demand(session.key_thumbprint, proof, now)
        if marker is not None:
            by.devices.demand(sid, session, marker, now)
    except (DpopProofMissing, DpopProofInvalid, DeviceProofMissing, ServiceUnavailable) as failed:
        by.limits.failed_proof(sid, client.ip_address)
        _report(by.theft, refresh_token.claims, failed, client, now)
        raise
    by.limits.refresh(sid)
    if session.key_thumbprint is None and session.device_key is None:
        by.theft.used(refresh_token.claims.sub, sid, client, now)
    return session, now


def _report(
    theft: TheftReports,
    claims: Claims,
    refused: DpopProofMissing | DpopProofInvalid | DeviceProofMissing | ServiceUnavailable,
    client: Client,
    now: datetime,
) -> None:
    """Report a refresh without its key or its device.

    A browser that could not renew its marker shows no theft, and causes no mail: each restart
    of the service may cause it. It is recorded, because a thief can claim it too.
    """
    if isinstance(refused, ServiceUnavailable):
        event = Event("refresh_refused", claims.sub, claims.sid, refused.code)
        record_refusal(user_at(client), event, now)
    else:
        theft.failed_proof(claims.sub, claims.sid, refused, client, now)


def _update_last_used(sid: UUID, now: datetime) -> None:
    def touch(connection: Connection) -> None:
        connection.execute(
            update(RefreshToken)
            .where(RefreshToken.id == sid, RefreshToken.last_used_at < now)
            .values(last_used_at=now)
        )

    shared_transaction(touch)
