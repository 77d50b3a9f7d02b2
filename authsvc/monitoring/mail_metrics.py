"""The metrics of the sender of mail: see `authsvc.mail.observer.Observer`."""

from typing import get_args

from prometheus_client import CollectorRegistry, Counter, Gauge

from authsvc.mail.outbox import Kind

KINDS: tuple[Kind, ...] = get_args(Kind)


class MailInstruments:
    """Counts the mails of one app. The number that wait is that of the database."""

    def __init__(self, registry: CollectorRegistry) -> None:
        sent = Counter(
            "authsvc_mails_sent_total", "Mails handed over.", ["kind"], registry=registry
        )
        failed = Counter(
            "authsvc_mails_failed_total", "Mails given up.", ["kind"], registry=registry
        )
        # Each series is there from the start, so that its first increase is seen.
        self._sent = {kind: sent.labels(kind) for kind in KINDS}
        self._failed = {kind: failed.labels(kind) for kind in KINDS}
        self._waiting = Gauge(
            "authsvc_mails_waiting",
            "Mails that wait to be sent.",
            registry=registry,
            multiprocess_mode="livemax",
        )
        self._oldest_age = Gauge(
            "authsvc_mail_oldest_age_seconds",
            "Age of the oldest mail that waits; 0 if none does.",
            registry=registry,
            multiprocess_mode="livemax",
        )

    def sent(self, kind: Kind) -> None:
        """Count a mail that was handed over."""
        self._sent[kind].inc()

    def failed(self, kind: Kind) -> None:
        """Count a mail that was given up."""
        self._failed[kind].inc()

    def put_back(self, kind: Kind) -> None:
        """Count nothing: the mail still waits."""

    def waiting(self, number: int, age_of_oldest_seconds: float) -> None:
        """Record how many mails wait, and the age of the oldest."""
        self._waiting.set(number)
        self._oldest_age.set(age_of_oldest_seconds)
