"""The limits of what the clients of one session may send."""

from uuid import UUID

from authsvc.problems import RateLimited
from authsvc.ratelimit.attempts import Attempts, network_of, seconds_left
from authsvc.ratelimit.limits import FAILED_PROOFS_PER_SESSION, REFRESHES_PER_SESSION
from authsvc.ratelimit.refresh_counter import RefreshCounter


class SessionLimits:
    """Limits refreshes and failed proofs.

    Args:
        attempts: counts them where all workers see them.
    """

    def __init__(self, attempts: Attempts) -> None:
        self._attempts = attempts
        allowed = attempts.amount(REFRESHES_PER_SESSION)
        self._refreshes = RefreshCounter(allowed, REFRESHES_PER_SESSION.seconds)

    def refresh(self, sid: UUID) -> None:
        """Count one refresh, before it is made.

        Raises:
            RateLimited: this session has been refreshed too often.
        """
        unreported = self._refreshes.add(sid)
        if unreported == 0:
            return
        count = self._attempts.count(REFRESHES_PER_SESSION, "session", str(sid))
        try:
            tally = self._attempts.add(count, unreported)
        except Exception:
            self._refreshes.put_back(sid, unreported)
            raise
        if tally.value > count.limit:
            seconds = seconds_left(count, tally)
            self._refreshes.close(sid, seconds)
            raise RateLimited(seconds)

    def failed_proof(self, sid: UUID, address: str | None) -> None:
        """Count one proof that failed. A good proof is neither counted nor hindered.

        Raises:
            RateLimited: too many have failed for this session from this address.
        """
        which = f"{sid}:{network_of(address)}"
        count = self._attempts.count(FAILED_PROOFS_PER_SESSION, "proof", which)
        tally = self._attempts.add(count)
        if tally.value > count.limit:
            raise RateLimited(seconds_left(count, tally))
