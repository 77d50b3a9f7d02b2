"""Bind a session to the device of its browser (W3C Device Bound Session Credentials).

The refresh cookie is never set again. Beside it stands a marker that lives ten minutes, and that
only the key of the device renews; a refresh demands it.
"""

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from flask import Response
from sqlalchemy import Connection, or_, update

from authsvc import clock
from authsvc.audit.record import Event, record, user_at
from authsvc.database import transaction
from authsvc.guard.device_headers import DeviceHeaders, SentMarker
from authsvc.problems import (
    DeviceProofInvalid,
    DeviceProofMissing,
    RateLimited,
    RefreshTokenInvalid,
    ServiceUnavailable,
)
from authsvc.ratelimit.session_limits import SessionLimits
from authsvc.sessions.lookup import FoundSession, find_session
from authsvc.sessions.model import RefreshToken
from authsvc.sessions.tokens import SessionTokens
from authsvc.tokens import device
from authsvc.tokens.device import DeviceTokens, read_registration, read_renewal
from authsvc.tokens.es256 import PublicKey
from authsvc.tokens.refresh import RefreshClaims
from authsvc.web.client import Client


@dataclass(frozen=True)
class DeviceBinding:
    """Binds the sessions of a service to devices.

    Args:
        is_on: whether the service offers it, and demands the marker of sessions that are bound.
        made_by: issues challenges and markers.
        headers: writes the headers that browsers take.
        tokens: of sessions.
        limits: counts failed proofs.
    """

    is_on: bool
    made_by: DeviceTokens
    headers: DeviceHeaders
    tokens: SessionTokens
    limits: SessionLimits

    def offer(
        self, response: Response, sid: UUID, key: str | None = None, replaces: str | None = None
    ) -> Response:
        """Offer the browser to register the key of its device, for five minutes.

        Args:
            response: the response to a login, or to another proof of who the user is.
            sid: the session.
            key: the key that the page has bound the session to, so that nothing is offered.
            replaces: the key of a device that is registered already.
        """
        if not self.is_on or key is not None:
            return response
        now = clock.now().timestamp()
        challenge = self.made_by.registration_challenge(sid, replaces, now)
        return self.headers.offer(response, challenge)

    def demand(self, sid: UUID, session: FoundSession, sent: SentMarker, now: datetime) -> None:
        """Demand the marker, if the session is bound to a device.

        Raises:
            DeviceProofMissing: there is none of this session, or it has expired.
            ServiceUnavailable: the same, and the browser could not renew it: it tries again.
        """
        if not self.is_on or session.device_key is None:
            return
        if sent.text is not None and self.made_by.is_marker(sent.text, sid, now.timestamp()):
            return
        if sent.is_delayed:
            raise ServiceUnavailable
        raise DeviceProofMissing

    def register(self, token: RefreshClaims, proof: str | None, client: Client) -> str:
        """Bind the session to the key that signed its registration challenge; return a marker.

        The same key may come again within the five minutes, because a response can be lost.

        Args:
            token: the refresh token of the session.
            proof: what the browser signed.
            client: where the request came from.

        Raises:
            RefreshTokenRefused: the session is not live.
            DeviceProofInvalid: the proof is not right, or the session has another key.
            ServiceUnavailable: too many proofs have failed.
        """
        now, sid = clock.now(), token.claims.sid
        session = self._live(token, now)
        try:
            key, challenge = read_registration(proof or "")
        except device.DeviceProofInvalid:
            raise self._failed(sid, client) from None
        is_offered = self.made_by.is_registration(
            challenge, sid, session.device_key, key.jwk(), now.timestamp()
        )
        if session.key_thumbprint is not None or not is_offered:
            raise self._failed(sid, client)
        if session.device_key != key.jwk():
            _store(token, key, session.device_key, client, now)
        return self.made_by.marker(sid, now.timestamp())

    def renew(self, token: RefreshClaims, proof: str | None, client: Client) -> str:
        """Return a new marker, if the key of the session's device signed the current challenge.

        Args, Raises: as in `register`; `DeviceProofInvalid` has the challenge to sign.
        """
        now, sid = clock.now(), token.claims.sid
        session = self._live(token, now)
        challenge = self.made_by.challenge(sid, now.timestamp())
        if session.device_key is None:
            raise self._failed(sid, client)
        if proof is None:
            raise DeviceProofInvalid(sid, challenge)  # how a browser asks for a challenge
        try:
            signed = read_renewal(proof, PublicKey.of_jwk(session.device_key))
        except device.DeviceProofInvalid:
            raise self._failed(sid, client, challenge) from None
        if not self.made_by.is_current(signed, sid, now.timestamp()):
            raise DeviceProofInvalid(sid, challenge)  # an old one: the browser signs the new one
        return self.made_by.marker(sid, now.timestamp())

    def _live(self, token: RefreshClaims, now: datetime) -> FoundSession:
        session = find_session(token.claims.sid)
        if session is None:
            raise RefreshTokenInvalid
        refusal = session.refusal(token, now, self.tokens.idle_ttl)
        if refusal is not None:
            raise refusal  # not recorded: each browser asks once more after a logout
        return session

    def _failed(
        self, sid: UUID, client: Client, challenge: str | None = None
    ) -> DeviceProofInvalid | ServiceUnavailable:
        """Count a proof that failed, and return what to raise.

        A 429 would end the binding in the browser for good, and a 503 makes it try again.
        """
        try:
            self.limits.failed_proof(sid, client.ip_address)
        except RateLimited:
            return ServiceUnavailable()
        return DeviceProofInvalid(sid, challenge)


def _store(
    token: RefreshClaims, key: PublicKey, replaces: str | None, client: Client, now: datetime
) -> None:
    """Store the key of the session's device.

    This conditional UPDATE is the check: of two keys that come at once, one is stored.

    Raises:
        DeviceProofInvalid: another key was first, or the session is bound to a key of the page.
    """
    claims = token.claims

    def store(connection: Connection) -> None:
        stored = connection.execute(
            update(RefreshToken)
            .where(
                RefreshToken.id == claims.sid,
                or_(
                    RefreshToken.device_key.is_not_distinct_from(replaces),
                    RefreshToken.device_key == key.jwk(),  # the same request, sent twice
                ),
                RefreshToken.key_thumbprint.is_(None),
                RefreshToken.revoked_at.is_(None),
            )
            .values(device_key=key.jwk())
            .returning(RefreshToken.id)
        )
        if stored.one_or_none() is None:
            raise DeviceProofInvalid(claims.sid)
        record(connection, user_at(client), Event("device_bound", claims.sub, claims.sid), at=now)

    transaction(store)
