"""Bind a session to a key of its client, and demand a proof of that key at each use (RFC 9449).

A session is bound when it opens, or never: no function changes the key of a session.
"""

from dataclasses import dataclass
from datetime import datetime

from authsvc.guard.proof_header import SentProof
from authsvc.problems import DpopProofInvalid, DpopProofMissing, InvalidRequest, UseDpopNonce
from authsvc.tokens.proof import Asked, Nonces, ProofInvalid, ProofStale, verify

_UNBOUND = (
    "This service opens only sessions that are bound to a key: send a proof in the header DPoP "
    "(RFC 9449). With authsvc.js, use createAuth({ bind: true })."
)


@dataclass(frozen=True)
class Binding:
    """Binds the sessions of a service.

    Args:
        nonces: issues and recognizes the nonces of clients whose clocks are wrong.
        is_required: whether a session opens only with a proof.
    """

    nonces: Nonces
    is_required: bool = False

    def new_key(self, proof: SentProof | None, now: datetime) -> str | None:
        """Return the thumbprint of the key that a new session is bound to; None if to no key.

        Args:
            proof: what came with the request that opens the session.
            now: our time.

        Raises:
            InvalidRequest: the proof is not valid, or there is none and the service requires one.
            UseDpopNonce: the proof is right but not fresh.
        """
        if proof is None:
            if self.is_required:
                raise InvalidRequest(_UNBOUND)
            return None
        try:
            return self._verify(proof, now)
        except ProofInvalid:
            raise InvalidRequest("The proof in the header DPoP is not valid.") from None

    def demand(self, key: str, proof: SentProof | None, now: datetime) -> None:
        """Demand a proof of a session's key.

        Args:
            key: the thumbprint of the key.
            proof: what came with the request.
            now: our time.

        Raises:
            DpopProofMissing, DpopProofInvalid: there is no proof, or not one by this key.
            UseDpopNonce: the proof is right but not fresh.
        """
        if proof is None:
            raise DpopProofMissing
        try:
            self._verify(proof, now, key)
        except ProofInvalid:
            raise DpopProofInvalid from None

    def _verify(self, proof: SentProof, now: datetime, key: str | None = None) -> str:
        asked = Asked(proof.method, proof.uri, now.timestamp())
        try:
            return verify(proof.text, asked, self.nonces, key)
        except ProofStale:
            raise UseDpopNonce(self.nonces.issue(asked.now)) from None
