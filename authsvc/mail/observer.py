"""What the sender reports to the rooms above: the metrics, and the operator's command."""

from typing import Protocol

from authsvc.mail.outbox import Kind


class Observer(Protocol):
    """Counts mails. Its methods must return at once and raise nothing."""

    def sent(self, kind: Kind) -> None:
        """A mail was handed over."""

    def failed(self, kind: Kind) -> None:
        """A mail was given up: it was refused for good, or tried for too long."""

    def put_back(self, kind: Kind) -> None:
        """A mail was not sent, and is tried again."""

    def waiting(self, number: int, age_of_oldest_seconds: float) -> None:
        """So many mails wait in the database, those of other processes included."""


class NoObserver:
    """Does nothing, where nothing is measured."""

    def sent(self, kind: Kind) -> None: ...

    def failed(self, kind: Kind) -> None: ...

    def put_back(self, kind: Kind) -> None: ...

    def waiting(self, number: int, age_of_oldest_seconds: float) -> None: ...
